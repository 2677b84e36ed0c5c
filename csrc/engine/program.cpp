#include "engine/program.h"

#include <algorithm>

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

bool Instruction::finishes_product() const {
  return !op && parts[0].op->run_then && parts[1].op->pointwise;
}

bool Instruction::updates_at_once() const {
  return !op && parts.back().op->update && !parts[0].op->update;
}

bool Instruction::updates_together() const { return !op && parts[0].op->update; }

double Instruction::flops() const {
  double all = 0;
  for (const Instruction& part : parts) all += part.flops();
  if (!op) return all;
  std::vector<const Array*> read;
  std::vector<Array> made;
  int64_t largest = 0;
  for (const Operand& o : in) {
    read.push_back(o.slot < 0 ? nullptr : &o.view);
    if (o.slot >= 0) largest = std::max(largest, o.view.numel());
  }
  for (const Operand& o : out) {
    made.push_back(o.view);
    largest = std::max(largest, o.view.numel());
  }
  return op->flops ? op->flops(Call{read, attrs, made, op->name().c_str()})
                   : static_cast<double>(largest);
}

bool Instruction::writes_input(int i) const {
  for (const Instruction& part : parts)
    for (int k = 0; k < static_cast<int>(part.in.size()); ++k)
      if (part.in[k].slot == in[i].slot && part.writes_input(k)) return true;
  if (!op) return false;
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
