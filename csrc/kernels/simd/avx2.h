// AVX2 + FMA: 8 floats, 4 doubles.
#pragma once
#include <immintrin.h>
#include <stdint.h>

namespace mg {
namespace MG_ISA {

static constexpr int vector_registers = 16;
constexpr bool plain_vectors = false;

template <class T>
struct Vec;
template <class T>
struct Mask;
template <class T>
struct Int;

template <>
struct Vec<float> {
  static constexpr int width = 8;
  __m256 v;
  Vec() = default;
  Vec(__m256 x) : v(x) {}
  explicit Vec(float x) : v(_mm256_set1_ps(x)) {}
  static Vec zero() { return _mm256_setzero_ps(); }
};
template <>
struct Vec<double> {
  static constexpr int width = 4;
  __m256d v;
  Vec() = default;
  Vec(__m256d x) : v(x) {}
  explicit Vec(double x) : v(_mm256_set1_pd(x)) {}
  static Vec zero() { return _mm256_setzero_pd(); }
};
template <>
struct Mask<float> {
  __m256 v;
};
template <>
struct Mask<double> {
  __m256d v;
};
template <>
struct Int<float> {
  using Lane = int32_t;
  __m256i v;
  Int() = default;
  Int(__m256i x) : v(x) {}
  explicit Int(int32_t x) : v(_mm256_set1_epi32(x)) {}
};
template <>
struct Int<double> {
  using Lane = int64_t;
  __m256i v;
  Int() = default;
  Int(__m256i x) : v(x) {}
  explicit Int(int64_t x) : v(_mm256_set1_epi64x(x)) {}
};

using VecF = Vec<float>;
using VecD = Vec<double>;
using IntF = Int<float>;
using IntD = Int<double>;

constexpr bool exact_fma = true;

// A window into 8 ones followed by 8 zeros gives the mask of the first n lanes.
alignas(64) static const int32_t lane_window[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
MG_INLINE __m256i first_lanes(int n) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(lane_window + 8 - n));
}

MG_INLINE VecF load(const float* p) { return _mm256_loadu_ps(p); }
MG_INLINE VecD load(const double* p) { return _mm256_loadu_pd(p); }
MG_INLINE VecF load_n(const float* p, int n) { return _mm256_maskload_ps(p, first_lanes(n)); }
MG_INLINE VecD load_n(const double* p, int n) { return _mm256_maskload_pd(p, first_lanes(2 * n)); }
MG_INLINE void store(float* p, VecF a) { _mm256_storeu_ps(p, a.v); }
MG_INLINE void store(double* p, VecD a) { _mm256_storeu_pd(p, a.v); }
MG_INLINE void store_n(float* p, VecF a, int n) { _mm256_maskstore_ps(p, first_lanes(n), a.v); }
MG_INLINE void store_n(double* p, VecD a, int n) {
  _mm256_maskstore_pd(p, first_lanes(2 * n), a.v);
}

MG_INLINE VecF held(VecF a) {
  asm("" : "+x"(a.v));
  return a;
}
MG_INLINE VecD held(VecD a) {
  asm("" : "+x"(a.v));
  return a;
}

MG_INLINE VecF operator+(VecF a, VecF b) { return _mm256_add_ps(a.v, b.v); }
MG_INLINE VecD operator+(VecD a, VecD b) { return _mm256_add_pd(a.v, b.v); }
MG_INLINE VecF operator-(VecF a, VecF b) { return _mm256_sub_ps(a.v, b.v); }
MG_INLINE VecD operator-(VecD a, VecD b) { return _mm256_sub_pd(a.v, b.v); }
MG_INLINE VecF operator*(VecF a, VecF b) { return _mm256_mul_ps(a.v, b.v); }
MG_INLINE VecD operator*(VecD a, VecD b) { return _mm256_mul_pd(a.v, b.v); }
MG_INLINE VecF operator/(VecF a, VecF b) { return _mm256_div_ps(a.v, b.v); }
MG_INLINE VecD operator/(VecD a, VecD b) { return _mm256_div_pd(a.v, b.v); }
// Said so that the compiler can make it part of an fma.
MG_INLINE VecF operator-(VecF a) { return -a.v; }
MG_INLINE VecD operator-(VecD a) { return -a.v; }
MG_INLINE VecF fma(VecF a, VecF b, VecF c) { return _mm256_fmadd_ps(a.v, b.v, c.v); }
MG_INLINE VecD fma(VecD a, VecD b, VecD c) { return _mm256_fmadd_pd(a.v, b.v, c.v); }
MG_INLINE VecF min(VecF a, VecF b) { return _mm256_min_ps(a.v, b.v); }
MG_INLINE VecD min(VecD a, VecD b) { return _mm256_min_pd(a.v, b.v); }
MG_INLINE VecF max(VecF a, VecF b) { return _mm256_max_ps(a.v, b.v); }
MG_INLINE VecD max(VecD a, VecD b) { return _mm256_max_pd(a.v, b.v); }
MG_INLINE VecF abs(VecF a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v); }
MG_INLINE VecD abs(VecD a) { return _mm256_andnot_pd(_mm256_set1_pd(-0.0), a.v); }
MG_INLINE VecF sqrt(VecF a) { return _mm256_sqrt_ps(a.v); }
MG_INLINE VecD sqrt(VecD a) { return _mm256_sqrt_pd(a.v); }
MG_INLINE VecF floor(VecF a) { return _mm256_floor_ps(a.v); }
MG_INLINE VecD floor(VecD a) { return _mm256_floor_pd(a.v); }
MG_INLINE VecF round(VecF a) {
  return _mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
MG_INLINE VecD round(VecD a) {
  return _mm256_round_pd(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

MG_INLINE Mask<float> operator<(VecF a, VecF b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)}; }
MG_INLINE Mask<double> operator<(VecD a, VecD b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_LT_OQ)}; }
MG_INLINE Mask<float> operator<=(VecF a, VecF b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LE_OQ)}; }
MG_INLINE Mask<double> operator<=(VecD a, VecD b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_LE_OQ)}; }
MG_INLINE Mask<float> operator==(VecF a, VecF b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_EQ_OQ)}; }
MG_INLINE Mask<double> operator==(VecD a, VecD b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_EQ_OQ)}; }
MG_INLINE Mask<float> operator!=(VecF a, VecF b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_NEQ_UQ)}; }
MG_INLINE Mask<double> operator!=(VecD a, VecD b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_NEQ_UQ)}; }
MG_INLINE Mask<float> operator&(Mask<float> a, Mask<float> b) { return {_mm256_and_ps(a.v, b.v)}; }
MG_INLINE Mask<double> operator&(Mask<double> a, Mask<double> b) {
  return {_mm256_and_pd(a.v, b.v)};
}
MG_INLINE Mask<float> operator|(Mask<float> a, Mask<float> b) { return {_mm256_or_ps(a.v, b.v)}; }
MG_INLINE Mask<double> operator|(Mask<double> a, Mask<double> b) {
  return {_mm256_or_pd(a.v, b.v)};
}
MG_INLINE Mask<float> operator~(Mask<float> a) {
  return {_mm256_xor_ps(a.v, _mm256_castsi256_ps(_mm256_set1_epi32(-1)))};
}
MG_INLINE Mask<double> operator~(Mask<double> a) {
  return {_mm256_xor_pd(a.v, _mm256_castsi256_pd(_mm256_set1_epi32(-1)))};
}
MG_INLINE VecF select(Mask<float> m, VecF a, VecF b) { return _mm256_blendv_ps(b.v, a.v, m.v); }
MG_INLINE VecD select(Mask<double> m, VecD a, VecD b) { return _mm256_blendv_pd(b.v, a.v, m.v); }
MG_INLINE bool any(Mask<float> m) { return _mm256_movemask_ps(m.v) != 0; }
MG_INLINE bool any(Mask<double> m) { return _mm256_movemask_pd(m.v) != 0; }

