// Arithmetic, extremes and choice.
#include <algorithm>
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

// x x x, by blocks, as the output may be x.
void cube(ElementwiseFn mul, const Piece& a, int64_t item) {
  constexpr int64_t block = 512;
  alignas(64) char square[block * 8];
  const int64_t step[] = {a.step[0], a.step[0]};
  const char* x = static_cast<const char*>(a.in[0]);
  char* out = static_cast<char*>(a.out);
  for (int64_t first = 0; first < a.n; first += block) {
    const int64_t n = std::min(block, a.n - first);
    const void *twice[] = {x, x}, *again[] = {square, x};
    const int64_t of_square[] = {1, a.step[0]};
    mul(twice, step, square, n, nullptr);
    mul(again, of_square, out, n, nullptr);
    x += n * a.step[0] * item;
    out += n * item;
  }
}

// All elements share one exponent: some have a kernel of their own.
void pow_of_one(const Pointwise& p, const Piece& a) {
  const Elementwise& k = kernels().elementwise;
  const int d = index(p.from);
  const double e = p.from == DType::f32 ? *static_cast<const float*>(a.in[1])
                                        : *static_cast<const double*>(a.in[1]);
  const void* x[] = {a.in[0], a.in[0]};
  const int64_t step[] = {a.step[0], a.step[0]};
  if (e == 2) return k.mul[d](x, step, a.out, a.n, nullptr);
  if (e == 3) return cube(k.mul[d], a, item_size(p.from));
  if (e == 0.5) return k.sqrt[d](x, step, a.out, a.n, nullptr);
  if (e == -1) return k.reciprocal[d](x, step, a.out, a.n, nullptr);
  p.kernel(a.in, a.step, a.out, a.n, nullptr);
}
bool ready_pow(const Call& c, Pointwise* p) {
  make_ready(c, kernels().elementwise.pow, p);
  if (p->from == DType::i64) return false;  // exponents are checked before anything is written
  if (c.in(1).rank() == 0) p->run = pow_of_one;
  return true;
}
void run_pow(const Call& c) {
  if (c.in(1).dtype == DType::i64) check_exponents(c.in(1));
  run_elementwise<ready_pow>(c);
}

// The slope is 0, also where the gradient that meets it is infinite.
void flat_vjp(Vjp& v) { v.set(0, expand_to(zero_like(v.grad()), v.grad().shape())); }

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
bool ready_clip(const Call& c, Pointwise* p) {
  make_ready(c, kernels().elementwise.*Kernel, p);
  p->attr[0] = lowest(c.attrs);
  p->attr[1] = highest(c.attrs);
  return true;
}

void infer_where(const Call& c) {
  if (c.in(0).dtype != DType::b8)
    fail<TypeError>("where: the condition must be bool, got ", name(c.in(0).dtype),
                    "; compare it, e.g. condition != 0");
  infer_elementwise<&E::where>(c);
}

