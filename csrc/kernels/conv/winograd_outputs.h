// forward and input_grad by Winograd's F(2x2, 3x3). Vectors hold tiles, so that nothing is turned
// over; input_grad is a convolution of the gradient by the kernel read backwards.
#pragma once
#include "kernels/conv/completed.h"
#include "kernels/conv/indirect.h"
#include "kernels/conv/winograd.h"

namespace mg {
namespace MG_ISA {

// Columns (filters, or channels of the input) for which a block of tiles is transformed anew; and
// the shape of the tiles of its products, so many columns by so many vectors.
constexpr int64_t winograd_panel = 64;
constexpr int product_columns = vector_registers >= 32 ? 8 : 4, product_vectors = 3;

struct WinogradOutputs {
  Tiling t;
  int64_t channels, columns, panels;  // of the output: all channels, those of a group
  int64_t units;
  int64_t sums_plane;  // from element to element of the sums

  // The columns of a panel, rounded up, and from element to element of its weights.
  int64_t used(int64_t panel) const {
    return min_of(columns - panel * winograd_panel, winograd_panel);
  }
  int64_t wide(int64_t panel) const { return round_up(used(panel), 16); }
  template <class T>
  int64_t weight_plane(int64_t panel) const {
    return odd_lines<T>(t.channels * wide(panel));
  }
  // The weights of a panel among those of all groups.
  template <class T>
  int64_t weight_at(int64_t group, int64_t panel) const {
    const int64_t whole = weight_plane<T>(0), last = weight_plane<T>(panels - 1);
    return tile_elements * (group * ((panels - 1) * whole + last) + panel * whole);
  }
};

template <class T, bool Backward>
static WinogradOutputs winograd_outputs(const ConvShape& s) {
  WinogradOutputs o{};
  o.t = tiling<T, Backward>(s);
  o.channels = Backward ? s.channels : s.filters;
  o.columns = o.channels / s.groups;
  o.panels = ceil_div(o.columns, winograd_panel);
  o.units = ceil_div(s.images * o.t.high, o.t.block) * s.groups * o.panels;
  o.sums_plane = odd_lines<T>(o.wide(0) * o.t.stride);
  return o;
}

template <class T, bool Backward>
static ConvSizes winograd_outputs_sizes(const ConvShape& s) {
  const WinogradOutputs o = winograd_outputs<T, Backward>(s);
  const int64_t shared = o.template weight_at<T>(s.groups, 0);
  const int64_t scratch = buffer_elements<T>(o.t) + tile_elements * (o.t.plane + o.sums_plane);
  return {o.units, o.panels, shared * int64_t{sizeof(T)}, scratch * int64_t{sizeof(T)}};
}

// G g G' of a panel's columns and one channel: nine vectors to sixteen.
template <class T>
MG_INLINE void transform_kernel(const Vec<T> (&g)[9], Vec<T> (&u)[tile_elements]) {
  const Vec<T> half(T(0.5));
  Vec<T> rows[4][3];
  for (int j = 0; j < 3; ++j) {
    const Vec<T> ends = g[j] + g[6 + j];
    rows[0][j] = g[j];
    rows[1][j] = (ends + g[3 + j]) * half;
    rows[2][j] = (ends - g[3 + j]) * half;
    rows[3][j] = g[6 + j];
  }
  for (int i = 0; i < 4; ++i) {
    const Vec<T> ends = rows[i][0] + rows[i][2];
    u[4 * i] = rows[i][0];
    u[4 * i + 1] = (ends + rows[i][1]) * half;
    u[4 * i + 2] = (ends - rows[i][1]) * half;
    u[4 * i + 3] = rows[i][2];
  }
}

// Group by group, panel by panel: [element][channel][column].
template <class T, bool Backward>
static void prepare_winograd_outputs(const ConvShape& s, const void* weight, void* shared) {
  constexpr int w = Vec<T>::width;
  const WinogradOutputs o = winograd_outputs<T, Backward>(s);
  const T* from = static_cast<const T*>(weight);
  const int64_t channels = o.t.channels;
  const int64_t column_step = Backward ? 9 : channels * 9;
  const int64_t channel_step = Backward ? o.columns * 9 : 9;
  // Forward, the weights of a filter are one row: so many channels at a time.
  constexpr int64_t together = Backward ? 1 : 16;
  alignas(64) T turned[9 * together * winograd_panel];
  for (int64_t g = 0; g < s.groups; ++g, from += o.columns * channels * 9)
    for (int64_t panel = 0; panel < o.panels; ++panel) {
      const int64_t first = panel * winograd_panel, used = o.used(panel), wide = o.wide(panel);
      const int64_t plane = o.template weight_plane<T>(panel);
      T* to = static_cast<T*>(shared) + o.template weight_at<T>(g, panel);
      for (int64_t c = 0; c < channels; ++c) {
        if (c % together == 0)
          turn<true>(from + first * column_step + c * channel_step, column_step, used,
                     9 * min_of(together, channels - c), turned, wide);
        const T* rows = turned + c % together * 9 * wide;
        for (int64_t v = 0; v < round_up(used, w); v += w) {
          Vec<T> kernel[9], u[tile_elements];
          for (int k = 0; k < 9; ++k) kernel[k] = load(rows + (Backward ? 8 - k : k) * wide + v);
          transform_kernel(kernel, u);
          for (int e = 0; e < tile_elements; ++e) store(to + e * plane + c * wide + v, u[e]);
        }
      }
    }
}

// One matrix product: sums[column][tile] = sum over channels of weight[channel][column] *
// source[channel][tile], each a chain of fma from +0.
template <class T>
struct Products {
  const T* source;
  int64_t source_row;
  const T* weight;
  int64_t weight_row;
  int64_t channels;
  T* sums;
  int64_t sums_row;
  int64_t ahead;  // from each row of the weights to what is fetched meanwhile
};

template <class T, int V>
static void product_tile(const Products<T>& p) {
  constexpr int w = Vec<T>::width, R = product_columns;
  Vec<T> acc[R][V];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 3
    for (int j = 0; j < V; ++j) acc[r][j] = Vec<T>::zero();
  const T *x = p.source, *u = p.weight;
  for (int64_t c = 0; c < p.channels; ++c, x += p.source_row, u += p.weight_row) {
    Vec<T> b[V];
#pragma GCC unroll 3
    for (int j = 0; j < V; ++j) b[j] = load(x + j * w);
    __builtin_prefetch(u + p.ahead);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const Vec<T> a(u[r]);
#pragma GCC unroll 3
      for (int j = 0; j < V; ++j) acc[r][j] = fma(a, b[j], acc[r][j]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 3
    for (int j = 0; j < V; ++j) store(p.sums + r * p.sums_row + j * w, acc[r][j]);
}

// For `columns` columns and `tiles` tiles; both are rounded up, columns to product_columns. The
// weights of the next product lie `next` further on.
template <class T>
static void multiply_tiles(Products<T> p, int64_t columns, int64_t tiles, int64_t next) {
  constexpr int w = Vec<T>::width;
  constexpr int64_t line = 64 / sizeof(T);
  const T* weight = p.weight;
  T* sums = p.sums;
  for (int64_t i = 0; i < tiles; i += product_vectors * w, p.source += product_vectors * w) {
    const int64_t vectors = ceil_div(tiles - i, w);
    for (int64_t c = 0; c < columns; c += product_columns) {
      p.weight = weight + c;
      p.sums = sums + c * p.sums_row + i;
      p.ahead = c + line < columns ? line : next - c;
      if (vectors >= 3)
        product_tile<T, 3>(p);
      else
        vectors == 2 ? product_tile<T, 2>(p) : product_tile<T, 1>(p);
    }
  }
}

// A' m A of a vector of tiles: their even and odd pixels, in two rows.
template <class T>
struct Outputs4 {
  Vec<T> even[2], odd[2];
};
template <class T>
MG_INLINE Outputs4<T> outputs_of_tiles(const T* m, int64_t plane) {
  Vec<T> rows[2][4];
  for (int k = 0; k < 4; ++k) {
    const Vec<T> a = load(m + k * plane), b = load(m + (4 + k) * plane);
    const Vec<T> c = load(m + (8 + k) * plane), d = load(m + (12 + k) * plane);
    rows[0][k] = a + b + c;
    rows[1][k] = b - c - d;
  }
  Outputs4<T> y;
  for (int i = 0; i < 2; ++i) {
    y.even[i] = rows[i][0] + rows[i][1] + rows[i][2];
    y.odd[i] = rows[i][1] - rows[i][2] - rows[i][3];
  }
  return y;
}

template <class T>
MG_INLINE void write(Vec<T> v, const Completed<T>& finish, int64_t column, int64_t at, int n,
                     T* out) {
  v = finish(v, column, at, n);
  n == Vec<T>::width ? store(out + at, v) : store_n(out + at, v, n);
}

// Rows [row, row + rows) of tiles of one plane, whose sums begin at m.
template <class T>
static void write_plane(const Tiling& t, const T* m, int64_t sums_plane, int64_t row, int64_t rows,
                        T* out, int64_t column, Completed<T> finish) {
  constexpr int64_t w = Vec<T>::width;
  const int64_t width = t.width, across = t.across, vectors = t.vectors;
  const int64_t end = min_of(2 * (row + rows), t.height) * width;
  // A row's last vector runs over into the next, which is written later, if that is ours.
  const auto lanes = [&](int64_t at, int64_t left) {
    return static_cast<int>(min_of(w, vectors == 1 ? end - at : left));
  };
  for (int64_t pixel = 2 * row * width; pixel < end; pixel += 2 * width, m += across) {
    const int64_t ahead = planes_ahead * finish.plane + pixel;
    fetch_row(out + ahead, 2 * width);
    if (finish.kept) fetch_row(finish.kept + column * finish.plane + ahead, 2 * width);
    for (int64_t j = 0; j < vectors; ++j) {
      const int64_t first = first_tile<T>(t, j), left = width - 2 * first;
      const Outputs4<T> y = outputs_of_tiles(m + first, sums_plane);
      for (int k = 0; k < 2; ++k) {
        const int64_t at = pixel + k * width + 2 * first;
        if (at >= end) break;
        write(zip_low(y.even[k], y.odd[k]), finish, column, at, lanes(at, left), out);
        if (left <= w) continue;
        const int n = lanes(at + w, left - w);
        write(zip_high(y.even[k], y.odd[k]), finish, column, at + w, n, out);
      }
    }
  }
}

// The most elements of an image that are still near when the last of them is written: they are
// handed over together, as what goes over many at once is faster.
template <class T>
constexpr int64_t near_image = (int64_t{512} << 10) / sizeof(T);

// Rows [top, bottom) of tiles of `used` planes.
template <class T>
static void hand_over_rows(const Tiling& t, const ConvFinish& finish, const T* out, int64_t at,
                           int64_t used, int64_t top, int64_t bottom) {
  const int64_t plane = t.height * t.width;
  if (top == 0 && bottom == t.high) return hand_over(finish, out, at, used * plane);
  const int64_t pixel = 2 * top * t.width, end = min_of(2 * bottom, t.height) * t.width;
  for (int64_t c = 0; c < used; ++c) hand_over(finish, out, at + c * plane + pixel, end - pixel);
}

template <class T, bool Backward>
static void run_winograd_outputs(const ConvShape& s, const void* x, const void* b, void* out,
                                 const ConvFinish& finish, int64_t begin, int64_t end,
                                 const void* shared, void* scratch) {
  const WinogradOutputs o = winograd_outputs<T, Backward>(s);
  const Tiling& t = o.t;
  const T* bias = Backward ? nullptr : static_cast<const T*>(b);
  const int64_t plane = t.height * t.width;
  T* source = static_cast<T*>(scratch);
  T* sums = source + tile_elements * t.plane;
  T* buffer = sums + tile_elements * o.sums_plane;
  __builtin_memset(source, 0, tile_elements * t.plane * sizeof(T));
  __builtin_memset(buffer, 0, buffer_elements<T>(t) * sizeof(T));

  const int64_t step = o.panels * s.groups;  // from a panel's block of rows to the next
  for (int64_t unit = begin; unit < end; ++unit) {
    const int64_t panel = unit % o.panels, group = unit / o.panels % s.groups;
    const int64_t row = unit / o.panels / s.groups * t.block;
    const int64_t rows = min_of(t.block, s.images * t.high - row);
    if (unit == begin || panel == 0)
      transform_source(t, static_cast<const T*>(x), group, row, rows, buffer, source);
    const int64_t first = panel * winograd_panel;
    const int64_t used = o.used(panel), wide = o.wide(panel);
    const int64_t weight_plane = o.template weight_plane<T>(panel);
    const T* weight = static_cast<const T*>(shared) + o.template weight_at<T>(group, panel);
    for (int e = 0; e < tile_elements; ++e)
      multiply_tiles(Products<T>{source + e * t.plane, t.stride, weight + e * weight_plane, wide,
                                 t.channels, sums + e * o.sums_plane, t.stride, 0},
                     used, rows * t.across, weight_plane);
    const int64_t channel = group * o.columns + first;
    // The first row of this panel that is ours, and whether this block of rows is the last.
    const int64_t begun = (unit - (unit - begin) / step * step) / step * t.block;
    const bool ends = unit + step >= end, near = used * plane <= near_image<T>;
    each_image(t, row, rows, [&](int64_t image, int64_t from, int64_t n, int64_t tile) {
      const int64_t at = (image * o.channels + channel) * plane;
      const Completed<T> done = completed(finish, bias, channel, at, plane);
      for (int64_t c = 0; c < used; ++c)
        write_plane(t, sums + c * t.stride + tile, o.sums_plane, from, n,
                    static_cast<T*>(out) + at + c * plane, c, done);
      const int64_t top = near ? max_of(0, begun - image * t.high) : from;
      if (near && from + n < t.high && !ends) return;
      hand_over_rows(t, finish, static_cast<const T*>(out), at, used, top, from + n);
    });
  }
}

}  // namespace MG_ISA
}  // namespace mg
