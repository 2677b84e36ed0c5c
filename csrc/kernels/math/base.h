// What the functions of kernels/math.h are made of: polynomials, powers of two, exact sums.
//
// All of them follow one plan: reduce the argument, take a polynomial (weighted minimax fits of
// mine, coefficients rounded one after the other), and add the large part last, with the rounding
// error of every sum and product that matters carried along in a second, low part.
#pragma once
#include "kernels/simd.h"

namespace mg {
namespace MG_ISA {

template <class T>
struct Format;
template <>
struct Format<float> {
  static constexpr int mantissa = 23, bias = 127;
  static constexpr float magic = 0x1.8p23f;  // adding it rounds to an integer, in the low bits
  static constexpr float smallest_normal = 0x1p-126f;
};
template <>
struct Format<double> {
  static constexpr int mantissa = 52, bias = 1023;
  static constexpr double magic = 0x1.8p52;
  static constexpr double smallest_normal = 0x1p-1022;
};

template <class T>
static constexpr T choose(float f, double d) {
  return sizeof(T) == sizeof(float) ? T(f) : T(d);
}
template <class T>
constexpr T infinity = T(__builtin_inf());
template <class T>
constexpr T not_a_number = T(__builtin_nan(""));

// c0 + c1 x + c2 x^2 + ..., two coefficients at a time, which halves the chain of dependent steps.
template <class T, class... C>
MG_INLINE Vec<T> polynomial_by_pairs(Vec<T> x, Vec<T> square, T c0, C... c) {
  if constexpr (sizeof...(c) == 0) {
    return Vec<T>(c0);
  } else {
    return [=](T c1, auto... rest) __attribute__((always_inline)) {
      const Vec<T> pair = fma(Vec<T>(c1), x, Vec<T>(c0));
      if constexpr (sizeof...(rest) == 0) {
        return pair;
      } else {
        return fma(polynomial_by_pairs(x, square, rest...), square, pair);
      }
    }(c...);
  }
}
template <class T, class... C>
MG_INLINE Vec<T> polynomial(Vec<T> x, C... c) {
  return polynomial_by_pairs(x, x * x, c...);
}

template <class T>
MG_INLINE Mask<T> is_negative(Vec<T> x) {  // by the sign bit
  return Int<T>(0) > as_int(x);
}
// x >= 0 with the sign of y.
template <class T>
MG_INLINE Vec<T> with_sign(Vec<T> x, Vec<T> y) {
  return as_vec(as_int(x) | (as_int(y) & as_int(Vec<T>(T(-0.0)))));
}

// 2^n for whole n in the normal range.
template <class T>
MG_INLINE Vec<T> power_of_two(Vec<T> n) {
  return as_vec(shl<Format<T>::mantissa>(to_int(n) + Int<T>(Format<T>::bias)));
}
// x * 2^n, rounded once, for |n| up to twice the normal range.
template <class T>
MG_INLINE Vec<T> scale(Vec<T> x, Vec<T> n) {
  const Vec<T> half = round(n * Vec<T>(T(0.5)));
  return x * power_of_two(half) * power_of_two(n - half);
}

// a * b - p in full, p being a * b rounded. Without a true fma, by Dekker's splitting.
template <class T>
MG_INLINE Vec<T> product_error(Vec<T> a, Vec<T> b, Vec<T> p) {
  if constexpr (exact_fma) {
    return fma(a, b, -p);
  } else {
    const Vec<T> splitter(choose<T>(0x1p12f + 1, 0x1p27 + 1));
    const Vec<T> sa = a * splitter, ah = sa - (sa - a), al = a - ah;
    const Vec<T> sb = b * splitter, bh = sb - (sb - b), bl = b - bh;
    return ((ah * bh - p) + ah * bl + al * bh) + al * bl;
  }
}
// a + b - s in full, s being a + b rounded, if |a| >= |b| or a is 0.
template <class T>
MG_INLINE Vec<T> sum_error(Vec<T> a, Vec<T> b, Vec<T> s) {
  return (a - s) + b;
}
// The same whatever the sizes of a and b (Knuth).
template <class T>
MG_INLINE Vec<T> any_sum_error(Vec<T> a, Vec<T> b, Vec<T> s) {
  const Vec<T> b_part = s - a;
  return (a - (s - b_part)) + (b - b_part);
}

}  // namespace MG_ISA
}  // namespace mg
