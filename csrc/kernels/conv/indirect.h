// The product behind every convolution: out[place[i]][j] = sum over links of source[row[i] +
// link.source] * panel[link.weight][j], one fma chain per output in the order of the links. Nothing
// of the left operand is copied, whatever the stride, dilation and size of the kernel: it is read
// through tables of offsets.
#pragma once
#include "kernels/conv/ahead.h"
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

struct Link {
  int64_t source, weight;  // an offset; a row of the panel
};

template <class T>
struct Chain {
  const T* source;
  const Link* link;
  int64_t links;
  const T* panel;
  const T* start;  // a row that every chain begins with, or null: go on from `out`
};

template <class T>
static constexpr T zeros[panel_columns<T>] = {};

template <class T, int R, int V>
static void tile(const Chain<T>& chain, const int64_t* row, const int64_t* place, T* out) {
  constexpr int w = Vec<T>::width;
  Vec<T> acc[R][V];
#pragma GCC unroll 6
  for (int i = 0; i < R; ++i) {
    const T* from = chain.start ? chain.start : out + place[i] * (V * w);
#pragma GCC unroll 4
    for (int j = 0; j < V; ++j) acc[i][j] = load(from + j * w);
  }
  int64_t at[R];
#pragma GCC unroll 6
  for (int i = 0; i < R; ++i) at[i] = row[i];
  const T *source = chain.source, *panel = chain.panel;
  for (const Link *link = chain.link, *end = link + chain.links; link < end; ++link) {
    const T *s = source + link->source, *p = panel + link->weight * (V * w);
    Vec<T> b[V];
#pragma GCC unroll 4
    for (int j = 0; j < V; ++j) b[j] = load(p + j * w);
#pragma GCC unroll 6
    for (int i = 0; i < R; ++i) {
      const Vec<T> a(s[at[i]]);
#pragma GCC unroll 4
      for (int j = 0; j < V; ++j) acc[i][j] = fma(a, b[j], acc[i][j]);
    }
  }
#pragma GCC unroll 6
  for (int i = 0; i < R; ++i) {
    T* to = out + place[i] * (V * w);
#pragma GCC unroll 4
    for (int j = 0; j < V; ++j) store(to + j * w, acc[i][j]);
  }
}

template <class T>
using TileFn = void (*)(const Chain<T>&, const int64_t* row, const int64_t* place, T* out);

// What is left over is done by fewer rows.
constexpr int tile_heights[] = {tile_rows, 4, 2, 1};

template <class T, int V>
static constexpr TileFn<T> tiles_of[] = {tile<T, tile_rows, V>, tile<T, 4, V>, tile<T, 2, V>,
                                         tile<T, 1, V>};

template <class T>
static const TileFn<T>* tiles(int vectors) {
  if (vectors == 1) return tiles_of<T, 1>;
  if constexpr (tile_vectors == 4) {
    if (vectors == 3) return tiles_of<T, 3>;
    if (vectors == 4) return tiles_of<T, 4>;
  }
  return tiles_of<T, 2>;
}

// All of `rows`, tile by tile; `ahead` are told of every tile.
template <class T>
static void indirect_product(const Chain<T>& chain, int64_t rows, int vectors, const int64_t* row,
                             const int64_t* place, T* out, Ahead* ahead, int aheads) {
  const TileFn<T>* fn = tiles<T>(vectors);
  const int* height = tile_heights;
  for (int64_t i = 0; i < rows; i += *height) {
    for (; *height > rows - i; ++height) ++fn;
    for (int a = 0; a < aheads; ++a) ahead[a].fetch();
    (*fn)(chain, row + i, place + i, out);
  }
}

// Leaves what is turned over as it is.
struct AsIs {
  template <class T>
  MG_METHOD Vec<T> operator()(Vec<T> v, int64_t, int64_t, int) const {
    return v;
  }
};

// dst[c][r] = finish(src[r][c], c, r, lanes): a matrix turned over, square by square. With `Whole`,
// rows of dst are whole vectors, zero beyond `rows`; without, nothing beyond is written.
template <bool Whole, class T, class Finish = AsIs>
static void turn(const T* src, int64_t src_row, int64_t rows, int64_t cols, T* dst, int64_t dst_row,
                 const Finish& finish = {}) {
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
      if (wide == w && (Whole || high == w)) {
        for (int i = 0; i < w; ++i) store(to + i * dst_row, finish(v[i], c + i, r, w));
      } else {
        for (int i = 0; i < wide; ++i) {
          const Vec<T> x = finish(v[i], c + i, r, high);
          Whole ? store(to + i * dst_row, x) : store_n(to + i * dst_row, x, high);
        }
      }
    }
  }
}

}  // namespace MG_ISA
}  // namespace mg
