// Reductions over any dimensions of any strided array, on top of the row and column kernels.
#pragma once
#include "ops/over_dims.h"

namespace mg {

enum class Fold : uint8_t { sum, max, min };

// `out` is dense: the dimensions that are kept, in their order. How a sum is cut and joined depends
// on the shape alone: neither strides nor the number of threads change a bit. max and min need
// something to reduce.
void fold_over(const Array& x, const DimSet& over, Fold fold, const Array& out);
// Sums of (x - center)^2; `center` is dense and has an element for each of out.
void squares_over(const Array& x, const DimSet& over, const Array& center, const Array& out);
// The index of the largest (or smallest) element, counted in row-major order of `over`.
void arg_over(const Array& x, const DimSet& over, bool largest, const Array& out);

}  // namespace mg
