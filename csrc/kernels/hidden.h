// A layer of hidden units between a few features and one output, forwards and backwards in one pass
// each: y = relu(x W1^T + b1) w2^T + b2. On its way forwards the layer is never read, and stored
// only if it is wanted; on its way back it is read once, for the gradients of both weights and the
// first bias.
//
// The contract: everything is dense, 1 <= features <= few_features, units >= many_units. Bits are
// those of the products one after the other (kernels/matmul.h) and of sums of columns
// (kernels/fold.h). Threads may share the rows of forward() and the units of backward(), at least
// a vector of them each.
#pragma once
#include <stdint.h>

namespace mg {

inline constexpr int64_t few_features = 4;
inline constexpr int64_t many_units = 64;

struct HiddenForward {
  int64_t rows, features, units;
  const void* x;        // rows x features
  const void* weight1;  // features x units: turned, with `weight1_row` from row to row
  int64_t weight1_row;
  const void *bias1, *weight2;  // units each
  const void* bias2;            // one number
  void* y;                      // rows
  void* hidden;                 // null, or rows x units: relu(.)
};

struct HiddenBackward {
  int64_t rows, features, units;
  const void* g;       // rows: of y
  const void* x;       // rows x features
  const void* hidden;  // rows x units: dropout(relu(.)), with `hidden_row` from row to row
  int64_t hidden_row;
  const void* weight2;              // units
  double scale;                     // of what is not dropped
  void* weight1_grad;               // units x features
  void *bias1_grad, *weight2_grad;  // units each
};

struct Hidden {
  // Indexed by dtype: 0 float32, 1 float64.
  void (*forward[2])(const HiddenForward& layer);
  void (*backward[2])(const HiddenBackward& layer);
  // to (features x units, rows `to_row` apart) = weight (units x features), turned.
  void (*turn[2])(const void* weight, int64_t units, int64_t features, void* to, int64_t to_row);
};

}  // namespace mg
