// sin, cos: x = q pi/2 + r with |r| <= pi/4, then a polynomial chosen by q modulo 4.
#pragma once
#include "kernels/math/base.h"

namespace mg {
namespace MG_ISA {

// r in two parts, and q.
template <class T>
struct Quadrant {
  Vec<T> r, low;
  Int<T> q;
};

struct ScalarQuadrant {
  double r, low;
  int64_t q;
};
// For any x, by multiplying with the bits of 2/pi that matter (Payne and Hanek).
[[maybe_unused]] static ScalarQuadrant reduce_large(double x) {
  // 2/pi, 64 bits a word, after 64 zero bits.
  static constexpr uint64_t two_over_pi[] = {0,
                                             0xa2f9836e4e441529,
                                             0xfc2757d1f534ddc0,
                                             0xdb6295993c439041,
                                             0xfe5163abdebbc561,
                                             0xb7246e3a424dd2e0,
                                             0x06492eea09d1921c,
                                             0xfe1deb1cb129a73e,
                                             0xe88235f52ebb4484,
                                             0xe99c7026b45f7e41,
                                             0x3991d639835339f4,
                                             0x9c845f8bbdf9283b,
                                             0x1ff897ffde05980f,
                                             0xef2f118b5a0a6d1f,
                                             0x6d367ecf27cb09b7,
                                             0x4f463f669e5fea2d,
                                             0x7527bac7ebe5f17b,
                                             0x3d0739f78a5292ea,
                                             0x6bfb5fb11f8d5d08,
                                             0x56033046fc7b6bab};
  using Wide = unsigned __int128;
  uint64_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  const int exponent = static_cast<int>(bits >> 52 & 2047);
  if (exponent == 2047) return {x - x, x - x, 0};
  if (exponent < 1022) return {x, 0, 0};  // below 1/2 there is nothing to reduce
  const uint64_t m = (bits & ((uint64_t{1} << 52) - 1)) | uint64_t{1} << 52;

  // x = m 2^(exponent - 1075). Bits of 2/pi whose product is a multiple of 4 are left out: the
  // first one kept weighs 2 in the product.
  const int first = exponent - 1075 + 62;
  uint64_t w[3];
  for (int i = 0; i < 3; ++i) {
    const int word = first / 64 + i, shift = first % 64;
    w[i] = two_over_pi[word] << shift;
    if (shift) w[i] |= two_over_pi[word + 1] >> (64 - shift);
  }
  const Wide p0 = Wide(m) * w[2], p1 = Wide(m) * w[1] + (p0 >> 64);
  uint64_t top = m * w[0] + static_cast<uint64_t>(p1 >> 64);
  uint64_t middle = static_cast<uint64_t>(p1), bottom = static_cast<uint64_t>(p0);

  // Two bits of quadrant, then the fraction, rounded to -1/2 .. 1/2.
  int64_t q = static_cast<int64_t>(top >> 62);
  top = top << 2 | middle >> 62;
  middle = middle << 2 | bottom >> 62;
  bottom <<= 2;
  const bool down = top >> 63;
  if (down) {
    ++q;
    bottom = ~bottom;
    middle = ~middle;
    top = ~top;
  }
  int zeros = 0;
  while (zeros < 128 && !(top >> 63)) {
    top = top << 1 | middle >> 63;
    middle = middle << 1 | bottom >> 63;
    bottom <<= 1;
    ++zeros;
  }
  const uint64_t lower = top << 53 | middle >> 11;
  double unit;  // 2^(-53 - zeros)
  const uint64_t unit_bits = static_cast<uint64_t>(1023 - 53 - zeros) << 52;
  __builtin_memcpy(&unit, &unit_bits, sizeof unit);
  const double high = static_cast<double>(top >> 11) * unit;
  const double low = static_cast<double>(lower >> 11) * (unit * 0x1p-53);
  constexpr double half_pi = 0x1.921fb54442d18p0, half_pi_low = 0x1.1a62633145c07p-54;
  double r = high * half_pi;
  double r_low = __builtin_fma(high, half_pi, -r) + (high * half_pi_low + low * half_pi);
  if (down) r = -r, r_low = -r_low;
  if (x < 0) return {-r, -r_low, -q};
  return {r, r_low, q};
}

template <class T>
static Quadrant<T> reduce_lanes(Vec<T> x) {
  constexpr int width = Vec<T>::width;
  T lane[width], r[width], low[width], q[width];
  store(lane, x);
  for (int i = 0; i < width; ++i) {
    const ScalarQuadrant s = reduce_large(lane[i]);
    r[i] = static_cast<T>(s.r);
    low[i] = static_cast<T>((s.r - static_cast<double>(r[i])) + s.low);
    q[i] = static_cast<T>(s.q);
  }
  return {load(r), load(low), to_int(load(q))};
}

// Below, n * half_pi[0] cancels x exactly (with a true fma).
template <class T>
constexpr T easy_angle = exact_fma ? choose<T>(0x1p15f, 0x1p20) : choose<T>(0.785f, 0.785);

// pi/2 in three parts.
template <class T>
constexpr T half_pi_parts[3] = {choose<T>(0x1.921fb6p0f, 0x1.921fb54442d18p0),
                                choose<T>(-0x1.777a5cp-25f, 0x1.1a62633145c07p-54),
                                choose<T>(-0x1.ee59dap-50f, -0x1.f1976b7ed8fbcp-110)};
template <class T>
MG_INLINE Vec<T> quarter_turns_in(Vec<T> x) {
  return round(x * Vec<T>(choose<T>(0x1.45f306p-1f, 0x1.45f306dc9c883p-1)));
}

template <class T>
MG_INLINE Quadrant<T> reduce_angle(Vec<T> x) {
  const Vec<T> second(half_pi_parts<T>[1]), third(half_pi_parts<T>[2]), n = quarter_turns_in(x);
  const Vec<T> coarse = fma(-n, Vec<T>(half_pi_parts<T>[0]), x), fine = n * second;
  const Vec<T> r = coarse - fine;
  const Vec<T> low =
      any_sum_error(coarse, -fine, r) - fma(n, third, product_error(n, second, fine));
  const Vec<T> high = r + low;
  return {high, sum_error(r, low, high), to_int(n)};
}

// The same in fewer steps for |x| up to near_angle, unless |r| is below clear_angle: then the
// second part of n pi/2 is the smaller by far, and the third does not count.
template <class T>
constexpr T near_angle = T(512);
template <class T>
constexpr T clear_angle = T(0x1p-11);
template <class T>
MG_INLINE Quadrant<T> reduce_near_angle(Vec<T> x) {
  const Vec<T> second(half_pi_parts<T>[1]), n = quarter_turns_in(x);
  const Vec<T> coarse = fma(-n, Vec<T>(half_pi_parts<T>[0]), x), r = fma(-n, second, coarse);
  return {r, fma(-n, second, coarse - r), to_int(n)};
}

// sin(r) = r + r^3 sin_tail(r^2), cos(r) = 1 - r^2 / 2 + r^4 cos_tail(r^2)
MG_INLINE Vec<float> sin_tail(Vec<float> z) {
  return polynomial(z, -0x1.555556p-3f, 0x1.111166p-7f, -0x1.a04a7cp-13f, 0x1.7867f4p-19f);
}
MG_INLINE Vec<float> cos_tail(Vec<float> z) {
  return polynomial(z, 0x1.55554ap-5f, -0x1.6c0c2ep-10f, 0x1.99eac2p-16f);
}
MG_INLINE Vec<double> sin_tail(Vec<double> z) {
  return polynomial(z, -0x1.5555555555548p-3, 0x1.111111110f775p-7, -0x1.a01a019bf64fap-13,
                    0x1.71de3563063a5p-19, -0x1.ae5e57a5f7feap-26, 0x1.5d8f1f3f89e72p-33);
}
MG_INLINE Vec<double> cos_tail(Vec<double> z) {
  return polynomial(z, 0x1.555555555554bp-5, -0x1.6c16c16c15046p-10, 0x1.a01a019c9697fp-16,
                    -0x1.27e4f7f80e871p-22, 0x1.1ee9e0a72f418p-29, -0x1.8fa9264b27f3cp-37);
}

// Lane by lane, so that no bit depends on what else is in the vector.
template <class T>
MG_INLINE Quadrant<T> choose_lanes(Mask<T> m, const Quadrant<T>& a, const Quadrant<T>& b) {
  return {select(m, a.r, b.r), select(m, a.low, b.low),
          as_int(select(m, as_vec(a.q), as_vec(b.q)))};
}
template <class T>
MG_INLINE Quadrant<T> reduce_any_angle(Vec<T> x) {
  const Quadrant<T> easy = reduce_angle(x);
  const Mask<T> hard = ~(abs(x) <= Vec<T>(easy_angle<T>));
  return any(hard) ? choose_lanes(hard, reduce_lanes(x), easy) : easy;
}

// sin(x + quarter_turns * pi/2)
template <class T>
MG_ONCE Vec<T> sine(Vec<T> x, int quarter_turns) {
  using Lane = typename Int<T>::Lane;
  Quadrant<T> p = reduce_near_angle(x);
  const Mask<T> near = (abs(x) <= Vec<T>(near_angle<T>)) & (Vec<T>(clear_angle<T>) <= abs(p.r));
  if constexpr (!exact_fma)
    p = reduce_any_angle(x);
  else if (__builtin_expect(any(~near), 0))
    p = choose_lanes(near, p, reduce_any_angle(x));
  const Vec<T> one(T(1)), half(T(0.5)), z = p.r * p.r, half_z = half * z;
  const Vec<T> s = p.r + fma(z * p.r, sin_tail(z), fma(-half_z, p.low, p.low));
  const Vec<T> c = one - half_z;
  const Vec<T> cosine = c + (sum_error(one, -half_z, c) + fma(z * z, cos_tail(z), -(p.r * p.low)));
  const Int<T> q = p.q + Int<T>(Lane(quarter_turns));
  const Vec<T> y = select((q & Int<T>(Lane(1))) > Int<T>(Lane(0)), cosine, s);
  const Int<T> sign = shl<8 * sizeof(T) - 1>(shr<1>(q));
  return as_vec(as_int(y) ^ sign);
}

template <class T>
MG_INLINE Vec<T> sin(Vec<T> x) {
  return select(x == Vec<T>::zero(), x, sine(x, 0));  // keeps -0
}
template <class T>
MG_INLINE Vec<T> cos(Vec<T> x) {
  return sine(x, 1);
}

}  // namespace MG_ISA
}  // namespace mg
