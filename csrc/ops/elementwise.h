// Elementwise ops: one inner kernel, run over broadcast and strided inputs into a dense output.
#pragma once
#include "kernels/kernels.h"
#include "ops/op.h"

namespace mg {

enum class Result : uint8_t { same, boolean };

// The output has the broadcast shape; its dtype is the (promoted) inputs', or bool.
void infer_elementwise(const Call& c, const ElementwiseFn* kernel_by_dtype, Result result);
// Attributes, all of them floats, are handed to the kernel in order.
void run_elementwise(const Call& c, ElementwiseFn kernel, const double* attr);

// infer and run of a row from its kernels: infer_elementwise<&Elementwise::exp>.
template <auto Kernel, Result R = Result::same>
void infer_elementwise(const Call& c) {
  infer_elementwise(c, kernels().elementwise.*Kernel, R);
}
template <auto Kernel>
void run_elementwise(const Call& c) {
  double attr[Attrs::max_count];
  for (int i = 0; i < Attrs::max_count; ++i) attr[i] = c.attrs.real(i);
  const DType dtype = c.in(c.count() - 1).dtype;  // the first may be `where`'s condition
  run_elementwise(c, (kernels().elementwise.*Kernel)[index(dtype)], attr);
}

// A gradient in the broadcast shape, brought back to the shape of input i.
inline void set_summed(Vjp& v, int i, const Var& g) { v.set(i, sum_to(g, v.in(i).shape())); }

// 0 in the dtype of the gradient.
inline Var zero_like(const Var& g) { return constant(g.dtype(), 0); }

}  // namespace mg
