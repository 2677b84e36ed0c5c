// forward and input_grad where an output meets a channel or two and planes are narrow: the chains
// of indirect.h for vectors of pixels of a few images, from shifted copies.
#pragma once
#include "kernels/conv/completed.h"
#include "kernels/conv/pixel_rows.h"
#include "kernels/conv/shifted.h"

namespace mg {
namespace MG_ISA {

// Where planes are wider, strips read less.
template <bool Backward>
static bool shifted_suits(const ConvShape& s) {
  const int64_t links = (Backward ? s.filters : s.channels) / s.groups;
  return s.groups > 1 && links <= 2 && s.kernel_w <= 3 && s.width <= 8 && shifted_fits(s);
}

struct ShiftedOutputs {
  Shifted source;
  int64_t columns;  // of the output, of a group
  int64_t vectors;  // of a plane
  int64_t units;
};

// As many images at a time as fill the tiles of pixel_rows.
static inline int64_t images_for_tiles(int64_t images, int64_t vectors, int64_t tile) {
  int64_t best = 1;
  double least = 1e30;
  for (int64_t m = 1; m <= min_of(images, tile); ++m) {
    const double each = static_cast<double>(ceil_div(m * vectors, tile)) / static_cast<double>(m);
    if (each < 0.95 * least) best = m;
    if (each < least) least = each;
  }
  return best;
}

template <class T>
MG_SMALL static ShiftedOutputs shifted_outputs(const ConvShape& s, bool backward) {
  ShiftedOutputs o{};
  o.columns = (backward ? s.channels : s.filters) / s.groups;
  o.vectors = ceil_div(s.height * s.width, Vec<T>::width);
  const int64_t images = images_for_tiles(s.images, o.vectors, row_tile_vectors<1>);
  o.source = shifted<T>(s, backward, images);
  o.units = ceil_div(s.images, images) * s.groups;
  return o;
}

// What prepare() makes.
template <class T>
struct ShiftedTables {
  Link* link;
  int64_t *at, *to;  // of each vector of pixels: in the source, in the output
  MaskOf<T>* mask;
  T* weight;  // group by group, link by link
  int64_t bytes;
};
template <class T>
static ShiftedTables<T> shifted_tables(const ConvShape& s, const ShiftedOutputs& o, void* memory) {
  Taken taken(memory);
  ShiftedTables<T> t;
  taken.take(t.link, o.source.links());
  taken.take(t.at, o.source.images * o.vectors);
  taken.take(t.to, o.source.images * o.vectors);
  taken.take(t.mask, o.source.kernel_w * mask_elements<T>(o.source));
  taken.take(t.weight, s.groups * o.columns * o.source.links());
  t.bytes = taken.bytes();
  return t;
}

template <class T, bool Backward>
static ConvSizes shifted_sizes(const ConvShape& s) {
  const ShiftedOutputs o = shifted_outputs<T>(s, Backward);
  return {o.units, 1, shifted_tables<T>(s, o, nullptr).bytes,
          o.source.elements * int64_t{sizeof(T)}};
}

template <class T>
static void prepare_shifted(const ConvShape& s, const ShiftedOutputs& o, const T* from,
                            void* shared) {
  const ShiftedTables<T> t = shifted_tables<T>(s, o, shared);
  const int64_t kernel = s.kernel_h * s.kernel_w, channels = o.source.channels;
  Link* link = t.link;
  each_link(o.source, [&](int64_t at) {
    *link = {at, link - t.link};
    ++link;
  });
  list_masks<T>(o.source, t.mask);
  // The last vector of a plane ends where the plane does.
  const int64_t last = max_of(0, o.source.plane - Vec<T>::width);
  for (int64_t n = 0; n < o.source.images; ++n)
    for (int64_t v = 0; v < o.vectors; ++v) {
      const int64_t pixel = min_of(v * Vec<T>::width, last);
      t.at[n * o.vectors + v] = n * o.source.pitch + pixel;
      t.to[n * o.vectors + v] = n * s.groups * o.columns * o.source.plane + pixel;
    }
  T* to = t.weight;
  const int64_t column_step = o.source.backward ? kernel : channels * kernel;
  const int64_t channel_step = o.source.backward ? o.columns * kernel : kernel;
  for (int64_t g = 0; g < s.groups; ++g, from += o.columns * channels * kernel)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t k = 0; k < kernel; ++k)
        for (int64_t j = 0; j < o.columns; ++j)
          *to++ = from[j * column_step + c * channel_step + k];
}

template <class T, bool Backward>
static void prepare_shifted(const ConvShape& s, const void* weight, void* shared) {
  prepare_shifted(s, shifted_outputs<T>(s, Backward), static_cast<const T*>(weight), shared);
}

template <class T>
static void run_shifted(const ConvShape& s, const ShiftedOutputs& o, const T* x, const T* bias,
                        T* out, const ConvFinish& finish, int64_t begin, int64_t end,
                        const void* shared, T* source) {
  const Shifted& f = o.source;
  const ShiftedTables<T> t = shifted_tables<T>(s, o, const_cast<void*>(shared));
  __builtin_memset(source, 0, f.elements * sizeof(T));
  const int lanes = static_cast<int>(min_of(f.plane, Vec<T>::width));
  for (int64_t unit = begin; unit < end; ++unit) {
    const int64_t group = unit % s.groups, image = unit / s.groups * f.images;
    const int64_t images = min_of(f.images, s.images - image);
    const int64_t channel = group * o.columns;
    const int64_t at = (image * s.groups * o.columns + channel) * f.plane;
    T* to = out + at;
    const T* from = x + (image * s.groups + group) * f.channels * f.plane;
    for (int64_t c = 0; c < f.channels; ++c)
      lay_shifted(f, t.mask, from + c * f.plane, s.groups * f.channels * f.plane, images,
                  source + c * f.channel);
    const Rows<T, Completed<T>> rows{source,    t.link,
                                     f.links(), t.weight + channel * f.links(),
                                     o.columns, completed(finish, bias, channel, at, f.plane),
                                     to,        f.plane,
                                     lanes};
    pixel_rows(rows, o.columns, images * o.vectors, t.at, t.to);
    for (int64_t n = 0; n < images; ++n)
      hand_over(finish, out, at + n * s.groups * o.columns * f.plane, o.columns * f.plane);
  }
}

template <class T, bool Backward>
static void run_shifted(const ConvShape& s, const void* x, const void* b, void* out,
                        const ConvFinish& finish, int64_t begin, int64_t end, const void* shared,
                        void* scratch) {
  run_shifted(s, shifted_outputs<T>(s, Backward), static_cast<const T*>(x),
              Backward ? nullptr : static_cast<const T*>(b), static_cast<T*>(out), finish, begin,
              end, shared, static_cast<T*>(scratch));
}

}  // namespace MG_ISA
}  // namespace mg
