// What ops that multiply matrices share: shapes after torch's rules for 1-d and batched operands.
#pragma once
#include "ops/gemm.h"
#include "ops/op.h"

namespace mg {

// x (batch..., m, k) times y (batch..., k, n), with the axes that 1-d operands lack filled in.
struct Product {
  Array x, y;
  Dims batch;  // of the result
  int64_t m, n, k;
  bool flat;  // y is one matrix for all: the batch of x is more rows
};

Product product_of(const Array& x, const Array& y);
// The product of two matrices into a dense one.
Gemm gemm_of(const Array& x, const Array& y, void* out);
// Any product; `out` is dense, and so is what lies beside it in the epilogue. The sink is handed it
// while it is in the cache.
void multiply(const Array& x, const Array& y, const Array& out, const Epilogue& epilogue = {},
              const Sink& sink = {});

// TypeErrors that say which tensor of the call is meant.
void need_floats(const char* op, const Array& a, const char* what);
void need_same_dtype(const char* op, const Array& a, const char* what, DType dtype);
// The shape of x @ y, or an error that says how to mend the call.
Dims matmul_shape(const char* op, const Array& x, const Array& y);

// A multiply and an add for each output and each k, the last axis of input 0.
double product_flops(const Call& c);

inline Var reshaped(const Var& v, const Dims& shape) {
  return v.shape() == shape ? v : call<"reshape">(v, shape);
}
inline Var transposed(const Var& v) { return call<"transpose">(v, -1, -2); }

// All axes but the last as one.
Dims as_rows(const Dims& shape);

}  // namespace mg
