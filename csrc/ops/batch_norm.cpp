// Batch norm, and its backward as one more op.
#include <algorithm>
#include <cmath>

#include "core/threads.h"
#include "kernels/kernels.h"
#include "ops/families.h"
#include "ops/norm.h"
#include "ops/strided.h"

namespace mg {
namespace {

ChannelRange channels_of(const Dims& shape) {
  ChannelRange r{shape[0], shape[1], 1, 0, shape[1]};
  for (int i = 2; i < shape.size(); ++i) r.size *= shape[i];
  return r;
}
// f(range) over blocks of channels: one channel of images, or neighbours that share cache lines, at
// a time, so that what one pass read is still near for the next.
template <class F>
void each_channel_block(const ChannelRange& all, F&& f) {
  const int64_t step = all.size == 1 ? 64 : 1, blocks = (all.channels + step - 1) / step;
  const int64_t work = all.images * all.size * step;
  parallel_for(blocks, 1 + 16384 / std::max<int64_t>(work, 1), [&](int64_t first, int64_t last) {
    for (int64_t b = first; b < last; ++b) {
      ChannelRange r = all;
      r.begin = b * step;
      r.end = std::min(r.begin + step, all.channels);
      f(r);
    }
  });
}

// Attributes: training, momentum, eps.
void infer_batch_norm(const Call& c) {
  const Array& x = c.in(0);
  check_input(c, x);
  if (x.rank() < 2)
    fail<ValueError>(c.name, ": the input must have shape (N, C) or (N, C, ...), got ", x.shape);
  const Dims shape{x.shape[1]};
  constexpr const char* names[] = {"", "weight", "bias", "running_mean", "running_var"};
  for (int i = 1; i < 5; ++i) check_parameter(c, i, names[i], shape, x.dtype);
  if (c.has(3) != c.has(4))
    fail<ValueError>(c.name, ": give both running_mean and running_var, or neither");
  const ChannelRange r = channels_of(x.shape);
  if (c.attrs.flag(0)) {
    if (r.images * r.size < 2 && r.channels > 0)
      fail<ValueError>(c.name, ": training needs more than one value per channel, got shape ",
                       x.shape, "; use a larger batch, or training=False");
  } else if (!c.has(3)) {
    fail<ValueError>(c.name, ": training=False needs running_mean and running_var");
  }
  if (!(c.attrs.real(2) >= 0))
    fail<ValueError>(c.name, ": eps must be >= 0, got ", c.attrs.real(2));
  c.make(0, x.dtype, x.shape);
  c.make(1, x.dtype, shape);
  c.make(2, x.dtype, shape);
}

// running = (1 - momentum) running + momentum batch
template <class T>
void update_running(const Array& running, const T* batch, int64_t begin, int64_t end, T momentum,
                    T factor) {
  T* p = running.data<T>();
  for (int64_t i = begin; i < end; ++i) {
    T& value = p[i * running.strides[0]];
    value = (1 - momentum) * value + momentum * (batch[i] * factor);
  }
}

template <bool Relu>
void run_batch_norm(const Call& c) {
  const Array x = dense(c.in(0));
  const Dims shape{x.shape[1]};
  const Array weight = parameter_or(c, 1, shape, x.dtype, 1),
              bias = parameter_or(c, 2, shape, x.dtype, 0);
  const ChannelRange all = channels_of(x.shape);
  const Norm& k = kernels().norm;
  const int d = index(x.dtype);
  const bool training = c.attrs.flag(0);
  with_float(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    T *mean = c.out(1).data<T>(), *rstd = c.out(2).data<T>();
    const T eps = static_cast<T>(c.attrs.real(2)), momentum = static_cast<T>(c.attrs.real(1));
    const T count = static_cast<T>(all.images * all.size);
    each_channel_block(all, [&](const ChannelRange& r) {
      if (training) {
        k.statistics[d](x.raw(), r, mean, rstd);
        if (c.has(3)) {
          update_running<T>(c.in(3), mean, r.begin, r.end, momentum, 1);
          update_running<T>(c.in(4), rstd, r.begin, r.end, momentum, count / (count - 1));
        }
      } else {
        for (int64_t i = r.begin; i < r.end; ++i) {
          mean[i] = c.in(3).data<T>()[i * c.in(3).strides[0]];
          rstd[i] = c.in(4).data<T>()[i * c.in(4).strides[0]];
        }
      }
      for (int64_t i = r.begin; i < r.end; ++i) rstd[i] = 1 / std::sqrt(rstd[i] + eps);
      k.batch_norm[d](x.raw(), r, mean, rstd, weight.raw(), bias.raw(), Relu, c.out().raw());
    });
  });
}

template <bool Relu>
void vjp_batch_norm(Vjp& v) {
  const Var of_y = Relu ? call<"relu_dropout_backward">(v.grad(), v.out()) : v.grad();
  const auto g = call_all<"batch_norm_backward", 3>(of_y, v.in(0), v.in(1), v.out(1), v.out(2),
                                                    v.attrs.integer(0), v.attrs.real(2));
  for (int i = 0; i < 3; ++i)
    if (v.needs(i)) v.set(i, g[i]);
}

// Inputs: grad, x, weight, mean, rstd. Attributes: training, eps.
void infer_batch_norm_backward(const Call& c) {
  const Array& x = c.in(1);
  check_input(c, x);
  if (x.rank() < 2 || !(c.in(0).shape == x.shape) || c.in(0).dtype != x.dtype)
    fail<ValueError>(c.name, ": grad must be as x of shape ", x.shape, ", got ", c.in(0).shape);
  constexpr const char* names[] = {"", "", "weight", "mean", "rstd"};
  for (int i = 2; i < 5; ++i) check_parameter(c, i, names[i], {x.shape[1]}, x.dtype);
  c.make(0, x.dtype, x.shape);
  c.make(1, x.dtype, {x.shape[1]});
  c.make(2, x.dtype, {x.shape[1]});
}
void run_batch_norm_backward(const Call& c) {
  const Array grad = dense(c.in(0)), x = dense(c.in(1)), mean = dense(c.in(3)),
              rstd = dense(c.in(4));
  const Array weight = parameter_or(c, 2, {x.shape[1]}, x.dtype, 1);
  const ChannelRange all = channels_of(x.shape);
  const Norm& k = kernels().norm;
  const int d = index(x.dtype);
  const int64_t count = c.attrs.flag(0) ? all.images * all.size : 0;
  void *dx = c.out(0).raw(), *dweight = c.out(1).raw(), *dbias = c.out(2).raw();
  each_channel_block(all, [&](const ChannelRange& r) {
    k.batch_norm_weights[d](grad.raw(), x.raw(), r, mean.raw(), rstd.raw(), dweight, dbias);
    k.batch_norm_backward[d](grad.raw(), x.raw(), r, mean.raw(), rstd.raw(), weight.raw(), dweight,
                             dbias, count, dx);
  });
}
void vjp_batch_norm_backward(Vjp& v) {
  NormGroups groups;
  const Dims& shape = v.in(1).shape();
  groups.statistics.push_back(0);
  for (int i = 2; i < shape.size(); ++i) groups.statistics.push_back(i);
  groups.weights = groups.statistics;
  groups.parameter = Dims::filled(shape.size(), 1);
  groups.parameter[1] = shape[1];
  if (v.attrs.flag(0))
    vjp_of_norm_backward(v, groups, v.attrs.real(1));
  else
    vjp_of_fixed_norm_backward(v, groups);
}

const Row rows[] = {
    {"batch_norm(x, weight?, bias?, running_mean!?, running_var!?, training: bool = False, "
     "momentum: float = 0.1, eps: float = 1e-05)",
     infer_batch_norm, run_batch_norm<false>, vjp_batch_norm<false>,
     "(x - mean) / sqrt(var + eps) * weight + bias for each channel (dimension 1). In "
     "training mean and biased variance are the batch's, and running = (1 - momentum) "
     "running + momentum batch, with the unbiased variance; otherwise they are the running "
     "ones. x has shape (N, C, ...), the others (C,).\n\n"
     ">>> mean, var = mg.zeros(1).double(), mg.ones(1).double()\n"
     ">>> x = mg.tensor([[1.0], [3.0]], 'float64')\n"
     ">>> mg.batch_norm(x, None, None, mean, var, training=True, eps=0.0).tolist()\n"
     "[[-1.0], [1.0]]\n"
     ">>> mean.tolist(), var.tolist()\n"
     "([0.2], [1.1])",
     Promote::none, 3, 0, 2},
    inner({"batch_norm_relu(x, weight?, bias?, running_mean!?, running_var!?, training: bool = "
           "False, "
           "momentum: float = 0.1, eps: float = 1e-05)",
           infer_batch_norm, run_batch_norm<true>, vjp_batch_norm<true>,
           "relu(batch_norm(...)) in one pass.\n\n"
           ">>> x = mg.tensor([[1.0], [3.0]])\n"
           ">>> _core.batch_norm_relu(x, None, None, None, None, training=True, eps=0.0).tolist()\n"
           "[[0.0], [1.0]]",
           Promote::none, 3, 0, 2}),
    inner({"batch_norm_backward(grad, x, weight?, mean, rstd, training: bool, eps: float)",
           infer_batch_norm_backward, run_batch_norm_backward, vjp_batch_norm_backward,
           "The gradients of batch_norm for x, weight and bias. rstd is 1 / sqrt(var + eps).\n\n"
           ">>> x, mean, rstd = mg.tensor([[1.0], [3.0]]), mg.tensor([2.0]), mg.ones(1)\n"
           ">>> gx, gw, gb = _core.batch_norm_backward(x, x, None, mean, rstd, True, 0.0)\n"
           ">>> gx.tolist(), gw.tolist(), gb.tolist()\n"
           "([[0.0], [0.0]], [2.0], [4.0])",
           Promote::none, 3}),
};

}  // namespace

const Family batch_norm_family(rows);

}  // namespace mg
