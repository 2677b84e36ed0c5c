// Rows that are read with a stride.
#pragma once
#include "kernels/simd.h"

namespace mg {
namespace MG_ISA {

// Every `stride`-th of the elements at p, 1 or 2, for the first n lanes; reads
// none beyond.
template <class T>
MG_INLINE Vec<T> load_every(const T* p, int64_t stride, int n) {
  constexpr int w = Vec<T>::width;
  if (stride == 1) return n == w ? load(p) : load_n(p, n);
  if (2 * n - 1 <= w) return evens(load_n(p, 2 * n - 1), Vec<T>::zero());
  return evens(load(p), load_n(p + w, 2 * n - 1 - w));
}

}  // namespace MG_ISA
}  // namespace mg
