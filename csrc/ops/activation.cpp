// Activations, after PyTorch; each derivative is a row of its own, so that it has one too.
#include "ops/elementwise.h"
#include "ops/families.h"

namespace mg {
namespace {

using E = Elementwise;

const Row rows[] = {
    {"relu(x)", infer_elementwise<&E::relu>, run_elementwise<&E::relu>,
     [](Vjp& v) { v.set(0, call<"relu_backward">(v.grad(), v.in(0))); },
     "max(x, 0); NaN stays NaN. The gradient at 0 is 0.", Promote::number},

    {"relu_backward(g, x)", infer_elementwise<&E::relu_backward>,
     run_elementwise<&E::relu_backward>,
     [](Vjp& v) {
       if (v.needs(0)) v.set(0, call<"relu_backward">(v.grad(), v.in(1)));
     },
     "g where x > 0, else 0."},
};

}  // namespace

const Family activation_family(rows);

}  // namespace mg
