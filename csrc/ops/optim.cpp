// Optimizer updates, in place. Every parameter has a float64 tensor of 8 hyper-parameters, read
// when the op runs, so that a replayed plan follows a schedule: [0] counts the updates and grows by
// one with each; [1] lr; [2] weight_decay; [3] the L1 term; [7] 1 for decoupled decay (AdamW), 0
// for decay as a part of the gradient; the others are the optimizer's own.
#include <cmath>

#include "core/threads.h"
#include "kernels/kernels.h"
#include "ops/families.h"
#include "ops/strided.h"
#include "ops/update.h"

namespace mg {
namespace {

constexpr int64_t grain = 1 << 14;
constexpr int64_t align = 64;
constexpr int64_t fold_chunk = 8192;  // of kernels/fold.h

// ---- checks -------------------------------------------------------------------------------------

void require_float(const Call& c, int i, const char* what) {
  if (!is_float(c.in(i).dtype))
    fail<TypeError>(c.name, ": ", what, " must be float32 or float64, got ", name(c.in(i).dtype));
}
// Input i, if given, beside input 0.
void require_like(const Call& c, int i, const char* what, const char* first = "the parameter") {
  if (!c.has(i)) return;
  const Array &x = c.in(i), &p = c.in(0);
  if (x.dtype != p.dtype)
    fail<TypeError>(c.name, ": ", what, " is ", name(x.dtype), ", ", first, " ", name(p.dtype));
  if (!(x.shape == p.shape))
    fail<ValueError>(c.name, ": ", what, " has shape ", x.shape, ", ", first, " ", p.shape);
}
void require_doubles(const Call& c, int i, const char* what, const Dims& shape) {
  if (!c.has(i)) return;
  const Array& x = c.in(i);
  if (x.dtype != DType::f64 || x.numel() != product(shape) || (!shape.empty() && x.rank() != 1))
    fail<ValueError>(c.name, ": ", what, " must be float64 of ",
                     shape.empty() ? "one element" : "8 elements", ", got ", name(x.dtype),
                     " of shape ", x.shape);
}

struct State {
  int input;
  const char* name;
};
void check_update(const Call& c, int hyper, std::initializer_list<State> states, int grad_scale) {
  require_float(c, 0, "the parameter");
  require_like(c, 1, "the gradient");
  for (const State& s : states) require_like(c, s.input, s.name);
  require_doubles(c, hyper, "hyper", {8});
  require_doubles(c, grad_scale, "grad_scale", {});
}

// ---- updates ------------------------------------------------------------------------------------

// x^n by squaring: the same bits whatever the C library.
double power(double x, int64_t n) {
  double r = 1;
  for (; n > 0; n >>= 1, x *= x)
    if (n & 1) r *= x;
  return r;
}

// What t updates do to Adam's step. The parameters of a step mostly share their answer.
struct BiasCorrection {
  double beta1 = __builtin_nan(""), beta2 = 0;  // equal to no other
  int64_t t = 0;
  double mean = 1, root = 1;  // 1 - beta1^t, 1 / sqrt(1 - beta2^t)
};
const BiasCorrection& bias_correction(double beta1, double beta2, int64_t t) {
  thread_local BiasCorrection last;
  if (t != last.t || beta1 != last.beta1 || beta2 != last.beta2)
    last = {beta1, beta2, t, 1 - power(beta1, t), 1 / std::sqrt(1 - power(beta2, t))};
  return last;
}

Decay decay_of(const Call& c, const double* hyper, int grad_scale) {
  Decay d;
  if (c.has(grad_scale)) d.grad_scale = *c.in(grad_scale).data<double>();
  d.l1 = hyper[3];
  if (hyper[7] != 0)
    d.keep = 1 - hyper[1] * hyper[2];
  else
    d.weight_decay = hyper[2];
  d.stream = c.attrs.flag(0) && !works_alone();
  return d;
}

// An input that is changed, if given: one that is not dense is worked on in a copy.
class Changed {
 public:
  Changed(const Call& c, int i) {
    if (!c.has(i)) return;
    const Array& array = c.in(i);
    size_ = item_size(array.dtype);
    data_ = array.data<char>();
    if (array.contiguous()) return;
    target_ = &array;
    work_ = dense(array);
    data_ = work_.data<char>();
  }
  Changed(const Changed&) = delete;
  Changed& operator=(const Changed&) = delete;
  ~Changed() {
    if (target_) copy(work_, *target_);
  }
  void* at(int64_t i) const { return data_ ? data_ + i * size_ : nullptr; }
  double* doubles() const { return static_cast<double*>(at(0)); }

