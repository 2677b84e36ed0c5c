// Winograd's F(2x2, 3x3) (Lavin and Gray, 2015): four outputs of a 3 by 3 convolution are 16
// products of sums instead of 36 products. With d a 4 by 4 piece of the source, g the kernel and y
// the 2 by 2 outputs, * element by element,
//
//   y = A'[(G g G') * (B' d B)] A, and for a gradient e of y that of g is G'[(A e A') * (B' d B)] G
//
//        1  0 -1  0         1   0   0
//   B' = 0  1  1  0     G = .5  .5  .5     A' = 1  1  1  0
//        0 -1  1  0         .5 -.5  .5          0  1 -1 -1
//        0  1  0 -1         0   0   1
//
// The sums over channels (or over tiles) of the products are 16 matrix products, one for each
// element of a tile. An output still depends on nothing that its window does not cover: what is not
// a number stays where it was.
#pragma once
#include "kernels/conv/axis.h"

namespace mg {
namespace MG_ISA {

constexpr int tile_elements = 16;

// Whether it pays, counted in cycles of a machine with 16 lanes: which of two ways is taken decides
// about bits, so that no ISA may have a choice of its own.
static bool winograd_fits(const ConvShape& s) {
  constexpr int64_t few = 8;
  return s.kernel_h == 3 && s.kernel_w == 3 && s.stride_h == 1 && s.stride_w == 1 &&
         s.dilation_h == 1 && s.dilation_w == 1 && s.pad_h <= 2 && s.pad_w <= 2 &&
         s.channels / s.groups >= few && s.filters / s.groups >= few;
}
constexpr int64_t counted_lanes = 16, transform_cycles = 70;

// For the outputs of forward and input_grad, beside the two ways of conv_outputs.h.
template <bool Backward>
MG_SMALL static bool winograd_suits(const ConvShape& s) {
  if (!winograd_fits(s)) return false;
  const auto h = height_axis<Backward>(s, true, 0);
  const auto w = width_axis<Backward>(s, true, 0);
  const int64_t links = (Backward ? s.filters : s.channels) / s.groups;
  const int64_t columns = (Backward ? s.channels : s.filters) / s.groups;
  const int64_t high = ceil_div(h.size, 2), across = ceil_div(w.size, 2);
  const int64_t tiles = across * links * round_up(columns, 8) +
                        ceil_div(across, counted_lanes) * transform_cycles * (links + columns);
  const double each = static_cast<double>(links) * h.mean_links() * w.mean_links() + 16;
  const double pixels = static_cast<double>(h.size * w.size) * each *
                        (columns <= counted_lanes ? 1.33 : 1.0) *
                        static_cast<double>(ceil_div(columns, counted_lanes));
  const double by_rows = static_cast<double>(h.size * ceil_div(w.size, counted_lanes) *
                                             round_up(columns, 4) * (9 * links + 7));
  return static_cast<double>(high * tiles) < 0.9 * (pixels < by_rows ? pixels : by_rows);
}

// For weight_grad, beside weight.h.
MG_SMALL static bool winograd_suits_weight(const ConvShape& s) {
  if (!winograd_fits(s)) return false;
  const int64_t channels = s.channels / s.groups;
  const int64_t filters = round_up(s.filters / s.groups, counted_lanes);
  const int64_t high = ceil_div(s.out_h, 2), across = ceil_div(s.out_w, 2);
  const int64_t tiles = across * filters * (channels + 4) +
                        ceil_div(across, counted_lanes) * transform_cycles * channels;
  return 10 * high * tiles * counted_lanes < 9 * s.out_h * s.out_w * 9 * channels * filters;
}

// The outputs in tiles of 2 by 2, row by row, image by image, and the source that they look at.
struct Tiling {
  int64_t height, width;             // of the outputs
  int64_t high, across, vectors;     // tiles; vectors of a row of them
  int64_t channels, all_channels;    // of a group and of all
  int64_t rows, cols, top, left;     // of the source, and zeros around it
  int64_t block;                     // rows of tiles at a time
  int64_t stride, plane;             // from channel to channel, from element to element of a tile
  int64_t buffer_cols, buffer_rows;  // of one plane of the source with its zeros
};

// At most n elements more, so that what lies at such distances does not share lines of the L1.
template <class T>
static int64_t odd_lines(int64_t n) {
  constexpr int64_t line = 64 / sizeof(T);
  const int64_t lines = ceil_div(n, line);
  return (lines + 1 - lines % 2) * line;
}

// Rows of tiles at a time: few enough that all channels stay in the L2, and such as fill vectors.
template <class T>
static int64_t block_of_rows(int64_t across, int64_t channels) {
  constexpr int64_t bytes = int64_t{384} << 10;
  const int64_t fitting = bytes / (tile_elements * channels * static_cast<int64_t>(sizeof(T)));
  const int64_t most = min_of(max_of(fitting, 48), 160);
  int64_t best = 1;
  double least = 1e30;
  for (int64_t rows = 1; rows == 1 || rows * across <= most; ++rows) {
    const int64_t tiles = rows * across;
    const double cost = static_cast<double>(round_up(tiles, Vec<T>::width) + 8) / tiles;
    if (cost < least) {
      least = cost;
      best = rows;
    }
  }
  return best;
}

template <class T, bool Backward>
MG_SMALL static Tiling tiling(const ConvShape& s) {
  constexpr int64_t w = Vec<T>::width;
  Tiling t{};
  t.height = Backward ? s.height : s.out_h;
  t.width = Backward ? s.width : s.out_w;
  t.high = ceil_div(t.height, 2);
  t.across = ceil_div(t.width, 2);
  t.vectors = ceil_div(t.across, w);
  t.all_channels = Backward ? s.filters : s.channels;
  t.channels = t.all_channels / s.groups;
  t.rows = Backward ? s.out_h : s.height;
  t.cols = Backward ? s.out_w : s.width;
  t.top = Backward ? 2 - s.pad_h : s.pad_h;
  t.left = Backward ? 2 - s.pad_w : s.pad_w;
  t.block = min_of(block_of_rows<T>(t.across, t.channels), max_of(1, s.images * t.high));
  // Vectors of tiles are stored whole, wherever a row ends.
  t.stride = odd_lines<T>(round_up(t.block * t.across, w) + w);
  t.plane = odd_lines<T>(t.channels * t.stride);
  t.buffer_cols = 2 * max_of(t.across, w) + 2;
  t.buffer_rows = 2 * min_of(t.block, t.high) + 2;
  return t;
}

// The first tile of a vector: the last vector of a row ends where the row does.
template <class T>
MG_INLINE int64_t first_tile(const Tiling& t, int64_t vector) {
  return min_of(vector * Vec<T>::width, max_of(0, t.across - Vec<T>::width));
}

// f(image, first row of tiles in it, how many, first tile among all) for rows [first, first + n).
template <class F>
MG_INLINE void each_image(const Tiling& t, int64_t first, int64_t n, F f) {
  for (int64_t done = 0; done < n;) {
    const int64_t row = (first + done) % t.high, rows = min_of(n - done, t.high - row);
    f((first + done) / t.high, row, rows, done * t.across);
    done += rows;
  }
}

// ---- B' d B

template <class T>
struct Four {
  Vec<T> at[4];
};

template <class T>
MG_INLINE Four<T> pieces(const Vec<T>& a, const Vec<T>& b, const Vec<T>& c, const Vec<T>& d) {
  return {{a - c, b + c, c - b, b - d}};
}

// One row of the source, for a vector of tiles.
template <class T>
MG_INLINE Four<T> pieces_of_row(const T* p) {
  constexpr int w = Vec<T>::width;
  const Vec<T> a = load(p), b = load(p + w), c = load(p + 2), d = load(p + 2 + w);
  return pieces(evens(a, b), odds(a, b), evens(c, d), odds(c, d));
}

// Planes by which the source, and the outputs, are fetched before their turn.
constexpr int64_t planes_ahead = 4;

template <class T>
MG_INLINE void fetch_row(const T* p, int64_t n) {
  constexpr int64_t line = 64 / sizeof(T);
  for (int64_t i = 0; i < n; i += line) __builtin_prefetch(p + i);
}

// The rows of a plane of the source that `rows` rows of tiles from `first` look at.
template <class T>
static void fill_buffer(const Tiling& t, const T* plane, int64_t first, int64_t rows, T* buffer) {
  const int64_t cols = t.cols, high = t.rows, step = t.buffer_cols;
  const int64_t begin = 2 * first - t.top, end = begin + 2 * rows + 2;
  const T* from = plane + begin * cols;
  T* to = buffer + t.left;
  for (int64_t r = begin; r < end; ++r, from += cols, to += step) {
    if (r < 0 || r >= high) {
      __builtin_memset(to, 0, cols * sizeof(T));
    } else {
      fetch_row(from + planes_ahead * high * cols, cols);
      copy_row(from, to, cols);
    }
  }
}

// Elements of scratch, to be cleared before the first transform_source.
template <class T>
static int64_t buffer_elements(const Tiling& t) {
  return odd_lines<T>(t.buffer_rows * t.buffer_cols);
}

// to[element][tile] of one vector of tiles in each of `rows` rows; p is where the first one looks.
template <class T>
static void transform_tiles(const T* p, int64_t cols, int64_t rows, int64_t across, int64_t plane,
                            T* to) {
  Four<T> a = pieces_of_row(p), b = pieces_of_row(p + cols);
  for (int64_t i = 0; i < rows; ++i, to += across) {
    p += 2 * cols;
    const Four<T> c = pieces_of_row(p), d = pieces_of_row(p + cols);
    T* out = to;
    for (int k = 0; k < 4; ++k, out += plane) {
      const Four<T> column = pieces(a.at[k], b.at[k], c.at[k], d.at[k]);
      store(out, column.at[0]);
      store(out + 4 * plane, column.at[1]);
      store(out + 8 * plane, column.at[2]);
      store(out + 12 * plane, column.at[3]);
    }
    a = c;
    b = d;
  }
}

// to[element][channel][tile] for rows [first, first + n) of tiles.
template <class T>
static void transform_source(const Tiling& t, const T* x, int64_t group, int64_t first, int64_t n,
                             T* buffer, T* to) {
  for (int64_t c = 0; c < t.channels; ++c, to += t.stride)
    each_image(t, first, n, [&](int64_t image, int64_t row, int64_t rows, int64_t tile) {
      const int64_t plane = image * t.all_channels + group * t.channels + c;
      fill_buffer(t, x + plane * t.rows * t.cols, row, rows, buffer);
      for (int64_t v = 0; v < t.vectors; ++v) {
        const int64_t at = first_tile<T>(t, v);
        transform_tiles(buffer + 2 * at, t.buffer_cols, rows, t.across, t.plane, to + tile + at);
      }
    });
}

}  // namespace MG_ISA
}  // namespace mg
