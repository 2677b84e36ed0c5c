// Optimizer updates: one pass over a parameter, its gradient and its state.
//
// The contract: arrays hold n elements side by side and do not overlap; state and parameter are
// changed in place, the gradient is not. Elements stand alone, so n may be cut anywhere. Arrays of
// functions are indexed by dtype (0 float32, 1 float64). The numbers of a step are worked out in
// double by the caller and rounded once to the dtype.
//
// The order of operations, in the names of PyTorch's formulas (every a * b + c is one fma):
//   g = grad * grad_scale;  g += weight_decay * p;  g += l1 * sign(p);  p *= keep
// then, for SGD with momentum
//   buf = momentum * buf + weight * g;  g = nesterov ? g + nesterov * buf : buf
//   p -= lr * g
// for Adam
//   m += (1 - beta1) * (g - m);  v = beta2 * v + ((1 - beta2) * g) * g;  [v_max = max(v_max, v)]
//   p -= step_size * (m / (sqrt(v or v_max) * root_scale + eps))
// for RMSprop
//   v = alpha * v + ((1 - alpha) * g) * g;  [avg += (1 - alpha) * (g - avg)]
//   d = g / (sqrt(v [- avg * avg]) + eps);  [buf = momentum * buf + d;  d = buf];  p -= lr * d
#pragma once
#include <stdint.h>

namespace mg {

// What every update does to the gradient and the parameter first.
struct Decay {
  double grad_scale = 1;
  double weight_decay = 0;  // coupled: part of the gradient
  double l1 = 0;
  double keep = 1;      // decoupled: 1 - lr * weight_decay
  bool stream = false;  // stores the parameter past the caches, where other cores read it
};

struct SgdStep {
  Decay decay;
  double lr;
  double momentum = 0, weight = 1;  // of the buffer and of the gradient in the new buffer
  double nesterov = 0;              // the buffer's share in the step, 0 for plain momentum
};

struct AdamStep {
  Decay decay;
  double step_size;   // lr / (1 - beta1^t)
  double root_scale;  // 1 / sqrt(1 - beta2^t)
  double beta1, beta2, eps;
};

struct RmspropStep {
  Decay decay;
  double lr, alpha, eps, momentum;
};

struct Optim {
  // A null buffer, v_max, avg or buf leaves out its line of the formula.
  void (*sgd[2])(void* param, const void* grad, void* buffer, int64_t n, const SgdStep& step);
  void (*adam[2])(void* param, const void* grad, void* m, void* v, void* v_max, int64_t n,
                  const AdamStep& step);
  void (*rmsprop[2])(void* param, const void* grad, void* v, void* avg, void* buf, int64_t n,
                     const RmspropStep& step);

  // In the order of kernels/fold.h; the largest magnitude is NaN if any is, 0 for n = 0.
  double (*square_sum[2])(const void* x, int64_t n);
  double (*max_abs[2])(const void* x, int64_t n);

  void (*scale[2])(void* x, int64_t n, double by);                    // x *= by
  void (*lerp[2])(void* x, const void* y, int64_t n, double weight);  // x += weight * (y - x)
  // Every row of `cols` elements whose norm exceeds `limit` is scaled back to it.
  void (*max_norm[2])(void* x, int64_t rows, int64_t cols, double limit);
};

}  // namespace mg
