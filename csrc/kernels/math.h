// Functions on vectors.
#pragma once
#include "kernels/simd.h"

namespace mg {
namespace MG_ISA {

template <class T, class F>
MG_INLINE Vec<T> lane_by_lane(Vec<T> x, F f) {
  T lane[Vec<T>::width];
  store(lane, x);
  for (T& l : lane) l = f(l);
  return load(lane);
}
#define MG_LIBM(name)                                                                        \
  MG_INLINE Vec<float> name(Vec<float> x) {                                                  \
    return lane_by_lane(x, [](float a) { return static_cast<float>(__builtin_##name(a)); }); \
  }                                                                                          \
  MG_INLINE Vec<double> name(Vec<double> x) {                                                \
    return lane_by_lane(x, [](double a) { return __builtin_##name(a); });                    \
  }
MG_LIBM(exp)
MG_LIBM(expm1) MG_LIBM(log) MG_LIBM(log1p) MG_LIBM(sin) MG_LIBM(cos) MG_LIBM(tanh)
    MG_LIBM(erf) template <class T>
    MG_INLINE Vec<T> sigmoid(Vec<T> x) {
  return Vec<T>(1) / (Vec<T>(1) + exp(-x));
}
template <class T>
MG_INLINE Vec<T> pow(Vec<T> x, Vec<T> y) {
  T a[Vec<T>::width], b[Vec<T>::width];
  store(a, x);
  store(b, y);
  for (int i = 0; i < Vec<T>::width; ++i) a[i] = __builtin_pow(a[i], b[i]);
  return load(a);
}

}  // namespace MG_ISA
}  // namespace mg
