// forward and input_grad: the rows of the product are pixels, its columns filters (or input
// channels), its links (source channel, kh, kw).
#pragma once
#include "kernels/conv_source.h"
#include "kernels/pixel_rows.h"

namespace mg {
namespace MG_ISA {

// Pixels turned over at a time: whole tiles and whole vectors.
constexpr int64_t output_block = 48;

// Pixels that meet the same elements of the kernel: in `forward` all of them, in `input_grad` those
// with the same remainders by the stride.
template <class T>
struct Part {
  int64_t pixels, links;
  const int64_t* row;  // of each pixel of the images that are read at a time
  const int64_t* col;  // of each link
  const int64_t* to;   // of each pixel in its plane; null if pixel i is at i
                       // (with `by_rows`, row and to are of each vector of pixels)
  const T* weight;     // group by group, panel by panel
};

struct Outputs {
  Source source;
  bool by_rows;            // pixel_rows instead of indirect_product
  int64_t out_w, vectors;  // of a row of outputs
  int64_t units, panels, parts;
  int64_t channels, columns, plane;  // of the output: all channels, those of a group, a plane
  int64_t pixels, links;             // upper bounds over all parts together
};

// The cost of a pixel either way, in multiply-adds: what the lanes and accumulators that stay empty
// waste, and what a tile costs besides (of indirect_product, also to be turned over).
template <class T>
static bool rows_are_faster(const Outputs& o, int64_t links) {
  const double lonely = o.columns <= Vec<T>::width ? 1.33 : 1;
  const double filled = static_cast<double>(o.vectors * Vec<T>::width) / o.out_w;
  return filled * round_up(o.columns, 4) * (links + 7) * 1.05 <
         lonely * padded_columns<T>(o.columns) * (links + 16);
}

template <class T>
static Outputs outputs(const ConvShape& s, bool backward) {
  constexpr int w = Vec<T>::width;
  Outputs o{};
  o.out_w = backward ? s.width : s.out_w;
  o.vectors = (o.out_w + w - 1) / w;
  o.channels = backward ? s.channels : s.filters;
  o.columns = o.channels / s.groups;
  o.panels = panel_count<T>(o.columns);
  o.plane = backward ? s.height * s.width : s.out_h * s.out_w;
  o.parts = backward ? min_of(s.stride_h, s.height) * min_of(s.stride_w, s.width) : 1;
  int64_t images = min_of(s.images, max_of(1, output_block * o.parts / o.plane));
  o.source = backward ? grad_source(s, images) : input_source(s, images);
  o.by_rows = s.stride_w == 1 && o.parts == 1 && (o.source.copied || o.out_w >= w) &&
              rows_are_faster<T>(o, s.kernel_h * s.kernel_w * o.source.channels);
  if (o.by_rows) {
    images = min_of(s.images, 1);
    o.source.images = images;
  }
  o.units = images ? (s.images + images - 1) / images * s.groups * o.panels : 0;
  o.pixels = o.plane * images;
  o.links = o.source.channels * s.kernel_h * s.kernel_w;
  return o;
}

template <class T, bool Backward>
static int64_t outputs_shared_bytes(const ConvShape& s) {
  const Outputs o = outputs<T>(s, Backward);
  const int64_t weights = s.groups * padded_columns<T>(o.columns) * o.links;
  return round_up(o.parts * sizeof(Part<T>), 64) +
         round_up((2 * o.pixels + o.links) * sizeof(int64_t), 64) + weights * sizeof(T);
}
template <class T, bool Backward>
static int64_t outputs_scratch_bytes(const ConvShape& s) {
  const Outputs o = outputs<T>(s, Backward);
  // Vectors of narrow rows read beyond the last one.
  return (output_block * panel_columns<T> + source_elements(o.source) + Vec<T>::width) * sizeof(T);
}

// One axis of a part: from pixel `first`, step by step, to `size`; which kernel elements are met.
namespace {
template <bool Backward>
struct Axis {
  int64_t first, step, size, stride, pad, dilation, border;