template <class T>
MG_INLINE Mask<T> mask_n(int n) {
  if constexpr (sizeof(T) == 4)
    return {_mm256_castsi256_ps(first_lanes(n))};
  else
    return {_mm256_castsi256_pd(first_lanes(2 * n))};
}
template <int H>
MG_INLINE VecF down(VecF a) {
  if constexpr (H == 4) return _mm256_castps128_ps256(_mm256_extractf128_ps(a.v, 1));
  if constexpr (H == 2) return _mm256_permute_ps(a.v, 0x0e);
  return _mm256_permute_ps(a.v, 0x01);
}
template <int H>
MG_INLINE VecD down(VecD a) {
  if constexpr (H == 2) return _mm256_castpd128_pd256(_mm256_extractf128_pd(a.v, 1));
  return _mm256_permute_pd(a.v, 0x1);
}
MG_INLINE float lane0(VecF a) { return _mm256_cvtss_f32(a.v); }
MG_INLINE double lane0(VecD a) { return _mm256_cvtsd_f64(a.v); }

MG_INLINE IntF as_int(VecF a) { return _mm256_castps_si256(a.v); }
MG_INLINE IntD as_int(VecD a) { return _mm256_castpd_si256(a.v); }
MG_INLINE VecF as_vec(IntF a) { return _mm256_castsi256_ps(a.v); }
MG_INLINE VecD as_vec(IntD a) { return _mm256_castsi256_pd(a.v); }
MG_INLINE IntF to_int(VecF a) { return _mm256_cvtps_epi32(a.v); }
MG_INLINE VecF to_vec(IntF a) { return _mm256_cvtepi32_ps(a.v); }
// Adding 1.5 * 2^52 leaves the integer in the low bits of the mantissa.
MG_INLINE IntD to_int(VecD a) {
  const __m256d magic = _mm256_set1_pd(6755399441055744.0);
  return _mm256_sub_epi64(_mm256_castpd_si256(_mm256_add_pd(a.v, magic)),
                          _mm256_castpd_si256(magic));
}
MG_INLINE VecD to_vec(IntD a) {
  const __m256d magic = _mm256_set1_pd(6755399441055744.0);
  return _mm256_sub_pd(_mm256_castsi256_pd(_mm256_add_epi64(a.v, _mm256_castpd_si256(magic))),
                       magic);
}

