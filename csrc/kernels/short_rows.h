// Rows of a few elements, a row a lane: templates for the per-ISA sources.
#pragma once
#include "kernels/fold.h"

namespace mg {
namespace MG_ISA {

// Up to so many elements a row.
constexpr int64_t short_fold = 4, short_arg = 16;

// body(columns, row, count) for rows [row, row + count): lane l of columns[i] is element i of row
// number row + l.
template <int64_t most, class T, class Body>
MG_INLINE void each_short(const T* x, int64_t stride, int64_t rows, int64_t n, Body body) {
  constexpr int64_t width = Vec<T>::width;
  alignas(64) T turned[most][width] = {};
  for (int64_t row = 0; row < rows; row += width) {
    const int64_t count = rows - row < width ? rows - row : width;
    for (int64_t r = 0; r < count; ++r)
      for (int64_t i = 0; i < n; ++i) turned[i][r] = x[(row + r) * stride + i];
    body(turned, row, count);
  }
}

// fold() of short rows: the lanes of each are joined by halving, those without data left out.
template <class M, class T>
MG_INLINE void fold_short(const T* x, int64_t stride, int64_t rows, int64_t n, T* out) {
  const Vec<T> identity(M::template identity<T>());
  each_short<short_fold>(
      x, stride, rows, n, [&](const T(*column)[Vec<T>::width], int64_t row, int64_t count) MG_STEP {
        Vec<T> lane[short_fold];
        for (int64_t i = 0; i < short_fold; ++i)
          lane[i] = i < n ? M::template join<T>(identity, load(column[i])) : identity;
        for (int64_t half = short_fold / 2; half > 0; half /= 2)
          for (int64_t i = 0; i < half; ++i) lane[i] = M::template join<T>(lane[i], lane[i + half]);
        store_n(out + row, lane[0], static_cast<int>(count));
      });
}

}  // namespace MG_ISA
}  // namespace mg
