#include "kernels/augment.h"

#include "kernels/augment/resample.h"
#include "kernels/simd.h"

MG_KERNEL_NAMESPACE_BEGIN

template <class T>
MG_INLINE Vec<T> some(const T* p, int n) {
  return n == Vec<T>::width ? load(p) : load_n(p, n);
}
template <class T>
MG_INLINE void put(T* p, Vec<T> v, int n) {
  n == Vec<T>::width ? store(p, v) : store_n(p, v, n);
}

template <class T>
static void blend(const void* in, int64_t channels, int64_t pixels, double a, double b, double d,
                  const double* weights_in, const double* weights_out, void* out) {
  const T* x = static_cast<const T*>(in);
  T* y = static_cast<T*>(out);
  const Vec<T> scale(static_cast<T>(a)), shift(static_cast<T>(d)), share(static_cast<T>(b));
  if (b == 0 && !weights_out)
    return each_vector<T>(channels * pixels, [&](int64_t i, int n) __attribute__((always_inline)) {
      put(y + i, fma(scale, some(x + i, n), shift), n);
    });
  each_vector<T>(pixels, [&](int64_t i, int n) __attribute__((always_inline)) {
    Vec<T> grey = Vec<T>::zero();
    if (b != 0)
      for (int64_t c = 0; c < channels; ++c)
        grey = fma(Vec<T>(static_cast<T>(weights_in[c])), some(x + c * pixels + i, n), grey);
    const Vec<T> common = fma(share, grey, shift);
    for (int64_t c = 0; c < channels; ++c) {
      const Vec<T> weight(static_cast<T>(weights_out ? weights_out[c] : 1));
      put(y + c * pixels + i, fma(scale, some(x + c * pixels + i, n), weight * common), n);
    }
  });
}

template <class T>
static void mix(const void* first, const void* second, int64_t count, double a, double b,
                void* out) {
  const T *x = static_cast<const T*>(first), *z = static_cast<const T*>(second);
  T* y = static_cast<T*>(out);
  const Vec<T> of_x(static_cast<T>(a)), of_z(static_cast<T>(b));
  each_vector<T>(count, [&](int64_t i, int n) __attribute__((always_inline)) {
    put(y + i, fma(of_x, some(x + i, n), of_z * some(z + i, n)), n);
  });
}

extern constinit const Augment augment = {
    {resample<float>, resample<double>},
    {resample_backward<float>, resample_backward<double>},
    {blend<float>, blend<double>},
    {mix<float>, mix<double>},
};

MG_KERNEL_NAMESPACE_END
