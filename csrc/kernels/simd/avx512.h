// AVX-512 (F, DQ): 16 floats, 8 doubles.
#pragma once
#include <immintrin.h>
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
  static constexpr int width = 16;
  __m512 v;
  Vec() = default;
  Vec(__m512 x) : v(x) {}
  explicit Vec(float x) : v(_mm512_set1_ps(x)) {}
  static Vec zero() { return _mm512_setzero_ps(); }
};
template <>
struct Vec<double> {
  static constexpr int width = 8;
  __m512d v;
  Vec() = default;
  Vec(__m512d x) : v(x) {}
  explicit Vec(double x) : v(_mm512_set1_pd(x)) {}
  static Vec zero() { return _mm512_setzero_pd(); }
};
template <>
struct Mask<float> {
  __mmask16 v;
};
template <>
struct Mask<double> {
  __mmask8 v;
};
template <>
struct Int<float> {
  using Lane = int32_t;
  __m512i v;
  Int() = default;
  Int(__m512i x) : v(x) {}
  explicit Int(int32_t x) : v(_mm512_set1_epi32(x)) {}
};
template <>
struct Int<double> {
  using Lane = int64_t;
  __m512i v;
  Int() = default;
  Int(__m512i x) : v(x) {}
  explicit Int(int64_t x) : v(_mm512_set1_epi64(x)) {}
};

using VecF = Vec<float>;
using VecD = Vec<double>;
using IntF = Int<float>;
using IntD = Int<double>;

constexpr bool exact_fma = true;

MG_INLINE __mmask16 lanes16(int n) { return static_cast<__mmask16>((1u << n) - 1); }
MG_INLINE __mmask8 lanes8(int n) { return static_cast<__mmask8>((1u << n) - 1); }

MG_INLINE VecF load(const float* p) { return _mm512_loadu_ps(p); }
MG_INLINE VecD load(const double* p) { return _mm512_loadu_pd(p); }
MG_INLINE VecF load_n(const float* p, int n) { return _mm512_maskz_loadu_ps(lanes16(n), p); }
MG_INLINE VecD load_n(const double* p, int n) { return _mm512_maskz_loadu_pd(lanes8(n), p); }
MG_INLINE void store(float* p, VecF a) { _mm512_storeu_ps(p, a.v); }
MG_INLINE void store(double* p, VecD a) { _mm512_storeu_pd(p, a.v); }
MG_INLINE void store_n(float* p, VecF a, int n) { _mm512_mask_storeu_ps(p, lanes16(n), a.v); }
MG_INLINE void store_n(double* p, VecD a, int n) { _mm512_mask_storeu_pd(p, lanes8(n), a.v); }

MG_INLINE VecF held(VecF a) {
  asm("" : "+v"(a.v));
  return a;
}
MG_INLINE VecD held(VecD a) {
  asm("" : "+v"(a.v));
  return a;
}

MG_INLINE VecF operator+(VecF a, VecF b) { return _mm512_add_ps(a.v, b.v); }
MG_INLINE VecD operator+(VecD a, VecD b) { return _mm512_add_pd(a.v, b.v); }
MG_INLINE VecF operator-(VecF a, VecF b) { return _mm512_sub_ps(a.v, b.v); }
MG_INLINE VecD operator-(VecD a, VecD b) { return _mm512_sub_pd(a.v, b.v); }
MG_INLINE VecF operator*(VecF a, VecF b) { return _mm512_mul_ps(a.v, b.v); }
MG_INLINE VecD operator*(VecD a, VecD b) { return _mm512_mul_pd(a.v, b.v); }
MG_INLINE VecF operator/(VecF a, VecF b) { return _mm512_div_ps(a.v, b.v); }
MG_INLINE VecD operator/(VecD a, VecD b) { return _mm512_div_pd(a.v, b.v); }
// Said so that the compiler can make it part of an fma.
MG_INLINE VecF operator-(VecF a) { return -a.v; }
MG_INLINE VecD operator-(VecD a) { return -a.v; }
MG_INLINE VecF fma(VecF a, VecF b, VecF c) { return _mm512_fmadd_ps(a.v, b.v, c.v); }
MG_INLINE VecD fma(VecD a, VecD b, VecD c) { return _mm512_fmadd_pd(a.v, b.v, c.v); }
MG_INLINE VecF min(VecF a, VecF b) { return _mm512_min_ps(a.v, b.v); }
MG_INLINE VecD min(VecD a, VecD b) { return _mm512_min_pd(a.v, b.v); }
MG_INLINE VecF max(VecF a, VecF b) { return _mm512_max_ps(a.v, b.v); }
MG_INLINE VecD max(VecD a, VecD b) { return _mm512_max_pd(a.v, b.v); }
MG_INLINE VecF abs(VecF a) { return _mm512_abs_ps(a.v); }
MG_INLINE VecD abs(VecD a) { return _mm512_abs_pd(a.v); }
MG_INLINE VecF sqrt(VecF a) { return _mm512_sqrt_ps(a.v); }
MG_INLINE VecD sqrt(VecD a) { return _mm512_sqrt_pd(a.v); }
MG_INLINE VecF floor(VecF a) {
  return _mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}
