// What convolution and pooling share: pairs of (height, width) attributes and sizes of outputs.
#pragma once
#include "core/error.h"
#include "core/shape.h"

namespace mg {

struct Pair {
  int64_t h, w;
};

// Far beyond every image, and small enough for sums and products of a few to be counted.
inline constexpr int64_t widest_window = int64_t{1} << 31;

// One integer for both, or two; at least `lowest`.
inline Pair pair_of(const Dims& values, int64_t lowest, const char* what, const char* attr) {
  if (values.size() != 1 && values.size() != 2)
    fail<ValueError>(what, ": ", attr, " must be one integer or two (height, width), got ", values);
  const Pair p{values[0], values.back()};
  if (p.h < lowest || p.w < lowest)
    fail<ValueError>(what, ": ", attr, " must be at least ", lowest, ", got ", values);
  if (p.h > widest_window || p.w > widest_window)
    fail<ValueError>(what, ": ", attr, " must be at most ", widest_window, ", got ", values);
  return p;
}

// How many places a window of `kernel` has on an axis; `axis` names it in the error.
inline int64_t window_count(int64_t size, int64_t kernel, int64_t stride, int64_t pad,
                            int64_t dilation, const char* what, const char* axis) {
  const int64_t reach = dilation * (kernel - 1) + 1;
  if (reach > size + 2 * pad)
    fail<ValueError>(what, ": the kernel spans ", reach, " along the ", axis, " but the input has ",
                     size, " + 2 * ", pad,
                     " (padding) there; use a smaller kernel or more padding");
  return (size + 2 * pad - reach) / stride + 1;
}

}  // namespace mg
