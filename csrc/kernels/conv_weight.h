// weight_grad: the rows of the product are the weights of a filter, its columns filters, its links
// (image, oh, ow). The gradient of the output is turned over, block by block, to be its panels.
#pragma once
#include "kernels/conv_source.h"
#include "kernels/indirect.h"

namespace mg {
namespace MG_ISA {

// Part of the contract on bits: sums over this many images are added up in order.
constexpr int64_t images_per_chunk = 8;
// Links that are turned over at a time; they stay in L1.
constexpr int64_t link_block = 256;

struct Weights {
  Source source;
  int64_t units, chunks, panels;
  int64_t columns, rows, plane;  // filters of a group, weights of a filter, pixels of an image
  int64_t sums;                  // elements of one unit
};

template <class T>
static Weights weights(const ConvShape& s) {
  Weights w{};
  w.columns = s.filters / s.groups;
  w.panels = panel_count<T>(w.columns);
  w.plane = s.out_h * s.out_w;
  const int64_t most = min_of(s.images, images_per_chunk);
  w.source = input_source(s, min_of(most, max_of(1, link_block / w.plane)));
  w.chunks = (s.images + images_per_chunk - 1) / images_per_chunk;
  w.units = w.chunks * s.groups * w.panels;
  w.rows = w.source.channels * s.kernel_h * s.kernel_w;
  w.sums = round_up(w.rows, tile_rows) * panel_columns<T>;
  return w;
}

template <class T>
static int64_t weight_shared_bytes(const ConvShape& s) {
  const Weights w = weights<T>(s);
  return (w.rows + w.source.images * w.plane) * int64_t{sizeof(int64_t)};
}
template <class T>
static int64_t weight_scratch_bytes(const ConvShape& s) {
  return (link_block * panel_columns<T> + source_elements(weights<T>(s).source)) * sizeof(T);
}

template <class T>
static void prepare_weight_grad(const ConvShape& s, const void*, void* shared) {
  const Source source = weights<T>(s).source;
  int64_t* table = static_cast<int64_t*>(shared);
  for (int64_t c = 0; c < source.channels; ++c)
    for (int64_t kh = 0; kh < s.kernel_h; ++kh)
      for (int64_t kw = 0; kw < s.kernel_w; ++kw)
        *table++ = c * source.plane + kh * s.dilation_h * source.cols + kw * s.dilation_w;
  for (int64_t n = 0; n < source.images; ++n)
    for (int64_t i = 0; i < s.out_h; ++i)
      for (int64_t j = 0; j < s.out_w; ++j)
        *table++ = n * source.image + i * s.stride_h * source.cols + j * s.stride_w;
}

// Links [first, first + n) of some images, from `grad` (image, filter, pixel), as rows of a panel.
template <class T>
static void turn_grad(const ConvShape& s, int64_t plane, const T* grad, int64_t filters,
                      int64_t first, int64_t n, T* panel, int64_t wide) {
  while (n > 0) {
    const int64_t image = first / plane, pixel = first % plane;
    const int64_t count = min_of(n, plane - pixel);
    turn<true>(grad + image * s.filters * plane + pixel, plane, filters, count, panel, wide);
    first += count;
    n -= count;
    panel += count * wide;
  }
}

template <class T>
static void run_weight_grad(const ConvShape& s, const void* x, const void* grad, void* sums,
                            const ConvFinish&, int64_t begin, int64_t end, const void* shared,
                            void* scratch) {
  const Weights w = weights<T>(s);
  const int64_t* row = static_cast<const int64_t*>(shared);
  const int64_t* col = row + w.rows;
  T* turned = static_cast<T*>(scratch);
  T* copy = turned + link_block * panel_columns<T>;
  __builtin_memset(copy, 0, source_elements(w.source) * sizeof(T));

  while (begin < end) {
    // All panels asked for that share a chunk of images and a group read the images once.
    const int64_t stop = min_of(end, (begin / w.panels + 1) * w.panels);
    const int64_t group = begin / w.panels % s.groups;
    const int64_t chunk = begin / w.panels / s.groups * images_per_chunk;
    const int64_t chunk_end = min_of(chunk + images_per_chunk, s.images);
    for (int64_t image = chunk; image < chunk_end; image += w.source.images) {
      const int64_t images = min_of(w.source.images, chunk_end - image);
      const T* source = read_source(w.source, static_cast<const T*>(x), image, images, group, copy);
      for (int64_t unit = begin; unit < stop; ++unit) {
        const int64_t panel = unit % w.panels;
        const int vectors = panel_vectors<T>(w.columns, panel);
        const int64_t wide = vectors * Vec<T>::width;
        const int64_t first = panel * panel_columns<T>;
        const T* from =
            static_cast<const T*>(grad) + (image * s.filters + group * w.columns + first) * w.plane;
        const int64_t links = images * w.plane;
        for (int64_t k = 0; k < links; k += link_block) {
          const int64_t n = min_of(link_block, links - k);
          turn_grad(s, w.plane, from, min_of(wide, w.columns - first), k, n, turned, wide);
          indirect_product(w.rows, vectors, n, source, row, col + k, turned,
                           static_cast<T*>(sums) + unit * w.sums, image > chunk || k > 0);
        }
      }
    }
    begin = stop;
  }
}

// Adds up the chunks of panels [begin, end) (of all groups) and writes their filters.
template <class T>
static void join_weight_grad(const ConvShape& s, void* sums, void* out, int64_t begin,
                             int64_t end) {
  const Weights w = weights<T>(s);
  for (int64_t unit = begin; unit < end; ++unit) {
    const int64_t panel = unit % w.panels, group = unit / w.panels;
    const int64_t first = panel * panel_columns<T>;
    const int64_t wide = panel_vectors<T>(w.columns, panel) * Vec<T>::width;
    const int64_t used = min_of(wide, w.columns - first);
    T* to = static_cast<T*>(out) + (group * w.columns + first) * w.rows;
    if (w.chunks == 0) {
      __builtin_memset(to, 0, used * w.rows * sizeof(T));
      continue;
    }
    T* total = static_cast<T*>(sums) + unit * w.sums;
    for (int64_t c = 1; c < w.chunks; ++c) {
      const T* more = total + c * s.groups * w.panels * w.sums;
      for (int64_t i = 0; i < w.rows * wide; i += Vec<T>::width)
        store(total + i, load(total + i) + load(more + i));
    }
    turn<false>(total, wide, w.rows, used, to, w.rows);
  }
}

}  // namespace MG_ISA
}  // namespace mg
