// The tape: every differentiable op that ran leaves a step, which knows its inputs.
#pragma once
#include <atomic>
#include <span>
#include <utility>
#include <vector>

#include "core/few.h"
#include "ops/op.h"

namespace mg {

struct Step : RefCounted {
  const Op& op;
  Attrs attrs;
  uint64_t id;                   // later steps have higher ones
  Few<Var, 3> in;                // like `out` empty once the step is used up
  Few<uint32_t, 3> in_versions;  // of the inputs' memory when the op ran
  Few<Array, 1> out;
  Few<uint32_t, 1> out_versions;

  Step(const Op& op, const Attrs& attrs, std::span<const Var> in, std::span<const Var> out);
  ~Step();
  static void* operator new(size_t n) { return pool_allocate(n); }
  static void operator delete(void* p, size_t n) { pool_free(p, n); }

  // Threads look at `in` and `out` in between (see Entered), any number of them until one does not
  // keep the step: from then on nobody enters, and whoever leaves it last frees its inputs and
  // outputs, so that memory is free before the graph is.
  bool enter(bool keep);
  void leave();

 private:
  std::atomic<uint32_t> inside_{0};  // threads; and whether no more come in
};

// A thread at a step, which must outlive this; false if the step is used up.
class Entered {
 public:
  Entered(Step* step, bool keep) : step_(step->enter(keep) ? step : nullptr) {}
  Entered(Entered&& o) noexcept : step_(std::exchange(o.step_, nullptr)) {}
  Entered& operator=(Entered&&) = delete;
  ~Entered() {
    if (step_) step_->leave();
  }
  explicit operator bool() const { return step_ != nullptr; }

 private:
  Step* step_;
};

// Whether ops of this thread are recorded.
bool grad_enabled();
bool set_grad_enabled(bool on);  // returns what it was

// Gradients of `outputs`, weighted by `seeds` (null: 1, for outputs of one element), added to
// .grad of every leaf that requires one.
void backward(std::span<const Var> outputs, std::span<const Var> seeds, bool retain_graph,
              bool create_graph);

// The same for chosen inputs, leaving every .grad alone. An input that takes no part gives a null
// Var if allow_unused, else a ValueError.
std::vector<Var> gradients(std::span<const Var> outputs, std::span<const Var> seeds,
                           std::span<const Var> inputs, bool retain_graph, bool create_graph,
                           bool allow_unused);

}  // namespace mg
