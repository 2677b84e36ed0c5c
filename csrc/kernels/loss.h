// Losses of pairs of equal shape, element by element.
#pragma once
#include <stdint.h>

namespace mg {

// Over n elements side by side; nothing overlaps. delta is read by huber alone.
struct PairLoss {
  // Arrays are indexed by dtype: float, double. out[i] = loss(x[i], target[i]); and their sum, in
  // the order of kernels/fold.h, to out[0].
  using Forward = void (*)(const void* x, const void* target, int64_t n, double delta, void* out);
  Forward each[2], total[2];
  // dx[i] = dloss/dx * grad[i * grad_step] * scale
  void (*backward[2])(const void* x, const void* target, int64_t n, double delta, const void* grad,
                      int64_t grad_step, double scale, void* dx);
};

struct Loss {
  PairLoss bce;    // max(x, 0) - x t + log(1 + exp(-|x|)): cross-entropy of sigmoid(x) against t
  PairLoss mse;    // (x - t)^2
  PairLoss l1;     // |x - t|
  PairLoss huber;  // (x - t)^2 / 2 where |x - t| <= delta, else delta (|x - t| - delta / 2)
};

}  // namespace mg
