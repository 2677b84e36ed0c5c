#include <algorithm>

#include "engine/passes/passes.h"

namespace mg {

Program place(Program p) {
  struct Life {
    int first = -1, last = -1;
  };
  std::vector<Life> life(p.slots.size());
  const int end = static_cast<int>(p.code.size());
  const auto touch = [&](const Operand& o, int at) {
    if (o.slot < 0) return;
    Life& l = life[o.slot];
    if (l.first < 0) l.first = at;
    l.last = at;
  };
  for (int i = 0; i < end; ++i) {
    for (const Operand& o : p.code[i].in) touch(o, i);
    for (const Operand& o : p.code[i].out) touch(o, i);
  }
  for (const Operand& o : p.outputs) touch(o, end);

  // Largest first, each at the lowest offset where nothing that lives at the same time lies.
  std::vector<int> order;
  for (int s = 0; s < static_cast<int>(p.slots.size()); ++s)
    if (p.slots[s].kind == Slot::temporary && life[s].first >= 0) order.push_back(s);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return p.slots[a].bytes > p.slots[b].bytes; });
  struct Placed {
    int64_t begin, stop;
    Life life;
  };
  std::vector<Placed> placed;  // by their begin
  for (int s : order) {
    const int64_t size = static_cast<int64_t>((p.slots[s].bytes + 63) / 64 * 64);
    int64_t at = 0;
    for (const Placed& other : placed) {
      if (at + size <= other.begin) break;
      if (other.life.first <= life[s].last && life[s].first <= other.life.last)
        at = std::max(at, other.stop);
    }
    p.slots[s].offset = at;
    p.arena_bytes = std::max(p.arena_bytes, at + size);
    const auto after = [](int64_t begin, const Placed& other) { return begin < other.begin; };
    placed.insert(std::upper_bound(placed.begin(), placed.end(), at, after),
                  {at, at + size, life[s]});
  }
  return p;
}

}  // namespace mg
