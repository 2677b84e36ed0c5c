#include "engine/record.h"

#include <algorithm>
#include <atomic>

#include "core/thread_local.h"
#include "engine/tensor.h"

namespace mg {
namespace {

MG_THREAD_LOCAL Recorder* current = nullptr;
std::atomic<uint64_t> change_count{0};

Array without_buffer(const Array& a) {
  Array view = a;
  view.buffer = nullptr;
  return view;
}

int64_t count(const std::vector<Var>& list, const Var& v) {
  return std::count_if(list.begin(), list.end(), [&](const Var& x) { return x.get() == v.get(); });
}

// Do two slots lie in the same memory, as tensors over one array of numpy's do, and is it written?
// What comes before what is known of each slot only.
bool writes_what_others_hold(const Program& p) {
  struct Extent {
    const char *begin, *end;
    bool written;
  };
  std::vector<bool> written(p.slots.size(), false);
  for (const Instruction& code : p.code)
    for (size_t i = 0; i < code.in.size(); ++i)
      if (code.writes_input(static_cast<int>(i))) written[code.in[i].slot] = true;
  std::vector<Extent> extents;
  for (size_t i = 0; i < p.slots.size(); ++i) {
    const Slot& s = p.slots[i];
    if (s.kind != Slot::external || s.bytes == 0) continue;
    const char* begin = static_cast<const char*>(s.buffer->data());
    extents.push_back({begin, begin + s.bytes, written[i]});
  }
  std::sort(extents.begin(), extents.end(),
            [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
  for (size_t i = 1; i < extents.size(); ++i) {
    const Extent& before = extents[i - 1];
    Extent& e = extents[i];
    if (e.begin >= before.end) continue;
    e.end = std::max(e.end, before.end);
    e.written = e.written || before.written;
    if (e.written) return true;
  }
  return false;
}

}  // namespace

Recorder* recorder() { return current; }

uint64_t changes() { return change_count.load(std::memory_order_relaxed); }
void note_change() { change_count.fetch_add(1, std::memory_order_relaxed); }

void check_readable(const char* what) {
  if (current)
    fail<CaptureError>(what,
                       ": a function under mg.compile may not read the values of tensors, since a "
                       "replay would not read them again; return the tensor and read it outside");
}

Recorder::Recorder(std::span<const Var> inputs) {
  if (current)
    fail<CaptureError>("mg.compile: a compiled function called another while it was recorded");
  for (const Var& v : inputs)
    program_.inputs.push_back({slot_of(v.array().buffer, Slot::input), without_buffer(v.array())});
  current = this;
}

Recorder::~Recorder() {
  if (current == this) current = nullptr;
}

int Recorder::slot_of(const Ref<Buffer>& buffer, Slot::Kind kind_if_new) {
  const auto [it, is_new] =
      slot_by_buffer_.emplace(buffer.get(), static_cast<int>(program_.slots.size()));
  // Held until the end, so that no later buffer can have the same address.
  if (is_new) program_.slots.push_back({kind_if_new, buffer, buffer->bytes()});
  return it->second;
}

Operand Recorder::operand(const Var& v) {
  if (!v) return {};
  return {slot_of(v.array().buffer, Slot::external), without_buffer(v.array())};
}

void Recorder::add(const Op& op, std::span<const Var> in, const Attrs& attrs,
                   std::span<const Var> out, bool ran) {
  if (!ran) return;
  Instruction code;
  code.op = &op;
  code.attrs = attrs;
  for (const Var& v : in) code.in.push_back(operand(v));
  for (const Var& v : out) {
    slot_of(v.array().buffer, Slot::temporary);
    code.out.push_back(operand(v));
  }
  program_.code.push_back(std::move(code));
}

Program Recorder::finish(std::span<const Var> outputs, std::string* obstacle) {
  current = nullptr;
  std::ostringstream text;
  for (const Var& leaf : grown_) {
    // A leaf that nobody else holds was made inside the function, and is gone with its gradient.
    const int64_t cleared = count(cleared_, leaf);
    const bool gone = leaf.get()->refs.load() == count(grown_, leaf) + cleared;
    if (cleared > 0 || gone)
      tensor_of(leaf).grad.set(Var{});  // inside a plan gradients are temporaries
    else if (text.str().empty())
      text << "the gradient of a tensor of shape " << leaf.shape()
           << " adds up over calls; call optimizer.zero_grad() inside the function, or "
              "model.zero_grad() where it is of no parameter of the optimizer, and for that of an "
              "argument return mg.grad(loss, [argument])";
  }
  grown_.clear();  // they are not to hold what is looked at below
  cleared_.clear();
  for (const Var& v : outputs) program_.outputs.push_back(operand(v));

  // Whoever else holds a temporary expects it to change with every call.
  std::vector<int> known(program_.slots.size(), 1);
  for (const Var& v : outputs) ++known[slot_of(v.array().buffer, Slot::external)];
  for (const Instruction& code : program_.code)
    for (const Operand& o : code.out) {
      Slot& s = program_.slots[o.slot];
      if (s.kind != Slot::temporary || !s.buffer) continue;
      if (s.buffer->refs.load() > known[o.slot] && text.str().empty())
        text << "a tensor of shape " << o.view.shape << " made by '" << code.op->name()
             << "' is kept beyond the call, and a replay would not change it; return it instead";
    }
  for (const Instruction& code : program_.code)
    for (size_t i = 0; i < code.in.size(); ++i)
      if (code.writes_input(static_cast<int>(i)) && text.str().empty() &&
          program_.slots[code.in[i].slot].kind == Slot::input)
        text << "an argument of shape " << code.in[i].view.shape << " is changed by '"
             << code.op->name()
             << "', and a replay would change a copy of it; return what it becomes, or let the "
                "function find the tensor elsewhere than in its arguments";
  if (text.str().empty() && writes_what_others_hold(program_))
    text << "a tensor is changed whose memory another one holds, such as of two made by from_numpy "
            "of one array, and a plan would take them for apart; make one of them and take views "
            "of it";
  *obstacle = text.str();
  for (Slot& s : program_.slots)
    if (s.kind == Slot::temporary) s.buffer = nullptr;
  return std::move(program_);
}

}  // namespace mg
