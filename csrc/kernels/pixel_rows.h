// The product of a convolution for rows of pixels that lie side by side in the source: vectors of
// pixels instead of vectors of columns, so that few columns are enough and nothing is turned over.
// The same chains as in indirect.h, to the bit.
#pragma once
#include "kernels/indirect.h"

namespace mg {
namespace MG_ISA {

// As many accumulators as a tile of indirect.h has.
template <int C>
constexpr int row_tile_vectors =
    tile_rows * tile_vectors / C > 6 ? 6 : tile_rows * tile_vectors / C;

// C columns of V vectors of pixels, the first n lanes of each: vector j reads the source at at[j]
// and goes to to[j] of each column of out.
template <class T, int C>
static void row_tile(int64_t k, const T* source, const int64_t* at, const int64_t* col,
                     const T* weight, int64_t wide, const T* bias, const int64_t* to, T* out,
                     int64_t plane, int n) {
  constexpr int V = row_tile_vectors<C>;
  Vec<T> acc[C][V];
#pragma GCC unroll 6
  for (int c = 0; c < C; ++c)
#pragma GCC unroll 6
    for (int j = 0; j < V; ++j) acc[c][j] = Vec<T>::zero();
  for (int64_t step = 0; step < k; ++step, weight += wide) {
    const T* s = source + col[step];
    Vec<T> x[V];
#pragma GCC unroll 6
    for (int j = 0; j < V; ++j) x[j] = load(s + at[j]);
#pragma GCC unroll 6
    for (int c = 0; c < C; ++c) {
      const Vec<T> b(weight[c]);
#pragma GCC unroll 6
      for (int j = 0; j < V; ++j) acc[c][j] = fma(x[j], b, acc[c][j]);
    }
  }
  for (int c = 0; c < C; ++c) {
    if (bias)
#pragma GCC unroll 6
      for (int j = 0; j < V; ++j) acc[c][j] = acc[c][j] + Vec<T>(bias[c]);
    T* row = out + c * plane;
    if (n == Vec<T>::width) {
#pragma GCC unroll 6
      for (int j = 0; j < V; ++j) store(row + to[j], acc[c][j]);
    } else {
#pragma GCC unroll 6
      for (int j = 0; j < V; ++j) store_n(row + to[j], acc[c][j], n);
    }
  }
}

template <class T, int C>
static void row_tiles(int64_t vectors, int64_t k, const T* source, const int64_t* at,
                      const int64_t* col, const T* weight, int64_t wide, const T* bias,
                      const int64_t* to, T* out, int64_t plane, int n) {
  constexpr int V = row_tile_vectors<C>;
  int64_t i = 0;
  for (; i + V <= vectors; i += V)
    row_tile<T, C>(k, source, at + i, col, weight, wide, bias, to + i, out, plane, n);
  if (i == vectors) return;
  // The last vectors once more, rather than fewer of them.
  int64_t last_at[V], last_to[V];
  for (int j = 0; j < V; ++j) {
    const int64_t from = i + j < vectors ? i + j : vectors - 1;
    last_at[j] = at[from];
    last_to[j] = to[from];
  }
  row_tile<T, C>(k, source, last_at, col, weight, wide, bias, last_to, out, plane, n);
}

// All `columns` of a panel for all vectors. Vectors that overlap write the same values twice.
template <class T>
static void pixel_rows(int64_t columns, int64_t vectors, int64_t k, const T* source,
                       const int64_t* at, const int64_t* col, const T* weight, int64_t wide,
                       const T* bias, const int64_t* to, T* out, int64_t plane, int n) {
  for (int64_t c = 0; c < columns; c += 4) {
    const T* w = weight + c;
    const T* b = bias ? bias + c : nullptr;
    T* o = out + c * plane;
    const int64_t left = columns - c;
    if (left >= 4) row_tiles<T, 4>(vectors, k, source, at, col, w, wide, b, to, o, plane, n);
    if (left == 3) row_tiles<T, 3>(vectors, k, source, at, col, w, wide, b, to, o, plane, n);
    if (left == 2) row_tiles<T, 2>(vectors, k, source, at, col, w, wide, b, to, o, plane, n);
    if (left == 1) row_tiles<T, 1>(vectors, k, source, at, col, w, wide, b, to, o, plane, n);
  }
}

}  // namespace MG_ISA
}  // namespace mg