MG_INLINE IntF operator+(IntF a, IntF b) { return _mm256_add_epi32(a.v, b.v); }
MG_INLINE IntD operator+(IntD a, IntD b) { return _mm256_add_epi64(a.v, b.v); }
MG_INLINE IntF operator-(IntF a, IntF b) { return _mm256_sub_epi32(a.v, b.v); }
MG_INLINE IntD operator-(IntD a, IntD b) { return _mm256_sub_epi64(a.v, b.v); }
MG_INLINE IntF operator&(IntF a, IntF b) { return _mm256_and_si256(a.v, b.v); }
MG_INLINE IntD operator&(IntD a, IntD b) { return _mm256_and_si256(a.v, b.v); }
MG_INLINE IntF operator|(IntF a, IntF b) { return _mm256_or_si256(a.v, b.v); }
MG_INLINE IntD operator|(IntD a, IntD b) { return _mm256_or_si256(a.v, b.v); }
MG_INLINE IntF operator^(IntF a, IntF b) { return _mm256_xor_si256(a.v, b.v); }
MG_INLINE IntD operator^(IntD a, IntD b) { return _mm256_xor_si256(a.v, b.v); }
template <int N>
MG_INLINE IntF shl(IntF a) {
  return _mm256_slli_epi32(a.v, N);
}
template <int N>
MG_INLINE IntD shl(IntD a) {
  return _mm256_slli_epi64(a.v, N);
}
template <int N>
MG_INLINE IntF shr(IntF a) {
  return _mm256_srli_epi32(a.v, N);
}
template <int N>
MG_INLINE IntD shr(IntD a) {
  return _mm256_srli_epi64(a.v, N);
}
MG_INLINE Mask<float> operator>(IntF a, IntF b) {
  return {_mm256_castsi256_ps(_mm256_cmpgt_epi32(a.v, b.v))};
}
MG_INLINE Mask<double> operator>(IntD a, IntD b) {
  return {_mm256_castsi256_pd(_mm256_cmpgt_epi64(a.v, b.v))};
}

