// Activations, after PyTorch; each derivative is a row of its own, so that it has one too.
#include "ops/elementwise.h"
#include "ops/families.h"

namespace mg {
namespace {

using E = Elementwise;

template <auto Kernel, int Work = 1>
constexpr Row activation(const char* signature, void (*vjp)(Vjp&), const char* doc) {
  return elementwise<Kernel, Result::same, Work>(signature, vjp, doc, Promote::floating);
}
template <auto Kernel, int Work = 1>
constexpr Row derivative(const char* signature, void (*vjp)(Vjp&), const char* doc) {
  return inner(elementwise<Kernel, Result::same, Work>(signature, vjp, doc));
}

// vjp of an activation whose derivative is the op `name` of (gradient, x).
template <OpName name>
void by_input(Vjp& v) {
  v.set(0, call<name>(v.grad(), v.in(0)));
}
// The same with the activation's value in place of x.
template <OpName name>
void by_output(Vjp& v) {
  v.set(0, call<name>(v.grad(), v.out()));
}
// vjp of a derivative that is constant in pieces.
template <OpName name>
void piecewise(Vjp& v) {
  if (v.needs(0)) set_summed(v, 0, call<name>(v.grad(), v.in(1)));
}
// vjp of a derivative g * f'(x), given h = f''.
template <OpName name>
void curved(Vjp& v, Var (*h)(const Var& x)) {
  if (v.needs(0)) set_summed(v, 0, call<name>(v.grad(), v.in(1)));
  if (v.needs(1)) set_summed(v, 1, v.grad() * v.in(0) * h(v.in(1)));
}
// vjp of a derivative of something linear for x > 0 and exponential below, where f'' is f'.
template <OpName name, class... Attributes>
void exponential_below(Vjp& v, Attributes... attributes) {
  const Var &g = v.in(0), &x = v.in(1);
  if (v.needs(0)) set_summed(v, 0, call<name>(v.grad(), x, attributes...));
  if (v.needs(1)) {
    const Var below = call<name>(v.grad() * g, x, attributes...), zero = zero_like(below);
    set_summed(v, 1, call<"where">(call<"gt">(x, zero), zero, below));
  }
}

// The normal density times 2 - x^2.
Var gelu_second(const Var& x) {
  const Var square = x * x;
  return call<"exp">(square * -0.5) * (2.0 - square) * 0.3989422804014327;
}
// f = x s(u) with s the sigmoid, so f'' = s (1 - s) (2 u' + x u'' + x u'^2 (1 - 2 s)).
Var gelu_tanh_second(const Var& x) {
  constexpr double a = 1.5957691216057308, b = 0.044715;
  const Var square = x * x, s = call<"sigmoid">(x * (square * (a * b) + a));
  const Var slope = square * (3 * a * b) + a;
  const Var inner = slope * 2.0 + square * (6 * a * b) + x * slope * slope * (1.0 - s * 2.0);
  return s * (1.0 - s) * inner;
}
Var silu_second(const Var& x) {
  const Var s = call<"sigmoid">(x);
  return s * (1.0 - s) * (x * (1.0 - s * 2.0) + 2.0);
}
Var softplus_second(const Var& x) {
  const Var s = call<"sigmoid">(x);
  return s * (1.0 - s);
}

template <auto Exact, auto Approximate>
bool ready_gelu(const Call& c, Pointwise* p) {
  const Elementwise& k = kernels().elementwise;
  make_ready(c, c.attrs.flag(0) ? k.*Approximate : k.*Exact, p);
  return true;
}

const Row rows[] = {
    elementwise<&E::relu>("relu(x)", by_input<"relu_backward">,
                          "max(x, 0); NaN stays NaN. The gradient at 0 is 0.\n\n"
                          ">>> mg.relu(mg.tensor([-1.0, 2.0])).tolist()\n"
                          "[0.0, 2.0]",
                          Promote::number),
    derivative<&E::relu_backward>(
        "relu_backward(g, x)", piecewise<"relu_backward">,
        "g where x > 0, else 0.\n\n"
        ">>> _core.relu_backward(mg.ones(2), mg.tensor([-1.0, 2.0])).tolist()\n"
        "[0.0, 1.0]"),

    derivative<&E::relu_dropout_backward>(
        "relu_dropout_backward(g, y, scale: float = 1.0)",
        [](Vjp& v) {
          if (v.needs(0))
            set_summed(v, 0, call<"relu_dropout_backward">(v.grad(), v.in(1), v.attrs.real(0)));
        },
        "g * scale where y > 0, else 0: the gradient of y = dropout(relu(x)) with scale = 1 / "
        "(1 - p).\n\n"
        ">>> _core.relu_dropout_backward(mg.ones(2), mg.tensor([0.0, 2.0]), 2.0).tolist()\n"
        "[0.0, 2.0]"),

    activation<&E::leaky_relu>(
        "leaky_relu(x, negative_slope: float = 0.01)",
        [](Vjp& v) { v.set(0, call<"leaky_relu_backward">(v.grad(), v.in(0), v.attrs.real(0))); },
        "x where x > 0, else negative_slope * x.\n\n"
        ">>> mg.leaky_relu(mg.tensor([-4.0, 2.0]), 0.25).tolist()\n"
        "[-1.0, 2.0]"),
    derivative<&E::leaky_relu_backward>(
        "leaky_relu_backward(g, x, negative_slope: float)",
        [](Vjp& v) {
          if (v.needs(0))
            set_summed(v, 0, call<"leaky_relu_backward">(v.grad(), v.in(1), v.attrs.real(0)));
        },
        "g where x > 0, else negative_slope * g.\n\n"
        ">>> _core.leaky_relu_backward(mg.ones(2), mg.tensor([-4.0, 2.0]), 0.25).tolist()\n"
        "[0.25, 1.0]"),

    activation<&E::sigmoid, 8>("sigmoid(x)", by_output<"sigmoid_backward">,
                               "1 / (1 + exp(-x)).\n\n"
                               ">>> mg.sigmoid(mg.tensor([0.0, 100.0])).tolist()\n"
                               "[0.5, 1.0]"),
    derivative<&E::sigmoid_backward>(
        "sigmoid_backward(g, y)",
        [](Vjp& v) {
          const Var &g = v.in(0), &y = v.in(1);
          if (v.needs(0)) set_summed(v, 0, call<"sigmoid_backward">(v.grad(), y));
          if (v.needs(1)) set_summed(v, 1, v.grad() * g * (1.0 - y * 2.0));
        },
        "g * y * (1 - y), y being the sigmoid.\n\n"
        ">>> _core.sigmoid_backward(mg.ones(1), mg.tensor([0.5])).tolist()\n"
        "[0.25]"),

    activation<&E::tanh, 5>("tanh(x)", by_output<"tanh_backward">,
                            "The hyperbolic tangent.\n\n"
                            ">>> mg.tanh(mg.tensor([0.0, 100.0])).tolist()\n"
                            "[0.0, 1.0]"),
    derivative<&E::tanh_backward>(
        "tanh_backward(g, y)",
        [](Vjp& v) {
          const Var &g = v.in(0), &y = v.in(1);
          if (v.needs(0)) set_summed(v, 0, call<"tanh_backward">(v.grad(), y));
          if (v.needs(1)) set_summed(v, 1, v.grad() * g * y * -2.0);
        },
        "g * (1 - y^2), y being the tanh.\n\n"
        ">>> _core.tanh_backward(mg.ones(1), mg.tensor([0.5])).tolist()\n"
        "[0.75]"),

    computed<ready_gelu<&E::gelu, &E::gelu_tanh>, 9>(
        {"gelu(x, approximate: bool = False)", infer_elementwise<&E::gelu>, nullptr,
         [](Vjp& v) { v.set(0, call<"gelu_backward">(v.grad(), v.in(0), v.attrs.flag(0))); },
         "x times the normal distribution function, x (1 + erf(x / sqrt 2)) / 2 (Hendrycks and "
         "Gimpel 2016); approximate=True: x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.\n\n"
         ">>> round(mg.gelu(mg.tensor([1.0])).item(), 4)\n"
         "0.8413",
         Promote::floating}),
    inner(computed<ready_gelu<&E::gelu_backward, &E::gelu_tanh_backward>, 10>(
        {"gelu_backward(g, x, approximate: bool)", infer_elementwise<&E::gelu_backward>, nullptr,
         [](Vjp& v) {
           const bool approximate = v.attrs.flag(0);
           if (v.needs(0)) set_summed(v, 0, call<"gelu_backward">(v.grad(), v.in(1), approximate));
           if (v.needs(1))
             set_summed(v, 1,
                        v.grad() * v.in(0) *
                            (approximate ? gelu_tanh_second(v.in(1)) : gelu_second(v.in(1))));
         },
         "g times the derivative of gelu at x.\n\n"
         ">>> _core.gelu_backward(mg.ones(1), mg.tensor([0.0]), False).tolist()\n"
         "[0.5]"})),

    activation<&E::silu, 9>("silu(x)", by_input<"silu_backward">,
                            "x * sigmoid(x), also known as swish.\n\n"
                            ">>> mg.silu(mg.tensor([0.0, 100.0])).tolist()\n"
                            "[0.0, 100.0]"),
    derivative<&E::silu_backward, 10>(
        "silu_backward(g, x)", [](Vjp& v) { curved<"silu_backward">(v, silu_second); },
        "g times the derivative of silu at x.\n\n"
        ">>> _core.silu_backward(mg.ones(1), mg.tensor([0.0])).tolist()\n"
        "[0.5]"),

    activation<&E::softplus, 14>("softplus(x)", by_input<"softplus_backward">,
                                 "log(1 + exp(x)).\n\n"
                                 ">>> round(mg.softplus(mg.tensor([0.0])).item(), 4)\n"
                                 "0.6931"),
    derivative<&E::softplus_backward, 8>(
        "softplus_backward(g, x)", [](Vjp& v) { curved<"softplus_backward">(v, softplus_second); },
        "g * sigmoid(x).\n\n"
        ">>> _core.softplus_backward(mg.ones(1), mg.tensor([0.0])).tolist()\n"
        "[0.5]"),

    activation<&E::elu, 8>(
        "elu(x, alpha: float = 1.0)",
        [](Vjp& v) { v.set(0, call<"elu_backward">(v.grad(), v.in(0), v.attrs.real(0))); },
        "x where x > 0, else alpha * (exp(x) - 1) (Clevert et al. 2015).\n\n"
        ">>> mg.elu(mg.tensor([-100.0, 2.0])).tolist()\n"
        "[-1.0, 2.0]"),
    derivative<&E::elu_backward, 4>(
        "elu_backward(g, x, alpha: float)",
        [](Vjp& v) { exponential_below<"elu_backward">(v, v.attrs.real(0)); },
        "g where x > 0, else g * alpha * exp(x).\n\n"
        ">>> _core.elu_backward(mg.ones(2), mg.tensor([0.0, 2.0]), 0.25).tolist()\n"
        "[0.25, 1.0]"),

    activation<&E::selu, 8>(
        "selu(x)", by_input<"selu_backward">,
        "1.0507 * elu(x, 1.6733): keeps mean 0 and variance 1 through deep dense networks "
        "(Klambauer et al. 2017).\n\n"
        ">>> round(mg.selu(mg.tensor([1.0])).item(), 4)\n"
        "1.0507"),
    derivative<&E::selu_backward, 4>(
        "selu_backward(g, x)", [](Vjp& v) { exponential_below<"selu_backward">(v); },
        "g times the derivative of selu at x.\n\n"
        ">>> round(_core.selu_backward(mg.ones(1), mg.tensor([1.0])).item(), 4)\n"
        "1.0507"),
};

}  // namespace

const Family activation_family(rows);

}  // namespace mg