MG_INLINE VecD floor(VecD a) {
  return _mm512_roundscale_pd(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}
MG_INLINE VecF round(VecF a) {
  return _mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
MG_INLINE VecD round(VecD a) {
  return _mm512_roundscale_pd(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

MG_INLINE Mask<float> operator<(VecF a, VecF b) {
  return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)};
}
MG_INLINE Mask<double> operator<(VecD a, VecD b) {
  return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_LT_OQ)};
}
MG_INLINE Mask<float> operator<=(VecF a, VecF b) {
  return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LE_OQ)};
}
MG_INLINE Mask<double> operator<=(VecD a, VecD b) {
  return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_LE_OQ)};
}
MG_INLINE Mask<float> operator==(VecF a, VecF b) {
  return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ)};
}
MG_INLINE Mask<double> operator==(VecD a, VecD b) {
  return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_EQ_OQ)};
}
MG_INLINE Mask<float> operator!=(VecF a, VecF b) {
  return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_NEQ_UQ)};
}
MG_INLINE Mask<double> operator!=(VecD a, VecD b) {
  return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_NEQ_UQ)};
}
MG_INLINE Mask<float> operator&(Mask<float> a, Mask<float> b) {
  return {static_cast<__mmask16>(a.v & b.v)};
}
MG_INLINE Mask<double> operator&(Mask<double> a, Mask<double> b) {
  return {static_cast<__mmask8>(a.v & b.v)};
}
MG_INLINE Mask<float> operator|(Mask<float> a, Mask<float> b) {
  return {static_cast<__mmask16>(a.v | b.v)};
}
MG_INLINE Mask<double> operator|(Mask<double> a, Mask<double> b) {
  return {static_cast<__mmask8>(a.v | b.v)};
}
MG_INLINE Mask<float> operator~(Mask<float> a) { return {static_cast<__mmask16>(~a.v)}; }
MG_INLINE Mask<double> operator~(Mask<double> a) { return {static_cast<__mmask8>(~a.v)}; }
MG_INLINE VecF select(Mask<float> m, VecF a, VecF b) { return _mm512_mask_blend_ps(m.v, b.v, a.v); }
MG_INLINE VecD select(Mask<double> m, VecD a, VecD b) {
  return _mm512_mask_blend_pd(m.v, b.v, a.v);
}
MG_INLINE bool any(Mask<float> m) { return m.v != 0; }
MG_INLINE bool any(Mask<double> m) { return m.v != 0; }

template <class T>
MG_INLINE Mask<T> mask_n(int n) {
  if constexpr (sizeof(T) == 4)
    return {lanes16(n)};
  else
    return {lanes8(n)};
}
template <int H>
MG_INLINE VecF down(VecF a) {
  if constexpr (H == 8) return _mm512_castps256_ps512(_mm512_extractf32x8_ps(a.v, 1));
  if constexpr (H == 4) return _mm512_castps128_ps512(_mm512_extractf32x4_ps(a.v, 1));
  if constexpr (H == 2) return _mm512_permute_ps(a.v, 0x0e);
  return _mm512_permute_ps(a.v, 0x01);
}
template <int H>
MG_INLINE VecD down(VecD a) {
  if constexpr (H == 4) return _mm512_castpd256_pd512(_mm512_extractf64x4_pd(a.v, 1));
  if constexpr (H == 2) return _mm512_castpd128_pd512(_mm512_extractf64x2_pd(a.v, 1));
  return _mm512_permute_pd(a.v, 0x1);
}
MG_INLINE float lane0(VecF a) { return _mm512_cvtss_f32(a.v); }
MG_INLINE double lane0(VecD a) { return _mm512_cvtsd_f64(a.v); }

