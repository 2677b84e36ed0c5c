// Arithmetic, comparison and elementary functions.
#include "ops/elementwise.h"
#include "ops/families.h"

namespace mg {
namespace {

using E = Elementwise;

// A gradient in the broadcast shape, brought back to the shape of input i.
void set_summed(Vjp& v, int i, const Var& g) { v.set(i, sum_to(g, v.in(i).shape())); }

const Row rows[] = {
    {"add(x, y)", infer_elementwise<&E::add>, run_elementwise<&E::add>,
     [](Vjp& v) {
       if (v.needs(0)) set_summed(v, 0, v.grad());
       if (v.needs(1)) set_summed(v, 1, v.grad());
     },
     "x + y, element by element.", Promote::number},

    {"sub(x, y)", infer_elementwise<&E::sub>, run_elementwise<&E::sub>,
     [](Vjp& v) {
       if (v.needs(0)) set_summed(v, 0, v.grad());
       if (v.needs(1)) set_summed(v, 1, -v.grad());
     },
     "x - y, element by element.", Promote::number},

    {"mul(x, y)", infer_elementwise<&E::mul>, run_elementwise<&E::mul>,
     [](Vjp& v) {
       if (v.needs(0)) set_summed(v, 0, v.grad() * v.in(1));
       if (v.needs(1)) set_summed(v, 1, v.grad() * v.in(0));
     },
     "x * y, element by element.", Promote::number},

    {"div(x, y)", infer_elementwise<&E::div>, run_elementwise<&E::div>,
     [](Vjp& v) {
       if (v.needs(0)) set_summed(v, 0, v.grad() / v.in(1));
       if (v.needs(1)) set_summed(v, 1, -(v.grad() * v.out() / v.in(1)));
     },
     "x / y, element by element; integers are divided as float32.", Promote::floating},

    {"neg(x)", infer_elementwise<&E::neg>, run_elementwise<&E::neg>,
     [](Vjp& v) { v.set(0, -v.grad()); }, "-x.", Promote::number},

    {"exp(x)", infer_elementwise<&E::exp>, run_elementwise<&E::exp>,
     [](Vjp& v) { v.set(0, v.grad() * v.out()); }, "e to the power of x.", Promote::floating},

    {"gt(x, y)", infer_elementwise<&E::gt, Result::boolean>, run_elementwise<&E::gt>, nullptr,
     "x > y, as bool.", Promote::any},
};

}  // namespace

const Family arithmetic_family(rows);

}  // namespace mg