 private:
  const Array* target_ = nullptr;
  Array work_;
  char* data_ = nullptr;
  int64_t size_ = 0;
};

// The gradient, or another input that is only read.
class Read {
 public:
  Read(const Call& c, int i) : size_(item_size(c.in(i).dtype)), data_(c.in(i).data<char>()) {
    if (c.in(i).contiguous()) return;
    work_ = dense(c.in(i));
    data_ = work_.data<char>();
  }
  Read(const Read&) = delete;
  Read& operator=(const Read&) = delete;
  const void* at(int64_t i) const { return data_ + i * size_; }

 private:
  int64_t size_;
  const char* data_;
  Array work_;
};

// A call whose inputs are all dense: one that is not is worked on in a copy.
class Dense {
 public:
  explicit Dense(const Call& c) : given_(c) {
    for (int i = 0; i < c.count(); ++i) inputs_[i] = c.inputs[i];
    for (int i = 0; i < c.count(); ++i)
      if (c.has(i) && !c.in(i).contiguous()) {
        copies_.reserve(most);
        copies_.push_back(dense(c.in(i)));
        inputs_[i] = &copies_.back();
      }
  }
  Call call() const {
    return {{inputs_, given_.inputs.size()}, given_.attrs, given_.outputs, given_.name};
  }
  // Brings what was worked on in a copy to where it belongs; the gradient stays as it is.
  void put_back() const {
    for (int i = 0; i < given_.count(); ++i)
      if (i != 1 && inputs_[i] != given_.inputs[i]) copy(*inputs_[i], given_.in(i));
  }

 private:
  static constexpr int most = 7;
  const Call& given_;
  const Array* inputs_[most];
  std::vector<Array> copies_;
};

void place(const Call& c, int hyper, std::initializer_list<int> states, Update* u) {
  const auto at = [&](int i) { return c.has(i) ? c.in(i).data<char>() : nullptr; };
  u->dtype = c.in(0).dtype;
  u->param = at(0);
  int next = 0;
  for (const int i : states) u->state[next++] = at(i);
  u->hyper = c.in(hyper).data<double>();
}

template <void (*Ready)(const Call&, Update*)>
void run_update(const Call& c) {
  const Dense d(c);
  Update u;
  Ready(d.call(), &u);
  const char* grad = d.call().in(1).data<char>();
  parallel_for(
      c.in(0).numel(), grain,
      [&](int64_t begin, int64_t end) {
        u.run(u, grad + begin * item_size(u.dtype), begin, end - begin);
      },
      align);
  u.count();
  d.put_back();
}

void infer_sgd(const Call& c) { check_update(c, 2, {{3, "momentum_buffer"}}, 4); }
void ready_sgd(const Call& c, Update* u) {
  place(c, 2, {3}, u);
  const double momentum = u->hyper[4], dampening = u->hyper[5];
  const bool first = u->hyper[0] == 0;  // the buffer begins as the gradient
  u->step = SgdStep{decay_of(c, u->hyper, 4), u->hyper[1], first ? 0 : momentum,
                    first ? 1 : 1 - dampening, u->hyper[6] != 0 ? momentum : 0};
  u->run = [](const Update& self, const void* grad, int64_t i, int64_t n) {
    kernels().optim.sgd[index(self.dtype)](self.param_at(i), grad, self.state_at(0, i), n,
                                           *std::get_if<SgdStep>(&self.step));
  };
}

void infer_adam(const Call& c) {
  check_update(c, 4, {{2, "exp_avg"}, {3, "exp_avg_sq"}, {5, "max_exp_avg_sq"}}, 6);
}
void ready_adam(const Call& c, Update* u) {
  place(c, 4, {2, 3, 5}, u);
  const double beta1 = u->hyper[4], beta2 = u->hyper[5], eps = u->hyper[6];
  const int64_t t = static_cast<int64_t>(u->hyper[0]) + 1;
  const BiasCorrection& bias = bias_correction(beta1, beta2, t);
  u->step =
      AdamStep{decay_of(c, u->hyper, 6), u->hyper[1] / bias.mean, bias.root, beta1, beta2, eps};
  u->run = [](const Update& self, const void* grad, int64_t i, int64_t n) {
    kernels().optim.adam[index(self.dtype)](self.param_at(i), grad, self.state_at(0, i),
                                            self.state_at(1, i), self.state_at(2, i), n,
                                            *std::get_if<AdamStep>(&self.step));
  };
}

void infer_rmsprop(const Call& c) {
  check_update(c, 3, {{2, "square_avg"}, {4, "grad_avg"}, {5, "momentum_buffer"}}, 6);
}
void ready_rmsprop(const Call& c, Update* u) {
  place(c, 3, {2, 4, 5}, u);
  u->step =
      RmspropStep{decay_of(c, u->hyper, 6), u->hyper[1], u->hyper[4], u->hyper[5], u->hyper[6]};
  u->run = [](const Update& self, const void* grad, int64_t i, int64_t n) {
    kernels().optim.rmsprop[index(self.dtype)](self.param_at(i), grad, self.state_at(0, i),
                                               self.state_at(1, i), self.state_at(2, i), n,
                                               *std::get_if<RmspropStep>(&self.step));
  };
}

// ---- clipping and averages ----------------------------------------------------------------------

void infer_total_norm(const Call& c) {
  for (int i = 0; i < c.count(); ++i)
    if (!is_float(c.in(i).dtype))
      fail<TypeError>(c.name, ": tensor ", i, " must be float32 or float64, got ",
                      name(c.in(i).dtype));
  c.make(DType::f64, {});
}
// Sums of squares of chunks of 8192 elements in their own dtype, added in order as float64.
void run_total_norm(const Call& c) {
  const bool largest = c.attrs.flag(0);
  double total = 0;
  for (int i = 0; i < c.count(); ++i) {
    const Array x = dense(c.in(i));
    const int64_t n = x.numel(), chunks = (n + fold_chunk - 1) / fold_chunk;
    const int64_t size = item_size(x.dtype);
    const char* from = x.data<char>();
    const auto kernel =
        (largest ? kernels().optim.max_abs : kernels().optim.square_sum)[index(x.dtype)];
    const Array parts = Array::dense(DType::f64, {chunks});
    double* part = parts.data<double>();
    parallel_for(chunks, 4, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; ++k) {
        const int64_t at = k * fold_chunk, left = n - at;
        part[k] = kernel(from + at * size, left < fold_chunk ? left : fold_chunk);
      }
    });
    for (const double v : std::span(part, chunks))
      total = !largest ? total + v : v > total || v != v || total != total ? v + 0 * total : total;
  }
  *c.out().data<double>() = largest ? total : std::sqrt(total);
}

