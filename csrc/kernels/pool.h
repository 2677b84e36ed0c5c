// Maximum and average over windows of planes, and their gradients.
//
// Planes [begin, end) of dense arrays: `x`-like (planes, height, width), `out`-like (planes, out_h,
// out_w). Windows are cut at the edges of the plane; every window meets at least one element.
//
// Which element is the maximum, in the order (kh, kw): the first of the greatest; a NaN is greater
// than everything before it, so that a window with NaNs is NaN and has its last NaN as maximum.
// The average is the chain of sums in the order (kh, kw), from +0, over kernel_h * kernel_w
// (padding counts). Gradients of windows that overlap are added in the order of the windows.
#pragma once
#include <stdint.h>

namespace mg {

struct PoolShape {
  int64_t height, width, out_h, out_w;
  int64_t kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w;
};

// Arrays are indexed by dtype: 0 float, 1 double.
struct Pool {
  // out = the maxima of x
  void (*max[2])(const PoolShape&, const void* x, void* out, int64_t begin, int64_t end);
  // out = what `values` (like x) has where x has its maxima
  void (*max_pick[2])(const PoolShape&, const void* x, const void* values, void* out, int64_t begin,
                      int64_t end);
  // out (like x) = grad (like the maxima) where x has its maxima, 0 elsewhere
  void (*max_grad[2])(const PoolShape&, const void* x, const void* grad, void* out, int64_t begin,
                      int64_t end);
  // Likewise, but 0 where x is not above 0 (nor NaN)
  void (*max_grad_relu[2])(const PoolShape&, const void* x, const void* grad, void* out,
                           int64_t begin, int64_t end);
  void (*avg[2])(const PoolShape&, const void* x, void* out, int64_t begin, int64_t end);
  void (*avg_grad[2])(const PoolShape&, const void* grad, void* out, int64_t begin, int64_t end);
};

}  // namespace mg
