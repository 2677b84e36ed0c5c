// Images changed at random: what is done to them, once the numbers are drawn.
#pragma once
#include <stdint.h>

namespace mg {

// Planes of height x width (an image has one a channel) become planes of out_height x out_width.
struct Resampling {
  int64_t channels, height, width, out_height, out_width;
};

// Arrays are dense and do not overlap; per dtype: 0 float, 1 double.
struct Augment {
  // theta holds 2 x 3 numbers an image: pixel (x, y) of y is taken from
  // (t00 x + t01 y + t02, t10 x + t11 y + t12), where pixels have their centres at whole numbers.
  // Between pixels the value is bilinear; all that is outside of the image is `fill`. Mirrors and
  // shifts by whole pixels copy the bits. A plane must have fewer than 2^24 - 3 (height + width)
  // - 9 pixels. scratch: 2 (height + 3) (width + 3) elements, half as many for the way back.
  void (*resample[2])(const void* x, const double* theta, int64_t images, const Resampling& sizes,
                      double fill, void* scratch, void* y);
  // The transposed map of resample with fill 0: the contributions to each pixel of dx are added to
  // +0 in the order of the pixels of g.
  void (*resample_backward[2])(const void* g, const double* theta, int64_t images,
                               const Resampling& sizes, void* scratch, void* dx);
  // One image of `channels` planes: y_c = a x_c + out_c (b grey + d), grey = sum_c in_c x_c, all
  // pixel by pixel. in and out may be null if b = 0 (grey is not read; out_c is 1 if null).
  void (*blend[2])(const void* x, int64_t channels, int64_t pixels, double a, double b, double d,
                   const double* in, const double* out, void* y);
  // y = a x + b z, by fma after b z.
  void (*mix[2])(const void* x, const void* z, int64_t n, double a, double b, void* y);
};

}  // namespace mg
