// What the products of a convolution read: planes of a few images, with a border of zeros where the
// kernel looks beyond the edge. Without a border they are read where they are.
#pragma once
#include "kernels/conv.h"
#include "kernels/conv/ahead.h"
#include "kernels/simd.h"

namespace mg {
namespace MG_ISA {

// Done once a call: kept small.
#define MG_SMALL __attribute__((noinline))

static inline int64_t min_of(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t max_of(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }
static inline int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }
static inline int64_t ceil_div(int64_t a, int64_t b) { return -floor_div(-a, b); }

struct Source {
  int64_t channels, height, width;  // of one group, as stored
  int64_t all_channels;             // of an image, as stored
  int64_t top, left, rows, cols;    // the planes with their border
  int64_t plane, image;             // distances between channels and between images
  bool copied;                      // there is a border, so they lie in scratch
};

static inline Source make_source(int64_t channels, int64_t groups, int64_t height, int64_t width,
                                 int64_t top, int64_t bottom, int64_t left, int64_t right) {
  Source s{};
  s.channels = channels / groups;
  s.all_channels = channels;
  s.height = height;
  s.width = width;
  s.top = top;
  s.left = left;
  s.rows = top + height + bottom;
  s.cols = left + width + right;
  s.plane = s.rows * s.cols;
  s.copied = top || bottom || left || right;
  s.image = (s.copied ? s.channels : channels) * s.plane;
  return s;
}

static inline Source input_source(const ConvShape& s) {
  return make_source(s.channels, s.groups, s.height, s.width, s.pad_h, s.pad_h, s.pad_w, s.pad_w);
}

// The gradient of the output, with every place at which an input element looks through the kernel.
static inline Source grad_source(const ConvShape& s) {
  const int64_t top = -ceil_div(s.pad_h - (s.kernel_h - 1) * s.dilation_h, s.stride_h);
  const int64_t left = -ceil_div(s.pad_w - (s.kernel_w - 1) * s.dilation_w, s.stride_w);
  const int64_t bottom = (s.height - 1 + s.pad_h) / s.stride_h - (s.out_h - 1);
  const int64_t right = (s.width - 1 + s.pad_w) / s.stride_w - (s.out_w - 1);
  return make_source(s.filters, s.groups, s.out_h, s.out_w, max_of(0, top), max_of(0, bottom),
                     max_of(0, left), max_of(0, right));
}

// The planes where they are stored, for those who look at nothing beyond.
static inline Source without_border(const Source& s, int64_t groups) {
  return make_source(s.all_channels, groups, s.height, s.width, 0, 0, 0, 0);
}

// Elements of scratch for so many images at a time, to be cleared before the first read_source.
static inline int64_t source_elements(const Source& s, int64_t images) {
  return s.copied ? images * s.image : 0;
}

// The same images, fetched in `times` steps.
template <class T>
static Ahead fetch_source(const Source& s, const T* x, int64_t first, int64_t images, int64_t group,
                          int64_t times) {
  const int64_t stored = s.height * s.width, size = sizeof(T);
  return Ahead(x + (first * s.all_channels + group * s.channels) * stored, images,
               s.all_channels * stored * size, s.channels * stored * size, times, true);
}

template <class T>
static void copy_row(const T* src, T* dst, int64_t n) {
  constexpr int w = Vec<T>::width;
  int64_t i = 0;
  for (; i + w <= n; i += w) store(dst + i, load(src + i));
  const int rest = static_cast<int>(n - i);
  if (rest) store_n(dst + i, load_n(src + i, rest), rest);
}

// The same, in whole vectors, zero beyond.
template <class T>
static void copy_whole(const T* src, T* dst, int64_t n) {
  constexpr int w = Vec<T>::width;
  for (int64_t i = 0; i < n; i += w)
    store(dst + i, n - i < w ? load_n(src + i, static_cast<int>(n - i)) : load(src + i));
}

// The planes of one group of `images` images from `first`; copies fill the inside of `scratch`.
template <class T>
static const T* read_source(const Source& s, const T* x, int64_t first, int64_t images,
                            int64_t group, T* scratch) {
  const int64_t stored = s.height * s.width;
  const T* from = x + (first * s.all_channels + group * s.channels) * stored;
  if (!s.copied) return from;
  for (int64_t n = 0; n < images; ++n, from += (s.all_channels - s.channels) * stored)
    for (int64_t c = 0; c < s.channels; ++c, from += stored) {
      T* to = scratch + n * s.image + c * s.plane + s.top * s.cols + s.left;
      for (int64_t r = 0; r < s.height; ++r) copy_row(from + r * s.width, to + r * s.cols, s.width);
    }
  return scratch;
}

}  // namespace MG_ISA
}  // namespace mg
