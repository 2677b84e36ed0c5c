// Optimizer updates, in place. Every parameter has a float64 tensor of 8 hyper-parameters, read
// when the op runs, so that a replayed plan follows a schedule: [0] counts the updates and grows by
// one with each; [1] lr; [2] weight_decay; [3] the L1 term; [7] 1 for decoupled decay (AdamW), 0
// for decay as a part of the gradient; the others are the optimizer's own.
#include <algorithm>
#include <cmath>

#include "core/threads.h"
#include "kernels/kernels.h"
#include "ops/families.h"
#include "ops/in_place.h"
#include "ops/update.h"

namespace mg {
namespace {

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

void place(const Call& c, int hyper, std::initializer_list<int> states, Update* u) {
  const auto at = [&](int i) { return c.has(i) ? c.in(i).data<char>() : nullptr; };
  u->dtype = c.in(0).dtype;
  u->n = c.in(0).numel();
  u->param = at(0);
  u->grad = at(1);
  int next = 0;
  for (const int i : states) u->state[next++] = at(i);
  u->hyper = c.in(hyper).data<double>();
}

template <void (*Ready)(const Call&, Update*)>
void run_update(const Call& c) {
  const DenseCall d(c);
  Update u;
  Ready(d.call(), &u);
  run_updates({&u, 1});
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

const Row rows[] = {
    inner({
        .signature = "sgd_(param!, grad, hyper!, momentum_buffer!?, grad_scale?, "
                     "stream: bool = False)",
        .infer = infer_sgd,
        .run = run_update<ready_sgd>,
        .doc = "One SGD update. hyper: [step, lr, weight_decay, l1, momentum, dampening, nesterov, "
               "decoupled] as float64; step grows by one. grad_scale multiplies the gradient. "
               "Parameter, gradient and buffers have one shape. stream: store the parameter past "
               "the caches, for other threads to read.\n\n"
               ">>> p, hyper = mg.tensor([1.0]), mg.tensor([0, 0.5, 0, 0, 0, 0, 0, 0], 'float64')\n"
               ">>> _core.sgd_(p, mg.ones(1), hyper, None)\n"
               ">>> p.tolist(), hyper.tolist()[0]\n"
               "([0.5], 1.0)",
        .outputs = 0,
        .update = ready_sgd,
    }),
    inner({
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
            ">>> _core.adam_(p, mg.ones(1), m, v, hyper, None)\n"
            ">>> round(p.item(), 4), hyper.tolist()[0]\n"
            "(0.5, 1.0)",
        .outputs = 0,
        .update = ready_adam,
    }),
    inner({
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
               ">>> _core.rmsprop_(p, mg.ones(1), v, hyper, None, None)\n"
               ">>> p.tolist(), v.tolist()\n"
               "([0.5], [0.25])",
        .outputs = 0,
        .update = ready_rmsprop,
    }),
};

}  // namespace

void run_updates(std::span<const Update> updates) {
  // One after the other, each with room for whole shares.
  const auto room = [](const Update& u) {
    return (u.n + update_align - 1) / update_align * update_align;
  };
  int64_t all = 0;
  for (const Update& u : updates) all += room(u);
  parallel_for(
      all, update_grain,
      [&](int64_t begin, int64_t end) {
        for (const Update& u : updates) {
          const int64_t first = std::max<int64_t>(begin, 0), last = std::min(end, u.n);
          if (first < last) u.run(u, u.grad_at(first), first, last - first);
          begin -= room(u);
          end -= room(u);
        }
      },
      update_align);
  for (const Update& u : updates) u.count();
}

const Family optim_family(rows);

}  // namespace mg
