#include "engine/program.h"

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