MG_INLINE IntF as_int(VecF a) { return _mm512_castps_si512(a.v); }
MG_INLINE IntD as_int(VecD a) { return _mm512_castpd_si512(a.v); }
MG_INLINE VecF as_vec(IntF a) { return _mm512_castsi512_ps(a.v); }
MG_INLINE VecD as_vec(IntD a) { return _mm512_castsi512_pd(a.v); }
MG_INLINE IntF to_int(VecF a) { return _mm512_cvtps_epi32(a.v); }
MG_INLINE VecF to_vec(IntF a) { return _mm512_cvtepi32_ps(a.v); }
MG_INLINE IntD to_int(VecD a) { return _mm512_cvtpd_epi64(a.v); }
MG_INLINE VecD to_vec(IntD a) { return _mm512_cvtepi64_pd(a.v); }

MG_INLINE IntF operator+(IntF a, IntF b) { return _mm512_add_epi32(a.v, b.v); }
MG_INLINE IntD operator+(IntD a, IntD b) { return _mm512_add_epi64(a.v, b.v); }
MG_INLINE IntF operator-(IntF a, IntF b) { return _mm512_sub_epi32(a.v, b.v); }
MG_INLINE IntD operator-(IntD a, IntD b) { return _mm512_sub_epi64(a.v, b.v); }
MG_INLINE IntF operator&(IntF a, IntF b) { return _mm512_and_si512(a.v, b.v); }
MG_INLINE IntD operator&(IntD a, IntD b) { return _mm512_and_si512(a.v, b.v); }
MG_INLINE IntF operator|(IntF a, IntF b) { return _mm512_or_si512(a.v, b.v); }
MG_INLINE IntD operator|(IntD a, IntD b) { return _mm512_or_si512(a.v, b.v); }
MG_INLINE IntF operator^(IntF a, IntF b) { return _mm512_xor_si512(a.v, b.v); }
MG_INLINE IntD operator^(IntD a, IntD b) { return _mm512_xor_si512(a.v, b.v); }
template <int N>
MG_INLINE IntF shl(IntF a) {
  return _mm512_slli_epi32(a.v, N);
}
template <int N>
MG_INLINE IntD shl(IntD a) {
  return _mm512_slli_epi64(a.v, N);
}
template <int N>
MG_INLINE IntF shr(IntF a) {
  return _mm512_srli_epi32(a.v, N);
}
template <int N>
MG_INLINE IntD shr(IntD a) {
  return _mm512_srli_epi64(a.v, N);
}
MG_INLINE Mask<float> operator>(IntF a, IntF b) { return {_mm512_cmpgt_epi32_mask(a.v, b.v)}; }
MG_INLINE Mask<double> operator>(IntD a, IntD b) { return {_mm512_cmpgt_epi64_mask(a.v, b.v)}; }

