// What batch norm and layer norm share: checks, and the gradients of their gradients, written with
// plain ops.
#pragma once
#include "ops/op.h"

namespace mg {

void check_input(const Call& c, const Array& x);
// Parameter i, if it is there, has this shape and x's dtype.
void check_parameter(const Call& c, int i, const char* what, const Dims& shape, DType dtype);
// A dense copy of parameter i, or `value` everywhere.
Array parameter_or(const Call& c, int i, const Dims& shape, DType dtype, double value);

struct NormGroups {
  Dims statistics;  // the dimensions that a mean is taken over
  Dims weights;     // the dimensions that the weight is repeated over
  Dims parameter;   // a shape in which the weight meets x
};

// For a row with inputs grad, x, weight, mean, rstd and outputs dx, dweight, dbias.
void vjp_of_norm_backward(Vjp& v, const NormGroups& groups, double eps);
// The same where mean and rstd do not depend on x; they have the weight's shape.
void vjp_of_fixed_norm_backward(Vjp& v, const NormGroups& groups);

}  // namespace mg
