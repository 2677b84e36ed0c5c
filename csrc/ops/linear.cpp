// Linear layers: forward, with what usually follows, and the gradients of weight and bias.
#include "core/threads.h"
#include "ops/families.h"
#include "ops/product.h"
#include "ops/reduction.h"
#include "ops/strided.h"

namespace mg {
namespace {

void linear_infer(const Call& c) {
  const Array &x = c.in(0), &weight = c.in(1);
  need_floats("linear", x, "x");
  need_floats("linear", weight, "weight");
  if (weight.rank() != 2)
    fail<ValueError>("linear: weight must have the shape (out_features, in_features), got ",
                     weight.shape);
  if (x.rank() == 0)
    fail<ValueError>("linear: x must have a last dimension of ", weight.shape[1],
                     " features, got a number; give it the shape (", weight.shape[1],
                     ",) or (batch, ", weight.shape[1], ")");
  if (x.shape.back() != weight.shape[1])
    fail<ValueError>("linear: x of shape ", x.shape, " has ", x.shape.back(),
                     " features, but weight of shape ", weight.shape, " takes ", weight.shape[1],
                     "; give x a last dimension of ", weight.shape[1],
                     ", or the layer in_features=", x.shape.back());
  if (c.has(2) && c.in(2).shape != Dims{weight.shape[0]})
    fail<ValueError>("linear: bias of shape ", c.in(2).shape, " does not fit weight of shape ",
                     weight.shape, "; it needs the shape (", weight.shape[0], ",)");
  Dims out = x.shape;
  out[out.size() - 1] = weight.shape[0];
  c.make(x.dtype, out);
}

template <Activation After>
void linear_run_then(const Call& c, const Sink& sink) {
  const Array &x = c.in(0), &weight = c.in(1);
  const Array bias = c.has(2) ? dense(c.in(2)) : Array{};
  const Epilogue epilogue = {.bias = c.has(2) ? bias.raw() : nullptr, .activation = After};
  const Array turned =
      weight.view({weight.shape[1], weight.shape[0]}, {weight.strides[1], weight.strides[0]});
  multiply(x, turned, c.out(), epilogue, sink);
}

template <Activation After>
void linear_run(const Call& c) {
  linear_run_then<After>(c, {});
}

// The gradients of x, weight and bias, g being that of x @ weight.T + bias.
void affine_vjp(Vjp& v, const Var& g) {
  const Var &x = v.in(0), &weight = v.in(1);
  if (v.needs(0)) v.set(0, call<"matmul">(g, weight));
  const Var rows = reshaped(g, as_rows(g.shape()));
  const bool bias = v.count() > 2 && v.needs(2);
  if (v.needs(1) && bias) {
    auto [of_weight, of_bias] =
        call_all<"linear_weight_grad", 2>(rows, reshaped(x, as_rows(x.shape())));
    v.set(1, std::move(of_weight));
    v.set(2, std::move(of_bias));
  } else if (v.needs(1)) {
    v.set(1, call<"matmul">(transposed(rows), reshaped(x, as_rows(x.shape()))));
  } else if (bias) {
    v.set(2, call<"sum">(rows, Dims{0}, false));
  }
}

void linear_vjp(Vjp& v) { affine_vjp(v, v.grad()); }

void linear_relu_infer(const Call& c) {
  linear_infer(c);
  for (const int i : {1, 2})
    if (c.has(i)) need_same_dtype(c.name, c.in(i), i == 1 ? "weight" : "bias", c.in(0).dtype);
}

void linear_relu_vjp(Vjp& v) { affine_vjp(v, call<"relu_dropout_backward">(v.grad(), v.out())); }

// ---- gradients of weight and bias ---------------------------------------------------------------

void weight_grad_infer(const Call& c) {
  const Array &g = c.in(0), &x = c.in(1);
  need_floats(c.name, g, "g");
  need_same_dtype(c.name, x, "x", g.dtype);
  if (g.rank() != 2 || x.rank() != 2 || g.shape[0] != x.shape[0])
    fail<ValueError>(c.name, ": g must be (batch, out) and x (batch, in), got shapes ", g.shape,
                     " and ", x.shape);
  c.make(0, g.dtype, {g.shape[1], x.shape[1]});
  c.make(1, g.dtype, {g.shape[1]});
}

Gemm weight_grad_gemm(const Call& c, void* out) {
  const Array &g = c.in(0), &x = c.in(1);
  return gemm_of(g.view({g.shape[1], g.shape[0]}, {g.strides[1], g.strides[0]}), x, out);
}

void weight_grad_run(const Call& c) {
  const Array& g = c.in(0);
  Gemm gemm = weight_grad_gemm(c, c.out(0).raw());
  const bool sums = can_sum_rows(gemm, g.dtype);
  if (sums) gemm.row_sums = c.out(1).raw();
  // Optimizers cut the weight from front to back: what a thread wrote is in its cache still.
  gemm.cut_rows = gemm.m >= get_num_threads() * 16;
  run_gemm(gemm, g.dtype);
  if (!sums) fold_over(g, {true}, Fold::sum, c.out(1));
}

void weight_grad_run_to(const Call& c, const Sink& sink) {
  run_gemm_to(weight_grad_gemm(c, nullptr), c.in(0).dtype, sink);
  fold_over(c.in(0), {true}, Fold::sum, c.out(1));
}

void weight_grad_vjp(Vjp& v) {
  const Var &g = v.in(0), &x = v.in(1), &of_weight = v.grad(0), &of_bias = v.grad(1);
  if (v.needs(0)) {
    if (!of_weight)
      v.set(0, expand_to(of_bias, g.shape()));
    else
      v.set(0, call<"linear">(x, of_weight, of_bias));
  }
  if (v.needs(1) && of_weight) v.set(1, call<"matmul">(g, of_weight));
}

double weight_grad_flops(const Call& c) {
  return static_cast<double>(c.in(0).numel()) * (2.0 * static_cast<double>(c.in(1).shape[1]) + 1);
}

constexpr Row rows[] = {
    then<linear_run_then<Activation::none>>(
        {"linear(x, weight, bias?)", linear_infer, linear_run<Activation::none>, linear_vjp,
         "x @ weight.T + bias for x (..., in), weight (out, in) and bias (out,): (..., out).\n\n"
         "Raises ValueError if the features of x are not those that weight takes.\n\n"
         ">>> mg.linear(mg.tensor([1.0, 2.0]), mg.tensor([[3.0, 4.0]]), "
         "mg.tensor([0.5])).tolist()\n"
         "[11.5]\n",
         Promote::any, 1, 0, 0, product_flops}),
    inner(then<linear_run_then<Activation::relu>>(
        {"linear_relu(x, weight, bias?)", linear_relu_infer, linear_run<Activation::relu>,
         linear_relu_vjp,
         "relu(linear(x, weight, bias)) in one pass.\n\n"
         ">>> _core.linear_relu(mg.ones(1, 2), mg.tensor([[1.0, 1.0], [-1.0, -1.0]])).tolist()\n"
         "[[2.0, 0.0]]",
         Promote::none, 1, 0, 0, product_flops})),
    inner({"linear_weight_grad(g, x)", weight_grad_infer, weight_grad_run, weight_grad_vjp,
           "The gradients of a linear layer's weight, g.T @ x, and bias, the sum of g's rows, for "
           "g (batch, out) and x (batch, in).\n\n"
           ">>> weight, bias = _core.linear_weight_grad(mg.ones(3, 1), mg.ones(3, 2))\n"
           ">>> weight.tolist(), bias.tolist()\n"
           "([[3.0, 3.0]], [3.0])",
           Promote::none, 2, 0, 0, weight_grad_flops, nullptr, nullptr, weight_grad_run_to}),
};

}  // namespace

const Family linear_family = rows;

}  // namespace mg
