// Pooling. Which element is the maximum is found again where it is needed, which costs no more
// memory traffic than keeping indices.
#include "core/threads.h"
#include "kernels/kernels.h"
#include "ops/families.h"
#include "ops/strided.h"
#include "ops/window.h"

namespace mg {
namespace {

// Attributes kernel_size, stride, padding start at `first`; a stride of None is the kernel's size.
PoolShape pool_shape(const Call& c, int64_t height, int64_t width, int first) {
  const Attrs& a = c.attrs;
  const Pair kernel = pair_of(a.list(first), 1, c.name, "kernel_size");
  const Pair stride =
      a.is_none(first + 1) ? kernel : pair_of(a.list(first + 1), 1, c.name, "stride");
  const Pair pad = pair_of(a.list(first + 2), 0, c.name, "padding");
  if (pad.h > kernel.h / 2 || pad.w > kernel.w / 2)
    fail<ValueError>(c.name, ": padding ", a.list(first + 2), " is more than half of kernel_size ",
                     a.list(first), "; some windows would lie outside of the input");
  PoolShape s{};
  s.height = height;
  s.width = width;
  s.out_h = window_count(height, kernel.h, stride.h, pad.h, 1, c.name, "height");
  s.out_w = window_count(width, kernel.w, stride.w, pad.w, 1, c.name, "width");
  s.kernel_h = kernel.h;
  s.kernel_w = kernel.w;
  s.stride_h = stride.h;
  s.stride_w = stride.w;
  s.pad_h = pad.h;
  s.pad_w = pad.w;
  return s;
}

PoolShape pool_shape(const Call& c, const Array& x) {
  const int r = x.rank();
  if (r != 3 && r != 4)
    fail<ValueError>(c.name, ": x must be (images, channels, height, width) or (channels, height, ",
                     "width), got shape ", x.shape);
  if (!is_float(x.dtype))
    fail<TypeError>(c.name, ": x must be float32 or float64, got ", name(x.dtype));
  if (x.shape[r - 2] == 0 || x.shape[r - 1] == 0)
    fail<ValueError>(c.name, ": x of shape ", x.shape, " has no height or no width");
  return pool_shape(c, x.shape[r - 2], x.shape[r - 1], 0);
}

Dims with_plane(Dims shape, int64_t height, int64_t width) {
  shape[shape.size() - 2] = height;
  shape[shape.size() - 1] = width;
  return shape;
}

void require_like(const Call& c, const char* what, const Array& a, DType dtype, const Dims& shape) {
  if (!(a.shape == shape) || a.dtype != dtype)
    fail<ValueError>(c.name, ": ", what, " must have shape ", shape, " and dtype ", name(dtype),
                     ", got ", a.shape, " and ", name(a.dtype));
}

// f(begin, end) over the planes of x; a thread is worth some 32 thousand elements.
template <class F>
void each_plane(const Array& x, F f) {
  if (x.numel() == 0) return;
  const int64_t plane = x.shape[x.rank() - 2] * x.shape[x.rank() - 1];
  parallel_for(x.numel() / plane, 1 + (1 << 15) / plane, f);
}

Dims stride_of(const Attrs& a, int kernel) {
  return a.is_none(kernel + 1) ? a.list(kernel) : a.list(kernel + 1);
}

void infer_pool(const Call& c) {
  const PoolShape s = pool_shape(c, c.in(0));
  c.make(c.in(0).dtype, with_plane(c.in(0).shape, s.out_h, s.out_w));
}

void run_max_pool(const Call& c) {
  const PoolShape s = pool_shape(c, c.in(0));
  const Array x = dense(c.in(0));
  const auto kernel = kernels().pool.max[index(x.dtype)];
  each_plane(x, [&](int64_t begin, int64_t end) { kernel(s, x.raw(), c.out().raw(), begin, end); });
}

void infer_max_backward(const Call& c) {
  const Array& x = c.in(1);
  const PoolShape s = pool_shape(c, x);
  require_like(c, "g", c.in(0), x.dtype, with_plane(x.shape, s.out_h, s.out_w));
  c.make(x.dtype, x.shape);
}
template <auto Kernel>
void run_max_backward(const Call& c) {
  const PoolShape s = pool_shape(c, c.in(1));
  const Array g = dense(c.in(0)), x = dense(c.in(1));
  const auto kernel = (kernels().pool.*Kernel)[index(x.dtype)];
  each_plane(x, [&](int64_t begin, int64_t end) {
    kernel(s, x.raw(), g.raw(), c.out().raw(), begin, end);
  });
}

void infer_max_pick(const Call& c) {
  const Array& x = c.in(1);
  const PoolShape s = pool_shape(c, x);
  require_like(c, "values", c.in(0), x.dtype, x.shape);
  c.make(x.dtype, with_plane(x.shape, s.out_h, s.out_w));
}
void run_max_pick(const Call& c) {
  const PoolShape s = pool_shape(c, c.in(1));
  const Array values = dense(c.in(0)), x = dense(c.in(1));
  const auto kernel = kernels().pool.max_pick[index(x.dtype)];
  each_plane(x, [&](int64_t begin, int64_t end) {
    kernel(s, x.raw(), values.raw(), c.out().raw(), begin, end);
  });
}

void run_avg_pool(const Call& c) {
  const PoolShape s = pool_shape(c, c.in(0));
  const Array x = dense(c.in(0));
  const auto kernel = kernels().pool.avg[index(x.dtype)];
  each_plane(x, [&](int64_t begin, int64_t end) { kernel(s, x.raw(), c.out().raw(), begin, end); });
}

PoolShape avg_backward_shape(const Call& c) {
  const int64_t height = c.attrs.integer(0), width = c.attrs.integer(1);
  if (height < 1 || width < 1)
    fail<ValueError>(c.name, ": height and width must be at least 1, got ", height, " and ", width);
  return pool_shape(c, height, width, 2);
}
void infer_avg_backward(const Call& c) {
  const Array& g = c.in(0);
  const PoolShape s = avg_backward_shape(c);
  if ((g.rank() != 3 && g.rank() != 4) || !is_float(g.dtype) ||
      !(g.shape == with_plane(g.shape, s.out_h, s.out_w)))
    fail<ValueError>(c.name, ": g must be planes of ", s.out_h, " by ", s.out_w,
                     " floats, got shape ", g.shape, " and dtype ", name(g.dtype));
  c.make(g.dtype, with_plane(g.shape, s.height, s.width));
}
void run_avg_backward(const Call& c) {
  const PoolShape s = avg_backward_shape(c);
  const Array g = dense(c.in(0));
  const auto kernel = kernels().pool.avg_grad[index(g.dtype)];
  each_plane(c.out(),
             [&](int64_t begin, int64_t end) { kernel(s, g.raw(), c.out().raw(), begin, end); });
}

// The gradient of what is linear in input 0 and goes by the maxima of input 1.
template <OpName transposed>
void pool_vjp(Vjp& v) {
  const Attrs& a = v.attrs;
  if (v.needs(0))
    v.set(0, call<transposed>(v.grad(), v.in(1), a.list(0), stride_of(a, 0), a.list(2)));
}

const Row rows[] = {
    {"max_pool2d(x, kernel_size: ints, stride: ints? = None, padding: ints = 0)", infer_pool,
     run_max_pool,
     [](Vjp& v) {
       const Attrs& a = v.attrs;
       v.set(0,
             call<"max_pool2d_backward">(v.grad(), v.in(0), a.list(0), stride_of(a, 0), a.list(2)));
     },
     "The greatest element of every window of (images, channels, height, width); NaN wins. "
     "stride is kernel_size by default. Of equal elements the first takes the gradient.\n\n"
     ">>> mg.max_pool2d(mg.arange(16).float().reshape(1, 1, 4, 4), 2).tolist()\n"
     "[[[[5.0, 7.0], [13.0, 15.0]]]]"},

    inner({"max_pool2d_backward(g, x, kernel_size: ints, stride: ints? = None, padding: ints = 0)",
           infer_max_backward, run_max_backward<&Pool::max_grad>, pool_vjp<"max_pool2d_pick">,
           "g at the places where x has its maxima, summed where windows overlap, 0 elsewhere.\n\n"
           ">>> _core.max_pool2d_backward(mg.ones(1, 1, 1, 1), mg.tensor([[[[1.0, 4.0], [3.0, "
           "2.0]]]]), 2).tolist()\n"
           "[[[[0.0, 1.0], [0.0, 0.0]]]]"}),

    inner({"max_pool2d_relu_backward(g, y, kernel_size: ints, stride: ints? = None, padding: ints "
           "= 0)",
           infer_max_backward, run_max_backward<&Pool::max_grad_relu>,
           [](Vjp& v) {
             const Attrs& a = v.attrs;
             if (v.needs(0))
               v.set(0, call<"max_pool2d_pick">(call<"relu_dropout_backward">(v.grad(), v.in(1)),
                                                v.in(1), a.list(0), stride_of(a, 0), a.list(2)));
           },
           "relu_dropout_backward(max_pool2d_backward(g, y, ...), y) in one pass.\n\n"
           ">>> y = mg.tensor([[[[1.0, 4.0, 0.0, 0.0], [3.0, 2.0, 0.0, 0.0]]]])\n"
           ">>> _core.max_pool2d_relu_backward(mg.ones(1, 1, 1, 2), y, 2).tolist()\n"
           "[[[[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]]]"}),

    inner({"max_pool2d_pick(values, x, kernel_size: ints, stride: ints? = None, padding: ints = 0)",
           infer_max_pick, run_max_pick, pool_vjp<"max_pool2d_backward">,
           "The elements of values at the places where x has its maxima.\n\n"
           ">>> x = mg.tensor([[[[1.0, 4.0], [3.0, 2.0]]]])\n"
           ">>> _core.max_pool2d_pick(10 * x, x, 2).tolist()\n"
           "[[[[40.0]]]]"}),

    {"avg_pool2d(x, kernel_size: ints, stride: ints? = None, padding: ints = 0)", infer_pool,
     run_avg_pool,
     [](Vjp& v) {
       const Attrs& a = v.attrs;
       const Dims& x = v.in(0).shape();
       v.set(0, call<"avg_pool2d_backward">(v.grad(), x[x.size() - 2], x.back(), a.list(0),
                                            stride_of(a, 0), a.list(2)));
     },
     "The mean of every window of (images, channels, height, width), padding counted as "
     "zeros. stride is kernel_size by default.\n\n"
     ">>> mg.avg_pool2d(mg.arange(16).float().reshape(1, 1, 4, 4), 2).tolist()\n"
     "[[[[2.5, 4.5], [10.5, 12.5]]]]"},

    inner(
        {"avg_pool2d_backward(g, height: int, width: int, kernel_size: ints, stride: ints? = None, "
         "padding: ints = 0)",
         infer_avg_backward, run_avg_backward,
         [](Vjp& v) {
           const Attrs& a = v.attrs;
           v.set(0, call<"avg_pool2d">(v.grad(), a.list(2), stride_of(a, 2), a.list(4)));
         },
         "The gradient of avg_pool2d by x, of the given height and width.\n\n"
         ">>> _core.avg_pool2d_backward(mg.ones(1, 1, 1, 1), 2, 2, 2).tolist()\n"
         "[[[[0.25, 0.25], [0.25, 0.25]]]]"}),
};

}  // namespace

const Family pool_family(rows);

}  // namespace mg
