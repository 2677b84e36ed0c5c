// Products and convolutions hand what they have stored to the ops that go over it element by
// element next, while it is in the cache: activations and dropout on the way forward, their
// gradients on the way back.
#include <algorithm>
#include <optional>

#include "engine/passes/flow.h"
#include "engine/passes/passes.h"

namespace mg {
namespace {

std::span<const Instruction> parts_of(const Instruction& code) {
  return code.op ? std::span(&code, 1) : std::span(code.parts);
}

bool reads(const Instruction& code, int slot) {
  return std::any_of(code.in.begin(), code.in.end(),
                     [=](const Operand& o) { return o.slot == slot; });
}

// Whether all parts go over what the product gives element by element.
bool follows(const Instruction& code, const Operand& product) {
  const auto parts = parts_of(code);
  return std::all_of(parts.begin(), parts.end(), [&](const Instruction& part) {
    return part.goes_by_element() && part.out[0].view.numel() == product.view.numel() &&
           std::all_of(part.in.begin(), part.in.end(), [&](const Operand& o) {
             return o.slot != product.slot || same(o, product);
           });
  });
}

// The last product that instruction i may go over, or -1.
int product_before(const Program& p, const Flow& flow, int i) {
  int found = -1;
  for (const Operand& o : p.code[i].in) {
    const int made = flow.maker(o);
    if (made > found && p.code[made].op && p.code[made].op->run_then && o.view.contiguous() &&
        flow.can_come_late(made, i) && follows(p.code[i], o))
      found = made;
  }
  return found;
}

// Where nobody else wants the product, it is stored where a result will be that its last reader, or
// a later part, puts in its place.
bool store_in_place(Instruction& group) {
  Operand& product = group.parts[0].out[0];
  for (auto part = group.parts.rbegin(); part != group.parts.rend() - 1; ++part) {
    const Operand& made = part->out[0];
    const bool kept = std::any_of(group.out.begin(), group.out.end(),
                                  [&](const Operand& o) { return o.slot == made.slot; });
    if (kept && made.view.dtype == product.view.dtype && made.view.offset == product.view.offset) {
      const int before = product.slot, now = made.slot;
      product.slot = now;
      for (Instruction& other : group.parts)
        for (Operand& o : other.in)
          if (o.slot == before) o.slot = now;
      return true;
    }
    if (reads(*part, product.slot)) return false;
  }
  return false;
}

bool finish_one(Program& p, const Flow& flow, int i) {
  const int made = product_before(p, flow, i);
  if (made < 0) return false;
  const Instruction &product = p.code[made], &code = p.code[i];
  const Operand stored = product.out[0];
  Instruction group;
  group.in = product.in;
  for (const Operand& o : code.in)
    if (o.slot != stored.slot && std::none_of(group.in.begin(), group.in.end(),
                                              [&](const Operand& known) { return same(known, o); }))
      group.in.push_back(o);
  group.out = code.out;
  group.parts = {product};
  for (const Instruction& part : parts_of(code)) group.parts.push_back(part);
  const std::vector<int>& readers = flow.readers(stored);
  const bool wanted = std::any_of(readers.begin(), readers.end(), [=](int r) { return r != i; });
  if (wanted || !store_in_place(group)) group.out.push_back(stored);
  p.code[i] = std::move(group);
  p.code.erase(p.code.begin() + made);
  return true;
}

}  // namespace

Program finish_products(Program p) {
  std::optional<Flow> flow;
  for (int i = 0; i < static_cast<int>(p.code.size());) {
    if (!flow) flow.emplace(p);
    if (finish_one(p, *flow, i))
      flow.reset();
    else
      ++i;
  }
  return p;
}

}  // namespace mg