MG_INLINE IntF shl(IntF a, int n) { return _mm512_sll_epi32(a.v, _mm_cvtsi32_si128(n)); }
MG_INLINE IntD shl(IntD a, int n) { return _mm512_sll_epi64(a.v, _mm_cvtsi32_si128(n)); }
MG_INLINE IntF load_int(const int32_t* p) {
  return _mm512_loadu_si512(reinterpret_cast<const __m512i*>(p));
}
MG_INLINE IntD load_int(const int64_t* p) {
  return _mm512_loadu_si512(reinterpret_cast<const __m512i*>(p));
}
MG_INLINE void store_int(int32_t* p, IntF a) {
  _mm512_storeu_si512(reinterpret_cast<__m512i*>(p), a.v);
}
MG_INLINE void store_int(int64_t* p, IntD a) {
  _mm512_storeu_si512(reinterpret_cast<__m512i*>(p), a.v);
}
MG_INLINE IntD load_wide(const int32_t* p) {
  return _mm512_cvtepi32_epi64(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
MG_INLINE IntD mul_low(IntD a, IntD b) { return _mm512_mul_epu32(a.v, b.v); }
MG_INLINE IntD xor3(IntD a, IntD b, IntD c) {
  return _mm512_ternarylogic_epi64(a.v, b.v, c.v, 0x96);
}
MG_INLINE IntD pack_low(IntD a, IntD b) {
  return _mm512_mask_blend_epi32(0xAAAA, a.v, _mm512_slli_epi64(b.v, 32));
}

// Rows to columns: lanes within quarters of 128 bits, then the quarters.
MG_INLINE void transpose(VecF (&r)[16]) {
  __m512 a[16], b[16];
  for (int i = 0; i < 8; ++i) {
    a[2 * i] = _mm512_unpacklo_ps(r[2 * i].v, r[2 * i + 1].v);
    a[2 * i + 1] = _mm512_unpackhi_ps(r[2 * i].v, r[2 * i + 1].v);
  }
  for (int i = 0; i < 16; i += 4) {
    b[i] = _mm512_shuffle_ps(a[i], a[i + 2], 0x44);
    b[i + 1] = _mm512_shuffle_ps(a[i], a[i + 2], 0xee);
    b[i + 2] = _mm512_shuffle_ps(a[i + 1], a[i + 3], 0x44);
    b[i + 3] = _mm512_shuffle_ps(a[i + 1], a[i + 3], 0xee);
  }
  for (int i = 0; i < 4; ++i) {
    a[i] = _mm512_shuffle_f32x4(b[i], b[i + 4], 0x88);
    a[i + 4] = _mm512_shuffle_f32x4(b[i], b[i + 4], 0xdd);
    a[i + 8] = _mm512_shuffle_f32x4(b[i + 8], b[i + 12], 0x88);
    a[i + 12] = _mm512_shuffle_f32x4(b[i + 8], b[i + 12], 0xdd);
  }
  for (int i = 0; i < 8; ++i) {
    r[i] = _mm512_shuffle_f32x4(a[i], a[i + 8], 0x88);
    r[i + 8] = _mm512_shuffle_f32x4(a[i], a[i + 8], 0xdd);
  }
}
MG_INLINE void transpose(VecD (&r)[8]) {
  __m512d a[8], b[8];
  for (int i = 0; i < 4; ++i) {
    a[2 * i] = _mm512_unpacklo_pd(r[2 * i].v, r[2 * i + 1].v);
    a[2 * i + 1] = _mm512_unpackhi_pd(r[2 * i].v, r[2 * i + 1].v);
  }
  for (int i = 0; i < 2; ++i) {
    b[i] = _mm512_shuffle_f64x2(a[i], a[i + 2], 0x88);
    b[i + 2] = _mm512_shuffle_f64x2(a[i], a[i + 2], 0xdd);
    b[i + 4] = _mm512_shuffle_f64x2(a[i + 4], a[i + 6], 0x88);
    b[i + 6] = _mm512_shuffle_f64x2(a[i + 4], a[i + 6], 0xdd);
  }
  for (int i = 0; i < 4; ++i) {
    r[i] = _mm512_shuffle_f64x2(b[i], b[i + 4], 0x88);
    r[i + 4] = _mm512_shuffle_f64x2(b[i], b[i + 4], 0xdd);
  }
}

alignas(64) static const int32_t even_lanes[16] = {0,  2,  4,  6,  8,  10, 12, 14,
                                                   16, 18, 20, 22, 24, 26, 28, 30};
alignas(64) static const int32_t zip_lanes[16] = {0, 16, 1, 17, 2, 18, 3, 19,
                                                  4, 20, 5, 21, 6, 22, 7, 23};
alignas(64) static const int64_t even_lanes_d[8] = {0, 2, 4, 6, 8, 10, 12, 14};
alignas(64) static const int64_t zip_lanes_d[8] = {0, 8, 1, 9, 2, 10, 3, 11};
MG_INLINE VecF evens(VecF a, VecF b) {
  return _mm512_permutex2var_ps(a.v, _mm512_load_si512(even_lanes), b.v);
}
MG_INLINE VecF odds(VecF a, VecF b) {
  const __m512i i = _mm512_add_epi32(_mm512_load_si512(even_lanes), _mm512_set1_epi32(1));
  return _mm512_permutex2var_ps(a.v, i, b.v);
}
MG_INLINE VecD evens(VecD a, VecD b) {
  return _mm512_permutex2var_pd(a.v, _mm512_load_si512(even_lanes_d), b.v);
}
MG_INLINE VecD odds(VecD a, VecD b) {
  const __m512i i = _mm512_add_epi64(_mm512_load_si512(even_lanes_d), _mm512_set1_epi64(1));
  return _mm512_permutex2var_pd(a.v, i, b.v);
}
MG_INLINE VecF zip_low(VecF a, VecF b) {
  return _mm512_permutex2var_ps(a.v, _mm512_load_si512(zip_lanes), b.v);
}
MG_INLINE VecF zip_high(VecF a, VecF b) {
  const __m512i i = _mm512_add_epi32(_mm512_load_si512(zip_lanes), _mm512_set1_epi32(8));
  return _mm512_permutex2var_ps(a.v, i, b.v);
}
MG_INLINE VecD zip_low(VecD a, VecD b) {
  return _mm512_permutex2var_pd(a.v, _mm512_load_si512(zip_lanes_d), b.v);
}
MG_INLINE VecD zip_high(VecD a, VecD b) {
  const __m512i i = _mm512_add_epi64(_mm512_load_si512(zip_lanes_d), _mm512_set1_epi64(4));
  return _mm512_permutex2var_pd(a.v, i, b.v);
}

// Loads of four, one a lane, and a transposition: gathers are slower, on Zen 4 by far.
MG_INLINE void load_quads(const float* p, const int32_t* i, VecF (&q)[4]) {
  __m512 r[4];
  for (int j = 0; j < 4; ++j) {
    r[j] = _mm512_castps128_ps512(_mm_loadu_ps(p + 2 * int64_t{i[j]}));
    r[j] = _mm512_insertf32x4(r[j], _mm_loadu_ps(p + 2 * int64_t{i[4 + j]}), 1);
    r[j] = _mm512_insertf32x4(r[j], _mm_loadu_ps(p + 2 * int64_t{i[8 + j]}), 2);
    r[j] = _mm512_insertf32x4(r[j], _mm_loadu_ps(p + 2 * int64_t{i[12 + j]}), 3);
  }
  const __m512 a = _mm512_unpacklo_ps(r[0], r[1]), b = _mm512_unpackhi_ps(r[0], r[1]);
  const __m512 c = _mm512_unpacklo_ps(r[2], r[3]), d = _mm512_unpackhi_ps(r[2], r[3]);
  q[0] = _mm512_shuffle_ps(a, c, 0x44);
  q[1] = _mm512_shuffle_ps(a, c, 0xee);
  q[2] = _mm512_shuffle_ps(b, d, 0x44);
  q[3] = _mm512_shuffle_ps(b, d, 0xee);
}
MG_INLINE void load_quads(const double* p, const int64_t* i, VecD (&q)[4]) {
  __m512d r[4];
  for (int j = 0; j < 4; ++j)
    r[j] = _mm512_insertf64x4(_mm512_castpd256_pd512(_mm256_loadu_pd(p + 2 * i[j])),
                              _mm256_loadu_pd(p + 2 * i[4 + j]), 1);
  const __m512d a = _mm512_unpacklo_pd(r[0], r[1]), b = _mm512_unpackhi_pd(r[0], r[1]);
  const __m512d c = _mm512_unpacklo_pd(r[2], r[3]), d = _mm512_unpackhi_pd(r[2], r[3]);
  const __m512i low = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13);
  const __m512i high = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
  q[0] = _mm512_permutex2var_pd(a, low, c);
  q[1] = _mm512_permutex2var_pd(b, low, d);
  q[2] = _mm512_permutex2var_pd(a, high, c);
  q[3] = _mm512_permutex2var_pd(b, high, d);
}

}  // namespace MG_ISA
}  // namespace mg
