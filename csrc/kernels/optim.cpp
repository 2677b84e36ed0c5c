#include "kernels/optim.h"

#include "kernels/fold.h"
#include "kernels/simd/stream.h"

MG_KERNEL_NAMESPACE_BEGIN
namespace {

template <class T>
MG_INLINE Vec<T> all(double x) {
  return Vec<T>(static_cast<T>(x));
}

template <class T>
struct Decayed {
  Vec<T> param, grad;
};
template <class T>
struct DecayBy {
  Vec<T> grad_scale, weight_decay, l1, keep;
  bool coupled, sparse;

  MG_METHOD explicit DecayBy(const Decay& d)
      : grad_scale(all<T>(d.grad_scale)),
        weight_decay(all<T>(d.weight_decay)),
        l1(all<T>(d.l1)),
        keep(all<T>(d.keep)),
        coupled(d.weight_decay != 0),
        sparse(d.l1 != 0) {}

  MG_METHOD Decayed<T> operator()(Vec<T> p, Vec<T> g) const {
    const Vec<T> zero = Vec<T>::zero();
    g = g * grad_scale;
    if (coupled) g = fma(weight_decay, p, g);
    if (sparse) g = g + select(zero < p, l1, select(p < zero, -l1, zero));
    return {p * keep, g};
  }
};

// The parameter: loaded, and its new values stored.
template <class T>
class Param {
 public:
  MG_METHOD Param(void* p, const Decay& d)
      : p_(static_cast<T*>(p)),
        streams_(d.stream && reinterpret_cast<uintptr_t>(p) % sizeof(Vec<T>) == 0) {}
  template <class At>
  MG_METHOD Vec<T> load(At at, int64_t i) const {
    return at.load(p_ + i);
  }
  MG_METHOD void store(Full<T>, int64_t i, Vec<T> v) const {
    streams_ ? MG_ISA::stream(p_ + i, v) : MG_ISA::store(p_ + i, v);
  }
  MG_METHOD void store(Tail<T> at, int64_t i, Vec<T> v) const { at.store(p_ + i, v); }
  MG_METHOD void end() const {
    if (streams_) end_stream();
  }