void infer_scale(const Call& c) {
  require_float(c, 0, "the tensor");
  require_doubles(c, 1, "factor", {});
}
void run_scale(const Call& c) {
  const double by = *c.in(1).data<double>();
  if (by == 1) return;
  const Changed x(c, 0);
  const auto kernel = kernels().optim.scale[index(c.in(0).dtype)];
  parallel_for(
      c.in(0).numel(), grain,
      [&](int64_t begin, int64_t end) { kernel(x.at(begin), end - begin, by); }, align);
}

void infer_lerp(const Call& c) {
  require_float(c, 0, "the tensor");
  require_like(c, 1, "end", "the tensor");
  require_doubles(c, 2, "weight", {});
}
void run_lerp(const Call& c) {
  const double weight = *c.in(2).data<double>();
  const Read y(c, 1);
  const Changed x(c, 0);
  const auto kernel = kernels().optim.lerp[index(c.in(0).dtype)];
  parallel_for(
      c.in(0).numel(), grain,
      [&](int64_t begin, int64_t end) { kernel(x.at(begin), y.at(begin), end - begin, weight); },
      align);
}

void infer_max_norm(const Call& c) {
  require_float(c, 0, "the tensor");
  if (c.in(0).rank() < 2)
    fail<ValueError>(c.name, ": the tensor must have 2 dimensions or more, got shape ",
                     c.in(0).shape);
  if (!(c.attrs.real(0) > 0))
    fail<ValueError>(c.name, ": max_norm must be above 0, got ", c.attrs.real(0));
}
void run_max_norm(const Call& c) {
  const int64_t rows = c.in(0).shape[0], cols = rows ? c.in(0).numel() / rows : 0;
  const double limit = c.attrs.real(0);
  const Changed x(c, 0);
  const auto kernel = kernels().optim.max_norm[index(c.in(0).dtype)];
  parallel_for(rows, 1 + grain / (cols + 1), [&](int64_t begin, int64_t end) {
    kernel(x.at(begin * cols), end - begin, cols, limit);
  });
}

