// weight_grad: the rows of the product are the weights of a filter, its columns filters, its links
// (image, oh, ow). The gradient of the output is turned over, block by block, to be its panels.
#pragma once
#include "kernels/conv/indirect.h"
#include "kernels/conv/source.h"

namespace mg {
namespace MG_ISA {

// Part of the contract on bits: sums over this many images are added up in order.
constexpr int64_t images_per_chunk = 8;
// Links that are turned over at a time; they stay in L1.
constexpr int64_t link_block = 256;

struct Weights {
  Source source;
  int64_t images;  // at a time
  int64_t units, chunks, panels;
  int64_t columns, rows, plane;  // filters of a group, weights of a filter, pixels of an image
  int64_t sums;                  // elements of one unit: a row for each weight, one for the bias
};

template <class T>
static Weights weights(const ConvShape& s) {
  Weights w{};
  w.columns = s.filters / s.groups;
  w.panels = panel_count<T>(w.columns);
  w.plane = s.out_h * s.out_w;
  const int64_t most = min_of(s.images, images_per_chunk);
  w.source = input_source(s);
  w.images = min_of(most, max_of(1, link_block / w.plane));
  w.chunks = (s.images + images_per_chunk - 1) / images_per_chunk;
  w.units = w.chunks * s.groups * w.panels;
  w.rows = w.source.channels * s.kernel_h * s.kernel_w;
  w.sums = (w.rows + 1) * panel_columns<T>;
  return w;
}

template <class T>
static ConvSizes weight_sizes(const ConvShape& s) {
  const Weights w = weights<T>(s);
  const int64_t scratch = link_block * panel_columns<T> + source_elements(w.source, w.images);
  return {w.units, w.panels,
          2 * w.rows * int64_t{sizeof(int64_t)} + w.images * w.plane * int64_t{sizeof(Link)},
          scratch * int64_t{sizeof(T)}, w.units * w.sums * int64_t{sizeof(T)}};
}

// Where the weights look in the source.
static void list_weights(const ConvShape& s, const Source& source, int64_t* row) {
  for (int64_t c = 0; c < source.channels; ++c)
    for (int64_t kh = 0; kh < s.kernel_h; ++kh)
      for (int64_t kw = 0; kw < s.kernel_w; ++kw)
        *row++ = c * source.plane + kh * s.dilation_h * source.cols + kw * s.dilation_w;
}

// The same, and the places of the weights; then of the pixels.
template <class T>
static void prepare_weight_grad(const ConvShape& s, const void*, void* shared) {
  const Weights w = weights<T>(s);
  int64_t *row = static_cast<int64_t*>(shared), *place = row + w.rows;
  list_weights(s, w.source, row);
  for (int64_t i = 0; i < w.rows; ++i) *place++ = i;
  Link* link = reinterpret_cast<Link*>(place);
  int64_t k = 0;
  for (int64_t n = 0; n < w.images; ++n)
    for (int64_t i = 0; i < s.out_h; ++i)
      for (int64_t j = 0; j < s.out_w; ++j, ++k)
        *link++ = {n * w.source.image + i * s.stride_h * w.source.cols + j * s.stride_w,
                   k % link_block};
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

// What will be turned over after the first `done` links of these images: more of theirs, or, if
// there are more images, of the next.
template <class T>
static Ahead fetch_grad(const ConvShape& s, const Weights& w, const T* from, int64_t used,
                        int64_t images, int64_t done, bool more) {
  constexpr int64_t size = sizeof(T);
  const int64_t links = images * w.plane, image = s.filters * w.plane, tiles = w.rows / tile_rows;
  if (images > 1)
    return more && done == links ? Ahead(from + images * image, images, image * size,
                                         used * w.plane * size, tiles, true)
                                 : Ahead();
  if (done == links && !more) return Ahead();
  const int64_t next = min_of(link_block, done < links ? links - done : links);
  return Ahead(from + (done < links ? done : image), used, w.plane * size, next * size, tiles,
               true);
}

// sums[j] += rows[0][j] + rows[1][j] ..., in this order.
template <class T>
static void add_rows(const T* rows, int64_t n, int64_t wide, T* sums, bool more) {
  constexpr int w = Vec<T>::width;
  Vec<T> acc[tile_vectors];
  const int vectors = static_cast<int>(wide / w);
  for (int v = 0; v < vectors; ++v) acc[v] = more ? load(sums + v * w) : Vec<T>::zero();
  for (int64_t i = 0; i < n; ++i, rows += wide)
    for (int v = 0; v < vectors; ++v) acc[v] = acc[v] + load(rows + v * w);
  for (int v = 0; v < vectors; ++v) store(sums + v * w, acc[v]);
}

template <class T>
static void run_weight_grad(const ConvShape& s, const void* x, const void* grad, void* sums,
                            const ConvFinish&, int64_t begin, int64_t end, const void* shared,
                            void* scratch) {
  const Weights w = weights<T>(s);
  const int64_t *row = static_cast<const int64_t*>(shared), *place = row + w.rows;
  const Link* link = reinterpret_cast<const Link*>(place + w.rows);
  T* turned = static_cast<T*>(scratch);
  T* copy = turned + link_block * panel_columns<T>;
  __builtin_memset(copy, 0, source_elements(w.source, w.images) * sizeof(T));

  while (begin < end) {
    // All panels asked for that share a chunk of images and a group read the images once.
    const int64_t stop = min_of(end, (begin / w.panels + 1) * w.panels);
    const int64_t group = begin / w.panels % s.groups;
    const int64_t chunk = begin / w.panels / s.groups * images_per_chunk;
    const int64_t chunk_end = min_of(chunk + images_per_chunk, s.images);
    for (int64_t image = chunk; image < chunk_end; image += w.images) {
      const int64_t images = min_of(w.images, chunk_end - image);
      const T* source = read_source(w.source, static_cast<const T*>(x), image, images, group, copy);
      const bool more = image + images < s.images;
      Ahead ahead[2];
      if (more)
        ahead[1] = fetch_source(w.source, static_cast<const T*>(x), image + images, 1, group,
                                w.rows * images * w.plane / (tile_rows * link_block));
      for (int64_t unit = begin; unit < stop; ++unit) {
        const int64_t panel = unit % w.panels;
        const int vectors = panel_vectors<T>(w.columns, panel);
        const int64_t wide = vectors * Vec<T>::width;
        const int64_t first = panel * panel_columns<T>;
        const T* from =
            static_cast<const T*>(grad) + (image * s.filters + group * w.columns + first) * w.plane;
        const int64_t used = min_of(wide, w.columns - first), links = images * w.plane;
        for (int64_t k = 0; k < links; k += link_block) {
          const int64_t n = min_of(link_block, links - k);
          turn_grad(s, w.plane, from, used, k, n, turned, wide);
          ahead[0] = fetch_grad(s, w, from, used, images, k + n, more);
          T* total = static_cast<T*>(sums) + unit * w.sums;
          const bool go_on = image > chunk || k > 0;
          const Chain<T> chain{source, link + k, n, turned, go_on ? nullptr : zeros<T>};
          indirect_product(chain, w.rows, vectors, row, place, total, ahead, 2);
          add_rows(turned, n, wide, total + w.rows * wide, go_on);
        }
      }
    }
    begin = stop;
  }
}

// The first of `chunks` sums of n elements takes in the others.
template <class T>
static void add_chunks(T* total, int64_t chunks, int64_t step, int64_t n) {
  for (int64_t c = 1; c < chunks; ++c) {
    const T* more = total + c * step;
    for (int64_t i = 0; i < n; i += Vec<T>::width)
      store(total + i, load(total + i) + load(more + i));
  }
}

// Adds up the chunks of panels [begin, end) (of all groups) and writes their filters.
template <class T>
static void join_weight_grad(const ConvShape& s, void* sums, void* out, void* bias, int64_t begin,
                             int64_t end) {
  const Weights w = weights<T>(s);
  for (int64_t unit = begin; unit < end; ++unit) {
    const int64_t panel = unit % w.panels, group = unit / w.panels;
    const int64_t first = panel * panel_columns<T>;
    const int64_t wide = panel_vectors<T>(w.columns, panel) * Vec<T>::width;
    const int64_t used = min_of(wide, w.columns - first);
    T* to = static_cast<T*>(out) + (group * w.columns + first) * w.rows;
    T* of_bias = static_cast<T*>(bias) + group * w.columns + first;
    if (w.chunks == 0) {
      __builtin_memset(to, 0, used * w.rows * sizeof(T));
      __builtin_memset(of_bias, 0, used * sizeof(T));
      continue;
    }
    T* total = static_cast<T*>(sums) + unit * w.sums;
    add_chunks(total, w.chunks, s.groups * w.panels * w.sums, (w.rows + 1) * wide);
    turn<false>(total, wide, w.rows, used, to, w.rows);
    copy_row(total + w.rows * wide, of_bias, used);
  }
}

}  // namespace MG_ISA
}  // namespace mg
