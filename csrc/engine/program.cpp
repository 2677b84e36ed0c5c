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

namespace {

template <class Ready>
bool makes_ready(const Instruction& code, bool (*make)(const Call&, Ready*)) {
  if (!make || code.writes_inputs()) return false;
  std::vector<const Array*> arrays;
  for (const Operand& o : code.in) arrays.push_back(&o.view);
  Array made = code.out[0].view;
  Ready ready;
  return make(Call{arrays, code.attrs, {&made, 1}, code.op->name().c_str()}, &ready);
}

}  // namespace

bool Instruction::goes_by_element() const {
  return op && op->pointwise && out[0].view.numel() > 0 && makes_ready(*this, op->pointwise);
}

bool Instruction::folds_all() const {
  return op && op->folding && in[0].view.contiguous() && makes_ready(*this, op->folding);
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
