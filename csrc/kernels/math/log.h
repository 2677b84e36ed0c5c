// log, log1p: x = 2^e (1 + f) with 1 + f between sqrt(1/2) and sqrt(2).
#pragma once
#include "kernels/math/exp.h"

namespace mg {
namespace MG_ISA {

// log(1 + f) - f
MG_INLINE Vec<float> log_tail(Vec<float> f) {
  const Vec<float> p =
      polynomial(f, 0x1.555546p-2f, -0x1.00000ap-2f, 0x1.99a546p-3f, -0x1.555ae4p-3f,
                 0x1.232cfap-3f, -0x1.fc4dap-4f, 0x1.e7a54ep-4f, -0x1.dd651p-4f, 0x1.11c874p-4f);
  return f * f * fma(f, p, Vec<float>(-0.5f));
}
// By s = f / (2 + f), log(1 + f) = 2 atanh(s), which takes half as many terms.
MG_INLINE Vec<double> log_tail(Vec<double> f) {
  const Vec<double> s = f / (Vec<double>(2.0) + f), z = s * s;
  const Vec<double> p = polynomial(z, 0x1.5555555555595p-1, 0x1.999999997f26cp-2,
                                   0x1.249249427c47dp-2, 0x1.c71c51a26870dp-3, 0x1.746652b1500b2p-3,
                                   0x1.399fd376aebe3p-3, 0x1.2f17efa94bb3cp-3);
  const Vec<double> half_square = Vec<double>(0.5) * f * f;
  return fma(s, fma(z, p, half_square), -half_square);
}

template <class T>
struct LogParts {
  Vec<T> e, f;
};
// x is normal and positive.
template <class T>
MG_INLINE LogParts<T> log_parts(Vec<T> x) {
  constexpr int mantissa = Format<T>::mantissa;
  const Int<T> root_half = as_int(Vec<T>(T(0.70710678118654752440)));
  const Int<T> bias = shl<mantissa>(Int<T>(Format<T>::bias));
  const Int<T> moved = as_int(x) + (bias - root_half);
  const Int<T> fraction = moved & Int<T>((typename Int<T>::Lane(1) << mantissa) - 1);
  return {to_vec(shr<mantissa>(moved) - Int<T>(Format<T>::bias)),
          as_vec(fraction + root_half) - Vec<T>(T(1))};
}

// log(2^e (1 + f)) + low
template <class T>
MG_INLINE Vec<T> log_join(Vec<T> e, Vec<T> f, Vec<T> low) {
  const Vec<T> base = e * Vec<T>(ln2_high<T>), high = base + f;
  return high + (sum_error(base, f, high) + (fma(e, Vec<T>(ln2_low<T>), low) + log_tail(f)));
}

// Subnormal numbers, times this power of two, are normal.
template <class T>
constexpr T subnormal_exponent = choose<T>(24, 54);

template <class T>
MG_ONCE Vec<T> log(Vec<T> x) {
  const Vec<T> smallest(Format<T>::smallest_normal), huge(infinity<T>);
  const bool special = any(~((smallest <= x) & (x < huge)));
  Vec<T> y = x, offset = Vec<T>::zero();
  if (__builtin_expect(special, 0)) {
    const Vec<T> lift(choose<T>(0x1p24f, 0x1p54));
    y = select(x < smallest, x * lift, x);
    offset = select(x < smallest, Vec<T>(subnormal_exponent<T>), offset);
  }
  const LogParts<T> p = log_parts(y);
  Vec<T> result = log_join(p.e - offset, p.f, Vec<T>::zero());
  if (__builtin_expect(special, 0)) {
    result = select(x < huge, result, x);  // infinity and NaN
    result = select(x < Vec<T>::zero(), Vec<T>(not_a_number<T>), result);
    result = select(x == Vec<T>::zero(), -huge, result);
  }
  return result;
}

// The log of u = 1 + x as rounded, and what the rounding left out.
template <class T>
MG_ONCE Vec<T> log1p(Vec<T> x) {
  const Vec<T> one(T(1)), huge(infinity<T>);
  const Vec<T> u = one + x;
  const LogParts<T> p = log_parts(u);
  Vec<T> result = log_join(p.e, p.f, any_sum_error(one, x, u) / u);
  if (__builtin_expect(any(~((Vec<T>::zero() < u) & (u < huge))), 0)) {
    result = select(u < huge, result, x);
    result = select(u < Vec<T>::zero(), Vec<T>(not_a_number<T>), result);
    result = select(u == Vec<T>::zero(), -huge, result);
  }
  return select(x == Vec<T>::zero(), x, result);
}

}  // namespace MG_ISA
}  // namespace mg
