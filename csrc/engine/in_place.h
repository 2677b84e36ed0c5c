// x += y: the result of an op written into the memory of its first input.
#pragma once
#include "engine/tensor.h"

namespace mg {

// x = op(x, y) where x is; x keeps its shape and dtype, and every view of it sees the change.
// `name` is what errors call it. Under recording x becomes the result of the op, for gradients too;
// an error, which leaves x alone, says where that cannot be: for a leaf that requires a gradient,
// and for memory or values of x that the graph already knows by another name.
void apply_in_place(const Op& op, const char* name, Tensor& x, Var y);

}  // namespace mg
