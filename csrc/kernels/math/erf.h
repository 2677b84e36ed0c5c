// erf: a polynomial near 0, and beyond 1 - e^h with h a polynomial for log(erfc).
#pragma once
#include "kernels/math/exp.h"

namespace mg {
namespace MG_ISA {

template <class T>
constexpr T erf_split = choose<T>(0.921875f, 0.84375);
// erf(x) / x - 1, by z = x^2, up to the split.
MG_INLINE Vec<float> erf_near(Vec<float> z) {
  return fma(polynomial(z, -0x1.812742p-2f, 0x1.ce2deep-4f, -0x1.b80d24p-6f, 0x1.54bed8p-8f,
                        -0x1.aa08eap-11f, 0x1.5c5e24p-14f),
             z, Vec<float>(0x1.06eba8p-3f));
}
MG_INLINE Vec<double> erf_near(Vec<double> z) {
  return fma(polynomial(z, -0x1.812746b037a02p-2, 0x1.ce2f21a043b02p-4, -0x1.b82ce312c613dp-6,
                        0x1.565bcd16f1a0dp-8, -0x1.c02db56b6c239p-11, 0x1.f9a34c70de6ebp-14,
                        -0x1.f4d4ba07d5606p-17, 0x1.b9fbcf0b57b5bp-20, -0x1.5fa4a0baa1166p-23,
                        0x1.f5eaa8a2f5456p-27, -0x1.0f1597985cb11p-30),
             z, Vec<double>(0x1.06eba8214db69p-3));
}

// log(erfc(split + d)) = c + c_low + d * erfc_slope(d), up to where erf rounds to 1.
template <class T>
constexpr T erf_one = choose<T>(4, 6);
template <class T>
constexpr T erfc_at_split = choose<T>(-0x1.a60826p+0f, -0x1.752ae57da8eb9p+0);
template <class T>
constexpr T erfc_at_split_low = choose<T>(-0x1.f5ee5ap-25f, 0x1.e815f156aa54fp-55);
MG_INLINE Vec<float> erfc_slope(Vec<float> d) {
  return polynomial(d, -0x1.41068ep+1f, -0x1.aa7d84p-1f, -0x1.6f34e2p-5f, 0x1.639b9ap-7f,
                    -0x1.18f684p-9f, 0x1.389136p-12f, -0x1.61b516p-16f);
}
MG_INLINE Vec<double> erfc_slope(Vec<double> d) {
  return polynomial(
      d, -0x1.30793aeac1995p+1, -0x1.a4e76e80dfc16p-1, -0x1.8bf0a97662156p-5, 0x1.7e1d5b9b5a0bfp-7,
      -0x1.1dc8c7a053c7dp-9, 0x1.8791333ec4697p-13, 0x1.23b4906c217c5p-14, -0x1.676b952df3fd6p-15,
      0x1.ab2f2a6a63122p-17, -0x1.feecaf72a81dep-20, -0x1.40e760dee74bfp-22, 0x1.5ac18fde95b93p-22,
      -0x1.17446662fb5e6p-23, 0x1.334fef2a9a025p-25, -0x1.f37f6808da556p-28, 0x1.29fd0efd290fdp-30,
      -0x1.f009e64c66604p-34, 0x1.0169534cb9401p-37, -0x1.f4d9d46ebded9p-43);
}

template <class T>
MG_ONCE Vec<T> erf(Vec<T> x) {
  const Vec<T> a = abs(x), split(erf_split<T>);
  Vec<T> result = fma(a, erf_near(a * a), a);
  if (any(split < a)) {
    const Vec<T> d = min(Vec<T>(erf_one<T>), a) - split;
    const Vec<T> c(erfc_at_split<T>), rise = d * erfc_slope(d), h = c + rise;
    const Vec<T> h_low = any_sum_error(c, rise, h) + Vec<T>(erfc_at_split_low<T>);
    const ExpParts<T> e = exp_parts(h, h_low);
    const Pair<T> minus = exp_plus(power_of_two(e.n), e, T(-1));
    result = select(split < a, -(minus.high + minus.low), result);
  }
  return with_sign(result, x);
}

}  // namespace MG_ISA
}  // namespace mg
