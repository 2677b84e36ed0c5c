// Ops that compute element i of their output from element i of their inputs. Alone they run like
// any other op; a plan runs several of them together, piece by piece, while the piece is in the
// cache.
#pragma once
#include "kernels/kernels.h"
#include "ops/op.h"

namespace mg {

// Elements [first, first + n) of an output.
struct Piece {
  // Each input points to n elements side by side (step 1) or to what all of them share (step 0).
  const void* const* in;
  const int64_t* step;
  void* out;  // side by side; may be an input of step 1 whose elements are as large
  int64_t n;
  int64_t first;  // random numbers are drawn fastest if it is a multiple of dropout_grain / 2
};

// A call made ready: all that does not depend on the data is decided.
struct Pointwise {
  void (*run)(const Pointwise&, const Piece&);
  int streams;  // so many inputs go by elements; the others are handed over whole, with step 0
  ElementwiseFn kernel = nullptr;
  double attr[2] = {};
  DType from = DType::f32, to = DType::f32;  // of the last stream and of the output
  bool past_cache = false;                   // writes past it if it can
  int work = 1;  // how long an element takes beside those of relu or abs
};

// For an output that outgrows the cache: takes the kernel that writes past it, if there is one.
// Each thread then calls settle() (kernels/simd/past_cache.h), once: after every piece it would
// wait.
void write_past_cache(Pointwise* p);

// A call that folds all elements of its input into one number, made ready to be run in pieces:
// chunks of 8192 elements (kernels/fold.h), whose results, of the same dtype, are then joined.
struct Folding {
  void (*run)(const Folding&, const void* in, int64_t n, void* part);  // of at most 8192 elements
  void (*join)(const Folding&, const void* parts, int64_t n, int64_t elements, void* out);
  DType dtype;
};

// The kernel of the inputs' dtype, with the attributes (numbers) of the call.
void make_ready(const Call& c, const ElementwiseFn* kernel_by_dtype, Pointwise* p);

template <auto Kernel>
bool ready_elementwise(const Call& c, Pointwise* p) {
  make_ready(c, kernels().elementwise.*Kernel, p);
  return true;
}

}  // namespace mg
