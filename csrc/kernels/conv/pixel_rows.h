// The product of a convolution for rows of pixels that lie side by side in the source: vectors of
// pixels instead of vectors of columns, so that few columns are enough and nothing is turned over.
// The same chains as in indirect.h, to the bit.
#pragma once
#include "kernels/conv/indirect.h"
#include "kernels/conv/source.h"

namespace mg {
namespace MG_ISA {

// Vectors of pixels, the first n lanes of each: vector j reads the source at at[j] and goes to
// to[j] of each column of out, after finish(vector, column, to[j], n).
template <class T, class Finish>
struct Rows {
  const T* source;
  const Link* link;
  int64_t links;
  const T* weight;  // `wide` for each link
  int64_t wide;
  Finish finish;
  T* out;
  int64_t plane;
  int n;
};

// As many accumulators as a tile of indirect.h has.
template <int C>
constexpr int row_tile_vectors =
    tile_rows * tile_vectors / C > 6 ? 6 : tile_rows * tile_vectors / C;

// C columns from `column` of V vectors.
template <class T, int C, class Finish>
static void row_tile(const Rows<T, Finish>& r, int64_t column, const int64_t* at,
                     const int64_t* to) {
  constexpr int V = row_tile_vectors<C>;
  Vec<T> acc[C][V];
#pragma GCC unroll 6
  for (int c = 0; c < C; ++c)
#pragma GCC unroll 6
    for (int j = 0; j < V; ++j) acc[c][j] = Vec<T>::zero();
  const T *source = r.source, *weight = r.weight + column;
  const int64_t wide = r.wide;
  for (const Link *link = r.link, *end = link + r.links; link < end; ++link, weight += wide) {
    const T* s = source + link->source;
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
  T* out = r.out + column * r.plane;
  const bool whole = r.n == Vec<T>::width;
#pragma GCC unroll 6
  for (int c = 0; c < C; ++c, out += r.plane)
#pragma GCC unroll 6
    for (int j = 0; j < V; ++j) {
      const Vec<T> v = r.finish(acc[c][j], column + c, to[j], r.n);
      whole ? store(out + to[j], v) : store_n(out + to[j], v, r.n);
    }
}

template <class T, int C, class Finish>
static void row_tiles(const Rows<T, Finish>& r, int64_t column, int64_t vectors, const int64_t* at,
                      const int64_t* to) {
  constexpr int V = row_tile_vectors<C>;
  int64_t i = 0;
  for (; i + V <= vectors; i += V) {
    // Where the next tile writes.
    for (int c = 0; c < C; ++c)
      for (int64_t j = i + V; j < min_of(i + 2 * V, vectors); ++j)
        __builtin_prefetch(r.out + (column + c) * r.plane + to[j]);
    row_tile<T, C>(r, column, at + i, to + i);
  }
  if (i == vectors) return;
  // The last vectors once more, rather than fewer of them.
  int64_t last_at[V], last_to[V];
  for (int j = 0; j < V; ++j) {
    const int64_t from = i + j < vectors ? i + j : vectors - 1;
    last_at[j] = at[from];
    last_to[j] = to[from];
  }
  row_tile<T, C>(r, column, last_at, last_to);
}

// All `columns` for all vectors. Vectors that overlap write the same values twice.
template <class T, class Finish>
static void pixel_rows(const Rows<T, Finish>& r, int64_t columns, int64_t vectors,
                       const int64_t* at, const int64_t* to) {
  for (int64_t c = 0; c < columns; c += 4) {
    const int64_t left = columns - c;
    if (left >= 4) row_tiles<T, 4>(r, c, vectors, at, to);
    if (left == 3) row_tiles<T, 3>(r, c, vectors, at, to);
    if (left == 2) row_tiles<T, 2>(r, c, vectors, at, to);
    if (left == 1) row_tiles<T, 1>(r, c, vectors, at, to);
  }
}

}  // namespace MG_ISA
}  // namespace mg
