#include <algorithm>
#include <map>
#include <span>
#include <unordered_map>

#include "engine/blocks.h"
#include "engine/passes/flow.h"
#include "engine/passes/passes.h"

namespace mg {
namespace {

// A set of small numbers.
class Bits {
 public:
  explicit Bits(size_t n) : words_((n + 63) / 64) {}
  bool has(size_t i) const { return words_[i / 64] >> (i % 64) & 1; }
  void add(size_t i) { words_[i / 64] |= uint64_t{1} << (i % 64); }
  void remove(size_t i) { words_[i / 64] &= ~(uint64_t{1} << (i % 64)); }
  void add(const Bits& o) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] |= o.words_[i];
  }

 private:
  std::vector<uint64_t> words_;
};

// Over how many elements it goes.
int64_t elements(const Instruction& code) {
  return (code.op->folding ? code.in : code.out)[0].view.numel();
}

// Are the elements of `o` those that `made` wrote, in the same order?
bool same_elements(const Operand& o, const Operand& made) {
  return o.slot == made.slot && o.view.offset == made.view.offset && o.view.contiguous() &&
         o.view.numel() == made.view.numel();
}

// What an instruction may be in a group: one that goes element by element, or the fold at the end.
enum class Role : uint8_t { alone, part, end };

// Instructions in groups, and what must come before what. A group is named by its first member.
class Groups {
 public:
  explicit Groups(std::span<const Instruction> code) : code_(code) {
    const size_t n = code.size();
    for (size_t i = 0; i < n; ++i) {
      of_.push_back(i);
      members_.push_back({i});
      role_.push_back(code[i].goes_by_element() ? Role::part
                      : code[i].folds_all()     ? Role::end
                                                : Role::alone);
      before_.push_back(Bits(n));
    }
    std::unordered_map<int, std::vector<size_t>> writers, readers;  // of a slot
    for (size_t i = 0; i < n; ++i) {
      const Instruction& code = code_[i];
      const auto after = [&](const std::vector<size_t>& others) {
        for (size_t o : others) {
          before_[i].add(o);
          before_[i].add(before_[o]);
        }
      };
      const auto writes = [&](int slot) {
        after(writers[slot]);
        after(readers[slot]);
      };
      for (const Operand& o : code.in)
        if (o.slot >= 0) after(writers[o.slot]);
      for (const Operand& o : code.out) writes(o.slot);
      for (size_t k = 0; k < code.in.size(); ++k)
        if (code.writes_input(static_cast<int>(k))) writes(code.in[k].slot);
      for (const Operand& o : code.in)
        if (o.slot >= 0) readers[o.slot].push_back(i);
      for (const Operand& o : code.out) writers[o.slot].push_back(i);
      for (size_t k = 0; k < code.in.size(); ++k)
        if (code.writes_input(static_cast<int>(k))) writers[code.in[k].slot].push_back(i);
    }
  }

  Role role(size_t i) const { return role_[i]; }

  // Puts the groups of two instructions together, if they may run as one.
  void join(size_t i, size_t j) {
    const size_t a = std::min(of_[i], of_[j]), b = std::max(of_[i], of_[j]);
    if (a == b || !may_join(a, b)) return;
    for (size_t m : members_[b]) of_[m] = a;
    members_[a].insert(members_[a].end(), members_[b].begin(), members_[b].end());
    std::sort(members_[a].begin(), members_[a].end());
    members_[b].clear();
    before_[a].add(before_[b]);
    before_[a].remove(a);
    before_[a].remove(b);
    for (size_t c = 0; c < before_.size(); ++c)
      if (c != a && (before_[c].has(a) || before_[c].has(b))) {
        before_[c].add(before_[a]);
        before_[c].add(a);
        before_[c].remove(b);
      }
  }

  // The groups in an order that keeps every dependence, close to that of the program.
  std::vector<std::vector<size_t>> ordered() const {
    std::vector<std::vector<size_t>> groups;
    std::vector<bool> done(of_.size(), false);
    for (size_t last = 0; last < of_.size(); ++last)
      if (const size_t g = of_[last]; members_[g].back() == last) emit(g, done, groups);
    return groups;
  }

 private:
  // What a group depends on may end later in the program than the group itself.
  void emit(size_t g, std::vector<bool>& done, std::vector<std::vector<size_t>>& groups) const {
    if (done[g]) return;
    done[g] = true;
    for (size_t other = 0; other < of_.size(); ++other)
      if (before_[g].has(other) && of_[other] == other) emit(other, done, groups);
    groups.push_back(members_[g]);
  }

