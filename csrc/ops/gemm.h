// Matrix products on several threads: the one way from ops to the matmul kernels.
#pragma once
#include "core/dtype.h"
#include "kernels/matmul.h"

namespace mg {

// Runs one product; threads share its outputs.
void run_gemm(const Gemm& gemm, DType dtype);

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
