#include "engine/program.h"

namespace mg {

bool Instruction::writes_input(int i) const {
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
