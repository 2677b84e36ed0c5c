// How forward and input_grad are computed, and the tables for it: the rows of the product are
// pixels, its columns filters (or input channels), its links (source channel, kh, kw).
//
// Where the kernel reaches beyond the source, zeros are multiplied, or (`trimmed`) such links are
// left out. Both give the same bits: 0 * w is +-0, or NaN, with which the chain then begins; and
// at the end +0 is added, so that no output is -0.
#pragma once
#include "kernels/conv/axis.h"
#include "kernels/conv/indirect.h"
#include "kernels/conv/taken.h"

namespace mg {
namespace MG_ISA {

// Pixels that are computed before they are turned over.
constexpr int64_t alike_block = 48, mixed_block = 144;
constexpr int64_t most_kinds = 12;                // of a trimmed axis
constexpr int64_t most_links = int64_t{1} << 15;  // of all kinds together, if trimmed

constexpr int64_t most_near = int64_t{1} << 17;  // elements that leave room in L2

// Pixels that meet the same elements of the kernel.
struct Kind {
  const Link* link;
  int64_t links;
};

struct Outputs {
  Source source;
  bool trimmed;
  bool by_rows;     // pixel_rows instead of indirect_product, the plain ISAs excepted
  int64_t vectors;  // of a row of outputs
  int64_t channels, columns, plane, panels;  // of the output: all channels, those of a group
  int64_t images, units;                     // images at a time
  int64_t kinds, links;                      // links of all kinds together
  int64_t elements;                          // of the kernel, all channels
  int64_t block, blocks;                     // pixels at a time
};

// The cost of a pixel either way, in multiply-adds: what the lanes and accumulators that stay empty
// waste, and what a tile costs besides (of indirect_product, also to be turned over, and once for
// all images to be listed).
template <class T>
static bool rows_are_faster(const Outputs& o, int64_t images, int64_t out_w, double links) {
  const double lonely = o.columns <= Vec<T>::width ? 1.25 : 1;
  const double filled = static_cast<double>(o.vectors * Vec<T>::width) / out_w;
  const double listed = 4000.0 / static_cast<double>(max_of(images, 1));
  return filled * round_up(o.columns, 4) * (o.elements + 7) * 1.05 <
         lonely * padded_columns<T>(o.columns) * (links + 16) + listed;
}

template <class T, bool Backward>
MG_SMALL static Outputs outputs(const ConvShape& s) {
  constexpr int w = Vec<T>::width;
  Outputs o{};
  const int64_t out_w = Backward ? s.width : s.out_w;
  const Source source = Backward ? grad_source(s) : input_source(s);
  o.vectors = ceil_div(out_w, w);
  o.channels = Backward ? s.channels : s.filters;
  o.columns = o.channels / s.groups;
  o.panels = panel_count<T>(o.columns);
  o.plane = Backward ? s.height * s.width : s.out_h * s.out_w;
  o.elements = source.channels * s.kernel_h * s.kernel_w;

  const auto h = height_axis<Backward>(s, true, 0);
  const auto v = width_axis<Backward>(s, true, 0);
  o.trimmed = source.copied && h.kinds() <= most_kinds && v.kinds() <= most_kinds &&
              h.links_of_kinds() * v.links_of_kinds() * source.channels <= most_links;
  const double links =
      static_cast<double>(source.channels) *
      (o.trimmed ? h.mean_links() * v.mean_links() : static_cast<double>(s.kernel_h * s.kernel_w));
  const bool strided = Backward && (s.stride_h > 1 || s.stride_w > 1);
  o.by_rows = !plain_vectors && s.stride_w == 1 && !strided && (source.copied || out_w >= w) &&
              rows_are_faster<T>(o, s.images, out_w, links);
  if (o.by_rows) o.trimmed = false;

  o.source = o.trimmed ? without_border(source, s.groups) : source;
  const auto rows = height_axis<Backward>(s, o.trimmed, o.source.top);
  const auto cols = width_axis<Backward>(s, o.trimmed, o.source.left);
  o.kinds = rows.kinds() * cols.kinds();
  o.links = rows.links_of_kinds() * cols.links_of_kinds() * source.channels;
  const int64_t target =
      o.kinds == 1 ? alike_block : max_of(mixed_block, min_of(9 * o.kinds, 4096));
  o.images = max_of(1, min_of(s.images, o.by_rows ? 1 : target / o.plane));
  // At least as many images as a tile has rows: so pixels of every kind fill tiles.
  const int64_t near = tile_rows * max_of(16 * o.plane, o.source.channels * source.plane);
  if (o.kinds > 1 && o.images < tile_rows && s.images >= tile_rows && near <= most_near)
    o.images = tile_rows;
  const int64_t batches = ceil_div(s.images, o.images);
  if (batches && o.images > tile_rows) o.images = ceil_div(s.images, batches);
  o.units = batches * s.groups * o.panels;
  o.block = o.images * o.plane;
  if (o.images == 1) {
    o.block = min_of(target, o.plane);
    // Whole rows, so that those of a kind fill tiles.
    const int64_t high = Backward ? s.height : s.out_h;
    if (o.kinds > 1 && out_w <= target) o.block = ceil_div(high, ceil_div(o.plane, target)) * out_w;
  }
  o.blocks = ceil_div(o.images * o.plane, o.block);
  return o;
}

// What prepare() makes.
template <class T>
struct Tables {
  bool* poisoned;  // there are weights that make NaN of 0
  Kind* kind;
  int64_t* count;  // of pixels: block by block, kind by kind
  // Of the pixels in that order: offsets in the source, places in the block. If by rows, those of
  // each vector of pixels in the source and in the plane.
  int64_t *row, *place;
  Link* link;
  T* weight;  // group by group, panel by panel
  int64_t bytes;
};

template <class T>
static Tables<T> tables(const ConvShape& s, const Outputs& o, void* memory) {
  Taken taken(memory);
  Tables<T> t;
  taken.take(t.poisoned, 1);
  taken.take(t.kind, o.kinds);
  taken.take(t.count, o.blocks * o.kinds);
  taken.take(t.row, o.images * o.plane);
  taken.take(t.place, o.images * o.plane);
  taken.take(t.link, o.links);
  taken.take(t.weight, s.groups * padded_columns<T>(o.columns) * o.elements);
  t.bytes = taken.bytes();
  return t;
}

// A pixel's rows of the weights, (channel, kh, kw), panel by panel.
template <class T, bool Backward>
static void pack_weight(const ConvShape& s, const Outputs& o, const T* weight, T* packed) {
  const int64_t kernel = s.kernel_h * s.kernel_w, channels = o.source.channels;
  for (int64_t g = 0; g < s.groups; ++g, weight += o.columns * channels * kernel)
    for (int64_t panel = 0; panel < o.panels; ++panel) {
      const int64_t first = panel * panel_columns<T>;
      const int64_t wide = panel_vectors<T>(o.columns, panel) * Vec<T>::width;
      const int64_t used = min_of(wide, o.columns - first);
      if constexpr (Backward) {
        // A filter's weights are (channel, kh, kw); the product runs over the filters.
        const T* from = weight + first * kernel;
        for (int64_t c = 0; c < channels; ++c, from += o.columns * kernel, packed += kernel * wide)
          if (kernel == 1)
            copy_whole(from, packed, used);
          else
            turn<true>(from, kernel, used, kernel, packed, wide);
      } else {
        const int64_t each = channels * kernel;
        turn<true>(weight + first * each, each, used, each, packed, wide);
        packed += each * wide;
      }
    }
}

template <class T>
static bool any_poison(const T* weight, int64_t n) {
  constexpr int w = Vec<T>::width;
  Vec<T> sum = Vec<T>::zero();
  for (int64_t i = 0; i < n; i += w)
    sum = fma(Vec<T>::zero(), load_n(weight + i, static_cast<int>(min_of(n - i, w))), sum);
  return any(sum != sum);
}

// Kinds of pixels, and their links.
template <bool Backward>
static void list_links(const ConvShape& s, const Outputs& o, Kind* kind, Link* link) {
  const auto h = height_axis<Backward>(s, o.trimmed, o.source.top);
  const auto w = width_axis<Backward>(s, o.trimmed, o.source.left);
  for (int64_t a = 0; a < h.kinds(); ++a)
    for (int64_t b = 0; b < w.kinds(); ++b, ++kind) {
      const int64_t i = h.example(a), j = w.example(b);
      kind->link = link;
      for (int64_t c = 0; c < o.source.channels; ++c)
        for (int64_t kh = 0; kh < s.kernel_h; ++kh)
          for (int64_t kw = 0; kw < s.kernel_w; ++kw)
            if (h.meets(i, kh) && w.meets(j, kw))
              *link++ = {c * o.source.plane + h.link(i, kh) * o.source.cols + w.link(j, kw),
                         (c * s.kernel_h + kh) * s.kernel_w + kw};
      kind->links = link - kind->link;
    }
}

// The pixels, block by block, in each kind by kind: counted, then put in their places.
template <class T, bool Backward>
static void list_pixels(const ConvShape& s, const Outputs& o, const Tables<T>& t) {
  const auto h = height_axis<Backward>(s, o.trimmed, o.source.top);
  const auto w = width_axis<Backward>(s, o.trimmed, o.source.left);
  __builtin_memset(t.count, 0, o.blocks * o.kinds * sizeof(int64_t));
  const auto each = [&](auto f) {
    int64_t pixel = 0;
    for (int64_t n = 0; n < o.images; ++n)
      for (int64_t i = 0; i < h.size; ++i) {
        const int64_t kinds = h.kind(i) * w.kinds();
        const int64_t at = n * o.source.image + h.at(i) * o.source.cols;
        for (int64_t j = 0; j < w.size; ++j, ++pixel)
          f(pixel, pixel / o.block * o.kinds + kinds + w.kind(j), at + w.at(j));
      }
  };
  each([&](int64_t, int64_t list, int64_t) { ++t.count[list]; });
  int64_t all = 0;
  for (int64_t list = 0; list < o.blocks * o.kinds; ++list) {
    const int64_t n = t.count[list];
    t.count[list] = all;
    all += n;
  }
  each([&](int64_t pixel, int64_t list, int64_t at) {
    int64_t& next = t.count[list];
    t.row[next] = at;
    t.place[next] = pixel % o.block;
    ++next;
  });
  for (int64_t list = o.blocks * o.kinds - 1; list > 0; --list) t.count[list] -= t.count[list - 1];
}

// Vectors of pixels: the last of a row ends where the row does.
template <class T, bool Backward>
static void list_vectors(const ConvShape& s, const Outputs& o, const Tables<T>& t) {
  const auto h = height_axis<Backward>(s, false, o.source.top);
  const auto w = width_axis<Backward>(s, false, o.source.left);
  const int64_t last = max_of(0, w.size - Vec<T>::width);
  for (int64_t i = 0; i < h.size; ++i)
    for (int64_t j = 0; j < o.vectors; ++j) {
      const int64_t first = min_of(j * Vec<T>::width, last);
      t.row[i * o.vectors + j] = h.at(i) * o.source.cols + w.at(first);
      t.place[i * o.vectors + j] = i * w.size + first;
    }
}

template <class T, bool Backward>
static void prepare_outputs(const ConvShape& s, const void* weight, void* shared) {
  const Outputs o = outputs<T, Backward>(s);
  const Tables<T> t = tables<T>(s, o, shared);
  const T* from = static_cast<const T*>(weight);
  *t.poisoned = o.trimmed && any_poison(from, s.groups * o.columns * o.elements);
  list_links<Backward>(s, o, t.kind, t.link);
  if (o.by_rows)
    list_vectors<T, Backward>(s, o, t);
  else
    list_pixels<T, Backward>(s, o, t);
  pack_weight<T, Backward>(s, o, from, t.weight);
}

}  // namespace MG_ISA
}  // namespace mg
