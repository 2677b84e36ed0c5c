#include "engine/plan.h"

#include <algorithm>
#include <cstring>

#include "core/interrupt.h"
#include "engine/passes/passes.h"
#include "ops/strided.h"
#include "ops/update.h"

namespace mg {

namespace {

// Memory for an input, with the recorded values: what is run before the first replay, as profile()
// does, finds numbers that the ops can take.
Ref<Buffer> copied(const Buffer& recorded) {
  Ref<Buffer> own(new Buffer(recorded.bytes()));
  std::memcpy(own->data(), recorded.data(), recorded.bytes());
  return own;
}

}  // namespace

Plan::Plan(Program recorded)
    : program_(place(update_together(update_at_once(stream_shared(finish_products(
          fuse(take_hidden_layers(take_epilogues(drop_dead(std::move(recorded))))))))))) {
  arena_ = Ref<Buffer>(new Buffer(static_cast<size_t>(std::max<int64_t>(program_.arena_bytes, 1))));
  for (Slot& s : program_.slots)
    if (s.kind == Slot::input) s.buffer = copied(*s.buffer);
  code_.reserve(program_.code.size());
  for (const Instruction& code : program_.code) code_.push_back(bind(code));
  place_asks();
  updates_ = first_update();
  written_ = find_written();
  for (const Operand& o : program_.inputs) inputs_.push_back(bind(o));
  for (const Operand& o : program_.outputs) outputs_.push_back(bind(o));
}

Plan::Bound Plan::bind(const Instruction& code) const {
  Bound b;
  b.op = code.op;
  b.attrs = &code.attrs;
  b.arrays.reserve(code.in.size() + code.out.size());
  for (const Operand& o : code.in) b.arrays.push_back(o.slot < 0 ? Array{} : bind(o));
  for (const Operand& o : code.out) b.arrays.push_back(bind(o));
  for (size_t i = 0; i < code.in.size(); ++i)
    b.in.push_back(code.in[i].slot < 0 ? nullptr : &b.arrays[i]);
  b.out = std::span(b.arrays).subspan(code.in.size());
  if (code.updates_at_once() || code.updates_together()) {
    for (const Instruction& part : code.parts) b.parts.push_back(bind(part));
    if (code.updates_together()) b.updates.resize(code.parts.size());
  } else if (code.finishes_product()) {
    b.parts.push_back(bind(code.parts[0]));
    b.blocks = blocks_of(std::span(code.parts).subspan(1), code.out, true);
  } else {
    b.blocks = blocks_of(code);
  }
  return b;
}

// Asking costs as much as a small instruction: it is done after so much work, in bytes.
void Plan::place_asks() {
  constexpr int64_t enough = 1 << 20, of_an_instruction = 1 << 12;
  int64_t work = 0;
  for (Bound& b : code_) {
    work += of_an_instruction;
    for (const Array& a : b.arrays) work += a.bytes();
    b.asks = work >= enough;
    if (b.asks) work = 0;
  }
}

// The first instruction that changes floating-point memory which an earlier one has read: weights
// are read before they are updated, statistics of batch norms and random state are not.
size_t Plan::first_update() const {
  std::vector<bool> read(program_.slots.size());
  for (size_t i = 0; i < program_.code.size(); ++i) {
    const Instruction& code = program_.code[i];
    for (size_t k = 0; k < code.in.size(); ++k) {
      const Operand& o = code.in[k];
      if (o.slot >= 0 && read[o.slot] && is_float(o.view.dtype) &&
          code.writes_input(static_cast<int>(k)) && program_.slots[o.slot].kind == Slot::external)
        return i;
    }
    for (const Operand& o : code.in)
      if (o.slot >= 0) read[o.slot] = true;
  }
  return program_.code.size();
}

Array Plan::bind(const Operand& o) const {
  const Slot& s = program_.slots[o.slot];
  Array a = o.view;
  a.buffer = s.kind == Slot::temporary ? arena_ : s.buffer;
  if (s.kind == Slot::temporary) a.offset += s.offset / item_size(a.dtype);
  return a;
}

std::unique_ptr<const Blocks> Plan::blocks_of(const Instruction& code) const {
  if (code.op && !code.goes_by_element()) return nullptr;
  auto blocks = blocks_of(code.op ? std::span(&code, 1) : std::span(code.parts), code.out, false);
  // Alone, an op walks broadcast rows without copying them side by side.
  return code.op && blocks->gathers() ? nullptr : std::move(blocks);
}

std::unique_ptr<const Blocks> Plan::blocks_of(std::span<const Instruction> parts,
                                              const std::vector<Operand>& kept, bool near) const {
  std::vector<Blocks::Part> bound;
  for (const Instruction& part : parts) {
    Blocks::Part& b = bound.emplace_back(Blocks::Part{part.op, &part.attrs, {}, {}, {}, false});
    for (const Operand& o : part.in) {
      int from = static_cast<int>(bound.size()) - 2;
      while (from >= 0 && parts[from].out[0].slot != o.slot) --from;
      b.from.push_back(from);
      b.in.push_back(from >= 0 ? o.view : bind(o));
    }
    const Operand& made = part.out[0];
    b.kept = std::any_of(kept.begin(), kept.end(),
                         [&](const Operand& o) { return o.slot == made.slot; });
    b.out = b.kept ? bind(made) : made.view;
  }
  return std::make_unique<const Blocks>(bound, near);
}

void Plan::run(Bound& b) {
  if (b.blocks) return b.parts.empty() ? b.blocks->run() : run_then(b.parts[0], *b.blocks);
  if (b.parts.empty()) return b.op->run(Call{b.in, *b.attrs, b.out, b.op->name().c_str()});
  b.updates.empty() ? run_at_once(b.parts[0], b.parts[1]) : run_together(b);
}

void Plan::make_ready(const Bound& update, Update* ready) {
  update.op->update(Call{update.in, *update.attrs, {}, update.op->name().c_str()}, ready);
}

// Each stretch of the product is gone over by the thread that made it.
void Plan::run_then(const Bound& product, const Blocks& blocks) {
  constexpr int64_t work_of_relu = 8;  // in multiply-adds
  const Sink sink = {const_cast<Blocks*>(&blocks),
                     [](void* context, const void*, int64_t first, int64_t n) {
                       static_cast<const Blocks*>(context)->run(first, first + n);
                     },
                     blocks.work() * work_of_relu};
  product.op->run_then(Call{product.in, *product.attrs, product.out, product.op->name().c_str()},
                       sink);
}

// The gradient goes from the product to the update, and nowhere else.
void Plan::run_at_once(const Bound& product, const Bound& update) {
  Update ready;
  make_ready(update, &ready);
  const Sink sink = {&ready, [](void* context, const void* grad, int64_t first, int64_t n) {
                       const auto& u = *static_cast<const Update*>(context);
                       u.run(u, grad, first, n);
                     }};
  product.op->run_to(Call{product.in, *product.attrs, product.out, product.op->name().c_str()},
                     sink);
  ready.count();
}

void Plan::run_together(Bound& b) {
  for (size_t i = 0; i < b.updates.size(); ++i) make_ready(b.parts[i], &b.updates[i]);
  run_updates(b.updates);
}

void Plan::run() {
  // Also if an instruction throws.
  struct Noted {
    ~Noted() {
      for (const Ref<Buffer>& w : written) w->bump_version();
    }
    const std::vector<Ref<Buffer>>& written;
  } const noted{written_};
  for (size_t i = 0; i < updates_; ++i) {
    if (code_[i].asks) check_interrupt();
    run(code_[i]);
  }
  const InterruptScope all_or_none(nullptr);
  for (size_t i = updates_; i < code_.size(); ++i) run(code_[i]);
}

std::unique_lock<std::mutex> Plan::take() {
  std::unique_lock lock(busy_, std::try_to_lock);
  if (!lock)
    fail<StateError>(
        "plan: already replaying in another thread; give each thread a compiled "
        "function of its own");
  return lock;
}

std::vector<Array> Plan::replay(std::span<const Array> inputs) {
  const auto lock = take();
  if (inputs.size() != inputs_.size())
    fail<ValueError>("plan: recorded with ", inputs_.size(), " inputs, got ", inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i)
    if (!(inputs[i].shape == inputs_[i].shape) || inputs[i].dtype != inputs_[i].dtype)
      fail<ValueError>("plan: input ", i, " was recorded as ", name(inputs_[i].dtype), " of shape ",
                       inputs_[i].shape, ", got ", name(inputs[i].dtype), " of shape ",
                       inputs[i].shape);
  for (size_t i = 0; i < inputs.size(); ++i) copy(inputs[i], inputs_[i]);
  run();
  std::vector<Array> out;
  for (const Array& o : outputs_) {
    out.push_back(Array::dense(o.dtype, o.shape));
    copy(o, out.back());
  }
  return out;
}

std::vector<Ref<Buffer>> Plan::find_written() const {
  std::vector<Ref<Buffer>> found;
  for (const Instruction& code : program_.code)
    for (size_t i = 0; i < code.in.size(); ++i) {
      if (!code.writes_input(static_cast<int>(i))) continue;
      const Slot& s = program_.slots[code.in[i].slot];
      if (s.kind == Slot::external &&
          std::find(found.begin(), found.end(), s.buffer) == found.end())
        found.push_back(s.buffer);
    }
  return found;
}

}  // namespace mg
