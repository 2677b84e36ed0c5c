// exp, expm1, sigmoid, and tanh of float64 (tanh.h): all from e^x = 2^n (1 + t), t = e^r - 1 for
// |r| <= log(2) / 2.
#pragma once
#include "kernels/math/base.h"

namespace mg {
namespace MG_ISA {

template <class T>
constexpr T log2_e = choose<T>(0x1.715476p0f, 0x1.71547652b82fep0);
// log(2) in two parts, the first short enough for n * ln2_high to be exact.
template <class T>
constexpr T ln2_high = choose<T>(0x1.62e4p-1f, 0x1.62e42feep-1);
template <class T>
constexpr T ln2_low = choose<T>(0x1.7f7d1cp-20f, 0x1.a39ef35793c76p-33);

// (e^r - 1 - r) / r^2
MG_INLINE Vec<float> exp_tail(Vec<float> r) {
  return polynomial(r, 0x1p-1f, 0x1.555556p-3f, 0x1.5554fp-5f, 0x1.110fep-7f, 0x1.6d436ep-10f,
                    0x1.a293cep-13f);
}
MG_INLINE Vec<double> exp_tail(Vec<double> r) {
  return polynomial(r, 0x1p-1, 0x1.5555555555559p-3, 0x1.5555555555557p-5, 0x1.111111110f65p-7,
                    0x1.6c16c16c1577dp-10, 0x1.a01a01b00610cp-13, 0x1.a01a01ab13cadp-16,
                    0x1.71ddf808b6aep-19, 0x1.27e4d14428d45p-22, 0x1.af5f37267188dp-26,
                    0x1.1f83e1c3496cbp-29);
}

// e^(x + low) = 2^n (1 + t + t_low)
template <class T>
struct ExpParts {
  Vec<T> n, t, t_low;
};
template <class T>
MG_INLINE ExpParts<T> exp_parts(Vec<T> x, Vec<T> low = Vec<T>::zero()) {
  const Vec<T> magic(Format<T>::magic);
  const Vec<T> n = fma(x, Vec<T>(log2_e<T>), magic) - magic;
  const Vec<T> coarse = fma(n, Vec<T>(-ln2_high<T>), x);
  const Vec<T> fine = fma(n, Vec<T>(ln2_low<T>), -low);
  const Vec<T> r = coarse - fine, r_low = (coarse - r) - fine;
  const Vec<T> tail = r * r * exp_tail(r), t = r + tail;
  return {n, t, sum_error(r, tail, t) + fma(r_low, t, r_low)};
}

// The same in fewer steps, with r rounded: a quarter ulp of e^x. n is also in the low bits of
// `shifted`, as a float.
template <class T>
struct ExpReduced {
  Vec<T> shifted, n, r;
  // v * 2^n, if that is normal
  Vec<T> scaled(Vec<T> v) const {
    return as_vec(as_int(v) + shl<Format<T>::mantissa>(as_int(shifted)));
  }
};
template <class T>
MG_INLINE ExpReduced<T> exp_reduce(Vec<T> x) {
  const Vec<T> magic(Format<T>::magic);
  const Vec<T> shifted = fma(x, Vec<T>(log2_e<T>), magic), n = shifted - magic;
  return {shifted, n, fma(n, Vec<T>(-ln2_low<T>), fma(n, Vec<T>(-ln2_high<T>), x))};
}

// From here on down e^x is 0.
template <class T>
constexpr T exp_underflow = choose<T>(-104, -746);
// Up to here on both sides e^x, and its last step, are normal numbers.
template <class T>
constexpr T exp_safe = choose<T>(86, 707);

template <class T>
MG_ONCE Vec<T> exp(Vec<T> x) {
  const bool extreme = any(~(abs(x) <= Vec<T>(exp_safe<T>)));
  Vec<T> y = x;
  if (__builtin_expect(extreme, 0))
    y = min(Vec<T>(choose<T>(89, 710)), max(Vec<T>(exp_underflow<T>), x));  // keeps NaN
  const ExpReduced<T> e = exp_reduce(y);
  const Vec<T> mantissa = Vec<T>(T(1)) + fma(e.r * e.r, exp_tail(e.r), e.r);
  if (__builtin_expect(extreme, 0)) return scale(mantissa, e.n);
  return e.scaled(mantissa);
}

// 2^n (1 + t) + c for c = 1 or -1 and the rounding error of it, given s = 2^n.
template <class T>
struct Pair {
  Vec<T> high, low;
};
template <class T>
MG_INLINE Pair<T> exp_plus(Vec<T> s, const ExpParts<T>& e, T c) {
  const Vec<T> base = s + Vec<T>(c), high = fma(s, e.t, base);
  const Vec<T> errors = sum_error(s, Vec<T>(c), base) + fma(s, e.t, base - high);
  return {high, fma(s, e.t_low, errors)};
}

template <class T>
MG_ONCE Vec<T> expm1(Vec<T> x) {
  const Vec<T> safe(exp_safe<T>);
  const ExpParts<T> e = exp_parts(min(safe, max(Vec<T>(T(-50)), x)));
  const Pair<T> sum = exp_plus(power_of_two(e.n), e, T(-1));
  Vec<T> result = sum.high + sum.low;
  if (__builtin_expect(any(safe < x), 0)) result = select(safe < x, exp(x), result);
  return with_sign(result, x);
}

// a / b, each in two parts.
template <class T>
MG_INLINE Vec<T> quotient(const Pair<T>& a, const Pair<T>& b) {
  const Vec<T> inverse = Vec<T>(T(1)) / b.high, q = a.high * inverse;
  const Vec<T> rest = fma(-q, b.low, a.low) - product_error(q, b.high, a.high);
  return fma(rest, inverse, q);
}

// 1 / (1 + e^-x), with 1 + e^-x = 1 + 2^n + 2^n t in two parts.
template <class T>
MG_ONCE Vec<T> sigmoid(Vec<T> x) {
  const Vec<T> one(T(1));
  const bool far = any(~(abs(x) <= Vec<T>(choose<T>(16, 36))));  // 1 + 2^n may be no number
  Vec<T> y = x;
  if (__builtin_expect(far, 0)) y = min(Vec<T>(choose<T>(18, 38)), x);  // keeps NaN
  const ExpReduced<T> e = exp_reduce(-y);
  const Vec<T> s = e.scaled(one), t = fma(e.r * e.r, exp_tail(e.r), e.r);
  const Vec<T> base = one + s, high = fma(s, t, base);
  Vec<T> low = fma(s, t, base - high);
  if (__builtin_expect(far, 0)) low = low + sum_error(max(one, s), min(one, s), base);
  const Vec<T> inverse = one / high;
  const Vec<T> error = fma(-inverse, low, -product_error(inverse, high, one));
  const Vec<T> result = fma(error, inverse, inverse);
  if (__builtin_expect(far, 0)) {  // e^x, where 2^n, or what splits it, may be too large
    const Mask<T> left = x < Vec<T>(choose<T>(-70, -680));
    if (any(left)) return select(left, exp(x), result);
  }
  return result;
}

}  // namespace MG_ISA
}  // namespace mg
