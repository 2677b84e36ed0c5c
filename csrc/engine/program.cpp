#include "engine/program.h"

#include "ops/pointwise.h"

namespace mg {

std::string Instruction::name() const {
  if (op) return op->name();
  std::string text;
  for (const Instruction& part : parts) {
    if (!text.empty()) text += '+';
    text += part.name();
  }
  return text;
}

bool Instruction::goes_by_element() const {
  if (!op || !op->pointwise || writes_inputs() || out[0].view.numel() == 0) return false;
  std::vector<const Array*> arrays;
  for (const Operand& o : in) arrays.push_back(&o.view);
  Array made = out[0].view;
  Pointwise ready;
  return op->pointwise(Call{arrays, attrs, {&made, 1}, op->name().c_str()}, &ready);
}

bool Instruction::writes_input(int i) const {
  if (!op) return false;  // only ops that leave their inputs alone are grouped
  const Signature& s = op->signature_parsed;
  if (s.variadic) return false;
  for (const Param& p : s.params)
    if (p.mutated && p.slot == i) return in[i].slot >= 0;
  return false;
}

bool Instruction::writes_inputs() const {
  for (int i = 0; i < static_cast<int>(in.size()); ++i)
    if (writes_input(i)) return true;
  return false;
}

}  // namespace mg
