#include "kernels/norm.h"

#include "kernels/batch_norm.h"
#include "kernels/fold.h"

MG_KERNEL_NAMESPACE_BEGIN

template <class T>
static void layer_norm(const void* x, int64_t rows, int64_t n, const void* weight, const void* bias,
                       double eps, void* y, void* mean, void* rstd) {
  const T* w = static_cast<const T*>(weight);
  const T* b = static_cast<const T*>(bias);
  for (int64_t r = 0; r < rows; ++r) {
    const T* in = static_cast<const T*>(x) + r * n;
    T* out = static_cast<T*>(y) + r * n;
    const T m = fold<Added, T>(n, [&](auto at, int64_t i, Vec<T> acc)
                                      MG_STEP { return acc + at.load(in + i); }) /
                static_cast<T>(n);
    const Vec<T> center(m);
    const T squares = fold<Added, T>(n, [&](auto at, int64_t i, Vec<T> acc) MG_STEP {
      const Vec<T> d = at.keep(at.load(in + i) - center, Vec<T>::zero());
      return fma(d, d, acc);
    });
    const T scale = reciprocal_root(squares / static_cast<T>(n) + static_cast<T>(eps));
    const Vec<T> k(scale);
    each_vector<T>(n, [&](auto at, int64_t i) MG_STEP {
      const Vec<T> hat = (at.load(in + i) - center) * k;
      at.store(out + i, hat * at.load(w + i) + at.load(b + i));
    });
    static_cast<T*>(mean)[r] = m;
    static_cast<T*>(rstd)[r] = scale;
  }
}

template <class T>
static void layer_norm_backward(const void* grad, const void* x, const void* mean, const void* rstd,
                                const void* weight, int64_t rows, int64_t n, void* dx) {
  const T* w = static_cast<const T*>(weight);
  for (int64_t r = 0; r < rows; ++r) {
    const T* g = static_cast<const T*>(grad) + r * n;
    const T* in = static_cast<const T*>(x) + r * n;
    T* out = static_cast<T*>(dx) + r * n;
    const Vec<T> center(static_cast<const T*>(mean)[r]), k(static_cast<const T*>(rstd)[r]);
    const auto weighted = [&](auto at, int64_t i)
                              MG_STEP { return at.load(g + i) * at.load(w + i); };
    const T sum = fold<Added, T>(
        n, [&](auto at, int64_t i, Vec<T> acc) MG_STEP { return acc + weighted(at, i); });
    // The lanes beyond the row hold a gradient of zero.
    const T along = fold<Added, T>(n, [&](auto at, int64_t i, Vec<T> acc) MG_STEP {
      return fma(weighted(at, i), at.keep((at.load(in + i) - center) * k, Vec<T>::zero()), acc);
    });
    const Vec<T> mean_h(sum / static_cast<T>(n)), mean_along(along / static_cast<T>(n));
    each_vector<T>(n, [&](auto at, int64_t i) MG_STEP {
      const Vec<T> hat = (at.load(in + i) - center) * k;
      at.store(out + i, k * (weighted(at, i) - mean_h - hat * mean_along));
    });
  }
}

template <class T>
static void layer_norm_weights(const void* grad, const void* x, const void* mean, const void* rstd,
                               int64_t rows, int64_t n, int64_t begin, int64_t end, void* dweight,
                               void* dbias) {
  const T* g = static_cast<const T*>(grad) + begin;
  const T* in = static_cast<const T*>(x) + begin;
  const T* center = static_cast<const T*>(mean);
  const T* k = static_cast<const T*>(rstd);
  fold_columns<Added, T>(rows, end - begin, static_cast<T*>(dweight) + begin,
                         [&](auto at, int64_t r, int64_t j, Vec<T> acc) MG_STEP {
                           const Vec<T> hat =
                               (at.load(in + r * n + j) - Vec<T>(center[r])) * Vec<T>(k[r]);
                           return fma(at.load(g + r * n + j), hat, acc);
                         });
  fold_columns<Added, T>(rows, end - begin, static_cast<T*>(dbias) + begin,
                         [&](auto at, int64_t r, int64_t j, Vec<T> acc)
                             MG_STEP { return acc + at.load(g + r * n + j); });
}

extern const Norm norm;
constinit const Norm norm = {
    .layer_norm = {layer_norm<float>, layer_norm<double>},
    .layer_norm_backward = {layer_norm_backward<float>, layer_norm_backward<double>},
    .layer_norm_weights = {layer_norm_weights<float>, layer_norm_weights<double>},
    .statistics = {statistics<float>, statistics<double>},
    .batch_norm = {batch_norm<float>, batch_norm<double>},
    .batch_norm_weights = {batch_norm_weights<float>, batch_norm_weights<double>},
    .batch_norm_backward = {batch_norm_backward<float>, batch_norm_backward<double>},
};

MG_KERNEL_NAMESPACE_END
