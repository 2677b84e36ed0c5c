// An optimizer's update of one parameter, made ready to run in pieces: those of several parameters
// run as one, and the product that computes the gradient may hand it over piece by piece, so that
// it is never stored.
#pragma once
#include <span>
#include <variant>

#include "core/dtype.h"
#include "kernels/optim.h"
#include "ops/op.h"

namespace mg {

struct Update {
  // Elements [first, first + n) of the parameter; `grad` points to as many of the gradient.
  void (*run)(const Update&, const void* grad, int64_t first, int64_t n);
  DType dtype;
  int64_t n;
  char* param;
  const char* grad;  // not read where a product hands it over
  char* state[3];    // null where the optimizer keeps none
  double* hyper;     // of the parameter, read already; [0] counts its updates
  std::variant<SgdStep, AdamStep, RmspropStep> step;

  const void* grad_at(int64_t i) const { return grad + i * item_size(dtype); }
  void* param_at(int64_t i) const { return param + i * item_size(dtype); }
  void* state_at(int which, int64_t i) const {
    return state[which] ? state[which] + i * item_size(dtype) : nullptr;
  }
  // Once every piece is done.
  void count() const { hyper[0] += 1; }
};

// Runs these whole. None may change what another one takes: threads share them.
void run_updates(std::span<const Update> updates);

}  // namespace mg