  bool may_join(size_t a, size_t b) const {
    int ends = 0;
    for (size_t g : {a, b})
      for (size_t m : members_[g]) {
        if (role_[m] == Role::alone) return false;
        ends += role_[m] == Role::end;
      }
    if (ends > 1 || elements(code_[a]) != elements(code_[b])) return false;
    if (members_[a].size() + members_[b].size() > static_cast<size_t>(Blocks::most)) return false;
    // Nothing outside may have to run between the two.
    for (size_t c = 0; c < before_.size(); ++c) {
      if (c == a || c == b || members_[c].empty()) continue;
      if ((before_[c].has(a) && before_[b].has(c)) || (before_[c].has(b) && before_[a].has(c)))
        return false;
    }
    return reads_in_step(a, b) && reads_in_step(b, a);
  }

  // Does `reader` take what `writer` makes only element by element?
  bool reads_in_step(size_t reader, size_t writer) const {
    for (size_t w : members_[writer])
      for (size_t r : members_[reader])
        for (const Operand& o : code_[r].in)
          if (o.slot == code_[w].out[0].slot &&
              (role_[w] == Role::end || !same_elements(o, code_[w].out[0])))
            return false;
    return true;
  }

  std::span<const Instruction> code_;
  std::vector<size_t> of_;
  std::vector<std::vector<size_t>> members_;
  std::vector<Role> role_;
  std::vector<Bits> before_;  // of a group: all groups that must have run
};

// One instruction for the members of a group; `readers` counts the instructions that read a slot.
Instruction fused(std::span<const Instruction> code, std::vector<size_t> members,
                  const std::vector<int>& readers) {
  // Nothing in the group reads what a fold gives, so it may move behind the others.
  std::stable_partition(members.begin(), members.end(),
                        [&](size_t i) { return !code[i].op->folding; });
  Instruction group;
  std::map<int, int> inside;  // slots made here, and how often they are read here
  for (size_t i : members) {
    for (const Operand& o : code[i].in) {
      if (const auto made = inside.find(o.slot); made != inside.end())
        ++made->second;
      else if (std::none_of(group.in.begin(), group.in.end(),
                            [&](const Operand& known) { return same(known, o); }))
        group.in.push_back(o);
    }
    inside.emplace(code[i].out[0].slot, 0);
    group.parts.push_back(code[i]);
  }
  for (const Instruction& part : group.parts)
    if (readers[part.out[0].slot] > inside[part.out[0].slot]) group.out.push_back(part.out[0]);
  return group;
}

// Puts instructions of a stretch of the program together.
std::vector<std::vector<size_t>> grouped(std::span<const Instruction> code) {
  Groups groups(code);
  // With whoever made what is read, then with others who read the same; folds come last, as they
  // end what they join.
  enum { makers, readers_of_the_same, folds };
  for (const auto partner : {makers, readers_of_the_same, folds}) {
    std::unordered_map<int, std::vector<size_t>> found;
    for (size_t i = 0; i < code.size(); ++i) {
      const bool joins = (groups.role(i) == Role::end) == (partner == folds);
      for (const Operand& o : code[i].in) {
        if (o.slot < 0 || !joins) continue;
        for (size_t other : found[o.slot]) groups.join(other, i);
        if (partner == readers_of_the_same && o.view.numel() > 1) found[o.slot].push_back(i);
      }
      if (partner == readers_of_the_same) continue;
      for (const Operand& o : code[i].out) found[o.slot] = {i};
    }
  }
  return groups.ordered();
}

}  // namespace

Program fuse(Program p) {
  // What runs together lies near each other: so the time of this pass grows with the program only.
  constexpr size_t stretch = 1024;
  std::vector<int> readers(p.slots.size(), 0);
  for (const Instruction& code : p.code)
    for (const Operand& o : code.in)
      if (o.slot >= 0) ++readers[o.slot];
  for (const Operand& o : p.outputs)
    if (o.slot >= 0) ++readers[o.slot];
  std::vector<Instruction> code;
  for (size_t first = 0; first < p.code.size(); first += stretch) {
    const auto part = std::span(p.code).subspan(first, std::min(stretch, p.code.size() - first));
    for (const std::vector<size_t>& members : grouped(part))
      code.push_back(members.size() == 1 ? part[members[0]] : fused(part, members, readers));
  }
  p.code = std::move(code);
  return p;
}

}  // namespace mg
