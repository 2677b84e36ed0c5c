// Losses of pairs of equal shape. The attribute `reduction` is 0 (none), 1 (mean) or 2 (sum).
#include "ops/loss.h"

#include "core/threads.h"
#include "kernels/kernels.h"
#include "ops/families.h"
#include "ops/strided.h"

namespace mg {
namespace {

constexpr int64_t thread_grain = 8192;  // elements worth a thread

// Huber's delta comes before the reduction in the attributes.
template <auto L>
constexpr bool has_delta = L == &Loss::huber;
template <auto L>
double delta_of(const Attrs& attrs) {
  return has_delta<L> ? attrs.real(0) : 0;
}
template <auto L>
Reduction reduction_of(const Attrs& attrs, const char* what) {
  return checked_reduction(attrs.integer(has_delta<L>), what);
}

void check_pair(const char* what, const Array& x, const Array& target) {
  if (!(x.shape == target.shape))
    fail<ValueError>(what, ": the input has shape ", x.shape, " and the target ", target.shape,
                     "; they must be equal, so reshape one of them");
}

template <auto L>
void infer_loss(const Call& c) {
  check_pair(c.name, c.in(0), c.in(1));
  if (has_delta<L> && !(delta_of<L>(c.attrs) > 0))
    fail<ValueError>(c.name, ": delta must be above 0, got ", delta_of<L>(c.attrs));
  const bool each = reduction_of<L>(c.attrs, c.name) == Reduction::none;
  c.make(c.in(0).dtype, each ? c.in(0).shape : Dims{});
}

template <auto L>
void run_loss(const Call& c) {
  const Array x = dense(c.in(0)), target = dense(c.in(1));
  const PairLoss& k = kernels().loss.*L;
  const int d = index(x.dtype);
  const double delta = delta_of<L>(c.attrs);
  const int64_t n = x.numel(), item = item_size(x.dtype);
  const char *a = x.data<char>(), *t = target.data<char>();
  char* out = c.out().data<char>();
  const Reduction reduction = reduction_of<L>(c.attrs, c.name);
  if (reduction == Reduction::none)
    return parallel_for(n, thread_grain, [&](int64_t begin, int64_t end) {
      k.each[d](a + begin * item, t + begin * item, end - begin, delta, out + begin * item);
    });
  sum_in_chunks(n, c.out(), [&](int64_t begin, int64_t count, void* part) {
    k.total[d](a + begin * item, t + begin * item, count, delta, part);
  });
  if (reduction == Reduction::mean) divide_scalar(c.out(), static_cast<double>(n));
}

template <auto L>
void infer_backward(const Call& c) {
  check_pair(c.name, c.in(1), c.in(2));
  const bool each = reduction_of<L>(c.attrs, c.name) == Reduction::none;
  if (!(c.in(0).shape == (each ? c.in(1).shape : Dims{})))
    fail<ValueError>(c.name, ": grad has shape ", c.in(0).shape, ", not that of the loss");
  c.make(c.in(1).dtype, c.in(1).shape);
}

template <auto L>
void run_backward(const Call& c) {
  const Array grad = dense(c.in(0)), x = dense(c.in(1)), target = dense(c.in(2));
  const auto kernel = (kernels().loss.*L).backward[index(x.dtype)];
  const Reduction reduction = reduction_of<L>(c.attrs, c.name);
  const int64_t n = x.numel(), item = item_size(x.dtype);
  const int64_t step = reduction == Reduction::none ? 1 : 0;
  const double scale = reduction == Reduction::mean ? 1 / static_cast<double>(n) : 1;
  parallel_for(n, thread_grain, [&](int64_t begin, int64_t end) {
    kernel(x.data<char>() + begin * item, target.data<char>() + begin * item, end - begin,
           delta_of<L>(c.attrs), grad.data<char>() + begin * step * item, step, scale,
           c.out().data<char>() + begin * item);
  });
}

// dloss/dx times g, by the loss's backward row.
template <auto L, OpName Backward>
Var slope(const Attrs& attrs, const Var& g, const Var& x, const Var& t, Reduction reduction) {
  if constexpr (has_delta<L>)
    return call<Backward>(g, x, t, delta_of<L>(attrs), static_cast<double>(reduction));
  else
    return call<Backward>(g, x, t, static_cast<double>(reduction));
}

// The target's gradient is the input's with the other sign, but for the cross-entropy: -x g.
template <auto L, OpName Backward>
void vjp_loss(Vjp& v) {
  const Reduction reduction = reduction_of<L>(v.attrs, Backward.text);
  const Var &x = v.in(0), &t = v.in(1);
  if constexpr (L == &Loss::bce) {
    if (v.needs(0)) v.set(0, slope<L, Backward>(v.attrs, v.grad(), x, t, reduction));
    if (v.needs(1)) v.set(1, -(x * (v.grad() * mean_scale(reduction, x.shape()))));
  } else {
    const Var g = slope<L, Backward>(v.attrs, v.grad(), x, t, reduction);
    v.set(0, g);
    if (v.needs(1)) v.set(1, -g);
  }
}

// d2loss/dx2, or null where it is 0 everywhere.
template <auto L>
Var curvature(Vjp& v, const Var& x, const Var& t) {
  if constexpr (L == &Loss::bce) {
    const Var s = call<"sigmoid">(x);
    return s * (1.0 - s);
  } else if constexpr (L == &Loss::mse) {
    return constant(x.dtype(), 2);
  } else if constexpr (L == &Loss::huber) {
    const Var delta = constant(x.dtype(), delta_of<L>(v.attrs));
    return call<"cast">(call<"le">(call<"abs">(x - t), delta), index(x.dtype()));
  } else {
    return Var{};
  }
}

template <auto L, OpName Backward>
void vjp_backward(Vjp& v) {
  const Reduction reduction = reduction_of<L>(v.attrs, Backward.text);
  const Var &u = v.grad(), &g = v.in(0), &x = v.in(1), &t = v.in(2);
  const double scale = mean_scale(reduction, x.shape());
  if (v.needs(0)) {
    const Var each = slope<L, Backward>(v.attrs, u, x, t, Reduction::none);
    v.set(0, reduction == Reduction::none ? each : call<"sum">(each) * scale);
  }
  if (!v.needs(1) && !v.needs(2)) return;
  const Var second = curvature<L>(v, x, t), ug = u * g * scale;
  if (second) v.set(1, ug * second);
  if constexpr (L == &Loss::bce)
    v.set(2, -ug);
  else if (second)
    v.set(2, -(ug * second));
}

template <auto L, OpName Backward>
constexpr Row loss_row(const char* signature, const char* doc) {
  return inner(
      {signature, infer_loss<L>, run_loss<L>, vjp_loss<L, Backward>, doc, Promote::floating});
}
template <auto L, OpName Backward>
constexpr Row backward_row(const char* signature, const char* doc) {
  return inner({signature, infer_backward<L>, run_backward<L>, vjp_backward<L, Backward>, doc,
                Promote::floating});
}

constexpr auto bce = &Loss::bce;
constexpr auto mse = &Loss::mse;
constexpr auto l1 = &Loss::l1;
constexpr auto huber = &Loss::huber;

const Row rows[] = {
    loss_row<bce, "binary_cross_entropy_with_logits_backward">(
        "binary_cross_entropy_with_logits(x, target, reduction: int = 1)",
        "max(x, 0) - x t + log(1 + exp(-|x|)): the cross-entropy of sigmoid(x) against targets "
        "in [0, 1], without overflow. reduction: 0 each element, 1 mean, 2 sum. x and target "
        "have one shape; the result has it too, or none if reduced.\n\n"
        ">>> x, y = mg.tensor([0.0, 1000.0], 'float64'), mg.ones(2).double()\n"
        ">>> _core.binary_cross_entropy_with_logits(x, y, reduction=0).numpy().round(4).tolist()\n"
        "[0.6931, 0.0]"),
    loss_row<mse, "mse_loss_backward">(
        "mse_loss(x, target, reduction: int = 1)",
        "(x - target)^2. reduction: 0 each element, 1 mean, 2 sum. x and target have one "
        "shape; the result has it too, or none if reduced.\n\n"
        ">>> _core.mse_loss(mg.tensor([1.0, 2.0]), mg.tensor([1.0, 4.0])).item()\n"
        "2.0"),
    loss_row<l1, "l1_loss_backward">(
        "l1_loss(x, target, reduction: int = 1)",
        "|x - target|. reduction: 0 each element, 1 mean, 2 sum. The gradient at 0 is 0. x and "
        "target have one shape; the result has it too, or none if reduced.\n\n"
        ">>> _core.l1_loss(mg.tensor([1.0, 2.0]), mg.tensor([1.0, 4.0])).item()\n"
        "1.0"),
    loss_row<huber, "huber_loss_backward">(
        "huber_loss(x, target, delta: float = 1.0, reduction: int = 1)",
        "d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2), for d = x - target. "
        "reduction: 0 each element, 1 mean, 2 sum. x and target have one shape; the result has "
        "it too, or none if reduced.\n\n"
        ">>> _core.huber_loss(mg.tensor([1.0, 3.0]), mg.zeros(2), reduction=0).tolist()\n"
        "[0.5, 2.5]"),
    backward_row<bce, "binary_cross_entropy_with_logits_backward">(
        "binary_cross_entropy_with_logits_backward(grad, x, target, reduction: int)",
        "(sigmoid(x) - target) times the gradient of the loss.\n\n"
        ">>> one = mg.tensor(1.0)\n"
        ">>> _core.binary_cross_entropy_with_logits_backward(one, mg.zeros(2), mg.tensor([0.0, "
        "1.0]), 2).tolist()\n"
        "[0.5, -0.5]"),
    backward_row<mse, "mse_loss_backward">("mse_loss_backward(grad, x, target, reduction: int)",
                                           "2 (x - target) times the gradient of the loss.\n\n"
                                           ">>> _core.mse_loss_backward(mg.tensor(1.0), "
                                           "mg.tensor([1.0, 2.0]), mg.zeros(2), 1).tolist()\n"
                                           "[1.0, 2.0]"),
    backward_row<l1, "l1_loss_backward">("l1_loss_backward(grad, x, target, reduction: int)",
                                         "sign(x - target) times the gradient of the loss.\n\n"
                                         ">>> _core.l1_loss_backward(mg.tensor(1.0), "
                                         "mg.tensor([-1.0, 2.0]), mg.zeros(2), 1).tolist()\n"
                                         "[-0.5, 0.5]"),
    backward_row<huber, "huber_loss_backward">(
        "huber_loss_backward(grad, x, target, delta: float, reduction: int)",
        "x - target, cut to [-delta, delta], times the gradient of the loss.\n\n"
        ">>> _core.huber_loss_backward(mg.tensor(1.0), mg.tensor([0.5, 2.0]), mg.zeros(2), 1.0, "
        "2).tolist()\n"
        "[0.5, 1.0]"),
};

}  // namespace

const Family loss_family(rows);

}  // namespace mg
