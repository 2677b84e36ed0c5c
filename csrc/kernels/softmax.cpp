#include "kernels/softmax.h"

#include "kernels/short_rows.h"
#include "kernels/softmax_columns.h"

MG_KERNEL_NAMESPACE_BEGIN

template <class T>
MG_INLINE T row_max(const T* x, int64_t n) {
  const Vec<T> lowest(Highest::identity<T>());
  return fold<Highest, T>(n, [&](auto at, int64_t i, Vec<T> acc) MG_STEP {
    return Highest::join<T>(acc, at.keep(at.load(x + i), lowest));
  });
}

// sum exp(x - m)
template <class T>
MG_INLINE T sum_exp(const T* x, int64_t n, T m) {
  const Vec<T> top(m);
  return fold<Added, T, true>(n, [&](auto at, int64_t i, Vec<T> acc) MG_STEP {
    return acc + at.keep(exp(at.load(x + i) - top), Vec<T>::zero());
  });
}

// y = exp(x - m), and its sum
template <class T>
MG_INLINE T store_exp(const T* x, int64_t n, T m, T* y) {
  const Vec<T> top(m);
  return fold<Added, T, true>(n, [&](auto at, int64_t i, Vec<T> acc) MG_STEP {
    const Vec<T> e = exp(at.load(x + i) - top);
    at.store(y + i, e);
    return acc + at.keep(e, Vec<T>::zero());
  });
}

template <class T>
MG_INLINE T log1(T x) {
  return lane0(log(Vec<T>(x)));
}

template <class T>
static void softmax_rows(const void* x, int64_t stride, int64_t rows, int64_t n, void* y) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* in = static_cast<const T*>(x) + r * stride;
    T* out = static_cast<T*>(y) + r * n;
    const Vec<T> total(store_exp(in, n, row_max(in, n), out));
    each_vector<T>(
        n, [&](auto at, int64_t i) MG_STEP { at.store(out + i, at.load(out + i) / total); });
  }
}

template <class T>
static void log_softmax_rows(const void* x, int64_t stride, int64_t rows, int64_t n, void* y) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* in = static_cast<const T*>(x) + r * stride;
    T* out = static_cast<T*>(y) + r * n;
    const T m = row_max(in, n);
    const Vec<T> top(m), log_total(log1(sum_exp(in, n, m)));
    each_vector<T>(n, [&](auto at, int64_t i)
                          MG_STEP { at.store(out + i, at.load(in + i) - top - log_total); });
  }
}

constexpr int64_t short_logsumexp = 16;

// Against an infinite maximum every difference would be NaN, so it is left out.
template <class T>
static void logsumexp_rows(const void* x, int64_t stride, int64_t rows, int64_t n, void* y) {
  if (n <= short_logsumexp)
    return each_short<short_logsumexp>(
        static_cast<const T*>(x), stride, rows, n,
        [&](const T(*column)[Vec<T>::width], int64_t row, int64_t count) MG_STEP {
          logsumexp_columns<T>(column, Vec<T>::width, n, count, static_cast<T*>(y) + row);
        });
  for (int64_t r = 0; r < rows; ++r) {
    const T* in = static_cast<const T*>(x) + r * stride;
    const T m = row_max(in, n);
    const T shift = m - m == 0 ? m : T(0);
    static_cast<T*>(y)[r] = shift + log1(sum_exp(in, n, shift));
  }
}

template <class T>
static void softmax_backward(const void* grad, const void* y, int64_t rows, int64_t n, void* dx) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* g = static_cast<const T*>(grad) + r * n;
    const T* p = static_cast<const T*>(y) + r * n;
    T* out = static_cast<T*>(dx) + r * n;
    const Vec<T> mean(fold<Added, T>(n, [&](auto at, int64_t i, Vec<T> acc) MG_STEP {
      return fma(at.load(g + i), at.load(p + i), acc);
    }));
    each_vector<T>(n, [&](auto at, int64_t i)
                          MG_STEP { at.store(out + i, at.load(p + i) * (at.load(g + i) - mean)); });
  }
}

template <class T>
static void log_softmax_backward(const void* grad, const void* y, int64_t rows, int64_t n,
                                 void* dx) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* g = static_cast<const T*>(grad) + r * n;
    const T* log_p = static_cast<const T*>(y) + r * n;
    T* out = static_cast<T*>(dx) + r * n;
    const Vec<T> total(fold<Added, T>(
        n, [&](auto at, int64_t i, Vec<T> acc) MG_STEP { return acc + at.load(g + i); }));
    each_vector<T>(n, [&](auto at, int64_t i) MG_STEP {
      at.store(out + i, at.load(g + i) - exp(at.load(log_p + i)) * total);
    });
  }
}

