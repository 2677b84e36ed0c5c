// Stores past the caches, for what other cores will read next, or nobody soon.
//
//   stream(p, v)        store; p lies on a boundary of whole vectors
//   end_stream()        what was streamed is seen by others before what is stored next
//   before_boundary(p)  elements from p to the next such boundary; p is a multiple of its elements
//   streams_past_cache  whether stream does more than store
//
// A line that another core has read is taken back from it one at a time when it is written, for 10
// to 80 ns each; for a line stored past the caches nobody waits.
#pragma once
#include "kernels/simd.h"

namespace mg {
namespace MG_ISA {

template <class T>
MG_INLINE int before_boundary(const T* p) {
  constexpr uintptr_t bytes = sizeof(Vec<T>);
  return static_cast<int>(-reinterpret_cast<uintptr_t>(p) % bytes / sizeof(T));
}

#if defined(__AVX512F__)
MG_INLINE void stream(float* p, Vec<float> v) { _mm512_stream_ps(p, v.v); }
MG_INLINE void stream(double* p, Vec<double> v) { _mm512_stream_pd(p, v.v); }
MG_INLINE void end_stream() { _mm_sfence(); }
constexpr bool streams_past_cache = true;
#elif defined(__AVX2__)
MG_INLINE void stream(float* p, Vec<float> v) { _mm256_stream_ps(p, v.v); }
MG_INLINE void stream(double* p, Vec<double> v) { _mm256_stream_pd(p, v.v); }
MG_INLINE void end_stream() { _mm_sfence(); }
constexpr bool streams_past_cache = true;
#else
template <class T>
MG_INLINE void stream(T* p, Vec<T> v) {
  store(p, v);
}
MG_INLINE void end_stream() {}
constexpr bool streams_past_cache = false;
#endif

}  // namespace MG_ISA
}  // namespace mg
