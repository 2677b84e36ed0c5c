// Two linear layers and the relu between them as one op, where the layer between is wide, what goes
// in narrow and what comes out one number; and the gradients of their weights and biases.
#include "core/threads.h"
#include "kernels/kernels.h"
#include "ops/families.h"
#include "ops/product.h"
#include "ops/reduction.h"

namespace mg {
namespace {

constexpr int64_t enough_work = 128 * 1024;  // multiply-adds worth a thread
constexpr int64_t align = 64;

void need_shape(const Call& c, int i, const char* what, const Dims& shape) {
  need_same_dtype(c.name, c.in(i), what, c.in(0).dtype);
  if (!(c.in(i).shape == shape))
    fail<ValueError>(c.name, ": ", what, " has shape ", c.in(i).shape, ", expected ", shape);
}

// Rows, features and units that the kernels take.
void need_sizes(const Call& c, const Array& x, int64_t units) {
  if (x.rank() != 2 || x.shape[1] < 1 || x.shape[1] > few_features || units < many_units)
    fail<ValueError>(c.name, ": takes x (batch, features) of 1 to ", few_features, " features and ",
                     many_units, " hidden units or more, got x of shape ", x.shape, " and ", units,
                     " units; call linear twice");
}

// ---- forwards -----------------------------------------------------------------------------------

void forward_infer(const Call& c) {
  const Array &x = c.in(0), &weight1 = c.in(1);
  need_floats(c.name, x, "x");
  const int64_t units = weight1.rank() ? weight1.shape[0] : 0;
  need_sizes(c, x, units);
  need_shape(c, 1, "weight1", {units, x.shape[1]});
  need_shape(c, 2, "bias1", {units});
  need_shape(c, 3, "weight2", {1, units});
  need_shape(c, 4, "bias2", {1});
  c.make(x.dtype, {x.shape[0], 1});
}

void stored_infer(const Call& c) {
  forward_infer(c);
  c.make(1, c.in(0).dtype, {c.in(0).shape[0], c.in(1).shape[0]});
}

// With the hidden layer as the second output, if there is one.
void forward_run(const Call& c) {
  const Array x = dense(c.in(0)), weight1 = dense(c.in(1)), bias1 = dense(c.in(2));
  const Array weight2 = dense(c.in(3));
  const int t = index(x.dtype);
  const int64_t rows = x.shape[0], features = x.shape[1], units = bias1.numel();
  const int64_t item = item_size(x.dtype);
  const auto& kernel = kernels().hidden;
  const bool stored = c.outputs.size() > 1;
  const int64_t row = (units + align - 1) / align * align;
  const Array turned = features == 1 ? weight1 : Array::dense(x.dtype, {features, row});
  if (features > 1) kernel.turn[t](weight1.raw(), units, features, turned.raw(), row);
  const int64_t grain = 1 + enough_work / (units * (features + 1));
  parallel_for(rows, grain, [&](int64_t begin, int64_t end) {
    kernel.forward[t]({end - begin, features, units, x.data<char>() + begin * features * item,
                       turned.raw(), row, bias1.raw(), weight2.raw(), c.in(4).raw(),
                       c.out().data<char>() + begin * item,
                       stored ? c.out(1).data<char>() + begin * units * item : nullptr});
  });
}

// `g` is the gradient of the output, or null; `more` another one of the hidden layer, or null.
void both_layers_vjp(Vjp& v, const Var& hidden, const Var& g, const Var& more) {
  const Var& x = v.in(0);
  if (g && (v.needs(3) || v.needs(4))) {
    auto [weight2, bias2] = call_all<"linear_weight_grad", 2>(g, hidden);
    if (v.needs(3)) v.set(3, std::move(weight2));
    if (v.needs(4)) v.set(4, std::move(bias2));
  }
  Var back = g ? call<"matmul">(g, v.in(3)) : more;
  if (g && more) back = back + more;
  back = call<"relu_dropout_backward">(back, hidden, 1.0);
  if (v.needs(0)) v.set(0, call<"matmul">(back, v.in(1)));
  if (!v.needs(1) && !v.needs(2)) return;
  auto [weight1, bias1] = call_all<"linear_weight_grad", 2>(back, x);
  if (v.needs(1)) v.set(1, std::move(weight1));
  if (v.needs(2)) v.set(2, std::move(bias1));
}

void forward_vjp(Vjp& v) {
  const Var hidden = call<"linear_relu">(v.in(0), v.in(1), v.in(2));
  both_layers_vjp(v, hidden, v.grad(), Var{});
}

void stored_vjp(Vjp& v) { both_layers_vjp(v, v.out(1), v.grad(0), v.grad(1)); }

double forward_flops(const Call& c) {
  const double rows = static_cast<double>(c.in(0).shape[0]);
  return rows * static_cast<double>(2 * c.in(1).numel() + 4 * c.in(3).numel());
}

// ---- the gradients of weights and biases --------------------------------------------------------

void backward_infer(const Call& c) {
  const Array &g = c.in(0), &x = c.in(1), &hidden = c.in(2);
  need_floats(c.name, g, "g");
  const int64_t units = hidden.rank() == 2 ? hidden.shape[1] : 0;
  need_sizes(c, x, units);
  const int64_t rows = x.shape[0];
  need_shape(c, 0, "g", {rows, 1});
  need_same_dtype(c.name, x, "x", g.dtype);
  need_shape(c, 2, "hidden", {rows, units});
  need_shape(c, 3, "weight2", {1, units});
  c.make(0, g.dtype, {units, x.shape[1]});
  c.make(1, g.dtype, {units});
  c.make(2, g.dtype, {1, units});
  c.make(3, g.dtype, {1});
}

void backward_run(const Call& c) {
  const Array& g = c.in(0);
  const Array gradient = dense(g), x = dense(c.in(1)), hidden = dense(c.in(2));
  const Array weight2 = dense(c.in(3));
  const int t = index(g.dtype);
  const int64_t rows = x.shape[0], features = x.shape[1], units = hidden.shape[1];
  const int64_t item = item_size(g.dtype);
  const auto at = [&](const Array& a, int64_t i) { return a.data<char>() + i * item; };
  const int64_t grain = enough_work / (rows * (features + 2) + 1);
  parallel_for(
      units, grain < align ? align : grain,
      [&](int64_t begin, int64_t end) {
        kernels().hidden.backward[t]({rows, features, end - begin, gradient.raw(), x.raw(),
                                      at(hidden, begin), units, at(weight2, begin), c.attrs.real(0),
                                      at(c.out(0), begin * features), at(c.out(1), begin),
                                      at(c.out(2), begin)});
      },
      align);
  fold_over(g, {true}, Fold::sum, c.out(3));
}

// What flows back from the four results comes together at the hidden layer.
void backward_vjp(Vjp& v) {
  const Var &g = v.in(0), &x = v.in(1), &hidden = v.in(2), &weight2 = v.in(3);
  const double scale = v.attrs.real(0);
  const Var &to_weight1 = v.grad(0), &to_bias1 = v.grad(1), &to_weight2 = v.grad(2);
  Var to_back;
  if (to_weight1)
    to_back = call<"linear">(x, to_weight1, to_bias1);
  else if (to_bias1)
    to_back = expand_to(to_bias1, hidden.shape());
  if (to_back) to_back = call<"relu_dropout_backward">(to_back, hidden, scale);
  if (v.needs(0)) {
    Var to_g = v.grad(3) ? expand_to(v.grad(3), g.shape()) : Var{};
    const auto add = [&](const Var& more) { to_g = to_g ? to_g + more : more; };
    if (to_back) add(call<"matmul">(to_back, transposed(weight2)));
    if (to_weight2) add(call<"matmul">(hidden, transposed(to_weight2)));
    if (to_g) v.set(0, to_g);
  }
  if (v.needs(1) && to_weight1) {
    const Var back = call<"relu_dropout_backward">(call<"matmul">(g, weight2), hidden, scale);
    v.set(1, call<"matmul">(back, to_weight1));
  }
  if (v.needs(2) && to_weight2) v.set(2, call<"matmul">(g, to_weight2));
  if (v.needs(3) && to_back) v.set(3, call<"matmul">(transposed(g), to_back));
}

double backward_flops(const Call& c) {
  return static_cast<double>(c.in(2).numel()) * (2.0 * static_cast<double>(c.in(1).shape[1]) + 5);
}

constexpr Row rows[] = {
    inner(
        {"linear_relu_linear(x, weight1, bias1, weight2, bias2)", forward_infer, forward_run,
         forward_vjp,
         "linear(relu(linear(x, weight1, bias1)), weight2, bias2) in one pass, without the hidden "
         "layer in memory: for x (batch, 1 to 4), 64 hidden units or more and one output.\n\n"
         ">>> x, first, second = mg.ones(1, 2), mg.ones(64, 2), mg.ones(1, 64)\n"
         ">>> _core.linear_relu_linear(x, first, mg.zeros(64), second, mg.zeros(1)).tolist()\n"
         "[[128.0]]",
         Promote::none, 1, 0, 0, forward_flops}),
    inner({"linear_relu_linear_stored(x, weight1, bias1, weight2, bias2)", stored_infer,
           forward_run, stored_vjp,
           "linear_relu_linear, and the hidden layer that it went through.\n\n"
           ">>> x, first, second = mg.ones(1, 2), mg.ones(64, 2), mg.ones(1, 64)\n"
           ">>> y, hidden = _core.linear_relu_linear_stored(x, first, mg.zeros(64), second, "
           "mg.zeros(1))\n"
           ">>> y.item(), hidden.shape\n"
           "(128.0, (1, 64))",
           Promote::none, 2, 0, 0, forward_flops}),
    inner(
        {"linear_relu_linear_grad(g, x, hidden, weight2, scale: float = 1.0)", backward_infer,
         backward_run, backward_vjp,
         "The gradients of weight1, bias1, weight2 and bias2 in linear(hidden, weight2, bias2), "
         "hidden "
         "= dropout(relu(linear(x, weight1, bias1))), in one pass; g is that of the output, and "
         "scale "
         "what dropout multiplied by.\n\n"
         ">>> g, x, hidden, second = mg.ones(1, 1), mg.ones(1, 2), mg.ones(1, 64), mg.ones(1, 64)\n"
         ">>> [part.shape for part in _core.linear_relu_linear_grad(g, x, hidden, second)]\n"
         "[(64, 2), (64,), (1, 64), (1,)]",
         Promote::none, 4, 0, 0, backward_flops}),
};

}  // namespace

const Family hidden_family = rows;

}  // namespace mg
