// Layer norm, and its backward as one more op.
#include <algorithm>

#include "core/threads.h"
#include "kernels/kernels.h"
#include "ops/families.h"
#include "ops/norm.h"
#include "ops/strided.h"

namespace mg {
namespace {

// Attributes: normalized_shape, eps.
void check_layer_shape(const Call& c, const Array& x) {
  const Dims& tail = c.attrs.list(0);
  bool fits = tail.size() > 0 && tail.size() <= x.rank();
  for (int i = 0; fits && i < tail.size(); ++i)
    fits = tail[i] == x.shape[x.rank() - tail.size() + i];
  if (!fits)
    fail<ValueError>(c.name, ": normalized_shape ", tail,
                     " must be the last sizes of the input, whose "
                     "shape is ",
                     x.shape);
}
int64_t layer_rows(const Array& x, const Dims& tail) {
  int64_t rows = 1;
  for (int i = 0; i < x.rank() - tail.size(); ++i) rows *= x.shape[i];
  return rows;
}

void infer_layer_norm(const Call& c) {
  const Array& x = c.in(0);
  check_input(c, x);
  check_layer_shape(c, x);
  check_parameter(c, 1, "weight", c.attrs.list(0), x.dtype);
  check_parameter(c, 2, "bias", c.attrs.list(0), x.dtype);
  if (!(c.attrs.real(1) >= 0))
    fail<ValueError>(c.name, ": eps must be >= 0, got ", c.attrs.real(1));
  const int64_t rows = layer_rows(x, c.attrs.list(0));
  c.make(0, x.dtype, x.shape);
  c.make(1, x.dtype, {rows});
  c.make(2, x.dtype, {rows});
}
void run_layer_norm(const Call& c) {
  const Array x = dense(c.in(0));
  const Dims& tail = c.attrs.list(0);
  const Array weight = parameter_or(c, 1, tail, x.dtype, 1),
              bias = parameter_or(c, 2, tail, x.dtype, 0);
  const int64_t n = product(tail), item = item_size(x.dtype);
  parallel_for(layer_rows(x, tail), 1 + 16384 / std::max<int64_t>(n, 1), [&](int64_t b, int64_t e) {
    kernels().norm.layer_norm[index(x.dtype)](
        x.data<char>() + b * n * item, e - b, n, weight.raw(), bias.raw(), c.attrs.real(1),
        c.out(0).data<char>() + b * n * item, c.out(1).data<char>() + b * item,
        c.out(2).data<char>() + b * item);
  });
}
void vjp_layer_norm(Vjp& v) {
  const auto g = call_all<"layer_norm_backward", 3>(v.grad(), v.in(0), v.in(1), v.out(1), v.out(2),
                                                    v.attrs.list(0), v.attrs.real(1));
  for (int i = 0; i < 3; ++i)
    if (v.needs(i)) v.set(i, g[i]);
}

// Inputs: grad, x, weight, mean, rstd. Attributes as before.
void infer_layer_norm_backward(const Call& c) {
  const Array& x = c.in(1);
  check_input(c, x);
  check_layer_shape(c, x);
  if (!(c.in(0).shape == x.shape) || c.in(0).dtype != x.dtype)
    fail<ValueError>(c.name, ": grad must be as x of shape ", x.shape, ", got ", c.in(0).shape);
  const Dims rows{layer_rows(x, c.attrs.list(0))};
  check_parameter(c, 2, "weight", c.attrs.list(0), x.dtype);
  check_parameter(c, 3, "mean", rows, x.dtype);
  check_parameter(c, 4, "rstd", rows, x.dtype);
  c.make(0, x.dtype, x.shape);
  c.make(1, x.dtype, c.attrs.list(0));
  c.make(2, x.dtype, c.attrs.list(0));
}
void run_layer_norm_backward(const Call& c) {
  const Array grad = dense(c.in(0)), x = dense(c.in(1)), mean = dense(c.in(3)),
              rstd = dense(c.in(4));
  const Dims& tail = c.attrs.list(0);
  const Array weight = parameter_or(c, 2, tail, x.dtype, 1);
  const Norm& k = kernels().norm;
  const int d = index(x.dtype);
  const int64_t rows = layer_rows(x, tail), n = product(tail), item = item_size(x.dtype);
  parallel_for(rows, 1 + 16384 / std::max<int64_t>(n, 1), [&](int64_t b, int64_t e) {
    k.layer_norm_backward[d](grad.data<char>() + b * n * item, x.data<char>() + b * n * item,
                             mean.data<char>() + b * item, rstd.data<char>() + b * item,
                             weight.raw(), e - b, n, c.out(0).data<char>() + b * n * item);
  });
  parallel_for(
      n, 1 + 16384 / std::max<int64_t>(rows, 1),
      [&](int64_t b, int64_t e) {
        k.layer_norm_weights[d](grad.raw(), x.raw(), mean.raw(), rstd.raw(), rows, n, b, e,
                                c.out(1).raw(), c.out(2).raw());
      },
      64);
}
void vjp_layer_norm_backward(Vjp& v) {
  NormGroups groups;
  const Dims &shape = v.in(1).shape(), &tail = v.attrs.list(0);
  groups.parameter = tail;
  for (int i = 0; i < shape.size(); ++i)
    (i < shape.size() - tail.size() ? groups.weights : groups.statistics).push_back(i);
  vjp_of_norm_backward(v, groups, v.attrs.real(1));
}

const Row rows[] = {
    {"layer_norm(x, normalized_shape: ints, weight?, bias?, eps: float = 1e-05)", infer_layer_norm,
     run_layer_norm, vjp_layer_norm,
     "(x - mean) / sqrt(var + eps) * weight + bias, with mean and biased variance over the "
     "last dimensions, whose sizes are normalized_shape.\n\n"
     ">>> mg.layer_norm(mg.tensor([[1.0, 3.0], [5.0, 5.0]]), (2,), eps=1e-12).tolist()\n"
     "[[-1.0, 1.0], [0.0, 0.0]]",
     Promote::none, 3, 0, 2},
    inner({"layer_norm_backward(grad, x, weight?, mean, rstd, normalized_shape: ints, eps: float)",
           infer_layer_norm_backward, run_layer_norm_backward, vjp_layer_norm_backward,
           "The gradients of layer_norm for x, weight and bias. rstd is 1 / sqrt(var + eps).\n\n"
           ">>> x, mean, rstd = mg.tensor([[1.0, 3.0]]), mg.tensor([2.0]), mg.ones(1)\n"
           ">>> gx, gw, gb = _core.layer_norm_backward(x, x, None, mean, rstd, (2,), 0.0)\n"
           ">>> gx.tolist(), gw.tolist(), gb.tolist()\n"
           "([[0.0, 0.0]], [-1.0, 3.0], [1.0, 3.0])",
           Promote::none, 3}),
};

}  // namespace

const Family layer_norm_family(rows);

}  // namespace mg
