// The gradient of a normalisation's gradient, written with plain ops; the same for batch norm and
// layer norm.
#pragma once
#include "ops/op.h"

namespace mg {

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