const Row rows[] = {
    {
        .signature = "sgd_(param!, grad, hyper!, momentum_buffer!?, grad_scale?, "
                     "stream: bool = False)",
        .infer = infer_sgd,
        .run = run_update<ready_sgd>,
        .doc = "One SGD update. hyper: [step, lr, weight_decay, l1, momentum, dampening, nesterov, "
               "decoupled] as float64; step grows by one. grad_scale multiplies the gradient. "
               "Parameter, gradient and buffers have one shape. stream: store the parameter past "
               "the caches, for other threads to read.\n\n"
               ">>> p, hyper = mg.tensor([1.0]), mg.tensor([0, 0.5, 0, 0, 0, 0, 0, 0], 'float64')\n"
               ">>> mg.sgd_(p, mg.ones(1), hyper, None)\n"
               ">>> p.tolist(), hyper.tolist()[0]\n"
               "([0.5], 1.0)",
        .outputs = 0,
        .update = ready_sgd,
    },
    {
        .signature = "adam_(param!, grad, exp_avg!, exp_avg_sq!, hyper!, max_exp_avg_sq!?, "
                     "grad_scale?, stream: bool = False)",
        .infer = infer_adam,
        .run = run_update<ready_adam>,
        .doc =
            "One Adam (AdamW if decoupled) update. hyper: [step, lr, weight_decay, l1, beta1, "
            "beta2, eps, decoupled] as float64; step grows by one, and gives the bias corrections. "
            "With max_exp_avg_sq, AMSGrad. Parameter, gradient and buffers have one shape. stream: "
            "store the parameter past the caches, for other threads to read.\n\n"
            ">>> p, m, v = mg.tensor([1.0]), mg.zeros(1), mg.zeros(1)\n"
            ">>> hyper = mg.tensor([0, 0.5, 0, 0, 0.9, 0.999, 1e-8, 0], 'float64')\n"
            ">>> mg.adam_(p, mg.ones(1), m, v, hyper, None)\n"
            ">>> round(p.item(), 4), hyper.tolist()[0]\n"
            "(0.5, 1.0)",
        .outputs = 0,
        .update = ready_adam,
    },
    {
        .signature = "rmsprop_(param!, grad, square_avg!, hyper!, grad_avg!?, momentum_buffer!?, "
                     "grad_scale?, stream: bool = False)",
        .infer = infer_rmsprop,
        .run = run_update<ready_rmsprop>,
        .doc = "One RMSprop update. hyper: [step, lr, weight_decay, l1, alpha, eps, momentum, "
               "decoupled] as float64; step grows by one. With grad_avg, centered. Parameter, "
               "gradient and buffers have one shape. stream: store the parameter past the caches, "
               "for other threads to read.\n\n"
               ">>> p, v = mg.tensor([1.0]), mg.zeros(1)\n"
               ">>> hyper = mg.tensor([0, 0.25, 0, 0, 0.75, 0, 0, 0], 'float64')\n"
               ">>> mg.rmsprop_(p, mg.ones(1), v, hyper, None, None)\n"
               ">>> p.tolist(), v.tolist()\n"
               "([0.5], [0.25])",
        .outputs = 0,
        .update = ready_rmsprop,
    },
    {
        .signature = "total_norm(*tensors, largest: bool = False)",
        .infer = infer_total_norm,
        .run = run_total_norm,
        .doc = "The Euclidean norm of all elements of all tensors, or the largest magnitude, as "
               "float64. The result has no dimensions.\n\n"
               ">>> mg.total_norm(mg.tensor([3.0]), mg.tensor([[4.0]])).item()\n"
               "5.0",
    },
    {
        .signature = "scale_(tensor!, factor)",
        .infer = infer_scale,
        .run = run_scale,
        .doc = "tensor *= factor in place; factor is one float64 value, read when the op runs. The "
               "factor has shape (1,).\n\n"
               ">>> x = mg.tensor([1.0, 2.0])\n"
               ">>> mg.scale_(x, mg.tensor([0.5], 'float64'))\n"
               ">>> x.tolist()\n"
               "[0.5, 1.0]",
        .outputs = 0,
    },
    {
        .signature = "lerp_(tensor!, end, weight)",
        .infer = infer_lerp,
        .run = run_lerp,
        .doc =
            "tensor += weight * (end - tensor) in place; weight is one float64 value. The weight "
            "has shape (1,).\n\n"
            ">>> x = mg.zeros(2)\n"
            ">>> mg.lerp_(x, mg.tensor([4.0, 8.0]), mg.tensor([0.25], 'float64'))\n"
            ">>> x.tolist()\n"
            "[1.0, 2.0]",
        .outputs = 0,
    },
    {
        .signature = "max_norm_(tensor!, max_norm: float)",
        .infer = infer_max_norm,
        .run = run_max_norm,
        .doc = "Scales back every row tensor[i] (over all other dimensions) whose Euclidean norm "
               "exceeds max_norm.\n\n"
               ">>> x = mg.tensor([[3.0, 4.0], [0.0, 1.0]])\n"
               ">>> mg.max_norm_(x, 2.5)\n"
               ">>> x.tolist()\n"
               "[[1.5, 2.0], [0.0, 1.0]]",
        .outputs = 0,
    },
};

}  // namespace

const Family optim_family(rows);

}  // namespace mg
