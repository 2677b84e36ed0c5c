// weight_grad by Winograd's F(2x2, 3x3): for each element of a tile the product of its channels
// with its filters, whose links are tiles. The gradient of the output is turned over, two rows of
// pixels at a time, so that vectors hold filters.
#pragma once
#include "kernels/conv/weight.h"
#include "kernels/conv/winograd.h"

namespace mg {
namespace MG_ISA {

struct WinogradWeights {
  Tiling t;
  int64_t units, chunks, panels;
  int64_t columns;  // filters of a group
  int64_t grads;    // from element to element of the transformed gradient
  int64_t sums;     // elements of one unit: 16 rows for each channel, one for the bias
};

template <class T>
static WinogradWeights winograd_weights(const ConvShape& s) {
  WinogradWeights w{};
  w.t = tiling<T, false>(s);
  w.columns = s.filters / s.groups;
  w.panels = panel_count<T>(w.columns);
  w.chunks = ceil_div(s.images, images_per_chunk);
  w.units = w.chunks * s.groups * w.panels;
  w.grads = odd_lines<T>(w.t.block * w.t.across * panel_columns<T>);
  w.sums = (tile_elements * w.t.channels + 1) * panel_columns<T>;
  return w;
}

// Two rows of pixels, turned over; a row of zeros stands for what lies beyond an edge.
template <class T>
static int64_t turned_elements(const Tiling& t) {
  return 2 * (t.width + 1) * panel_columns<T>;
}
template <class T>
static ConvSizes winograd_weight_sizes(const ConvShape& s) {
  const WinogradWeights w = winograd_weights<T>(s);
  const int64_t scratch =
      tile_elements * (w.t.plane + w.grads) + buffer_elements<T>(w.t) + turned_elements<T>(w.t);
  return {
      w.units, w.panels,
      2 * w.t.channels * int64_t{sizeof(int64_t)} + w.t.block * w.t.across * int64_t{sizeof(Link)},
      scratch * int64_t{sizeof(T)}, w.units * w.sums * int64_t{sizeof(T)}};
}

// Where the channels lie in the source and their sums; then the links.
template <class T>
static void prepare_winograd_weight(const ConvShape& s, const void*, void* shared) {
  const Tiling t = winograd_weights<T>(s).t;
  int64_t *row = static_cast<int64_t*>(shared), *place = row + t.channels;
  for (int64_t c = 0; c < t.channels; ++c) {
    row[c] = c * t.stride;
    place[c] = c * tile_elements;
  }
  Link* link = reinterpret_cast<Link*>(place + t.channels);
  for (int64_t i = 0; i < t.block * t.across; ++i) link[i] = {i, i};
}

// A e A' of one tile: to[element] of a vector of filters.
template <class T>
MG_INLINE void transform_grad(const Vec<T>& a, const Vec<T>& b, const Vec<T>& c, const Vec<T>& d,
                              T* to, int64_t plane) {
  const Vec<T> rows[4][2] = {{a, b}, {a + c, b + d}, {a - c, b - d}, {-c, -d}};
  for (int i = 0; i < 4; ++i, to += 4 * plane) {
    store(to, rows[i][0]);
    store(to + plane, rows[i][0] + rows[i][1]);
    store(to + 2 * plane, rows[i][0] - rows[i][1]);
    store(to + 3 * plane, -rows[i][1]);
  }
}

// to[element][tile][filter] for rows [first, first + n) of tiles; adds the gradient up to `bias`,
// beginning anew if not `more`. Columns `wide`, of which `used` are filters from `filter` on.
template <class T>
static void transform_grads(const ConvShape& s, const Tiling& t, int64_t grads, const T* grad,
                            int64_t filter, int64_t used, int64_t wide, int64_t first, int64_t n,
                            bool more, T* bias, T* turned, T* to) {
  const int64_t plane = t.height * t.width;
  each_image(t, first, n, [&](int64_t image, int64_t row, int64_t rows, int64_t tile) {
    const T* from = grad + (image * s.filters + filter) * plane;
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t pixel = 2 * (row + i) * t.width, count = min_of(2 * t.width, plane - pixel);
      for (int64_t f = 0; f < used; ++f)
        fetch_row(from + f * plane + pixel + 2 * t.width, 2 * t.width);
      turn<true>(from + pixel, plane, used, count, turned, wide);
      add_rows(turned, count, wide, bias, more);
      more = true;
      const T* nothing = turned + 2 * t.width * panel_columns<T>;
      for (int64_t j = 0; j < t.across; ++j) {
        const bool right = 2 * j + 1 < t.width, below = count > t.width;
        const T* a = turned + 2 * j * wide;
        const T* b = right ? a + wide : nothing;
        const T* c = below ? a + t.width * wide : nothing;
        const T* d = right && below ? c + wide : nothing;
        T* out = to + (tile + i * t.across + j) * wide;
        for (int64_t v = 0; v < wide; v += Vec<T>::width)
          transform_grad(load(a + v), load(b + v), load(c + v), load(d + v), out + v, grads);
      }
    }
  });
}

template <class T>
static void run_winograd_weight(const ConvShape& s, const void* x, const void* grad, void* sums,
                                const ConvFinish&, int64_t begin, int64_t end, const void* shared,
                                void* scratch) {
  const WinogradWeights w = winograd_weights<T>(s);
  const Tiling& t = w.t;
  const int64_t *row = static_cast<const int64_t*>(shared), *place = row + t.channels;
  const Link* link = reinterpret_cast<const Link*>(place + t.channels);
  T* source = static_cast<T*>(scratch);
  T* grads = source + tile_elements * t.plane;
  T* buffer = grads + tile_elements * w.grads;
  T* turned = buffer + buffer_elements<T>(t);
  __builtin_memset(source, 0, tile_elements * t.plane * sizeof(T));
  __builtin_memset(buffer, 0, (buffer_elements<T>(t) + turned_elements<T>(t)) * sizeof(T));

  while (begin < end) {
    // All panels asked for that share a chunk of images and a group transform the images once.
    const int64_t stop = min_of(end, (begin / w.panels + 1) * w.panels);
    const int64_t group = begin / w.panels % s.groups;
    const int64_t chunk = begin / w.panels / s.groups * images_per_chunk;
    const int64_t from = chunk * t.high;
    const int64_t to = min_of(chunk + images_per_chunk, s.images) * t.high;
    for (int64_t first = from; first < to; first += t.block) {
      const int64_t rows = min_of(t.block, to - first);
      transform_source(t, static_cast<const T*>(x), group, first, rows, buffer, source);
      for (int64_t unit = begin; unit < stop; ++unit) {
        const int64_t panel = unit % w.panels, filter = panel * panel_columns<T>;
        const int vectors = panel_vectors<T>(w.columns, panel);
        const int64_t wide = vectors * Vec<T>::width;
        T* total = static_cast<T*>(sums) + unit * w.sums;
        const bool more = first > from;
        transform_grads(s, t, w.grads, static_cast<const T*>(grad), group * w.columns + filter,
                        min_of(wide, w.columns - filter), wide, first, rows, more,
                        total + tile_elements * t.channels * wide, turned, grads);
        for (int e = 0; e < tile_elements; ++e) {
          const Chain<T> chain{source + e * t.plane, link, rows * t.across, grads + e * w.grads,
                               more ? nullptr : zeros<T>};
          indirect_product(chain, t.channels, vectors, row, place, total + e * wide,
                           static_cast<Ahead*>(nullptr), 0);
        }
      }
    }
    begin = stop;
  }
}

// G' u G of a channel: sixteen rows to nine.
template <class T>
MG_INLINE void kernel_of_elements(const T* from, T* to, int64_t wide) {
  const Vec<T> half(T(0.5));
  Vec<T> rows[3][4];
  for (int j = 0; j < 4; ++j) {
    const Vec<T> a = load(from + j * wide), b = load(from + (4 + j) * wide);
    const Vec<T> c = load(from + (8 + j) * wide), d = load(from + (12 + j) * wide);
    const Vec<T> both = (b + c) * half;
    rows[0][j] = a + both;
    rows[1][j] = (b - c) * half;
    rows[2][j] = both + d;
  }
  for (int i = 0; i < 3; ++i, to += 3 * wide) {
    const Vec<T> both = (rows[i][1] + rows[i][2]) * half;
    store(to, rows[i][0] + both);
    store(to + wide, (rows[i][1] - rows[i][2]) * half);
    store(to + 2 * wide, both + rows[i][3]);
  }
}

template <class T>
static void join_winograd_weight(const ConvShape& s, void* sums, void* out, void* bias,
                                 int64_t begin, int64_t end) {
  const WinogradWeights w = winograd_weights<T>(s);
  const int64_t channels = w.t.channels;
  for (int64_t unit = begin; unit < end; ++unit) {
    const int64_t panel = unit % w.panels, group = unit / w.panels;
    const int64_t first = panel * panel_columns<T>;
    const int64_t wide = panel_vectors<T>(w.columns, panel) * Vec<T>::width;
    const int64_t used = min_of(wide, w.columns - first);
    T* to = static_cast<T*>(out) + (group * w.columns + first) * channels * 9;
    T* of_bias = static_cast<T*>(bias) + group * w.columns + first;
    if (w.chunks == 0) {
      __builtin_memset(to, 0, used * channels * 9 * sizeof(T));
      __builtin_memset(of_bias, 0, used * sizeof(T));
      continue;
    }
    T* total = static_cast<T*>(sums) + unit * w.sums;
    add_chunks(total, w.chunks, s.groups * w.panels * w.sums,
               (tile_elements * channels + 1) * wide);
    copy_row(total + tile_elements * channels * wide, of_bias, used);
    // In place: the rows of a channel are written where its own and those before it were.
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t v = 0; v < wide; v += Vec<T>::width)
        kernel_of_elements(total + c * tile_elements * wide + v, total + c * 9 * wide + v, wide);
    turn<false>(total, wide, channels * 9, used, to, channels * 9);
  }
}

}  // namespace MG_ISA
}  // namespace mg