const Row rows[] = {
    elementwise<&E::add>(
        "add(x, y)",
        [](Vjp& v) {
          if (v.needs(0)) set_summed(v, 0, v.grad());
          if (v.needs(1)) set_summed(v, 1, v.grad());
        },
        "x + y, element by element. Shapes broadcast as in numpy.\n\n"
        ">>> mg.add(mg.tensor([1.0, 2.0]), 0.5).tolist()\n"
        "[1.5, 2.5]",
        Promote::number),

    elementwise<&E::sub>(
        "sub(x, y)",
        [](Vjp& v) {
          if (v.needs(0)) set_summed(v, 0, v.grad());
          if (v.needs(1)) set_summed(v, 1, -v.grad());
        },
        "x - y, element by element. Shapes broadcast as in numpy.\n\n"
        ">>> mg.sub(mg.tensor([1.0, 2.0]), 0.5).tolist()\n"
        "[0.5, 1.5]",
        Promote::number),

    elementwise<&E::mul>(
        "mul(x, y)",
        [](Vjp& v) {
          if (v.needs(0)) set_summed(v, 0, v.grad() * v.in(1));
          if (v.needs(1)) set_summed(v, 1, v.grad() * v.in(0));
        },
        "x * y, element by element. Shapes broadcast as in numpy.\n\n"
        ">>> mg.mul(mg.tensor([1.0, 2.0]), mg.tensor([[2.0], [3.0]])).tolist()\n"
        "[[2.0, 4.0], [3.0, 6.0]]",
        Promote::number),

    elementwise<&E::div>(
        "div(x, y)",
        [](Vjp& v) {
          if (v.needs(0)) set_summed(v, 0, v.grad() / v.in(1));
          if (v.needs(1)) set_summed(v, 1, -(v.grad() * v.out() / v.in(1)));
        },
        "x / y, element by element; integers are divided as float32. Shapes broadcast as in "
        "numpy.\n\n"
        ">>> mg.div(mg.tensor([1, 2]), 2).tolist()\n"
        "[0.5, 1.0]",
        Promote::floating),

    {"pow(x, y)", infer_elementwise<&E::pow>, run_pow, pow_vjp,
     "x to the power of y, element by element. The gradient is 0 where y is 0, and 0 for y "
     "where x is 0 and y >= 0. Integers take no negative exponents. Shapes broadcast as in "
     "numpy.\n\n"
     ">>> mg.pow(mg.tensor([1.0, 3.0]), 2).tolist()\n"
     "[1.0, 9.0]",
     Promote::number, 1, 0, 0, nullptr, ready_pow},

    elementwise<&E::neg>(
        "neg(x)", [](Vjp& v) { v.set(0, -v.grad()); },
        "-x.\n\n"
        ">>> mg.neg(mg.tensor([1.0, -2.0])).tolist()\n"
        "[-1.0, 2.0]",
        Promote::number),

    elementwise<&E::abs>(
        "abs(x)", [](Vjp& v) { v.set(0, v.grad() * call<"sign">(v.in(0))); },
        "The absolute value. The gradient at 0 is 0.\n\n"
        ">>> mg.abs(mg.tensor([1.0, -2.0])).tolist()\n"
        "[1.0, 2.0]",
        Promote::number),

    elementwise<&E::sign>("sign(x)", flat_vjp,
                          "-1, 0 or 1; NaN stays NaN.\n\n"
                          ">>> mg.sign(mg.tensor([-3.0, 0.0, 0.5])).tolist()\n"
                          "[-1.0, 0.0, 1.0]",
                          Promote::number),

    elementwise<&E::floor>("floor(x)", flat_vjp,
                           "The largest whole number <= x.\n\n"
                           ">>> mg.floor(mg.tensor([-1.5, 1.5])).tolist()\n"
                           "[-2.0, 1.0]",
                           Promote::number),

    elementwise<&E::round>("round(x)", flat_vjp,
                           "The nearest whole number; halves go to even.\n\n"
                           ">>> mg.round(mg.tensor([0.5, 1.5, 1.75])).tolist()\n"
                           "[0.0, 2.0, 2.0]",
                           Promote::number),

    elementwise<&E::reciprocal>(
        "reciprocal(x)", [](Vjp& v) { v.set(0, -(v.grad() * v.out() * v.out())); },
        "1 / x.\n\n"
        ">>> mg.reciprocal(mg.tensor([2.0, 4.0])).tolist()\n"
        "[0.5, 0.25]",
        Promote::floating),

    elementwise<&E::minimum>(
        "minimum(x, y)", extreme_vjp<"lt">,
        "The lesser of x and y, element by element; NaN if either is. Equal ones share the "
        "gradient. Shapes broadcast as in numpy.\n\n"
        ">>> mg.minimum(mg.tensor([1.0, 5.0]), 3.0).tolist()\n"
        "[1.0, 3.0]",
        Promote::number),

    elementwise<&E::maximum>(
        "maximum(x, y)", extreme_vjp<"gt">,
        "The greater of x and y, element by element; NaN if either is. Equal ones share the "
        "gradient. Shapes broadcast as in numpy.\n\n"
        ">>> mg.maximum(mg.tensor([1.0, 5.0]), 3.0).tolist()\n"
        "[3.0, 5.0]",
        Promote::number),

    computed<ready_clip<&E::clip>>(
        {"clip(x, min: float? = None, max: float? = None)", infer_clip, nullptr,
         [](Vjp& v) {
           v.set(0, call<"clip_backward">(v.grad(), v.in(0), lowest(v.attrs), highest(v.attrs)));
         },
         "x held between min and max (`max` if they cross); None leaves a side open. NaN stays "
         "NaN. The gradient is 1 inside and on the bounds.\n\n"
         ">>> mg.clip(mg.tensor([-2.0, 0.5, 2.0]), -1.0, 1.0).tolist()\n"
         "[-1.0, 0.5, 1.0]",
         Promote::number}),

    inner(computed<ready_clip<&E::clip_backward>>(
        {"clip_backward(g, x, min: float? = None, max: float? = None)",
         infer_elementwise<&E::clip_backward>, nullptr,
         [](Vjp& v) {
           if (v.needs(0))
             set_summed(
                 v, 0, call<"clip_backward">(v.grad(), v.in(1), lowest(v.attrs), highest(v.attrs)));
         },
         "g where min <= x <= max, else 0.\n\n"
         ">>> _core.clip_backward(mg.ones(3), mg.tensor([-2.0, 0.5, 2.0]), -1.0, 1.0).tolist()\n"
         "[0.0, 1.0, 0.0]"})),

    computed<ready_elementwise<&E::where>>(
        {"where(condition, x, y)", infer_where, nullptr,
         [](Vjp& v) {
           const Var& g = v.grad();
           if (v.needs(1)) set_summed(v, 1, call<"where">(v.in(0), g, zero_like(g)));
           if (v.needs(2)) set_summed(v, 2, call<"where">(v.in(0), zero_like(g), g));
         },
         "x where condition (bool), else y, element by element. Shapes broadcast as in numpy.\n\n"
         ">>> mg.where(mg.tensor([True, False]), mg.tensor([1.0, 2.0]), 0.0).tolist()\n"
         "[1.0, 0.0]",
         Promote::any, 1, 1}),
};

}  // namespace

const Family arithmetic_family(rows);

}  // namespace mg
