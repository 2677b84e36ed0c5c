// weight_grad where a filter has few weights, or a group few filters: sums along the rows of planes
// with a border of zeros.
#pragma once
#include "kernels/conv/lanes.h"

namespace mg {
namespace MG_ISA {

// Counted in cycles of a machine with 16 lanes, the same for every ISA.
static bool lanes_suit_weight(const ConvShape& s) {
  if (s.stride_w > 2) return false;
  const int64_t weights = s.channels / s.groups * s.kernel_h * s.kernel_w;
  const int64_t filters = s.filters / s.groups;
  const int64_t turned = s.out_h * s.out_w * ceil_div(filters, 16) * (weights + weights / 8 + 16);
  const int64_t tiles = ceil_div(filters, 3) * ceil_div(weights, lane_weights);
  const int64_t along =
      s.out_h * tiles * (ceil_div(s.out_w, pixel_lanes) * (s.stride_w == 1 ? 30 : 45) + 8);
  return along < turned;
}

template <class T>
static ConvSizes lanes_weight_sizes(const ConvShape& s) {
  const Weights w = weights<T>(s);
  const int64_t scratch = source_elements(w.source, min_of(s.images, images_per_chunk));
  return {w.units, w.panels, w.rows * int64_t{sizeof(int64_t)}, scratch * int64_t{sizeof(T)},
          w.units * lanes_sums<T>(w) * int64_t{sizeof(T)}};
}
template <class T>
static void prepare_lanes_weight(const ConvShape& s, const void*, void* shared) {
  list_weights(s, weights<T>(s).source, static_cast<int64_t*>(shared));
}

template <class T>
static void run_lanes_weight(const ConvShape& s, const void* x, const void* grad, void* sums,
                             const ConvFinish&, int64_t begin, int64_t end, const void* shared,
                             void* scratch) {
  const Weights w = weights<T>(s);
  const int64_t* at = static_cast<const int64_t*>(shared);
  T* copy = static_cast<T*>(scratch);
  __builtin_memset(copy, 0,
                   source_elements(w.source, min_of(s.images, images_per_chunk)) * sizeof(T));
  Planes<T> p{};
  p.source_image = w.source.image;
  p.grad_image = s.filters * w.plane;
  p.rows = s.out_h;
  p.source_row = s.stride_h * w.source.cols;
  p.grad_row = s.out_w;
  for (int64_t unit = begin; unit < end; ++unit) {
    const int64_t panel = unit % w.panels, group = unit / w.panels % s.groups;
    const int64_t chunk = unit / w.panels / s.groups * images_per_chunk;
    p.images = min_of(images_per_chunk, s.images - chunk);
    if (unit == begin || panel == 0)
      p.source = read_source(w.source, static_cast<const T*>(x), chunk, p.images, group, copy);
    const int64_t first = panel * panel_columns<T>;
    const int64_t used = min_of(panel_columns<T>, w.columns - first);
    p.grad =
        static_cast<const T*>(grad) + (chunk * s.filters + group * w.columns + first) * w.plane;
    T* total = static_cast<T*>(sums) + unit * lanes_sums<T>(w);
    __builtin_memset(total, 0, lanes_sums<T>(w) * sizeof(T));
    if (s.stride_w == 1)
      lanes_filters<1>(p, w.plane, used, at, w.rows, total);
    else
      lanes_filters<2>(p, w.plane, used, at, w.rows, total);
  }
}

}  // namespace MG_ISA
}  // namespace mg
