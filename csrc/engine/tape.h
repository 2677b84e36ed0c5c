// The tape: every differentiable op that ran leaves a step, which knows its inputs.
#pragma once
#include <atomic>
#include <span>
#include <vector>

#include "core/few.h"
#include "ops/op.h"

namespace mg {

struct Step : RefCounted {
  const Op& op;
  Attrs attrs;
  uint64_t id;                   // later steps have higher ones
  Few<Var, 3> in;                // empty once released
  Few<uint32_t, 3> in_versions;  // of the inputs' memory when the op ran
  Few<Array, 1> out;
  Few<uint32_t, 1> out_versions;
  std::atomic<bool> released = false;

  Step(const Op& op, const Attrs& attrs, std::span<const Var> in, std::span<const Var> out);
  ~Step();
  static void* operator new(size_t n) { return pool_allocate(n); }
  static void operator delete(void* p, size_t n) { pool_free(p, n); }

  // Forgets inputs and outputs, so that memory is free before the graph is; `released` is set by
  // whoever is going to.
  void release();
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
