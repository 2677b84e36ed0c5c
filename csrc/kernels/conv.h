// 2-d convolution (NCHW), its gradients by the input and by the weight.
//
// All three are matrix products whose left operand is never built: element (i, k) is
// source[row[i] + col[k]], two tables of offsets (indirect convolution). The right operand lies in
// panels of a few vectors, element k beside element k + 1 of a filter's neighbours.
//
// Bits. Each output is one fma chain from +0:
//   forward       over (channel of the group, kh, kw), the bias added afterwards
//   input_grad    over (filter of the group, kh, kw), kh and kw only where the stride meets them
//   weight_grad   over (image, oh, ow) in chunks of 8 images, the chunks' sums added in order; the
//                 gradient of the bias likewise, by additions
// Padding is a +0 that is multiplied like any other number: an infinite weight gives NaN there. At
// the end of `forward` and `input_grad` +0 is added (or the bias), so that no output is -0, and
// links to the padding may be left out.
//
// Kernels of 3 by 3 with stride and dilation 1 and enough channels and filters go by Winograd
// (conv/winograd.h), which depends on the shape of an image, the kernel and the padding alone. Its
// chains go over (channel), (filter) and (image, row of tiles, tile), between transforms whose sums
// stand there; infinities may make NaN of an output that they would have made infinite.
//
// Where a filter has few weights, or a group few filters, weight_grad sums in 16 lanes along the
// rows of pixels, or along whole planes if they are narrow (conv/lanes.h). That, too, depends on
// the shape alone.
//
// A pass is cut into units that are computed in any order, by any thread:
//   prepare(shape, weight, shared)  once; fills shared_bytes (packed weight, tables)
//   run(shape, a, b, out, finish, begin, end, shared, scratch)  units [begin, end);
//                                   scratch_bytes of scratch for this call alone
//     forward       a = x (images, channels, height, width), b = bias (filters) or null
//     input_grad    a = gradient of the output, b unused
//     weight_grad   a = x, b = gradient of the output, out = sums, sums_bytes; then
//                   join(shape, sums, out, bias, begin, end) over [0, groups * panels)
//                   adds the sums up in place and writes the gradients of the weight and of the
//                   bias (filters)
// Units are numbered (images, group, panel): a range that begins at a multiple of panels
// reads no source that another has read.
// Arrays are dense and do not overlap. Scratch, shared and sums are 64-byte aligned. No size of the
// shape is 0 except `images` (and then there are no units, and join writes zeros).
#pragma once
#include <stdint.h>

#include "kernels/sink.h"

namespace mg {

struct ConvShape {
  int64_t images, channels, height, width;
  int64_t filters, kernel_h, kernel_w;  // weight (filters, channels / groups, kernel_h, kernel_w)
  int64_t out_h, out_w;
  int64_t stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, groups;
};

// What is done to the outputs of forward and input_grad, while they are in cache.
struct ConvFinish {
  bool relu = false;
  // Null, or an array like the output: each output is multiplied by `scale`, and is 0 where the
  // array is not above 0 (nor NaN).
  const void* kept = nullptr;
  double scale = 1;
  Sink then = {};  // is handed them afterwards
};

struct ConvSizes {
  int64_t units, panels, shared_bytes, scratch_bytes;
  int64_t sums_bytes = 0;  // of weight_grad
};

struct ConvPass {
  ConvSizes (*sizes)(const ConvShape&);
  void (*prepare)(const ConvShape&, const void* weight, void* shared);
  void (*run)(const ConvShape&, const void* a, const void* b, void* out, const ConvFinish& finish,
              int64_t begin, int64_t end, const void* shared, void* scratch);
};

struct ConvWeightPass : ConvPass {
  void (*join)(const ConvShape&, void* sums, void* out, void* bias, int64_t begin, int64_t end);
};

// The pass that suits a shape. Arrays are indexed by dtype: 0 float, 1 double.
struct Conv {
  const ConvPass& (*forward[2])(const ConvShape&);
  const ConvPass& (*input_grad[2])(const ConvShape&);
  const ConvWeightPass& (*weight_grad[2])(const ConvShape&);
};

}  // namespace mg
