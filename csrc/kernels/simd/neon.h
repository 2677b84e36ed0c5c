// NEON of AArch64: 4 floats, 2 doubles.
#pragma once
#include <arm_neon.h>
#include <stdint.h>

namespace mg {
namespace MG_ISA {

static constexpr int vector_registers = 32;
constexpr bool plain_vectors = false;

template <class T>
struct Vec;
template <class T>
struct Mask;
template <class T>
struct Int;

template <>
struct Vec<float> {
  static constexpr int width = 4;
  float32x4_t v;
  Vec() = default;
  Vec(float32x4_t x) : v(x) {}
  explicit Vec(float x) : v(vdupq_n_f32(x)) {}
  static Vec zero() { return vdupq_n_f32(0); }
};
template <>
struct Vec<double> {
  static constexpr int width = 2;
  float64x2_t v;
  Vec() = default;
  Vec(float64x2_t x) : v(x) {}
  explicit Vec(double x) : v(vdupq_n_f64(x)) {}
  static Vec zero() { return vdupq_n_f64(0); }
};
template <>
struct Mask<float> {
  uint32x4_t v;
};
template <>
struct Mask<double> {
  uint64x2_t v;
};
// Unsigned within: lanes wrap around and shifts are logical.
template <>
struct Int<float> {
  using Lane = int32_t;
  uint32x4_t v;
  Int() = default;
  Int(uint32x4_t x) : v(x) {}
  explicit Int(int32_t x) : v(vdupq_n_u32(static_cast<uint32_t>(x))) {}
};
template <>
struct Int<double> {
  using Lane = int64_t;
  uint64x2_t v;
  Int() = default;
  Int(uint64x2_t x) : v(x) {}
  explicit Int(int64_t x) : v(vdupq_n_u64(static_cast<uint64_t>(x))) {}
};

using VecF = Vec<float>;
using VecD = Vec<double>;
using IntF = Int<float>;
using IntD = Int<double>;

constexpr bool exact_fma = true;

// NEON has no masked memory access, so the lanes beyond a whole half go one by one.
MG_INLINE VecF load(const float* p) { return vld1q_f32(p); }
MG_INLINE VecD load(const double* p) { return vld1q_f64(p); }
MG_INLINE VecF load_n(const float* p, int n) {
  if (n >= 4) return vld1q_f32(p);
  const float32x4_t zero = vdupq_n_f32(0);
  if (n <= 0) return zero;
  if (n == 1) return vld1q_lane_f32(p, zero, 0);
  const float32x4_t two = vcombine_f32(vld1_f32(p), vdup_n_f32(0));
  return n == 2 ? two : vld1q_lane_f32(p + 2, two, 2);
}
MG_INLINE VecD load_n(const double* p, int n) {
  if (n >= 2) return vld1q_f64(p);
  const float64x2_t zero = vdupq_n_f64(0);
  return n <= 0 ? zero : vld1q_lane_f64(p, zero, 0);
}
MG_INLINE void store(float* p, VecF a) { vst1q_f32(p, a.v); }
MG_INLINE void store(double* p, VecD a) { vst1q_f64(p, a.v); }
MG_INLINE void store_n(float* p, VecF a, int n) {
  if (n >= 4) return vst1q_f32(p, a.v);
  if (n >= 2) vst1_f32(p, vget_low_f32(a.v));
  if (n == 1) vst1q_lane_f32(p, a.v, 0);
  if (n == 3) vst1q_lane_f32(p + 2, a.v, 2);
}
MG_INLINE void store_n(double* p, VecD a, int n) {
  if (n >= 2) return vst1q_f64(p, a.v);
  if (n == 1) vst1q_lane_f64(p, a.v, 0);
}

MG_INLINE VecF held(VecF a) {
  asm("" : "+w"(a.v));
  return a;
}
MG_INLINE VecD held(VecD a) {
  asm("" : "+w"(a.v));
  return a;
}

MG_INLINE VecF operator+(VecF a, VecF b) { return vaddq_f32(a.v, b.v); }
MG_INLINE VecD operator+(VecD a, VecD b) { return vaddq_f64(a.v, b.v); }
MG_INLINE VecF operator-(VecF a, VecF b) { return vsubq_f32(a.v, b.v); }
MG_INLINE VecD operator-(VecD a, VecD b) { return vsubq_f64(a.v, b.v); }
MG_INLINE VecF operator*(VecF a, VecF b) { return vmulq_f32(a.v, b.v); }
MG_INLINE VecD operator*(VecD a, VecD b) { return vmulq_f64(a.v, b.v); }
MG_INLINE VecF operator/(VecF a, VecF b) { return vdivq_f32(a.v, b.v); }
MG_INLINE VecD operator/(VecD a, VecD b) { return vdivq_f64(a.v, b.v); }
MG_INLINE VecF operator-(VecF a) { return vnegq_f32(a.v); }
MG_INLINE VecD operator-(VecD a) { return vnegq_f64(a.v); }
MG_INLINE VecF fma(VecF a, VecF b, VecF c) { return vfmaq_f32(c.v, a.v, b.v); }
MG_INLINE VecD fma(VecD a, VecD b, VecD c) { return vfmaq_f64(c.v, a.v, b.v); }
MG_INLINE VecF abs(VecF a) { return vabsq_f32(a.v); }
MG_INLINE VecD abs(VecD a) { return vabsq_f64(a.v); }
MG_INLINE VecF sqrt(VecF a) { return vsqrtq_f32(a.v); }
MG_INLINE VecD sqrt(VecD a) { return vsqrtq_f64(a.v); }
MG_INLINE VecF floor(VecF a) { return vrndmq_f32(a.v); }
MG_INLINE VecD floor(VecD a) { return vrndmq_f64(a.v); }
MG_INLINE VecF round(VecF a) { return vrndnq_f32(a.v); }
MG_INLINE VecD round(VecD a) { return vrndnq_f64(a.v); }

MG_INLINE Mask<float> operator<(VecF a, VecF b) { return {vcltq_f32(a.v, b.v)}; }
MG_INLINE Mask<double> operator<(VecD a, VecD b) { return {vcltq_f64(a.v, b.v)}; }
MG_INLINE Mask<float> operator<=(VecF a, VecF b) { return {vcleq_f32(a.v, b.v)}; }
MG_INLINE Mask<double> operator<=(VecD a, VecD b) { return {vcleq_f64(a.v, b.v)}; }
MG_INLINE Mask<float> operator==(VecF a, VecF b) { return {vceqq_f32(a.v, b.v)}; }
MG_INLINE Mask<double> operator==(VecD a, VecD b) { return {vceqq_f64(a.v, b.v)}; }
MG_INLINE Mask<float> operator&(Mask<float> a, Mask<float> b) { return {vandq_u32(a.v, b.v)}; }
MG_INLINE Mask<double> operator&(Mask<double> a, Mask<double> b) { return {vandq_u64(a.v, b.v)}; }
MG_INLINE Mask<float> operator|(Mask<float> a, Mask<float> b) { return {vorrq_u32(a.v, b.v)}; }
MG_INLINE Mask<double> operator|(Mask<double> a, Mask<double> b) { return {vorrq_u64(a.v, b.v)}; }
MG_INLINE Mask<float> operator~(Mask<float> a) { return {~a.v}; }
MG_INLINE Mask<double> operator~(Mask<double> a) { return {~a.v}; }
MG_INLINE Mask<float> operator!=(VecF a, VecF b) { return ~(a == b); }
MG_INLINE Mask<double> operator!=(VecD a, VecD b) { return ~(a == b); }
// Clang 16 turns a compare and a select between x and 0 into fmax or fmin, which differ for -0; so
// it must not see where a mask comes from. No instruction.
template <class M>
MG_INLINE M opaque(M mask) {
#ifdef __clang__
  asm("" : "+w"(mask));
#endif
  return mask;
}
MG_INLINE VecF select(Mask<float> m, VecF a, VecF b) { return vbslq_f32(opaque(m.v), a.v, b.v); }
MG_INLINE VecD select(Mask<double> m, VecD a, VecD b) { return vbslq_f64(opaque(m.v), a.v, b.v); }
// Not vminq and vmaxq: those give NaN for a NaN in either, and -0 for min(+0, -0).
MG_INLINE VecF min(VecF a, VecF b) { return select(a < b, a, b); }
MG_INLINE VecD min(VecD a, VecD b) { return select(a < b, a, b); }
MG_INLINE VecF max(VecF a, VecF b) { return select(b < a, a, b); }
MG_INLINE VecD max(VecD a, VecD b) { return select(b < a, a, b); }
MG_INLINE bool any(Mask<float> m) { return vmaxvq_u32(m.v) != 0; }
MG_INLINE bool any(Mask<double> m) { return vmaxvq_u32(vreinterpretq_u32_u64(m.v)) != 0; }

alignas(16) static const int32_t first_numbers[4] = {0, 1, 2, 3};
alignas(16) static const int64_t first_numbers_d[2] = {0, 1};
template <class T>
MG_INLINE Mask<T> mask_n(int n) {
  if constexpr (sizeof(T) == 4)
    return {vcltq_s32(vld1q_s32(first_numbers), vdupq_n_s32(n))};
  else
    return {vcltq_s64(vld1q_s64(first_numbers_d), vdupq_n_s64(n))};
}
template <int H>
MG_INLINE VecF down(VecF a) {
  return vextq_f32(a.v, a.v, H);
}
template <int H>
MG_INLINE VecD down(VecD a) {
  return vextq_f64(a.v, a.v, H);
}
MG_INLINE float lane0(VecF a) { return vgetq_lane_f32(a.v, 0); }
MG_INLINE double lane0(VecD a) { return vgetq_lane_f64(a.v, 0); }

MG_INLINE IntF as_int(VecF a) { return vreinterpretq_u32_f32(a.v); }
MG_INLINE IntD as_int(VecD a) { return vreinterpretq_u64_f64(a.v); }
MG_INLINE VecF as_vec(IntF a) { return vreinterpretq_f32_u32(a.v); }
MG_INLINE VecD as_vec(IntD a) { return vreinterpretq_f64_u64(a.v); }
MG_INLINE int32x4_t as_signed(IntF a) { return vreinterpretq_s32_u32(a.v); }
MG_INLINE int64x2_t as_signed(IntD a) { return vreinterpretq_s64_u64(a.v); }
MG_INLINE IntF to_int(VecF a) { return vreinterpretq_u32_s32(vcvtnq_s32_f32(a.v)); }
MG_INLINE IntD to_int(VecD a) { return vreinterpretq_u64_s64(vcvtnq_s64_f64(a.v)); }
MG_INLINE VecF to_vec(IntF a) { return vcvtq_f32_s32(as_signed(a)); }
MG_INLINE VecD to_vec(IntD a) { return vcvtq_f64_s64(as_signed(a)); }

MG_INLINE IntF operator+(IntF a, IntF b) { return vaddq_u32(a.v, b.v); }
MG_INLINE IntD operator+(IntD a, IntD b) { return vaddq_u64(a.v, b.v); }
MG_INLINE IntF operator-(IntF a, IntF b) { return vsubq_u32(a.v, b.v); }
MG_INLINE IntD operator-(IntD a, IntD b) { return vsubq_u64(a.v, b.v); }
MG_INLINE IntF operator&(IntF a, IntF b) { return vandq_u32(a.v, b.v); }
MG_INLINE IntD operator&(IntD a, IntD b) { return vandq_u64(a.v, b.v); }
MG_INLINE IntF operator|(IntF a, IntF b) { return vorrq_u32(a.v, b.v); }
MG_INLINE IntD operator|(IntD a, IntD b) { return vorrq_u64(a.v, b.v); }
MG_INLINE IntF operator^(IntF a, IntF b) { return veorq_u32(a.v, b.v); }
MG_INLINE IntD operator^(IntD a, IntD b) { return veorq_u64(a.v, b.v); }
template <int N>
MG_INLINE IntF shl(IntF a) {
  return vshlq_n_u32(a.v, N);
}
template <int N>
MG_INLINE IntD shl(IntD a) {
  return vshlq_n_u64(a.v, N);
}
template <int N>
MG_INLINE IntF shr(IntF a) {
  return vshrq_n_u32(a.v, N);
}
template <int N>
MG_INLINE IntD shr(IntD a) {
  return vshrq_n_u64(a.v, N);
}
MG_INLINE Mask<float> operator>(IntF a, IntF b) { return {vcgtq_s32(as_signed(a), as_signed(b))}; }
MG_INLINE Mask<double> operator>(IntD a, IntD b) { return {vcgtq_s64(as_signed(a), as_signed(b))}; }

MG_INLINE IntF shl(IntF a, int n) { return vshlq_u32(a.v, vdupq_n_s32(n)); }
MG_INLINE IntD shl(IntD a, int n) { return vshlq_u64(a.v, vdupq_n_s64(n)); }
MG_INLINE IntF load_int(const int32_t* p) { return vreinterpretq_u32_s32(vld1q_s32(p)); }
MG_INLINE IntD load_int(const int64_t* p) { return vreinterpretq_u64_s64(vld1q_s64(p)); }
MG_INLINE void store_int(int32_t* p, IntF a) { vst1q_s32(p, as_signed(a)); }
MG_INLINE void store_int(int64_t* p, IntD a) { vst1q_s64(p, as_signed(a)); }
MG_INLINE IntD load_wide(const int32_t* p) { return vreinterpretq_u64_s64(vmovl_s32(vld1_s32(p))); }
MG_INLINE IntD mul_low(IntD a, IntD b) { return vmull_u32(vmovn_u64(a.v), vmovn_u64(b.v)); }
MG_INLINE IntD xor3(IntD a, IntD b, IntD c) { return a ^ b ^ c; }
MG_INLINE IntD pack_low(IntD a, IntD b) { return vsliq_n_u64(a.v, b.v, 32); }

// Rows to columns: single lanes of neighbouring rows, then halves.
MG_INLINE void transpose(VecF (&r)[4]) {
  const float64x2_t a = vreinterpretq_f64_f32(vtrn1q_f32(r[0].v, r[1].v));
  const float64x2_t b = vreinterpretq_f64_f32(vtrn2q_f32(r[0].v, r[1].v));
  const float64x2_t c = vreinterpretq_f64_f32(vtrn1q_f32(r[2].v, r[3].v));
  const float64x2_t d = vreinterpretq_f64_f32(vtrn2q_f32(r[2].v, r[3].v));
  r[0] = vreinterpretq_f32_f64(vtrn1q_f64(a, c));
  r[1] = vreinterpretq_f32_f64(vtrn1q_f64(b, d));
  r[2] = vreinterpretq_f32_f64(vtrn2q_f64(a, c));
  r[3] = vreinterpretq_f32_f64(vtrn2q_f64(b, d));
}
MG_INLINE void transpose(VecD (&r)[2]) {
  const float64x2_t a = vtrn1q_f64(r[0].v, r[1].v);
  r[1] = vtrn2q_f64(r[0].v, r[1].v);
  r[0] = a;
}

MG_INLINE VecF evens(VecF a, VecF b) { return vuzp1q_f32(a.v, b.v); }
MG_INLINE VecD evens(VecD a, VecD b) { return vuzp1q_f64(a.v, b.v); }
MG_INLINE VecF odds(VecF a, VecF b) { return vuzp2q_f32(a.v, b.v); }
MG_INLINE VecD odds(VecD a, VecD b) { return vuzp2q_f64(a.v, b.v); }
MG_INLINE VecF zip_low(VecF a, VecF b) { return vzip1q_f32(a.v, b.v); }
MG_INLINE VecD zip_low(VecD a, VecD b) { return vzip1q_f64(a.v, b.v); }
MG_INLINE VecF zip_high(VecF a, VecF b) { return vzip2q_f32(a.v, b.v); }
MG_INLINE VecD zip_high(VecD a, VecD b) { return vzip2q_f64(a.v, b.v); }

MG_INLINE void load_quads(const float* p, const int32_t* i, VecF (&q)[4]) {
  for (int j = 0; j < 4; ++j) q[j] = vld1q_f32(p + 2 * int64_t{i[j]});
  transpose(q);
}
MG_INLINE void load_quads(const double* p, const int64_t* i, VecD (&q)[4]) {
  for (int k = 0; k < 4; k += 2) {
    const float64x2_t a = vld1q_f64(p + 2 * i[0] + k), b = vld1q_f64(p + 2 * i[1] + k);
    q[k] = vzip1q_f64(a, b);
    q[k + 1] = vzip2q_f64(a, b);
  }
}

}  // namespace MG_ISA
}  // namespace mg