  int64_t count() const { return first < size ? (size - first + step - 1) / step : 0; }
  int64_t reach(int64_t k) const { return first + pad - k * dilation; }
  bool meets(int64_t k) const { return !Backward || reach(k) % stride == 0; }
  // Where pixel i of the part sees kernel element k: at pixel(i) + link(k).
  int64_t pixel(int64_t i) const { return Backward ? i : i * stride; }
  int64_t link(int64_t k) const {
    return Backward ? floor_div(reach(k), stride) + border : k * dilation;
  }
};
}  // namespace

template <class T, bool Backward>
static void prepare_outputs(const ConvShape& s, const void* weight, void* shared) {
  const Outputs o = outputs<T>(s, Backward);
  Part<T>* part = static_cast<Part<T>*>(shared);
  char* memory = static_cast<char*>(shared) + round_up(o.parts * sizeof(Part<T>), 64);
  int64_t* table = reinterpret_cast<int64_t*>(memory);
  T* packed =
      reinterpret_cast<T*>(memory + round_up((2 * o.pixels + o.links) * sizeof(int64_t), 64));
  const int64_t kernel = s.kernel_h * s.kernel_w;
  const int64_t source_channels = o.source.channels;
  // A filter's weights are (channel, kh, kw); the product runs over the channels of its source.
  const int64_t column_step = Backward ? kernel : source_channels * kernel;
  const int64_t source_step = Backward ? o.columns * kernel : kernel;

  const int64_t phases_h = Backward ? min_of(s.stride_h, s.height) : 1;
  const int64_t phases_w = Backward ? min_of(s.stride_w, s.width) : 1;
  for (int64_t a = 0; a < phases_h; ++a)
    for (int64_t b = 0; b < phases_w; ++b, ++part) {
      const Axis<Backward> h{a,
                             Backward ? s.stride_h : 1,
                             Backward ? s.height : s.out_h,
                             s.stride_h,
                             s.pad_h,
                             s.dilation_h,
                             o.source.top};
      const Axis<Backward> w{b,
                             Backward ? s.stride_w : 1,
                             Backward ? s.width : s.out_w,
                             s.stride_w,
                             s.pad_w,
                             s.dilation_w,
                             o.source.left};
      *part = Part<T>{h.count() * w.count(), 0, table, nullptr, nullptr, packed};
      if (o.by_rows) {
        // The last vector of a row ends where the row does.
        const int64_t last = max_of(0, o.out_w - Vec<T>::width);
        const int64_t vectors = h.count() * o.vectors;
        part->to = table + vectors;
        for (int64_t i = 0; i < h.count(); ++i)
          for (int64_t j = 0; j < o.vectors; ++j, ++table) {
            const int64_t at = min_of(j * Vec<T>::width, last);
            table[0] = h.pixel(i) * o.source.cols + at;
            table[vectors] = i * o.out_w + at;
          }
        part->pixels = vectors;
        table += vectors;
      }
      for (int64_t n = 0; n < o.source.images && !o.by_rows; ++n)
        for (int64_t i = 0; i < h.count(); ++i)
          for (int64_t j = 0; j < w.count(); ++j)
            *table++ = n * o.source.image + h.pixel(i) * o.source.cols + w.pixel(j);
      if (o.parts > 1) {
        part->to = table;
        for (int64_t i = 0; i < h.count(); ++i)
          for (int64_t j = 0; j < w.count(); ++j)
            *table++ = (a + i * s.stride_h) * s.width + b + j * s.stride_w;
      }
      part->col = table;
      for (int64_t c = 0; c < source_channels; ++c)
        for (int64_t kh = 0; kh < s.kernel_h; ++kh)
          for (int64_t kw = 0; kw < s.kernel_w; ++kw)
            if (h.meets(kh) && w.meets(kw))
              *table++ = c * o.source.plane + h.link(kh) * o.source.cols + w.link(kw);
      part->links = table - part->col;

      for (int64_t g = 0; g < s.groups; ++g)
        for (int64_t panel = 0; panel < o.panels; ++panel) {
          const int64_t first = panel * panel_columns<T>;
          const int64_t wide = panel_vectors<T>(o.columns, panel) * Vec<T>::width;
          const int64_t used = min_of(wide, o.columns - first);
          const T* from = static_cast<const T*>(weight) + g * o.columns * source_channels * kernel +
                          first * column_step;
          for (int64_t c = 0; c < source_channels; ++c) {
            const T* at = from + c * source_step;
            if (part->links == source_channels * kernel) {
              turn<true>(at, column_step, used, kernel, packed, wide);
              packed += kernel * wide;
              continue;
            }
            for (int64_t kh = 0; kh < s.kernel_h; ++kh)
              for (int64_t kw = 0; kw < s.kernel_w; ++kw) {
                if (!h.meets(kh) || !w.meets(kw)) continue;
                turn<true>(at + kh * s.kernel_w + kw, column_step, used, 1, packed, wide);
                packed += wide;
              }
          }
        }
    }
}

// The block of pixels [first, first + n) of a part, (n, wide) in `block`, to their places.
template <class T>
static void write_pixels(const Outputs& o, const Part<T>& part, int64_t first, int64_t n,
                         const T* block, int64_t wide, int64_t used, const T* bias, T* out) {
  while (n > 0) {
    const int64_t image = first / part.pixels, pixel = first % part.pixels;
    const int64_t count = min_of(n, part.pixels - pixel);
    T* to = out + image * o.channels * o.plane;
    if (part.to) {
      for (int64_t j = 0; j < used; ++j)
        for (int64_t i = 0; i < count; ++i)
          to[j * o.plane + part.to[pixel + i]] = block[i * wide + j];
    } else {
      turn<false>(block, wide, count, used, to + pixel, o.plane, bias);
    }
    first += count;
    n -= count;
    block += count * wide;
  }
}

// n outputs side by side, which are complete.
template <class T>
static void finish_outputs(const ConvFinish& finish, const T* kept, T* x, int64_t n) {
  constexpr int w = Vec<T>::width;
  const Vec<T> zero = Vec<T>::zero(), scale(static_cast<T>(finish.scale));
  for (int64_t i = 0; i < n; i += w) {
    const int some = static_cast<int>(min_of(n - i, w));
    Vec<T> v = some == w ? load(x + i) : load_n(x + i, some);
    if (finish.relu) v = max(zero, v);
    if (kept)
      v = select((some == w ? load(kept + i) : load_n(kept + i, some)) <= zero, zero, v * scale);
    some == w ? store(x + i, v) : store_n(x + i, v, some);
  }
}

template <class T, bool Backward>
static void run_outputs(const ConvShape& s, const void* x, const void* b, void* out,
                        const ConvFinish& finish, int64_t begin, int64_t end, const void* shared,
                        void* scratch) {
  const void* bias = Backward ? nullptr : b;
  const Outputs o = outputs<T>(s, Backward);
  const Part<T>* parts = static_cast<const Part<T>*>(shared);
  T* block = static_cast<T*>(scratch);
  T* copy = block + output_block * panel_columns<T>;
  __builtin_memset(copy, 0, source_elements(o.source) * sizeof(T));

  const T* source = nullptr;
  for (int64_t unit = begin; unit < end; ++unit) {
    const int64_t panel = unit % o.panels, group = unit / o.panels % s.groups;
    const int64_t image = unit / o.panels / s.groups * o.source.images;
    const int64_t images = min_of(o.source.images, s.images - image);
    if (unit == begin || panel == 0)
      source = read_source(o.source, static_cast<const T*>(x), image, images, group, copy);

    const int vectors = panel_vectors<T>(o.columns, panel);
    const int64_t wide = vectors * Vec<T>::width;
    const int64_t first = panel * panel_columns<T>;
    const int64_t used = min_of(wide, o.columns - first);
    const int64_t channel = group * o.columns + first;
    T* to = static_cast<T*>(out) + (image * o.channels + channel) * o.plane;
    const T* add = bias ? static_cast<const T*>(bias) + channel : nullptr;
    for (const Part<T>* part = parts; part < parts + o.parts; ++part) {
      const T* weight = part->weight + (group * padded_columns<T>(o.columns) + first) * part->links;
      if (o.by_rows) {
        const int n = static_cast<int>(min_of(o.out_w, Vec<T>::width));
        pixel_rows(used, part->pixels, part->links, source, part->row, part->col, weight, wide, add,
                   part->to, to, o.plane, n);
        continue;
      }
      const int64_t pixels = images * part->pixels;
      for (int64_t p = 0; p < pixels; p += output_block) {
        const int64_t n = min_of(output_block, pixels - p);
        indirect_product(n, vectors, part->links, source, part->row + p, part->col, weight, block,
                         false);
        write_pixels(o, *part, p, n, block, wide, used, add, to);
      }
    }
    if (!finish.relu && !finish.kept) continue;
    const T* kept = static_cast<const T*>(finish.kept);
    for (int64_t n = 0; n < images; ++n) {
      const int64_t at = ((image + n) * o.channels + channel) * o.plane;
      finish_outputs(finish, kept ? kept + at : nullptr, static_cast<T*>(out) + at, used * o.plane);
    }
  }
}

}  // namespace MG_ISA
}  // namespace mg