MG_INLINE IntF shl(IntF a, int n) { return _mm256_sll_epi32(a.v, _mm_cvtsi32_si128(n)); }
MG_INLINE IntD shl(IntD a, int n) { return _mm256_sll_epi64(a.v, _mm_cvtsi32_si128(n)); }
MG_INLINE IntF load_int(const int32_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
MG_INLINE IntD load_int(const int64_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
MG_INLINE void store_int(int32_t* p, IntF a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a.v);
}
MG_INLINE void store_int(int64_t* p, IntD a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a.v);
}
MG_INLINE IntD load_wide(const int32_t* p) {
  return _mm256_cvtepi32_epi64(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
MG_INLINE IntD mul_low(IntD a, IntD b) { return _mm256_mul_epu32(a.v, b.v); }
MG_INLINE IntD xor3(IntD a, IntD b, IntD c) { return a ^ b ^ c; }
MG_INLINE IntD pack_low(IntD a, IntD b) {
  return _mm256_blend_epi32(a.v, _mm256_slli_epi64(b.v, 32), 0xAA);
}

// Rows to columns: pairs of lanes, then of pairs, then of halves.
MG_INLINE void transpose(VecF (&r)[8]) {
  __m256 a[8], b[8];
  for (int i = 0; i < 4; ++i) {
    a[2 * i] = _mm256_unpacklo_ps(r[2 * i].v, r[2 * i + 1].v);
    a[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i].v, r[2 * i + 1].v);
  }
  for (int i = 0; i < 8; i += 4) {
    b[i] = _mm256_shuffle_ps(a[i], a[i + 2], 0x44);
    b[i + 1] = _mm256_shuffle_ps(a[i], a[i + 2], 0xee);
    b[i + 2] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0x44);
    b[i + 3] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0xee);
  }
  for (int i = 0; i < 4; ++i) {
    r[i] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x20);
    r[i + 4] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x31);
  }
}
MG_INLINE void transpose(VecD (&r)[4]) {
  const __m256d a = _mm256_unpacklo_pd(r[0].v, r[1].v), b = _mm256_unpackhi_pd(r[0].v, r[1].v);
  const __m256d c = _mm256_unpacklo_pd(r[2].v, r[3].v), d = _mm256_unpackhi_pd(r[2].v, r[3].v);
  r[0] = _mm256_permute2f128_pd(a, c, 0x20);
  r[1] = _mm256_permute2f128_pd(b, d, 0x20);
  r[2] = _mm256_permute2f128_pd(a, c, 0x31);
  r[3] = _mm256_permute2f128_pd(b, d, 0x31);
}

MG_INLINE VecF evens(VecF a, VecF b) {
  const __m256 x = _mm256_shuffle_ps(a.v, b.v, 0x88);
  return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(x), 0xd8));
}
MG_INLINE VecF odds(VecF a, VecF b) {
  const __m256 x = _mm256_shuffle_ps(a.v, b.v, 0xdd);
  return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(x), 0xd8));
}
MG_INLINE VecD evens(VecD a, VecD b) {
  return _mm256_permute4x64_pd(_mm256_unpacklo_pd(a.v, b.v), 0xd8);
}
MG_INLINE VecD odds(VecD a, VecD b) {
  return _mm256_permute4x64_pd(_mm256_unpackhi_pd(a.v, b.v), 0xd8);
}
MG_INLINE VecF zip_low(VecF a, VecF b) {
  return _mm256_permute2f128_ps(_mm256_unpacklo_ps(a.v, b.v), _mm256_unpackhi_ps(a.v, b.v), 0x20);
}
MG_INLINE VecF zip_high(VecF a, VecF b) {
  return _mm256_permute2f128_ps(_mm256_unpacklo_ps(a.v, b.v), _mm256_unpackhi_ps(a.v, b.v), 0x31);
}
MG_INLINE VecD zip_low(VecD a, VecD b) {
  return _mm256_permute2f128_pd(_mm256_unpacklo_pd(a.v, b.v), _mm256_unpackhi_pd(a.v, b.v), 0x20);
}
MG_INLINE VecD zip_high(VecD a, VecD b) {
  return _mm256_permute2f128_pd(_mm256_unpacklo_pd(a.v, b.v), _mm256_unpackhi_pd(a.v, b.v), 0x31);
}

MG_INLINE void load_quads(const float* p, const int32_t* i, VecF (&q)[4]) {
  __m256 r[4];
  for (int j = 0; j < 4; ++j)
    r[j] = _mm256_set_m128(_mm_loadu_ps(p + 2 * int64_t{i[4 + j]}),
                           _mm_loadu_ps(p + 2 * int64_t{i[j]}));
  const __m256 a = _mm256_unpacklo_ps(r[0], r[1]), b = _mm256_unpackhi_ps(r[0], r[1]);
  const __m256 c = _mm256_unpacklo_ps(r[2], r[3]), d = _mm256_unpackhi_ps(r[2], r[3]);
  q[0] = _mm256_shuffle_ps(a, c, 0x44);
  q[1] = _mm256_shuffle_ps(a, c, 0xee);
  q[2] = _mm256_shuffle_ps(b, d, 0x44);
  q[3] = _mm256_shuffle_ps(b, d, 0xee);
}
MG_INLINE void load_quads(const double* p, const int64_t* i, VecD (&q)[4]) {
  for (int j = 0; j < 4; ++j) q[j] = load(p + 2 * i[j]);
  transpose(q);
}

}  // namespace MG_ISA
}  // namespace mg
