// forward and input_grad where an output meets a channel or two: a filter a channel, mostly. The
// same chains as in indirect.h, to the bit.
#pragma once
#include "kernels/conv/completed.h"
#include "kernels/conv/pixels.h"
#include "kernels/conv/side_by_side.h"
#include "kernels/conv/strips.h"

namespace mg {
namespace MG_ISA {

template <bool Backward>
static bool strips_suit(const ConvShape& s) {
  const int64_t k = s.kernel_h, links = (Backward ? s.filters : s.channels) / s.groups;
  if (s.groups == 1 || links > 2 || s.kernel_w != k || s.stride_h != s.stride_w) return false;
  if (s.stride_h == 1) return k == 3 || k == 5 || k == 7;
  return s.stride_h == 2 && s.dilation_h == 1 && s.dilation_w == 1 && (k == 3 || k == 5);
}

// Shared: whether there are weights that make NaN of 0, and the weights.
struct StripsShared {
  static constexpr int64_t weights_at = 64;
  static int64_t weights(const ConvShape& s) {
    return s.filters * (s.channels / s.groups) * s.kernel_h * s.kernel_w;
  }
};

template <class T, bool Backward>
static ConvSizes strips_sizes(const ConvShape& s) {
  const SideBySide o = side_by_side<T>(s, Backward);
  constexpr int64_t size = sizeof(T);
  return {o.units, o.columns, StripsShared::weights_at + StripsShared::weights(s) * size,
          (o.channels * o.source_channel + o.sums) * size};
}

template <class T>
static void prepare_strips(const ConvShape& s, const void* weight, void* shared) {
  const int64_t n = StripsShared::weights(s);
  *static_cast<bool*>(shared) = any_poison(static_cast<const T*>(weight), n);
  __builtin_memcpy(static_cast<char*>(shared) + StripsShared::weights_at, weight, n * sizeof(T));
}

// sums (+)= one channel of the source by one kernel; if `trimmed`, rows of zeros are left out.
template <int K, class T>
static void add_channel(const SideBySide& o, const T* source, const T* kernel, T* sums, bool more,
                        bool trimmed) {
  const int64_t above = trimmed ? o.rows.at : 0;
  const int64_t below = trimmed ? o.rows.at + o.rows.count : o.high;
  Strips<T> s{source,     o.row,        o.dilation_w, o.odds, kernel,         sums,
              o.sums_row, o.out_height, o.vectors,    more,   o.high - below, o.high - above,
              0};
  if constexpr (K <= 5) {
    if (o.back == 2) {
      s.source += (o.high - 1) * o.row + K / 2;
      s.row = -o.row;
      s.col = -1;
      s.odds = o.sums_odds;
      s.steps = o.high - (o.pad_h + 1) / 2;
      return scatter_strips<K>(s, 2 * (o.high - 1) - o.pad_h);
    }
    if (o.stride == 2) {
      s.first = above / 2;
      s.last = ceil_div(below, 2);
      s.steps = o.high / 2;
      return gather_strips<K, 2>(s);
    }
  }
  // Rows that the dilation parts are sums of their own. The way back goes up.
  const int64_t way = o.backward ? -1 : 1, parts = min_of(o.dilation_h, o.out_height);
  s.row = way * o.dilation_h * o.row;
  s.col = way * o.dilation_w;
  s.sums_row = way * o.dilation_h * o.sums_row;
  if (o.backward) s.source += (K - 1) * (o.dilation_h * o.row + o.dilation_w);
  for (int64_t i = 0; i < parts; ++i) {
    const int64_t first = o.backward ? o.out_height - 1 - i : i;
    Strips<T> part = s;
    part.source += first * o.row;
    part.sums += first * o.sums_row;
    part.rows = ceil_div(o.out_height - i, o.dilation_h);
    part.steps = part.rows + K - 1;
    if (o.dilation_h > 1) {
      part.first = 0;
      part.last = part.steps;
    } else if (!o.backward) {
      part.first = above;
      part.last = below;
    }
    gather_strips<K, 1>(part);
  }
}

template <class T>
static void run_strips(const SideBySide& o, const ConvShape& s, const T* x, const T* bias, T* out,
                       const ConvFinish& finish, int64_t begin, int64_t end, const void* shared,
                       T* source) {
  const int64_t groups = s.groups;
  const bool trimmed = !*static_cast<const bool*>(shared);
  const T* weight =
      reinterpret_cast<const T*>(static_cast<const char*>(shared) + StripsShared::weights_at);
  const auto add = o.kernel == 3   ? add_channel<3, T>
                   : o.kernel == 5 ? add_channel<5, T>
                                   : add_channel<7, T>;
  T* sums = source + o.channels * o.source_channel;
  __builtin_memset(source, 0, o.channels * o.source_channel * sizeof(T));
  const int64_t plane = o.height * o.width, out_plane = o.out_height * o.out_width;
  for (int64_t unit = begin; unit < end; ++unit) {
    const int64_t column = unit % o.columns, group = unit / o.columns % groups;
    const int64_t image = unit / o.columns / groups * o.images;
    const T* from = x + (image * groups + group) * o.channels * plane;
    const int64_t images = min_of(o.images, s.images - image);
    if (unit == begin || column == 0)
      for (int64_t c = 0; c < o.channels; ++c)
        lay_planes(o, from + c * plane, groups * o.channels * plane, images,
                   source + c * o.source_channel);
    for (int64_t c = 0; c < o.channels; ++c) {
      const int64_t kernel = o.backward ? (group * o.channels + c) * o.columns + column
                                        : (group * o.columns + column) * o.channels + c;
      add(o, source + c * o.source_channel, weight + kernel * o.kernel * o.kernel, sums, c > 0,
          trimmed);
    }
    const int64_t channel = group * o.columns + column;
    for (int64_t n = 0; n < images; ++n) {
      const int64_t at = ((image + n) * groups * o.columns + channel) * out_plane;
      take_plane(o, sums + n * o.pitch, completed(finish, bias, channel, at, out_plane), out + at);
      hand_over(finish, out, at, out_plane);
    }
  }
}

template <class T, bool Backward>
static void run_strips(const ConvShape& s, const void* x, const void* b, void* out,
                       const ConvFinish& finish, int64_t begin, int64_t end, const void* shared,
                       void* scratch) {
  run_strips(side_by_side<T>(s, Backward), s, static_cast<const T*>(x),
             Backward ? nullptr : static_cast<const T*>(b), static_cast<T*>(out), finish, begin,
             end, shared, static_cast<T*>(scratch));
}

}  // namespace MG_ISA
}  // namespace mg
