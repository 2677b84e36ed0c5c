// The product behind every convolution: out[i][j] = sum over k of source[row[i] + col[k]] *
// b[k][j], one fma chain per output in the order of k. Nothing of the left operand is copied,
// whatever the stride, dilation and size of the kernel: it is read through the two tables of
// offsets.
#pragma once
#include "kernels/simd.h"

namespace mg {
namespace MG_ISA {

// Six rows by as many vectors as leave registers for the operands.
constexpr int tile_rows = 6;
constexpr int tile_vectors = vector_registers >= 32 ? 4 : 2;

// The columns of b are cut into panels of tile_vectors vectors; the last has as many as it needs.
// A panel holds its row k side by side, then its row k + 1.
template <class T>
static constexpr int64_t panel_columns = int64_t{tile_vectors} * Vec<T>::width;

template <class T>
MG_INLINE int64_t panel_count(int64_t columns) {
  return (columns + panel_columns<T> - 1) / panel_columns<T>;
}
template <class T>
MG_INLINE int panel_vectors(int64_t columns, int64_t panel) {
  const int64_t left = columns - panel * panel_columns<T>;
  if (left >= panel_columns<T>) return tile_vectors;
  return static_cast<int>((left + Vec<T>::width - 1) / Vec<T>::width);
}
// Columns of all panels together, those of the last rounded up to whole vectors.
template <class T>
MG_INLINE int64_t padded_columns(int64_t columns) {
  return (columns + Vec<T>::width - 1) / Vec<T>::width * Vec<T>::width;
}

// out (tile_rows, V * width), continued if `more`, begun from zero if not.
template <class T, int V>
static void tile(int64_t k, const T* source, const int64_t* row, const int64_t* col, const T* panel,
                 T* out, bool more) {
  constexpr int w = Vec<T>::width;
  Vec<T> acc[tile_rows][V];
#pragma GCC unroll 6
  for (int i = 0; i < tile_rows; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < V; ++j) acc[i][j] = more ? load(out + (i * V + j) * w) : Vec<T>::zero();
  const int64_t r0 = row[0], r1 = row[1], r2 = row[2], r3 = row[3], r4 = row[4], r5 = row[5];
  for (int64_t step = 0; step < k; ++step) {
    const T* s = source + col[step];
    const T left[tile_rows] = {s[r0], s[r1], s[r2], s[r3], s[r4], s[r5]};
    Vec<T> b[V];
#pragma GCC unroll 4
    for (int j = 0; j < V; ++j) b[j] = load(panel + j * w);
    panel += V * w;
#pragma GCC unroll 6
    for (int i = 0; i < tile_rows; ++i) {
      const Vec<T> a(left[i]);
#pragma GCC unroll 4
      for (int j = 0; j < V; ++j) acc[i][j] = fma(a, b[j], acc[i][j]);
    }
  }
#pragma GCC unroll 6
  for (int i = 0; i < tile_rows; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < V; ++j) store(out + (i * V + j) * w, acc[i][j]);
}

template <class T>
MG_INLINE void tile(int vectors, int64_t k, const T* source, const int64_t* row, const int64_t* col,
                    const T* panel, T* out, bool more) {
  if (vectors == 1) return tile<T, 1>(k, source, row, col, panel, out, more);
  if constexpr (tile_vectors == 4) {
    if (vectors == 3) return tile<T, 3>(k, source, row, col, panel, out, more);
    if (vectors == 4) return tile<T, 4>(k, source, row, col, panel, out, more);
  }
  return tile<T, 2>(k, source, row, col, panel, out, more);
}

// All of `rows`, tile by tile. `out` has room for a whole number of tiles; what it gets beyond
// `rows` means nothing.
template <class T>
static void indirect_product(int64_t rows, int vectors, int64_t k, const T* source,
                             const int64_t* row, const int64_t* col, const T* panel, T* out,
                             bool more) {
  const int64_t step = int64_t{tile_rows} * vectors * Vec<T>::width;
  int64_t i = 0;
  for (; i + tile_rows <= rows; i += tile_rows, out += step)
    tile(vectors, k, source, row + i, col, panel, out, more);
  if (i == rows) return;
  int64_t last[tile_rows];
  for (int t = 0; t < tile_rows; ++t) last[t] = row[i + t < rows ? i + t : rows - 1];
  tile(vectors, k, source, last, col, panel, out, more);
}

// dst[c][r] = src[r][c] (+ add[c] if given): a matrix turned over, square by square. With `Whole`,
// rows of dst are whole vectors, zero beyond `rows`; without, nothing beyond is written.
template <bool Whole, class T>
static void turn(const T* src, int64_t src_row, int64_t rows, int64_t cols, T* dst, int64_t dst_row,
                 const T* add = nullptr) {
  constexpr int w = Vec<T>::width;
  for (int64_t c = 0; c < cols; c += w) {
    const int wide = cols - c < w ? static_cast<int>(cols - c) : w;
    for (int64_t r = 0; r < rows; r += w) {
      const int high = rows - r < w ? static_cast<int>(rows - r) : w;
      const T* from = src + r * src_row + c;
      T* to = dst + c * dst_row + r;
      Vec<T> v[w];
      if (wide == w && high == w) {
        for (int i = 0; i < w; ++i) v[i] = load(from + i * src_row);
      } else {
        for (int i = 0; i < w; ++i)
          v[i] = i < high ? load_n(from + i * src_row, wide) : Vec<T>::zero();
      }
      transpose(v);
      if (add)
        for (int i = 0; i < wide; ++i) v[i] = v[i] + Vec<T>(add[c + i]);
      if (wide == w && (Whole || high == w)) {
        for (int i = 0; i < w; ++i) store(to + i * dst_row, v[i]);
      } else {
        for (int i = 0; i < wide; ++i)
          Whole ? store(to + i * dst_row, v[i]) : store_n(to + i * dst_row, v[i], high);
      }
    }
  }
}

}  // namespace MG_ISA
}  // namespace mg
