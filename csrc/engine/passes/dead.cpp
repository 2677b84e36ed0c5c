#include <algorithm>

#include "engine/passes/passes.h"

namespace mg {

Program drop_dead(Program p) {
  std::vector<bool> wanted(p.slots.size(), false);
  for (const Operand& o : p.outputs)
    if (o.slot >= 0) wanted[o.slot] = true;
  std::vector<Instruction> kept;
  for (auto it = p.code.rbegin(); it != p.code.rend(); ++it) {
    bool needed = false;
    for (const Operand& o : it->out) needed = needed || wanted[o.slot];
    // What is written in place matters if it lives on: outside, or in a temporary read later.
    for (int i = 0; i < static_cast<int>(it->in.size()); ++i)
      if (it->writes_input(i)) {
        const int slot = it->in[i].slot;
        needed = needed || p.slots[slot].kind != Slot::temporary || wanted[slot];
      }
    if (!needed) continue;
    for (const Operand& o : it->in)
      if (o.slot >= 0) wanted[o.slot] = true;
    kept.push_back(std::move(*it));
  }
  std::reverse(kept.begin(), kept.end());
  p.code = std::move(kept);
  return p;
}

}  // namespace mg
