// Cross-entropy of logits, against class indices or class probabilities, as one op each way.
#include "core/threads.h"
#include "kernels/kernels.h"
#include "ops/families.h"
#include "ops/loss.h"
#include "ops/reduction.h"

namespace mg {
namespace {

// Attributes: label_smoothing, reduction. Classes stand in dimension 1, or 0 if there is no batch.
int class_dim(const Dims& shape) { return shape.size() == 1 ? 0 : 1; }
DimSet class_set(const Dims& shape) {
  DimSet set{};
  set[class_dim(shape)] = true;
  return set;
}
Dims without_classes(const Dims& shape) { return reduced_shape(shape, class_set(shape), false); }

void check_pair(const char* what, const Attrs& attrs, const Array& x, const Array& target) {
  if (x.rank() == 0 || !is_float(x.dtype))
    fail<TypeError>(what,
                    ": the logits must be float32 or float64 of shape (N, C) or (N, C, ...), "
                    "got ",
                    name(x.dtype), " of shape ", x.shape);
  const Dims expected = without_classes(x.shape);
  if (target.dtype == DType::i64) {
    if (!(target.shape == expected))
      fail<ValueError>(what, ": logits of shape ", x.shape, " need class indices of shape ",
                       expected, ", got ", target.shape);
  } else if (target.dtype != x.dtype) {
    fail<TypeError>(what, ": the target must be int64 class indices or ", name(x.dtype),
                    " class probabilities, got ", name(target.dtype), "; convert it first");
  } else if (!(target.shape == x.shape)) {
    fail<ValueError>(what, ": class probabilities need the logits' shape ", x.shape, ", got ",
                     target.shape, "; class indices must be int64");
  }
  if (x.shape[class_dim(x.shape)] == 0)
    fail<ValueError>(what, ": logits of shape ", x.shape, " have no classes");
  const double s = attrs.real(0);
  if (!(s >= 0 && s <= 1)) fail<ValueError>(what, ": label_smoothing must be in [0, 1], got ", s);
}

Reduction reduction_of(const Attrs& attrs) {
  return checked_reduction(attrs.integer(1), "cross_entropy");
}

[[noreturn]] void refuse_label(const Array& labels, int64_t at, int64_t classes) {
  Dims position;
  const Dims steps = contiguous_strides(labels.shape);
  for (int i = 0; i < labels.rank(); ++i) position.push_back(at / steps[i] % labels.shape[i]);
  fail<ValueError>("cross_entropy: the label at index ", position, " of the target is ",
                   labels.data<int64_t>()[at], ", but there are ", classes,
                   " classes; labels must be in 0 to ", classes - 1);
}

// Logits and targets as rows, one an example.
struct Examples {
  RowView x, target;
  double smoothing;

  Examples(const Call& c, int first)
      : x(c.in(first), class_set(c.in(first).shape)),
        target(c.in(first + 1), indexed(c, first) ? DimSet{} : class_set(c.in(first).shape), true),
        smoothing(c.attrs.real(0)) {
    if (!indexed(c, first)) return;
    const int64_t* label = target.array.data<int64_t>();
    for (int64_t r = 0; r < x.rows; ++r)
      if (label[r] < 0 || label[r] >= x.n) refuse_label(target.array, r, x.n);
  }
  static bool indexed(const Call& c, int first) { return c.in(first + 1).dtype == DType::i64; }

