// pow: e^(y log x), the logarithm and the product carried in two parts.
#pragma once
#include "kernels/math/log.h"

namespace mg {
namespace MG_ISA {

// (2 atanh(s) / s - 2 - 2/3 s^2) / s^4, by z = s^2
MG_INLINE Vec<float> atanh_tail(Vec<float> z) {
  return polynomial(z, 0x1.999a04p-2f, 0x1.245122p-2f, 0x1.dfdaf2p-3f);
}
MG_INLINE Vec<double> atanh_tail(Vec<double> z) {
  return polynomial(z, 0x1.9999999999995p-2, 0x1.2492492493153p-2, 0x1.c71c71c563a8ep-3,
                    0x1.745d183e4e87ap-3, 0x1.3b135fe084404p-3, 0x1.112117e6e98e1p-3,
                    0x1.de25389d2da68p-4, 0x1.eb7e3f7d17bbdp-4);
}

template <class T>
MG_INLINE Pair<T> pair_sum(Vec<T> a, Vec<T> b) {  // |a| >= |b|
  const Vec<T> s = a + b;
  return {s, sum_error(a, b, s)};
}
template <class T>
MG_INLINE Pair<T> pair_product(const Pair<T>& a, const Pair<T>& b) {
  const Vec<T> p = a.high * b.high;
  return {p, product_error(a.high, b.high, p) + fma(a.high, b.low, a.low * b.high)};
}

// log(x) in two parts, for x normal and positive; `lifted` is taken off the exponent.
template <class T>
MG_INLINE Pair<T> log_in_two(Vec<T> x, Vec<T> lifted) {
  const LogParts<T> p = log_parts(x);
  const Vec<T> e = p.e - lifted, two(T(2));
  // s = f / (2 + f)
  const Pair<T> divisor = pair_sum(two, p.f);
  const Vec<T> inverse = Vec<T>(T(1)) / divisor.high, s_high = p.f * inverse;
  const Vec<T> rest = -product_error(s_high, divisor.high, p.f) - s_high * divisor.low;
  const Pair<T> s = {s_high, rest * inverse};
  // log(1 + f) = 2 s + s^3 (2/3 + z tail)
  const Pair<T> z = pair_product(s, s);
  Pair<T> factor = pair_sum(Vec<T>(choose<T>(0x1.555556p-1f, 0x1.5555555555555p-1)),
                            z.high * atanh_tail(z.high));
  factor.low = factor.low + Vec<T>(choose<T>(-0x1.555556p-26f, 0x1.5555555555555p-55));
  const Pair<T> cube = pair_product(s, pair_product(z, factor));
  const Pair<T> lead = pair_sum(e * Vec<T>(ln2_high<T>), s.high + s.high);
  const Pair<T> both = pair_sum(lead.high, cube.high);
  const Vec<T> low = (both.low + lead.low) + fma(e, Vec<T>(ln2_low<T>), cube.low + two * s.low);
  return pair_sum(both.high, low);
}

// x^y for what is not 0 < x < infinity with finite y, given |x|^y.
template <class T>
MG_INLINE Vec<T> pow_special(Vec<T> x, Vec<T> y, Vec<T> result) {
  const Vec<T> zero = Vec<T>::zero(), one(T(1)), huge(infinity<T>), a = abs(x),
               half_y = y * Vec<T>(T(0.5));
  const Mask<T> whole = floor(y) == y, odd = whole & (floor(half_y) != half_y);
  const Mask<T> extreme = (a == zero) | (a == huge) | (abs(y) == huge);
  // 0, infinity, or (+-1)^infinity
  const Mask<T> grows = ((one < a) & (zero < y)) | ((a < one) & (y < zero));
  result = select(extreme, select(grows, huge, select(a == one, one, zero)), result);
  result = select(odd & is_negative(x), -result, result);
  result = select((x < zero) & (a < huge) & ~whole, Vec<T>(not_a_number<T>), result);
  result = select((x != x) | (y != y), x + y, result);
  return select((x == one) | (y == zero), one, result);
}

template <class T>
MG_ONCE Vec<T> pow(Vec<T> x, Vec<T> y) {
  const Vec<T> zero = Vec<T>::zero(), huge(infinity<T>), smallest(Format<T>::smallest_normal);
  const Vec<T> far(choose<T>(0x1p50f, 0x1p100));  // beyond, only 1^y is neither 0 nor infinite
  const bool special = any(~((smallest <= x) & (x < huge) & (abs(y) < far)));
  Vec<T> base = x, exponent = y, lifted = zero;
  if (__builtin_expect(special, 0)) {
    const Mask<T> small = abs(x) < smallest;
    base = select(small, abs(x) * Vec<T>(choose<T>(0x1p24f, 0x1p54)), abs(x));
    lifted = select(small, Vec<T>(subnormal_exponent<T>), zero);
    exponent = max(-far, min(far, y));
  }
  const Pair<T> l = log_in_two(base, lifted);
  // Beyond the limit e^p is 0 or infinite whatever the low part.
  const Vec<T> limit(choose<T>(120, 800)), p = exponent * l.high;
  const Vec<T> inside = max(-limit, min(limit, p));
  const Vec<T> p_low = fma(exponent, l.low, product_error(exponent, l.high, p));
  const ExpParts<T> e = exp_parts(inside, select(abs(p) < limit, p_low, zero));
  const Vec<T> one(T(1)), high = one + e.t;
  const Vec<T> result = scale(high + (sum_error(one, e.t, high) + e.t_low), e.n);
  if (__builtin_expect(special, 0)) return pow_special(x, y, result);
  return result;
}

}  // namespace MG_ISA
}  // namespace mg
