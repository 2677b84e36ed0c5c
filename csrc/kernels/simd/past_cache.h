// Copying past the cache: large arrays that nobody will read soon, without bringing in the lines
// that they overwrite.
#pragma once
#include <stdint.h>
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace mg {

#ifdef __x86_64__
// Lines must leave whole: parts that wait for each other are sent alone, at a third of the speed.
__attribute__((target("avx512f"))) inline void copy_lines_past_cache(const char* src, char* dst,
                                                                     int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += 64)
    _mm512_stream_si512(reinterpret_cast<__m512i*>(dst + i), _mm512_loadu_si512(src + i));
}
__attribute__((target("avx"))) inline void copy_half_lines_past_cache(const char* src, char* dst,
                                                                      int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += 32)
    _mm256_stream_si256(reinterpret_cast<__m256i*>(dst + i),
                        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(src + i)));
}

// No overlap. Other threads see what is written once this one has called settle(). Lines written
// in part go through the cache: others may write beside.
inline void copy_past_cache(const void* src, void* dst, int64_t bytes) {
  constexpr int64_t line = 64;
  const char* s = static_cast<const char*>(src);
  char* d = static_cast<char*>(dst);
  const int64_t before = static_cast<int64_t>(-reinterpret_cast<uintptr_t>(d) % line);
  const int64_t lines = (bytes - before) / line * line;
  if (lines <= 0 || !__builtin_cpu_supports("avx")) {
    memcpy(d, s, static_cast<size_t>(bytes));
    return;
  }
  memcpy(d, s, static_cast<size_t>(before));
  if (__builtin_cpu_supports("avx512f"))
    copy_lines_past_cache(s + before, d + before, lines);
  else
    copy_half_lines_past_cache(s + before, d + before, lines);
  const int64_t done = before + lines;
  memcpy(d + done, s + done, static_cast<size_t>(bytes - done));
}
inline void settle() { _mm_sfence(); }
#else
// Arm's cores see by themselves that whole lines are overwritten.
inline void copy_past_cache(const void* src, void* dst, int64_t bytes) {
  memcpy(dst, src, static_cast<size_t>(bytes));
}
inline void settle() {}
#endif

}  // namespace mg