  CrossEntropy rows(int64_t first, int64_t count) const {
    const bool labels = target.array.dtype == DType::i64;
    const char* q = target.row(first);
    return {.x = x.row(first),
            .stride = x.stride,
            .labels = labels ? reinterpret_cast<const int64_t*>(q) : nullptr,
            .probabilities = labels ? nullptr : q,
            .rows = count,
            .n = x.n,
            .smoothing = smoothing};
  }
};

void infer_forward(const Call& c) {
  check_pair(c.name, c.attrs, c.in(0), c.in(1));
  const bool each = reduction_of(c.attrs) == Reduction::none;
  c.make(c.in(0).dtype, each ? without_classes(c.in(0).shape) : Dims{});
}

void run_forward(const Call& c) {
  const Examples e(c, 0);
  const Reduction reduction = reduction_of(c.attrs);
  const int d = index(c.out().dtype);
  const bool each = reduction == Reduction::none;
  const Array losses = each ? c.out() : Array::dense(c.out().dtype, {e.x.rows});
  parallel_for(e.x.rows, 1 + 8192 / e.x.n, [&](int64_t begin, int64_t end) {
    kernels().softmax.cross_entropy[d](e.rows(begin, end - begin),
                                       losses.data<char>() + begin * item_size(losses.dtype));
  });
  if (each) return;
  fold_over(losses, {true}, Fold::sum, c.out());
  if (reduction == Reduction::mean) divide_scalar(c.out(), static_cast<double>(e.x.rows));
}

void infer_backward(const Call& c) {
  check_pair(c.name, c.attrs, c.in(1), c.in(2));
  const bool each = reduction_of(c.attrs) == Reduction::none;
  if (!(c.in(0).shape == (each ? without_classes(c.in(1).shape) : Dims{})) ||
      c.in(0).dtype != c.in(1).dtype)
    fail<ValueError>(c.name, ": grad has shape ", c.in(0).shape, ", not that of the loss");
  c.make(c.in(1).dtype, c.in(1).shape);
}

void run_backward(const Call& c) {
  if (c.out().numel() == 0) return;
  const Examples e(c, 1);
  const Reduction reduction = reduction_of(c.attrs);
  const int d = index(c.out().dtype);
  const int64_t step = reduction == Reduction::none ? 1 : 0;
  const double scale = reduction == Reduction::mean ? 1 / static_cast<double>(e.x.rows) : 1;
  const Array grad = dense(c.in(0));
  by_rows(c.out(), class_set(c.out().shape), e.x.rows, e.x.n,
          [&](int64_t first, int64_t rows, void* dx) {
            kernels().softmax.cross_entropy_backward[d](
                e.rows(first, rows), grad.data<char>() + first * step * item_size(grad.dtype), step,
                scale, dx);
          });
}

// The gradient of the loss of each example, ready to meet the logits.
Var by_example(const Var& g, const Var& x, Reduction reduction) {
  if (reduction == Reduction::none)
    return call<"reshape">(g, reduced_shape(x.shape(), class_set(x.shape()), true));
  const double examples = static_cast<double>(product(without_classes(x.shape())));
  return reduction == Reduction::mean ? g * (1 / examples) : g;
}

void vjp_forward(Vjp& v) {
  const Var &x = v.in(0), &target = v.in(1);
  const double smoothing = v.attrs.real(0);
  const Reduction reduction = reduction_of(v.attrs);
  if (v.needs(0))
    v.set(0, call<"cross_entropy_backward">(v.grad(), x, target, smoothing,
                                            static_cast<double>(reduction)));
  if (v.needs(1)) {
    const Var log_p = call<"log_softmax">(x, static_cast<double>(class_dim(x.shape())));
    v.set(1, log_p * by_example(v.grad(), x, reduction) * (smoothing - 1));
  }
}

// dx = (p sum(q) - q) g with p = softmax(x) and q the smoothed target, against the gradient u of
// it.
void vjp_backward(Vjp& v) {
  const Var &u = v.grad(), &x = v.in(1), &target = v.in(2);
  const double smoothing = v.attrs.real(0);
  const double dim = class_dim(x.shape());
  const Reduction reduction = reduction_of(v.attrs);
  const Var g = by_example(v.in(0), x, reduction);
  if (v.needs(0)) {
    const Var ones = expand_to(constant(x.dtype(), 1), without_classes(x.shape()));
    const Var slope = call<"cross_entropy_backward">(ones, x, target, smoothing, 0.0);
    const Var each = call<"sum">(u * slope, dim);
    v.set(0, reduction == Reduction::none
                 ? each
                 : call<"sum">(reduction == Reduction::mean
                                   ? each * (1 / static_cast<double>(each.array().numel()))
                                   : each));
  }
  if (!v.needs(1) && !v.needs(2)) return;
  const Var p = call<"softmax">(x, dim);
  const bool probabilities = is_float(target.dtype());
  if (v.needs(1)) {
    const Var along = call<"softmax_backward">(u, p, dim) * g;
    v.set(1, probabilities ? along * (call<"sum">(target, dim, true) * (1 - smoothing) + smoothing)
                           : along);
  }
  if (v.needs(2)) v.set(2, (call<"sum">(u * p, dim, true) - u) * g * (1 - smoothing));
}

const Row rows[] = {
    inner({"cross_entropy(x, target, label_smoothing: float = 0.0, reduction: int = 1)",
           infer_forward, run_forward, vjp_forward,
           "-sum(q log softmax(x)) over the classes, for logits x of shape (N, C) or (N, C, ...). "
           "The target is int64 class indices of shape (N,) or (N, ...), or class probabilities "
           "in the shape of x; q is the target with a share of label_smoothing spread evenly. "
           "reduction: 0 each example, 1 mean, 2 sum.\n\n"
           ">>> x = mg.tensor([[0.0, 0.0], [1000.0, 0.0]], 'float64')\n"
           ">>> _core.cross_entropy(x, mg.tensor([0, 0]), reduction=0).numpy().round(4).tolist()\n"
           "[0.6931, 0.0]"}),
    inner({"cross_entropy_backward(grad, x, target, label_smoothing: float, reduction: int)",
           infer_backward, run_backward, vjp_backward,
           "(softmax(x) sum(q) - q) times the gradient of the loss.\n\n"
           ">>> x = mg.tensor([[0.0, 0.0]])\n"
           ">>> _core.cross_entropy_backward(mg.tensor(1.0), x, mg.tensor([0]), 0.0, 1).tolist()\n"
           "[[-0.5, 0.5]]"}),
};

}  // namespace

const Family cross_entropy_family(rows);

}  // namespace mg
