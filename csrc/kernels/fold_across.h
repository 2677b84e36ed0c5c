// The folds of kernels/fold.h of data that lies the other way round in memory, to the same bits:
// rows whose elements are far apart while the rows are side by side, and columns whose elements
// are side by side.
#pragma once
#include "kernels/fold.h"

namespace mg {
namespace MG_ISA {

// fold() of each of `columns` rows, whose elements are `stride` apart: the 64 lanes of a few rows
// at a time are in L1.
template <class M, class T>
static void fold_rows_across(const void* x, int64_t stride, int64_t n, int64_t columns, void* out) {
  constexpr int64_t most = 64, vectors = 4, step = Vec<T>::width, tile = vectors * step;
  alignas(64) T lanes[most][tile];
  const Vec<T> identity(M::template identity<T>());
  for (int64_t left = 0; left < columns; left += tile) {
    const int64_t width = columns - left < tile ? columns - left : tile;
    T* to = static_cast<T*>(out) + left;
    alignas(64) T total[tile];
    for (int64_t base = 0; base < n; base += fold_chunk) {
      const int64_t count = n - base < fold_chunk ? n - base : fold_chunk;
      const T* from = static_cast<const T*>(x) + base * stride + left;
      int64_t used = 1;  // further lanes stay at the identity, and change nothing
      while (used < most && used < count) used *= 2;
      for (int64_t lane = 0; lane < used; ++lane) {
        Vec<T> acc[vectors];
        MG_UNROLL for (int k = 0; k < vectors; ++k) acc[k] = identity;
        for (int64_t i = lane; i < count; i += most) {
          const T* p = from + i * stride;
          if (width == tile) {
            MG_UNROLL for (int k = 0; k < vectors; ++k) acc[k] =
                M::template join<T>(acc[k], load(p + k * step));
          } else {
            MG_UNROLL for (int k = 0; k < vectors; ++k) {
              const int64_t rest = width - k * step;
              const int some = static_cast<int>(rest < 0 ? 0 : rest < step ? rest : step);
              acc[k] = M::template join<T>(acc[k], load_n(p + k * step, some));
            }
          }
        }
        MG_UNROLL for (int k = 0; k < vectors; ++k) store(lanes[lane] + k * step, acc[k]);
      }
      for (int64_t half = used / 2; half > 0; half /= 2)
        for (int64_t i = 0; i < half * tile; i += step)
          store(lanes[0] + i, M::template join<T>(load(lanes[0] + i), load(lanes[half] + i)));
      for (int64_t j = 0; j < tile; j += step) {
        const Vec<T> part = load(lanes[0] + j);
        store(total + j, base == 0 ? part : M::template join<T>(load(total + j), part));
      }
    }
    for (int64_t j = 0; j < width; ++j) to[j] = total[j];
  }
}

// fold_columns() of columns that are `stride` apart, with their elements side by side: squares of a
// vector of columns are turned in registers.
template <class M, class T>
static void fold_columns_along(const void* x, int64_t stride, int64_t n, int64_t columns,
                               void* out) {
  constexpr int width = Vec<T>::width;
  const Vec<T> identity(M::template identity<T>());
  for (int64_t left = 0; left < columns; left += width) {
    const int64_t count = columns - left < width ? columns - left : width;
    const T* column[width];  // the last one again where there are no more
    for (int64_t c = 0; c < width; ++c)
      column[c] = static_cast<const T*>(x) + (left + (c < count ? c : count - 1)) * stride;
    Vec<T> total = identity;
    for (int64_t base = 0; base < n; base += column_chunk) {
      const int64_t end = n - base < column_chunk ? n : base + column_chunk;
      Vec<T> acc = identity;
      for (int64_t i = base; i < end; i += width) {
        Vec<T> square[width];
        if (end - i >= width) {
          MG_UNROLL for (int c = 0; c < width; ++c) square[c] = load(column[c] + i);
        } else {  // the identity changes nothing
          const Tail<T> at{static_cast<int>(end - i)};
          MG_UNROLL for (int c = 0; c < width; ++c) square[c] =
              at.keep(at.load(column[c] + i), identity);
        }
        transpose(square);
        MG_UNROLL for (int k = 0; k < width; ++k) acc = M::template join<T>(acc, square[k]);
      }
      total = base == 0 ? acc : M::template join<T>(total, acc);
    }
    store_n(static_cast<T*>(out) + left, total, static_cast<int>(count));
  }
}

}  // namespace MG_ISA
}  // namespace mg
