// How values flow through a program: what passes ask before they put instructions together.
#pragma once
#include "engine/program.h"

namespace mg {

inline bool same(const Operand& a, const Operand& b) {
  return a.slot == b.slot &&
         (a.slot < 0 || (a.view.shape == b.view.shape && a.view.strides == b.view.strides &&
                         a.view.offset == b.view.offset && a.view.dtype == b.view.dtype));
}

// Who makes and who reads what; after a change it must be looked up anew.
class Flow {
 public:
  explicit Flow(const Program& p) : program_(p), slots_(p.slots.size()) {
    const int end = static_cast<int>(p.code.size());
    for (int i = 0; i < end; ++i) {
      const Instruction& code = p.code[i];
      for (const Operand& o : code.out) ++slots_[o.slot].writes, slots_[o.slot].maker = i;
      for (int k = 0; k < static_cast<int>(code.in.size()); ++k)
        if (code.in[k].slot >= 0) {
          slots_[code.in[k].slot].readers.push_back(i);
          if (code.writes_input(k)) ++slots_[code.in[k].slot].writes;
        }
    }
    for (const Operand& o : p.outputs)
      if (o.slot >= 0) slots_[o.slot].readers.push_back(end);
  }

  bool is(int i, const char* op) const {
    return i >= 0 && i < static_cast<int>(program_.code.size()) && program_.code[i].op &&
           program_.code[i].op->name() == op;
  }
  // The instruction that made this value and nothing else in its slot, or -1.
  int maker(const Operand& o) const {
    if (o.slot < 0 || program_.slots[o.slot].kind != Slot::temporary) return -1;
    const Use& use = slots_[o.slot];
    return use.writes == 1 && same(program_.code[use.maker].out[0], o) ? use.maker : -1;
  }
  // Likewise, if the value has a single reader.
  int sole_maker(const Operand& o) const {
    const int i = maker(o);
    return i >= 0 && readers(o).size() == 1 ? i : -1;
  }
  // The instructions that read the slot, in order, each as often as it does; for an output of the
  // program the end, too.
  const std::vector<int>& readers(const Operand& o) const { return slots_[o.slot].readers; }
  // Whether what instruction i reads is still there at `later`.
  bool can_wait(int i, int later) const {
    for (const Operand& read : program_.code[i].in)
      for (int at = i + 1; at < later && read.slot >= 0; ++at) {
        const Instruction& code = program_.code[at];
        for (const Operand& o : code.out)
          if (o.slot == read.slot) return false;
        for (int k = 0; k < static_cast<int>(code.in.size()); ++k)
          if (code.in[k].slot == read.slot && code.writes_input(k)) return false;
      }
    return true;
  }
  // Whether instruction i may run at `later` instead, before what is there now.
  bool can_come_late(int i, int later) const {
    if (!can_wait(i, later)) return false;
    for (const Operand& o : program_.code[i].out)
      for (const int reader : readers(o))
        if (reader < later) return false;
    return true;
  }
  // The op of this name that made something of the value, both of which are unchanged at
  // `later`; or -1.
  int maker_of(const char* op, const Operand& from, int later) const {
    for (int i = 0; i < later; ++i)
      if (is(i, op) && same(program_.code[i].in[0], from) && can_wait(i, later) &&
          maker(program_.code[i].out[0]) == i)
        return i;
    return -1;
  }

 private:
  struct Use {
    int maker = -1, writes = 0;
    std::vector<int> readers;
  };
  const Program& program_;
  std::vector<Use> slots_;
};

// An instruction in the place of another: its results, other inputs, default attributes.
inline Instruction instruction(const char* op, std::vector<Operand> in, const Instruction& as) {
  Instruction code;
  code.op = &find_op(op);
  code.attrs = code.op->signature_parsed.defaults;
  code.in = std::move(in);
  code.out = as.out;
  return code;
}

}  // namespace mg
