// Matrix products on several threads: the one way from ops to the matmul kernels.
#pragma once
#include "core/dtype.h"
#include "kernels/matmul.h"
#include "ops/op.h"

namespace mg {

// Whether threads share so many multiply-adds.
bool worth_threads(double multiply_adds);

// Runs one product; threads share its outputs.
void run_gemm(const Gemm& gemm, DType dtype);

// Likewise without an epilogue, but hands the product over, side by side, instead of storing it.
// Threads take whole cache lines of it, and so do its pieces if there are not too many columns.
void run_gemm_to(const Gemm& gemm, DType dtype, const Sink& sink);

// Whether it can also write Gemm::row_sums: only what one thread does alone.
bool can_sum_rows(const Gemm& gemm, DType dtype);

// Runs `count` products of the same shape, the i-th as place(i) says; threads share the products if
// there are enough of them. `first` stands for all of them when the work is planned.
void run_gemms(const Gemm& first, DType dtype, int64_t count, void* context,
               Gemm (*place)(void* context, int64_t i));

template <class F>
void run_gemms(const Gemm& first, DType dtype, int64_t count, F&& place) {
  run_gemms(first, dtype, count, &place,
            [](void* f, int64_t i) { return (*static_cast<F*>(f))(i); });
}

}  // namespace mg
