// Element by element: arithmetic, comparisons, functions, activations and their derivatives.
//
// The contract of an ElementwiseFn:
//   in[i] points to n elements side by side (step[i] == 1) or to one that all share (step[i] == 0);
//   out points to n elements side by side, and may be the very pointer of an input of step 1 whose
//   elements are as large, but overlaps no input in part; n may be 0; `attr` is read only by the
//   kernels that list attributes. The caller owns shapes, broadcasting and strides beyond this.
// Every array is indexed by the dtype of the inputs (0 float32, 1 float64, 2 int64, 3 bool: a byte
// 0 or 1); null where a dtype makes no sense. Inputs of one call share a dtype, except the bool
// condition of `where`. int64 wraps around.
#pragma once
#include <stdint.h>

namespace mg {

using ElementwiseFn = void (*)(const void* const* in, const int64_t* step, void* out, int64_t n,
                               const double* attr);
// dst[i * dst_step] = src[i * src_step], steps in elements, of any sign; no overlap.
using CopyFn = void (*)(const void* src, int64_t src_step, void* dst, int64_t dst_step, int64_t n);
// The same over a plane: element (r, c) is at r * row + c * col. Walks in tiles, so that turning a
// matrix over does not miss the cache at every element.
using CopyPlaneFn = void (*)(const void* src, int64_t src_row, int64_t src_col, void* dst,
                             int64_t dst_row, int64_t dst_col, int64_t rows, int64_t cols);
// n elements side by side; out may equal in when the sizes are equal. Floats are cut towards zero
// to int64 (NaN and what does not fit give the smallest int64); to bool, everything but 0 is true.
using CastFn = void (*)(const void* in, void* out, int64_t n);
using FillFn = void (*)(void* out, const void* value, int64_t n);

struct Elementwise {
  // Arithmetic. int64 has no div (cast first) and pow expects exponents >= 0.
  ElementwiseFn add[4], sub[4], mul[4], div[4], pow[4];
  ElementwiseFn neg[4], abs[4], sign[4], reciprocal[4], sqrt[4], floor[4], round[4];
  // A NaN in any input gives NaN. clip: attr[0] = lowest, attr[1] = highest (+-inf for none).
  ElementwiseFn minimum[4], maximum[4], clip[4];
  ElementwiseFn where[4];  // in: condition (bool), x, y; indexed by the dtype of x and y

  // Write bool bytes. The logical ones take everything but 0 as true.
  ElementwiseFn eq[4], ne[4], lt[4], le[4], gt[4], ge[4];
  ElementwiseFn logical_not[4], logical_and[4], logical_or[4], isfinite[4], isnan[4];

  // Functions, within 1 ulp (kernels/math.h).
  ElementwiseFn exp[4], expm1[4], log[4], log1p[4], sin[4], cos[4], tanh[4], sigmoid[4], erf[4];

  // Activations, after PyTorch. Attributes: leaky_relu slope; elu alpha.
  // gelu is x * (1 + erf(x / sqrt 2)) / 2, gelu_tanh its approximation by tanh.
  ElementwiseFn relu[4], leaky_relu[4], gelu[4], gelu_tanh[4], silu[4], softplus[4], elu[4],
      selu[4];

  // Their derivatives times a gradient, in one pass: in = (g, x), but (g, y) with y the value of
  // the function for sigmoid, tanh and relu_dropout (whose attribute is 1 / (1 - p)). At a kink the
  // side that PyTorch takes. clip: 1 inside and on both ends.
  ElementwiseFn relu_backward[4], relu_dropout_backward[4], leaky_relu_backward[4],
      gelu_backward[4], gelu_tanh_backward[4], silu_backward[4], softplus_backward[4],
      elu_backward[4], selu_backward[4], sigmoid_backward[4], tanh_backward[4], clip_backward[4];

  // The kernels that training runs over whole layers, and each again for outputs that nobody will
  // find in the cache: written past it where the ISA can, and seen by other threads once the caller
  // has called settle() (simd/past_cache.h).
  struct {
    ElementwiseFn through, past;
  } past_cache[10];

  // Two ops as one, to the same bits: `then` takes what `first` makes (on either side, if it
  // commutes) and, after the inputs of `first`, its own other input. `first` may be a chain. The
  // attribute of a chain is 1 if it is to write past the cache, else 0.
  struct Chain {
    ElementwiseFn first, then, both;
    int inputs;
    bool commutes;
  } chains[12];

  CopyFn copy_strided[4];
  CopyPlaneFn copy_plane[4];
  CastFn cast[4][4];  // [from][to]
  FillFn fill[4];
};

}  // namespace mg