 private:
  T* p_;
  bool streams_;
};

template <class T>
void sgd(void* param, const void* grad, void* buffer, int64_t n, const SgdStep& step) {
  const Param<T> p(param, step.decay);
  const T* g = static_cast<const T*>(grad);
  T* buf = static_cast<T*>(buffer);
  const DecayBy<T> decay(step.decay);
  const Vec<T> minus_lr = all<T>(-step.lr), momentum = all<T>(step.momentum);
  const Vec<T> weight = all<T>(step.weight), nesterov = all<T>(step.nesterov);
  const bool look_ahead = step.nesterov != 0;
  each_vector<T>(n, [&](auto at, int64_t i) __attribute__((always_inline)) {
    Decayed<T> d = decay(p.load(at, i), at.load(g + i));
    if (buf) {
      const Vec<T> b = fma(weight, d.grad, momentum * at.load(buf + i));
      at.store(buf + i, b);
      d.grad = look_ahead ? fma(nesterov, b, d.grad) : b;
    }
    p.store(at, i, fma(minus_lr, d.grad, d.param));
  });
  p.end();
}

template <class T>
void adam(void* param, const void* grad, void* first, void* second, void* second_max, int64_t n,
          const AdamStep& step) {
  const Param<T> p(param, step.decay);
  const T* g = static_cast<const T*>(grad);
  T *m = static_cast<T*>(first), *v = static_cast<T*>(second), *top = static_cast<T*>(second_max);
  const DecayBy<T> decay(step.decay);
  const Vec<T> minus_size = all<T>(-step.step_size), root_scale = all<T>(step.root_scale);
  const Vec<T> rest1 = all<T>(1 - step.beta1), rest2 = all<T>(1 - step.beta2);
  const Vec<T> beta2 = all<T>(step.beta2), eps = all<T>(step.eps);
  each_vector<T>(n, [&](auto at, int64_t i) __attribute__((always_inline)) {
    const Decayed<T> d = decay(p.load(at, i), at.load(g + i));
    const Vec<T> old = at.load(m + i), mean = fma(rest1, d.grad - old, old);
    Vec<T> square = fma(rest2 * d.grad, d.grad, beta2 * at.load(v + i));
    at.store(m + i, mean);
    at.store(v + i, square);
    if (top) {
      square = max(at.load(top + i), square);
      at.store(top + i, square);
    }
    const Vec<T> ratio = mean / fma(sqrt(square), root_scale, eps);
    p.store(at, i, fma(minus_size, ratio, d.param));
  });
  p.end();
}

template <class T>
void rmsprop(void* param, const void* grad, void* second, void* first, void* buffer, int64_t n,
             const RmspropStep& step) {
  const Param<T> p(param, step.decay);
  const T* g = static_cast<const T*>(grad);
  T *v = static_cast<T*>(second), *avg = static_cast<T*>(first), *buf = static_cast<T*>(buffer);
  const DecayBy<T> decay(step.decay);
  const Vec<T> minus_lr = all<T>(-step.lr), alpha = all<T>(step.alpha);
  const Vec<T> rest = all<T>(1 - step.alpha), eps = all<T>(step.eps);
  const Vec<T> momentum = all<T>(step.momentum);
  each_vector<T>(n, [&](auto at, int64_t i) __attribute__((always_inline)) {
    const Decayed<T> d = decay(p.load(at, i), at.load(g + i));
    Vec<T> square = fma(rest * d.grad, d.grad, alpha * at.load(v + i));
    at.store(v + i, square);
    if (avg) {
      const Vec<T> old = at.load(avg + i), mean = fma(rest, d.grad - old, old);
      at.store(avg + i, mean);
      // Rounding may leave the variance just below 0; a NaN stays.
      square = max(Vec<T>::zero(), fma(-mean, mean, square));
    }
    Vec<T> ratio = d.grad / (sqrt(square) + eps);
    if (buf) {
      ratio = fma(momentum, at.load(buf + i), ratio);
      at.store(buf + i, ratio);
    }
    p.store(at, i, fma(minus_lr, ratio, d.param));
  });
  p.end();
}

template <class T>
MG_INLINE double squares(const T* x, int64_t n) {
  return fold<Added, T>(n, [&](auto at, int64_t i, Vec<T> acc) __attribute__((always_inline)) {
    const Vec<T> v = at.load(x + i);
    return fma(v, v, acc);
  });
}
template <class T>
double square_sum(const void* x, int64_t n) {
  return squares(static_cast<const T*>(x), n);
}
template <class T>
double max_abs(const void* x, int64_t n) {
  const T* from = static_cast<const T*>(x);
  const double top =
      fold<Highest, T>(n, [&](auto at, int64_t i, Vec<T> acc) __attribute__((always_inline)) {
        return Highest::join<T>(acc, at.keep(abs(at.load(from + i)), Vec<T>::zero()));
      });
  return top < 0 ? 0 : top;
}

template <class T>
MG_INLINE void scale_by(T* x, int64_t n, double by) {
  const Vec<T> factor = all<T>(by);
  each_vector<T>(n, [&](auto at, int64_t i) __attribute__((always_inline)) {
    at.store(x + i, at.load(x + i) * factor);
  });
}
template <class T>
void scale(void* x, int64_t n, double by) {
  scale_by(static_cast<T*>(x), n, by);
}
template <class T>
void lerp(void* to, const void* from, int64_t n, double weight) {
  T* x = static_cast<T*>(to);
  const T* y = static_cast<const T*>(from);
  const Vec<T> w = all<T>(weight);
  each_vector<T>(n, [&](auto at, int64_t i) __attribute__((always_inline)) {
    const Vec<T> old = at.load(x + i);
    at.store(x + i, fma(w, at.load(y + i) - old, old));
  });
}
template <class T>
void max_norm(void* x, int64_t rows, int64_t cols, double limit) {
  for (int64_t r = 0; r < rows; ++r) {
    T* row = static_cast<T*>(x) + r * cols;
    const double norm = __builtin_sqrt(squares(row, cols));
    if (norm > limit) scale_by(row, cols, limit / norm);
  }
}

}  // namespace

extern const Optim optim;
constinit const Optim optim = {
    {sgd<float>, sgd<double>},         {adam<float>, adam<double>},
    {rmsprop<float>, rmsprop<double>}, {square_sum<float>, square_sum<double>},
    {max_abs<float>, max_abs<double>}, {scale<float>, scale<double>},
    {lerp<float>, lerp<double>},       {max_norm<float>, max_norm<double>},
};

MG_KERNEL_NAMESPACE_END
