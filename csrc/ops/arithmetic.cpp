// Arithmetic, extremes and choice.
#include <cmath>

#include "ops/elementwise.h"
#include "ops/families.h"
#include "ops/strided.h"

namespace mg {
namespace {

using E = Elementwise;

// Integers have no fractions to hold x to the power of -1.
void check_exponents(const Array& exponents) {
  const Array a = dense(exponents);
  const int64_t* e = a.data<int64_t>();
  for (int64_t i = 0, n = a.numel(); i < n; ++i)
    if (e[i] < 0)
      fail<ValueError>("pow: integers to a negative power (", e[i],
                       ") are not integers; convert with .float() first");
}

// The exponents that have a kernel of their own, when all elements share one.
void run_pow(const Call& c) {
  const Array& y = c.in(1);
  if (y.dtype == DType::i64) {
    check_exponents(y);
  } else if (y.numel() == 1 && y.rank() == 0) {
    const double e = y.dtype == DType::f32 ? *y.data<float>() : *y.data<double>();
    const Array* square[] = {&c.in(0), &c.in(0)};
    const Call once{{square, 1}, c.attrs, c.outputs, c.name};
    if (e == 2) return run_elementwise<&E::mul>(Call{square, c.attrs, c.outputs, c.name});
    if (e == 0.5) return run_elementwise<&E::sqrt>(once);
    if (e == -1) return run_elementwise<&E::reciprocal>(once);
  }
  run_elementwise<&E::pow>(c);
}

void pow_vjp(Vjp& v) {
  const Var &x = v.in(0), &y = v.in(1), &g = v.grad();
  const Var zero = zero_like(g), one = constant(g.dtype(), 1);
  if (v.needs(0)) {
    // Where y is 0 the slope is 0, also at x = 0, where x^(y - 1) is infinite.
    const Var lower = call<"where">(call<"eq">(y, zero), one, y - 1);
    set_summed(v, 0, g * call<"pow">(x, lower) * y);
  }
  if (v.needs(1)) {
    const Var flat = call<"logical_and">(call<"eq">(x, zero), call<"ge">(y, zero));
    set_summed(v, 1, g * v.out() * call<"log">(call<"where">(flat, one, x)));
  }
}

// Where both are equal, each takes half of the gradient, as in torch.
template <OpName wins>
void extreme_vjp(Vjp& v) {
  const Var &x = v.in(0), &y = v.in(1), &g = v.grad();
  const Var share = call<"where">(call<"eq">(x, y), g * 0.5, g);
  if (v.needs(0)) set_summed(v, 0, call<"where">(call<wins>(y, x), zero_like(g), share));
  if (v.needs(1)) set_summed(v, 1, call<"where">(call<wins>(x, y), zero_like(g), share));
}

double lowest(const Attrs& a) { return a.is_none(0) ? -INFINITY : a.real(0); }
double highest(const Attrs& a) { return a.is_none(1) ? INFINITY : a.real(1); }

void infer_clip(const Call& c) {
  infer_elementwise<&E::clip>(c);
  for (const double bound : {lowest(c.attrs), highest(c.attrs)}) {
    if (std::isnan(bound)) fail<ValueError>("clip: a bound is NaN; leave it out for no bound");
    if (c.in(0).dtype == DType::i64 && bound != std::floor(bound))
      fail<ValueError>("clip: ", bound, " is no bound for int64; convert with .float() first");
  }
}
template <auto Kernel>
void run_clip(const Call& c) {
  const double attr[] = {lowest(c.attrs), highest(c.attrs)};
  run_elementwise(c, (kernels().elementwise.*Kernel)[index(c.in(0).dtype)], attr);
}

void infer_where(const Call& c) {
  if (c.in(0).dtype != DType::b8)
    fail<TypeError>("where: the condition must be bool, got ", name(c.in(0).dtype),
                    "; compare it, e.g. condition != 0");
  infer_elementwise<&E::where>(c);
}

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

    {"pow(x, y)", infer_elementwise<&E::pow>, run_pow, pow_vjp,
     "x to the power of y, element by element. The gradient is 0 where y is 0, and 0 for y where x "
     "is 0 and y >= 0. Integers take no negative exponents.",
     Promote::number},

    {"neg(x)", infer_elementwise<&E::neg>, run_elementwise<&E::neg>,
     [](Vjp& v) { v.set(0, -v.grad()); }, "-x.", Promote::number},

    {"abs(x)", infer_elementwise<&E::abs>, run_elementwise<&E::abs>,
     [](Vjp& v) { v.set(0, v.grad() * call<"sign">(v.in(0))); },
     "The absolute value. The gradient at 0 is 0.", Promote::number},

    {"sign(x)", infer_elementwise<&E::sign>, run_elementwise<&E::sign>,
     [](Vjp& v) { v.set(0, v.grad() * 0.0); }, "-1, 0 or 1; NaN stays NaN.", Promote::number},

    {"floor(x)", infer_elementwise<&E::floor>, run_elementwise<&E::floor>,
     [](Vjp& v) { v.set(0, v.grad() * 0.0); }, "The largest whole number <= x.", Promote::number},

    {"round(x)", infer_elementwise<&E::round>, run_elementwise<&E::round>,
     [](Vjp& v) { v.set(0, v.grad() * 0.0); }, "The nearest whole number; halves go to even.",
     Promote::number},

    {"reciprocal(x)", infer_elementwise<&E::reciprocal>, run_elementwise<&E::reciprocal>,
     [](Vjp& v) { v.set(0, -(v.grad() * v.out() * v.out())); }, "1 / x.", Promote::floating},

    {"minimum(x, y)", infer_elementwise<&E::minimum>, run_elementwise<&E::minimum>,
     extreme_vjp<"lt">,
     "The lesser of x and y, element by element; NaN if either is. Equal ones share the gradient.",
     Promote::number},

    {"maximum(x, y)", infer_elementwise<&E::maximum>, run_elementwise<&E::maximum>,
     extreme_vjp<"gt">,
     "The greater of x and y, element by element; NaN if either is. Equal ones share the gradient.",
     Promote::number},

    {"clip(x, min: float? = None, max: float? = None)", infer_clip, run_clip<&E::clip>,
     [](Vjp& v) {
       v.set(0, call<"clip_backward">(v.grad(), v.in(0), lowest(v.attrs), highest(v.attrs)));
     },
     "x held between min and max (`max` if they cross); None leaves a side open. NaN stays NaN. "
     "The gradient is 1 inside and on the bounds.",
     Promote::number},

    {"clip_backward(g, x, min: float? = None, max: float? = None)",
     infer_elementwise<&E::clip_backward>, run_clip<&E::clip_backward>,
     [](Vjp& v) {
       if (v.needs(0))
         set_summed(v, 0,
                    call<"clip_backward">(v.grad(), v.in(1), lowest(v.attrs), highest(v.attrs)));
     },
     "g where min <= x <= max, else 0."},

    {"where(condition, x, y)", infer_where, run_elementwise<&E::where>,
     [](Vjp& v) {
       const Var& g = v.grad();
       if (v.needs(1)) set_summed(v, 1, call<"where">(v.in(0), g, zero_like(g)));
       if (v.needs(2)) set_summed(v, 2, call<"where">(v.in(0), zero_like(g), g));
     },
     "x where condition (bool), else y, element by element.", Promote::any, 1, 1},
};

}  // namespace

const Family arithmetic_family(rows);

}  // namespace mg
