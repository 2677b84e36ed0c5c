// Elementary functions, all within 1 ulp (kernels/math.h).
#include "ops/elementwise.h"
#include "ops/families.h"

namespace mg {
namespace {

using E = Elementwise;

template <auto Kernel, int Work>
constexpr Row function(const char* signature, void (*vjp)(Vjp&), const char* doc) {
  return elementwise<Kernel, Result::same, Work>(signature, vjp, doc, Promote::floating);
}

constexpr double two_over_root_pi = 1.1283791670955126;

const Row rows[] = {
    function<&E::exp, 3>(
        "exp(x)", [](Vjp& v) { v.set(0, v.grad() * v.out()); },
        "e to the power of x.\n\n"
        ">>> round(mg.exp(mg.tensor(1.0)).item(), 4)\n"
        "2.7183"),
    function<&E::expm1, 6>(
        "expm1(x)", [](Vjp& v) { v.set(0, v.grad() * (v.out() + 1)); },
        "exp(x) - 1, exact near 0.\n\n"
        ">>> mg.expm1(mg.tensor([0.0, 1e-20], 'float64')).tolist()\n"
        "[0.0, 1e-20]"),
    function<&E::log, 5>(
        "log(x)", [](Vjp& v) { v.set(0, v.grad() / v.in(0)); },
        "The natural logarithm; -inf at 0, NaN below.\n\n"
        ">>> mg.log(mg.tensor([1.0, 0.0])).tolist()\n"
        "[0.0, -inf]"),
    function<&E::log1p, 6>(
        "log1p(x)", [](Vjp& v) { v.set(0, v.grad() / (v.in(0) + 1)); },
        "log(1 + x), exact near 0.\n\n"
        ">>> mg.log1p(mg.tensor([0.0, 1e-20], 'float64')).tolist()\n"
        "[0.0, 1e-20]"),
    function<&E::sqrt, 3>(
        "sqrt(x)", [](Vjp& v) { v.set(0, v.grad() * 0.5 / v.out()); },
        "The square root; NaN below 0. The gradient at 0 is infinite.\n\n"
        ">>> mg.sqrt(mg.tensor([4.0, 9.0])).tolist()\n"
        "[2.0, 3.0]"),
    function<&E::sin, 8>(
        "sin(x)", [](Vjp& v) { v.set(0, v.grad() * call<"cos">(v.in(0))); },
        "The sine of x radians.\n\n"
        ">>> mg.sin(mg.tensor([0.0, 0.5 * 3.141592653589793], 'float64')).tolist()\n"
        "[0.0, 1.0]"),
    function<&E::cos, 8>(
        "cos(x)", [](Vjp& v) { v.set(0, -(v.grad() * call<"sin">(v.in(0)))); },
        "The cosine of x radians.\n\n"
        ">>> mg.cos(mg.tensor([0.0, 3.141592653589793], 'float64')).tolist()\n"
        "[1.0, -1.0]"),
    function<&E::erf, 16>(
        "erf(x)",
        [](Vjp& v) {
          const Var& x = v.in(0);
          v.set(0, v.grad() * call<"exp">(-(x * x)) * two_over_root_pi);
        },
        "The error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.\n\n"
        ">>> mg.erf(mg.tensor([0.0, 9.0])).tolist()\n"
        "[0.0, 1.0]"),
};

}  // namespace

const Family function_family(rows);

}  // namespace mg