// q = keep * target + rest
template <class T>
struct Mixing {
  T keep, rest;
  explicit Mixing(const CrossEntropy& c)
      : keep(static_cast<T>(1 - c.smoothing)), rest(static_cast<T>(c.smoothing / c.n)) {}
};

template <class T>
static void cross_entropy(const CrossEntropy& c, void* loss) {
  const Mixing<T> mix(c);
  for (int64_t r = 0; r < c.rows; ++r) {
    const T* x = static_cast<const T*>(c.x) + r * c.stride;
    const T m = row_max(x, c.n);
    const T log_total = log1(sum_exp(x, c.n, m));
    const Vec<T> top(m), log_sum(log_total);
    T result;
    if (c.labels) {
      result = mix.keep * (log_total - (x[c.labels[r]] - m));
      if (mix.rest != 0) {
        result += mix.rest * fold<Added, T>(c.n, [&](auto at, int64_t i, Vec<T> acc) MG_STEP {
                    const Vec<T> nll = log_sum - (at.load(x + i) - top);
                    return acc + at.keep(nll, Vec<T>::zero());
                  });
      }
    } else {
      const T* q = static_cast<const T*>(c.probabilities) + r * c.n;
      const Vec<T> keep(mix.keep), rest(mix.rest);
      result = fold<Added, T>(c.n, [&](auto at, int64_t i, Vec<T> acc) MG_STEP {
        const Vec<T> nll = log_sum - (at.load(x + i) - top);
        return acc + at.keep(nll * fma(keep, at.load(q + i), rest), Vec<T>::zero());
      });
    }
    static_cast<T*>(loss)[r] = result;
  }
}

template <class T>
static void cross_entropy_backward(const CrossEntropy& c, const void* grad, int64_t grad_step,
                                   double scale, void* dx) {
  const Mixing<T> mix(c);
  const Vec<T> keep(mix.keep), rest(mix.rest);
  for (int64_t r = 0; r < c.rows; ++r) {
    const T* x = static_cast<const T*>(c.x) + r * c.stride;
    T* out = static_cast<T*>(dx) + r * c.n;
    const T g = static_cast<const T*>(grad)[r * grad_step] * static_cast<T>(scale);
    const T total = store_exp(x, c.n, row_max(x, c.n), out);
    const Vec<T> sum(total), gradient(g);
    if (c.labels) {
      const T p = out[c.labels[r]] / total;
      each_vector<T>(c.n, [&](auto at, int64_t i) MG_STEP {
        at.store(out + i, (at.load(out + i) / sum - rest) * gradient);
      });
      out[c.labels[r]] = (p - mix.rest - mix.keep) * g;
    } else {
      const T* q = static_cast<const T*>(c.probabilities) + r * c.n;
      const Vec<T> mass(fold<Added, T>(c.n, [&](auto at, int64_t i, Vec<T> acc) MG_STEP {
        return acc + at.keep(fma(keep, at.load(q + i), rest), Vec<T>::zero());
      }));
      each_vector<T>(c.n, [&](auto at, int64_t i) MG_STEP {
        const Vec<T> p = at.load(out + i) / sum;
        at.store(out + i, (p * mass - fma(keep, at.load(q + i), rest)) * gradient);
      });
    }
  }
}

extern const Softmax softmax;
constinit const Softmax softmax = {
    .softmax = {softmax_rows<float>, softmax_rows<double>},
    .log_softmax = {log_softmax_rows<float>, log_softmax_rows<double>},
    .logsumexp = {logsumexp_rows<float>, logsumexp_rows<double>},
    .softmax_columns = {softmax_columns<float>, softmax_columns<double>},
    .log_softmax_columns = {log_softmax_columns<float>, log_softmax_columns<double>},
    .logsumexp_columns = {logsumexp_columns<float>, logsumexp_columns<double>},
    .most_rows = softmax_most_rows,
    .softmax_backward = {softmax_backward<float>, softmax_backward<double>},
    .log_softmax_backward = {log_softmax_backward<float>, log_softmax_backward<double>},
    .cross_entropy = {cross_entropy<float>, cross_entropy<double>},
    .cross_entropy_backward = {cross_entropy_backward<float>, cross_entropy_backward<double>},
};

MG_KERNEL_NAMESPACE_END
