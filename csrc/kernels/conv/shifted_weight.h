// weight_grad where a filter has few weights, or a group few filters, and planes are narrow: sums
// in lanes along the whole plane, which is one row, from shifted copies.
#pragma once
#include "kernels/conv/lanes.h"
#include "kernels/conv/shifted.h"

namespace mg {
namespace MG_ISA {

// Where rows would leave a fifth of the lanes empty, and the copies stay near.
static bool shifted_suits_weight(const ConvShape& s) {
  constexpr int64_t most_copied = int64_t{1} << 15;
  const int64_t plane = s.out_h * s.out_w, along = ceil_div(plane, pixel_lanes);
  return shifted_fits(s) && 4 * s.out_h * ceil_div(s.out_w, pixel_lanes) >= 5 * along &&
         images_per_chunk * s.channels / s.groups * s.kernel_w * plane <= most_copied;
}

template <class T>
static Shifted shifted_chunk(const ConvShape& s) {
  return shifted<T>(s, false, min_of(s.images, images_per_chunk));
}

// Shared: where the weights look, and the masks.
template <class T>
static ConvSizes shifted_weight_sizes(const ConvShape& s) {
  const Weights w = weights<T>(s);
  const Shifted o = shifted_chunk<T>(s);
  constexpr int64_t size = sizeof(T);
  return {w.units, w.panels,
          w.rows * int64_t{sizeof(int64_t)} + o.kernel_w * mask_elements<T>(o) * size,
          o.elements * size, w.units * lanes_sums<T>(w) * size};
}

template <class T>
static void prepare_shifted_weight(const ConvShape& s, const void*, void* shared) {
  const Shifted o = shifted_chunk<T>(s);
  int64_t* at = static_cast<int64_t*>(shared);
  each_link(o, [&](int64_t link) { *at++ = link; });
  list_masks<T>(o, reinterpret_cast<MaskOf<T>*>(at));
}

template <class T>
static void run_shifted_weight(const ConvShape& s, const void* x, const void* grad, void* sums,
                               const ConvFinish&, int64_t begin, int64_t end, const void* shared,
                               void* scratch) {
  const Weights w = weights<T>(s);
  const Shifted o = shifted_chunk<T>(s);
  const int64_t* at = static_cast<const int64_t*>(shared);
  const auto* mask = reinterpret_cast<const MaskOf<T>*>(at + w.rows);
  T* source = static_cast<T*>(scratch);
  __builtin_memset(source, 0, o.elements * sizeof(T));
  Planes<T> p{};
  p.source = source;
  p.source_image = o.pitch;
  p.grad_image = s.filters * o.plane;
  p.rows = 1;
  p.grad_row = o.plane;
  for (int64_t unit = begin; unit < end; ++unit) {
    const int64_t panel = unit % w.panels, group = unit / w.panels % s.groups;
    const int64_t chunk = unit / w.panels / s.groups * images_per_chunk;
    p.images = min_of(images_per_chunk, s.images - chunk);
    const T* from = static_cast<const T*>(x) + (chunk * s.groups + group) * o.channels * o.plane;
    if (unit == begin || panel == 0)
      for (int64_t c = 0; c < o.channels; ++c)
        lay_shifted(o, mask, from + c * o.plane, s.channels * o.plane, p.images,
                    source + c * o.channel);
    const int64_t first = panel * panel_columns<T>;
    const int64_t used = min_of(panel_columns<T>, w.columns - first);
    p.grad =
        static_cast<const T*>(grad) + (chunk * s.filters + group * w.columns + first) * o.plane;
    for (int64_t n = 0; n < p.images; ++n)
      fetch(p.grad + n * p.grad_image + used * o.plane, o.plane);
    T* total = static_cast<T*>(sums) + unit * lanes_sums<T>(w);
    __builtin_memset(total, 0, lanes_sums<T>(w) * sizeof(T));
    lanes_filters<1>(p, o.plane, used, at, w.rows, total);
  }
}

}  // namespace MG_ISA
}  // namespace mg
