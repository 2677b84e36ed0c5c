// Optimizers' updates: parameters that wander between cores, gradients that need not be stored, and
// small parameters, for which an instruction each takes longer than their update.
#include <algorithm>

#include "engine/passes/flow.h"
#include "engine/passes/passes.h"
#include "ops/gemm.h"

namespace mg {
namespace {

bool is_update(const Instruction& code) { return code.op && code.op->update; }

// Whether the order of an update and another instruction matters, but for its gradient: one of them
// changes what the other takes.
bool meet(const Instruction& update, const Instruction& other) {
  for (int k = 0; k < static_cast<int>(update.in.size()); ++k) {
    const int slot = update.in[k].slot;
    if (slot < 0 || k == 1) continue;
    for (const Operand& o : other.out)
      if (o.slot == slot) return true;
    for (int r = 0; r < static_cast<int>(other.in.size()); ++r)
      if (other.in[r].slot == slot && (update.writes_input(k) || other.writes_input(r)))
        return true;
  }
  return false;
}

// Smaller gradients stay in the caches anyway.
constexpr int64_t enough_elements = 1 << 13;
// From the first update on a replay is not interrupted: no more work than takes some 50 ms.
constexpr double most_work = 4e9;

bool dense(const Operand& o) { return o.slot < 0 || o.view.contiguous(); }

bool can_take(const Instruction& product, const Instruction& update) {
  const auto matrix = [](const Operand& o) { return o.view.rank() == 2; };
  return product.op && product.op->run_to &&
         std::all_of(product.in.begin(), product.in.end(), matrix) &&
         same(product.out[0], update.in[1]) &&
         std::all_of(update.in.begin(), update.in.end(), dense) &&
         update.in[1].view.numel() >= enough_elements;
}

// The two meet as early as they may: what the product reads is in the caches still.
bool take_product(Program& p, const Flow& flow, int i) {
  const int made = flow.sole_maker(p.code[i].in[1]);
  if (made < 0 || !can_take(p.code[made], p.code[i]) || meet(p.code[i], p.code[made])) return false;
  int at = i;
  while (at > made + 1 && !meet(p.code[i], p.code[at - 1])) --at;
  if (!flow.can_come_late(made, at)) return false;
  double work = p.code[made].flops();
  for (size_t later = at; later < p.code.size(); ++later) work += p.code[later].flops();
  if (work > most_work) return false;
  Instruction both;
  both.in = p.code[made].in;
  for (int k = 0; k < static_cast<int>(p.code[i].in.size()); ++k)
    if (k != 1 && p.code[i].in[k].slot >= 0) both.in.push_back(p.code[i].in[k]);
  both.out.assign(p.code[made].out.begin() + 1, p.code[made].out.end());
  both.parts = {p.code[made], p.code[i]};
  p.code.erase(p.code.begin() + i);
  p.code.insert(p.code.begin() + at, std::move(both));
  p.code.erase(p.code.begin() + made);
  return true;
}

// Whether an update changes nothing that the other takes.
bool apart(const Instruction& update, const Instruction& other) {
  for (int k = 0; k < static_cast<int>(update.in.size()); ++k)
    for (const Operand& o : other.in)
      if (update.in[k].slot >= 0 && update.in[k].slot == o.slot && update.writes_input(k))
        return false;
  return true;
}

// Whether an update may run in any order with these, which it follows.
bool may_join(const Instruction& update, const std::vector<Instruction>& others) {
  return is_update(update) && std::all_of(update.in.begin(), update.in.end(), dense) &&
         std::all_of(others.begin(), others.end(), [&](const Instruction& other) {
           return apart(update, other) && apart(other, update);
         });
}

// Parameters that outgrow this have left the other core's cache before they are written.
constexpr int64_t most_bytes = 2 << 20;

}  // namespace

// Threads that share a product and the gradient of its input cut the weight across in one of them.
Program stream_shared(Program p) {
  const Flow flow(p);
  for (int i = 0; i < static_cast<int>(p.code.size()); ++i) {
    if (!is_update(p.code[i])) continue;
    const Operand& param = p.code[i].in[0];
    int shared = 0;
    for (const int reader : flow.readers(param))
      if (reader < i) shared += worth_threads(p.code[reader].flops() / 2);
    if (shared > 1 && param.view.bytes() <= most_bytes) p.code[i].attrs.set_integer(0, 1);
  }
  return p;
}

Program update_at_once(Program p) {
  for (int i = 0; i < static_cast<int>(p.code.size());)
    if (!is_update(p.code[i]) || !take_product(p, Flow(p), i)) ++i;
  return p;
}

Program update_together(Program p) {
  std::vector<Instruction> code;
  for (size_t i = 0; i < p.code.size();) {
    Instruction all;
    for (; i < p.code.size() && may_join(p.code[i], all.parts); ++i) {
      for (const Operand& o : p.code[i].in)
        if (std::none_of(all.in.begin(), all.in.end(),
                         [&](const Operand& known) { return same(known, o); }))
          all.in.push_back(o);
      all.parts.push_back(std::move(p.code[i]));
    }
    if (all.parts.empty())
      code.push_back(std::move(p.code[i++]));
    else
      code.push_back(all.parts.size() == 1 ? std::move(all.parts[0]) : std::move(all));
  }
  p.code = std::move(code);
  return p;
}

}  // namespace mg
