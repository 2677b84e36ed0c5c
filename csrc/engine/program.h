// A program: the ops that a function executed, in order, over numbered pieces of memory.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "ops/op.h"

namespace mg {

// A piece of memory. Temporaries are placed in the plan's arena; everything else keeps the memory
// that it had when it was seen (parameters, optimizer state, random state, constants).
struct Slot {
  enum Kind : uint8_t { temporary, input, external };
  Kind kind = external;
  Ref<Buffer> buffer;  // of inputs and externals; of temporaries only while recording
  size_t bytes = 0;
  int64_t offset = 0;  // of a temporary in the arena, in bytes
};

// A strided view of a slot; slot < 0 stands for None.
struct Operand {
  int slot = -1;
  Array view;  // without its buffer
};

struct Instruction {
  const Op* op = nullptr;  // null for a group
  Attrs attrs;
  std::vector<Operand> in, out;
  // A group runs these together: ops that go element by element, in this order; a product and such
  // ops, which go over what it has just stored; a product and the update that uses it up; or
  // updates of several parameters. Its own `in` and `out` are what it reads from others and leaves
  // to them; what only its parts see has no place in memory.
  std::vector<Instruction> parts;

  std::string name() const;  // of a group, its parts': "mul+add+relu"
  // Can it be run in pieces of its elements (ops/pointwise.h)?
  bool goes_by_element() const;
  // Does it fold all elements of its input, side by side, into one number?
  bool folds_all() const;
  // Is it a product and what goes over it, element by element, while it is in the cache?
  bool finishes_product() const;
  // Is it a product and the update that uses it up?
  bool updates_at_once() const;
  // Is it updates of several parameters?
  bool updates_together() const;
  double flops() const;  // as estimated
  bool writes_input(int i) const;
  bool writes_inputs() const;
};

struct Program {
  std::vector<Slot> slots;
  std::vector<Instruction> code;
  std::vector<Operand> inputs, outputs;
  int64_t arena_bytes = 0;
};

}  // namespace mg
