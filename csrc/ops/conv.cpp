// 2-d convolution and its two gradients: three ops, each linear in both of its tensors, and each
// the gradient of the other two, so that derivatives of any order are these three again.
#include "core/threads.h"
#include "kernels/kernels.h"
#include "ops/conv_pass.h"
#include "ops/families.h"
#include "ops/strided.h"
#include "ops/window.h"

namespace mg {
namespace {

// The shape of a convolution, or an error that says which size is wrong. The attributes stride,
// padding, dilation, groups start at `first`.
ConvShape conv_shape(const Call& c, const Dims& x, const Dims& weight, int first) {
  if (x.size() != 4)
    fail<ValueError>(c.name, ": x must be (images, channels, height, width), got shape ", x,
                     x.size() == 3 ? "; x.unsqueeze(0) makes one image a batch" : "");
  if (weight.size() != 4)
    fail<ValueError>(c.name, ": weight must be (filters, channels / groups, height, width), got ",
                     "shape ", weight);
  for (int i = 1; i < 4; ++i)
    if (x[i] == 0) fail<ValueError>(c.name, ": x of shape ", x, " may have size 0 only in dim 0");
  for (int64_t n : weight)
    if (n == 0) fail<ValueError>(c.name, ": weight of shape ", weight, " has a size of 0");

  const Pair stride = pair_of(c.attrs.list(first), 1, c.name, "stride");
  const Pair pad = pair_of(c.attrs.list(first + 1), 0, c.name, "padding");
  const Pair dilation = pair_of(c.attrs.list(first + 2), 1, c.name, "dilation");
  const int64_t groups = c.attrs.integer(first + 3);
  if (groups < 1 || x[1] % groups != 0 || weight[0] % groups != 0)
    fail<ValueError>(c.name, ": groups = ", groups, " must divide the ", x[1],
                     " channels of x (shape ", x, ") and the ", weight[0],
                     " filters of weight (shape ", weight, ")");
  if (weight[1] != x[1] / groups)
    fail<ValueError>(c.name, ": x of shape ", x, " has ", x[1] / groups,
                     groups > 1 ? " channels a group" : " channels", ", but weight of shape ",
                     weight, " is made for ", weight[1], "; weight must have shape (", weight[0],
                     ", ", x[1] / groups, ", ", weight[2], ", ", weight[3], ")");
  ConvShape s{};
  s.images = x[0];
  s.channels = x[1];
  s.height = x[2];
  s.width = x[3];
  s.filters = weight[0];
  s.kernel_h = weight[2];
  s.kernel_w = weight[3];
  s.out_h = window_count(x[2], weight[2], stride.h, pad.h, dilation.h, c.name, "height");
  s.out_w = window_count(x[3], weight[3], stride.w, pad.w, dilation.w, c.name, "width");
  s.stride_h = stride.h;
  s.stride_w = stride.w;
  s.pad_h = pad.h;
  s.pad_w = pad.w;
  s.dilation_h = dilation.h;
  s.dilation_w = dilation.w;
  s.groups = groups;
  return s;
}

// The two tensors of a call are float32 or float64, both the same.
void require_floats(const Call& c, const char* a, const char* b) {
  const DType x = c.in(0).dtype, y = c.in(1).dtype;
  if (!is_float(x) || x != y)
    fail<TypeError>(c.name, ": ", a, " is ", name(x), " and ", b, " is ", name(y),
                    "; both must be float32, or both float64");
}

void require_output(const Call& c, const Dims& grad, const ConvShape& s) {
  const Dims expected{s.images, s.filters, s.out_h, s.out_w};
  if (!(grad == expected))
    fail<ValueError>(c.name, ": g has shape ", grad, " where the convolution gives ", expected);
}

// ---- conv2d(x, weight, bias?) -------------------------------------------------------------------

void infer_conv(const Call& c) {
  require_floats(c, "x", "weight");
  const ConvShape s = conv_shape(c, c.in(0).shape, c.in(1).shape, 0);
  if (c.has(2)) {
    if (!(c.in(2).shape == Dims{s.filters}))
      fail<ValueError>(c.name, ": bias must have shape (", s.filters, ",), one number a filter of ",
                       "weight (shape ", c.in(1).shape, "), got ", c.in(2).shape);
    if (c.in(2).dtype != c.in(0).dtype)
      fail<TypeError>(c.name, ": bias is ", name(c.in(2).dtype), ", x ", name(c.in(0).dtype),
                      "; both must have the same dtype");
  }
  c.make(c.in(0).dtype, {s.images, s.filters, s.out_h, s.out_w});
}

template <bool Relu>
void run_conv_then(const Call& c, const Sink& sink) {
  const ConvShape s = conv_shape(c, c.in(0).shape, c.in(1).shape, 0);
  const Array x = dense(c.in(0)), weight = dense(c.in(1));
  const Array bias = c.has(2) ? dense(c.in(2)) : Array();
  const int t = index(x.dtype);
  run_pass(kernels().conv.forward[t](s), s, x.raw(), c.has(2) ? bias.raw() : nullptr, weight.raw(),
           c.out().raw(), {.relu = Relu, .then = sink});
}

template <bool Relu>
void run_conv(const Call& c) {
  run_conv_then<Relu>(c, {});
}

// The gradients of x, weight and bias, g being that of the convolution.
void convolution_vjp(Vjp& v, const Var& g) {
  const Attrs& a = v.attrs;
  const Dims &x = v.in(0).shape(), &w = v.in(1).shape();
  if (v.needs(0))
    v.set(0, call<"conv2d_input_grad">(g, v.in(1), x[2], x[3], a.list(0), a.list(1), a.list(2),
                                       a.integer(3)));
  if (v.needs(1)) {
    const auto of = call_all<"conv2d_weight_grad", 2>(g, v.in(0), w[2], w[3], a.list(0), a.list(1),
                                                      a.list(2), a.integer(3));
    v.set(1, of[0]);
    if (v.needs(2)) v.set(2, of[1]);
  } else if (v.needs(2)) {
    v.set(2, call<"sum">(g, Dims{0, 2, 3}, false));
  }
}

void conv_vjp(Vjp& v) { convolution_vjp(v, v.grad()); }
void conv_relu_vjp(Vjp& v) { convolution_vjp(v, call<"relu_dropout_backward">(v.grad(), v.out())); }

// ---- conv2d_input_grad(g, weight) ---------------------------------------------------------------

ConvShape input_grad_shape(const Call& c) {
  const Dims &g = c.in(0).shape, &w = c.in(1).shape;
  if (g.size() != 4 || w.size() != 4)
    fail<ValueError>(c.name, ": g and weight must have 4 dimensions, got shapes ", g, " and ", w);
  const Dims x{g[0], w[1] * c.attrs.integer(5), c.attrs.integer(0), c.attrs.integer(1)};
  const ConvShape s = conv_shape(c, x, w, 2);
  require_output(c, g, s);
  return s;
}

void infer_input_grad(const Call& c) {
  require_floats(c, "g", "weight");
  const ConvShape s = input_grad_shape(c);
  c.make(c.in(0).dtype, {s.images, s.channels, s.height, s.width});
}

void run_input_grad(const Call& c, const ConvFinish& finish) {
  const ConvShape s = input_grad_shape(c);
  const Array g = dense(c.in(0)), weight = dense(c.in(1));
  const int t = index(g.dtype);
  run_pass(kernels().conv.input_grad[t](s), s, g.raw(), nullptr, weight.raw(), c.out().raw(),
           finish);
}

void run_input_grad(const Call& c) { run_input_grad(c, {}); }

void run_input_grad_then(const Call& c, const Sink& sink) { run_input_grad(c, {.then = sink}); }

// The gradients of g and weight, `grad` being that of the convolution's input.
void input_grad_vjp(Vjp& v, const Var& grad) {
  const Attrs& a = v.attrs;
  const Dims& w = v.in(1).shape();
  if (v.needs(0))
    v.set(0, call<"conv2d">(grad, v.in(1), Var{}, a.list(2), a.list(3), a.list(4), a.integer(5)));
  if (v.needs(1))
    v.set(1, call_all<"conv2d_weight_grad", 2>(v.in(0), grad, w[2], w[3], a.list(2), a.list(3),
                                               a.list(4), a.integer(5))[0]);
}

void input_grad_vjp(Vjp& v) { input_grad_vjp(v, v.grad()); }

// ---- The same, and back through y = dropout(relu(.)) --------------------------------------------

void infer_input_grad_relu(const Call& c) {
  infer_input_grad(c);
  if (!(c.in(2).shape == c.out().shape) || c.in(2).dtype != c.out().dtype)
    fail<ValueError>(c.name, ": y is ", name(c.in(2).dtype), " of shape ", c.in(2).shape,
                     ", the gradient ", name(c.out().dtype), " of shape ", c.out().shape,
                     "; y must be what the gradient is of");
}

void run_input_grad_relu(const Call& c) {
  const Array y = dense(c.in(2));
  run_input_grad(c, {.kept = y.raw(), .scale = c.attrs.real(6)});
}

void input_grad_relu_vjp(Vjp& v) {
  input_grad_vjp(v, call<"relu_dropout_backward">(v.grad(), v.in(2), v.attrs.real(6)));
}

// ---- conv2d_weight_grad(g, x) -------------------------------------------------------------------

ConvShape weight_grad_shape(const Call& c) {
  const Dims &g = c.in(0).shape, &x = c.in(1).shape;
  const int64_t groups = c.attrs.integer(5);
  if (g.size() != 4 || x.size() != 4 || groups < 1)
    fail<ValueError>(c.name, ": g and x must have 4 dimensions and groups be at least 1, got ",
                     "shapes ", g, " and ", x, " and groups = ", groups);
  const Dims w{g[1], x[1] / groups, c.attrs.integer(0), c.attrs.integer(1)};
  const ConvShape s = conv_shape(c, x, w, 2);
  require_output(c, g, s);
  return s;
}

void infer_weight_grad(const Call& c) {
  require_floats(c, "g", "x");
  const ConvShape s = weight_grad_shape(c);
  c.make(0, c.in(0).dtype, {s.filters, s.channels / s.groups, s.kernel_h, s.kernel_w});
  c.make(1, c.in(0).dtype, {s.filters});
}

void run_weight_grad(const Call& c) {
  const ConvShape s = weight_grad_shape(c);
  const Array g = dense(c.in(0)), x = dense(c.in(1));
  const int t = index(g.dtype);
  const ConvWeightPass& pass = kernels().conv.weight_grad[t](s);
  const ConvSizes sizes = pass.sizes(s);
  const int64_t panels = s.groups * sizes.panels;
  Buffer sums(sizes.sums_bytes);
  run_pass(pass, s, x.raw(), g.raw(), nullptr, sums.data());
  parallel_for(panels, 1 + panels / 16, [&](int64_t begin, int64_t end) {
    pass.join(s, sums.data(), c.out(0).raw(), c.out(1).raw(), begin, end);
  });
}

void weight_grad_vjp(Vjp& v) {
  const Attrs& a = v.attrs;
  const Var &g = v.in(0), &x = v.in(1), &of_weight = v.grad(0), &of_bias = v.grad(1);
  if (v.needs(0)) {
    if (of_weight)
      v.set(0,
            call<"conv2d">(x, of_weight, of_bias, a.list(2), a.list(3), a.list(4), a.integer(5)));
    else
      v.set(0, expand_to(call<"reshape">(of_bias, Dims{g.shape()[1], 1, 1}), g.shape()));
  }
  if (v.needs(1) && of_weight)
    v.set(1, call<"conv2d_input_grad">(g, of_weight, x.shape()[2], x.shape()[3], a.list(2),
                                       a.list(3), a.list(4), a.integer(5)));
}

const Row rows[] = {
    then<run_conv_then<false>>(
        {"conv2d(x, weight, bias?, stride: ints = 1, padding: ints = 0, dilation: ints = 1, "
         "groups: int = 1)",
         infer_conv, run_conv<false>, conv_vjp,
         "The convolution (without flipping, as in PyTorch) of x (images, channels, height, "
         "width) with weight (filters, channels / groups, kernel height, kernel width), plus "
         "bias (filters,): (images, filters, out height, out width), where out = (size + 2 * "
         "padding - dilation * (kernel - 1) - 1) // stride + 1. Kernels of 3 by 3 with stride 1 "
         "and at least 8 channels and filters go by Winograd's F(2x2, 3x3) where it is faster: no "
         "less accurate, but a window with an infinity may give NaN.\n\n"
         ">>> mg.conv2d(mg.ones(1, 1, 3, 3), mg.ones(2, 1, 2, 2), padding=1).shape\n"
         "(1, 2, 4, 4)",
         Promote::none, 1, 0, 0,
         [](const Call& c) { return conv_flops(conv_shape(c, c.in(0).shape, c.in(1).shape, 0)); }}),

    inner(then<run_conv_then<true>>(
        {"conv2d_relu(x, weight, bias?, stride: ints = 1, padding: ints = 0, dilation: ints = 1, "
         "groups: int = 1)",
         infer_conv, run_conv<true>, conv_relu_vjp,
         "relu(conv2d(...)) in one pass.\n\n"
         ">>> _core.conv2d_relu(mg.ones(1, 1, 2, 2), -mg.ones(1, 1, 2, 2), None).tolist()\n"
         "[[[[0.0]]]]",
         Promote::none, 1, 0, 0,
         [](const Call& c) {
           return conv_flops(conv_shape(c, c.in(0).shape, c.in(1).shape, 0));
         }})),

    inner(then<run_input_grad_then>(
        {"conv2d_input_grad(g, weight, height: int, width: int, stride: ints = 1, padding: ints "
         "= 0, "
         "dilation: ints = 1, groups: int = 1)",
         infer_input_grad, run_input_grad, input_grad_vjp,
         "The gradient of conv2d by x, of the given height and width, for gradient g of its "
         "output; also the transposed convolution of g.\n\n"
         ">>> _core.conv2d_input_grad(mg.ones(1, 1, 2, 2), mg.ones(1, 1, 2, 2), 3, 3).tolist()\n"
         "[[[[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]]]",
         Promote::none, 1, 0, 0, [](const Call& c) { return conv_flops(input_grad_shape(c)); }})),

    inner(
        {"conv2d_input_grad_relu_backward(g, weight, y, height: int, width: int, stride: ints = 1, "
         "padding: ints = 0, dilation: ints = 1, groups: int = 1, scale: float = 1.0)",
         infer_input_grad_relu, run_input_grad_relu, input_grad_relu_vjp,
         "relu_dropout_backward(conv2d_input_grad(g, weight, ...), y, scale) in one pass.\n\n"
         ">>> g, w, y = mg.ones(1, 1, 1, 1), mg.ones(1, 1, 2, 2), mg.tensor([[[[0.0, 1.0], "
         "[1.0, 0.0]]]])\n"
         ">>> _core.conv2d_input_grad_relu_backward(g, w, y, 2, 2).tolist()\n"
         "[[[[0.0, 1.0], [1.0, 0.0]]]]",
         Promote::none, 1, 0, 0, [](const Call& c) { return conv_flops(input_grad_shape(c)); }}),

    inner({"conv2d_weight_grad(g, x, kernel_height: int, kernel_width: int, stride: ints = 1, "
           "padding: ints = 0, dilation: ints = 1, groups: int = 1)",
           infer_weight_grad, run_weight_grad, weight_grad_vjp,
           "The gradients of conv2d by weight, of the given kernel size, and by bias, for gradient "
           "g of "
           "its output.\n\n"
           ">>> weight, bias = _core.conv2d_weight_grad(mg.ones(1, 1, 2, 2), mg.ones(1, 1, 3, 3), "
           "2, 2)\n"
           ">>> weight.tolist(), bias.tolist()\n"
           "([[[[4.0, 4.0], [4.0, 4.0]]]], [4.0])",
           Promote::none, 2, 0, 0, [](const Call& c) { return conv_flops(weight_grad_shape(c)); }}),
};

}  // namespace

const Family conv_family(rows);

}  // namespace mg
