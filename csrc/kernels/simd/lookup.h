// Reading tables of 16 floats that stay in registers, which has few users:
//   lookup(table, i)  lane l is that of the 16 floats, on a 64-byte boundary, whose number are the
//                     low 4 bits of i[l]
#pragma once
#include "kernels/simd.h"

namespace mg {
namespace MG_ISA {

#if defined(MG_PLAIN_FMA)
MG_INLINE Vec<float> lookup(const float* table, Int<float> index) {
  return each<float>([=](int i) { return table[index.lane[i] & 15]; });
}
#elif defined(__AVX512F__)
MG_INLINE VecF lookup(const float* table, IntF i) {
  return _mm512_permutexvar_ps(i.v, _mm512_load_ps(table));
}
#elif defined(__AVX2__)
// The upper half of the table for numbers of 8 and above, whose bit 3 becomes the sign.
MG_INLINE VecF lookup(const float* table, IntF i) {
  const __m256 low = _mm256_permutevar8x32_ps(_mm256_load_ps(table), i.v);
  const __m256 high = _mm256_permutevar8x32_ps(_mm256_load_ps(table + 8), i.v);
  return _mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32(i.v, 28)));
}
#else
// By the four bytes of each number.
MG_INLINE VecF lookup(const float* table, IntF i) {
  uint8x16x4_t bytes;
  for (int k = 0; k < 4; ++k) bytes.val[k] = vreinterpretq_u8_f32(vld1q_f32(table + 4 * k));
  const uint32x4_t low = vandq_u32(i.v, vdupq_n_u32(15));
  const uint32x4_t at = vmlaq_n_u32(vdupq_n_u32(0x03020100), low, 0x04040404);
  return vreinterpretq_f32_u8(vqtbl4q_u8(bytes, vreinterpretq_u8_u32(at)));
}
#endif

}  // namespace MG_ISA
}  // namespace mg
