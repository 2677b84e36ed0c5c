// Softmax and what rests on it, row by row: each row is read against its maximum, so that nothing
// overflows. Sums are in the order of kernels/fold.h.
#pragma once
#include <stdint.h>

namespace mg {

// The classes of row r: labels[r] in [0, n) (the caller has checked), or, if labels is null, the
// n adjacent probabilities of row r. smoothing s mixes in the uniform distribution:
// q = (1 - s) * target + s / n.
struct CrossEntropy {
  const void* x;   // rows of n logits
  int64_t stride;  // from one row of x to the next
  const int64_t* labels;
  const void* probabilities;
  int64_t rows, n;
  double smoothing;
};

// Arrays of pointers are indexed by dtype: float, double. Rows of x are n adjacent elements,
// `stride` elements apart; everything else is dense. n > 0. Nothing overlaps, except that
// y may be x where the stride is n.
struct Softmax {
  // y = exp(x) / sum exp(x); its logarithm; and log sum exp(x), one for each row. A row of nothing
  // but -inf gives NaN, NaN and -inf; +inf gives NaN, NaN and +inf; as torch.
  using Rows = void (*)(const void* x, int64_t stride, int64_t rows, int64_t n, void* y);
  Rows softmax[2], log_softmax[2], logsumexp[2];
  // The same bits along 1 to most_rows rows, `stride` elements apart in x and in y, for `columns`
  // side by side.
  using Columns = void (*)(const void* x, int64_t stride, int64_t n, int64_t columns, void* y);
  Columns softmax_columns[2], log_softmax_columns[2], logsumexp_columns[2];
  int64_t most_rows;

  // dx from the gradient of y and y itself: y * (grad - sum(grad * y)), grad - exp(y) * sum(grad).
  using Backward = void (*)(const void* grad, const void* y, int64_t rows, int64_t n, void* dx);
  Backward softmax_backward[2], log_softmax_backward[2];

  // loss[r] = -sum_j q_j log softmax(x)_j, and dx = (softmax(x) * sum q - q) * grad[r * grad_step]
  // * scale.
  void (*cross_entropy[2])(const CrossEntropy& c, void* loss);
  void (*cross_entropy_backward[2])(const CrossEntropy& c, const void* grad, int64_t grad_step,
                                    double scale, void* dx);
};

}  // namespace mg
