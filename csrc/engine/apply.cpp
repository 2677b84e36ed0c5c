// The gate: promotes, infers, allocates, runs, records.
#include "core/thread_local.h"
#include "engine/record.h"
#include "engine/tensor.h"
#include "ops/strided.h"

namespace mg {
namespace {

MG_THREAD_LOCAL bool recording = true;
// Inputs of the steps that a destructor further down this stack is about to let go.
MG_THREAD_LOCAL std::vector<Few<Var, 3>>* doomed = nullptr;
std::atomic<uint64_t> next_step{1};
constexpr uint32_t closed = uint32_t{1} << 31;  // a step that is used up

// Casts inputs to the dtype that the op computes in; returns false if nothing had to change.
bool promote_inputs(const Op& op, std::span<const Var> in, std::vector<Var>& promoted) {
  if (op.promote == Promote::none) return false;
  DType to = in[op.promote_from].dtype();
  bool mixed = false;
  for (size_t i = op.promote_from + 1; i < in.size(); ++i) {
    if (!in[i]) continue;
    mixed = mixed || in[i].dtype() != to;
    to = promote(to, in[i].dtype());
  }
  if (op.promote == Promote::number && to == DType::b8) to = DType::i64, mixed = true;
  if (op.promote == Promote::floating && !is_float(to)) to = DType::f32, mixed = true;
  if (!mixed) return false;
  promoted.assign(in.begin(), in.end());
  for (size_t i = op.promote_from; i < in.size(); ++i)
    if (in[i] && in[i].dtype() != to) promoted[i] = call<"cast">(in[i], index(to));
  return true;
}

void compute(const Op& op, std::span<const Var> in, const Attrs& attrs, std::span<Var> out) {
  constexpr size_t few = 8;
  const Array* few_arrays[few];
  std::vector<const Array*> many;
  const Array** arrays = few_arrays;
  if (in.size() > few) {
    many.resize(in.size());
    arrays = many.data();
  }
  for (size_t i = 0; i < in.size(); ++i) arrays[i] = in[i] ? &in[i].array() : nullptr;

  Array results[4];
  const Call call{{arrays, in.size()}, attrs, {results, out.size()}, op.name().c_str()};
  op.infer(call);
  bool all_views = !out.empty();
  for (Array& a : call.outputs) {
    if (a.buffer) continue;
    a.buffer = Ref<Buffer>(new Buffer(static_cast<size_t>(a.bytes())));
    all_views = false;
  }
  if (!all_views) op.run(call);
  for (size_t i = 0; i < out.size(); ++i) out[i] = make_tensor(std::move(results[i]));
  if (Recorder* r = recorder()) r->add(op, in, attrs, out, !all_views);
}

void mark_written(const Op& op, std::span<const Var> in) {
  for (const Param& p : op.signature_parsed.params)
    if (p.mutated && in[p.slot]) in[p.slot].array().buffer->bump_version();
}

// Writing in place is no step of the graph: what is written, and (unless the op has a gradient of
// its own) what is read, must not be waiting for one.
void check_writable(const Op& op, std::span<const Var> in) {
  if (!recording) return;
  for (const Param& p : op.signature_parsed.params)
    if (p.kind == Kind::tensor && (p.mutated || !op.vjp) && in[p.slot] &&
        tensor_of(in[p.slot]).tracked())
      fail<StateError>(op.name(), ": '", p.name, "' requires a gradient, which would not flow ",
                       p.mutated ? "through a change in place" : "back from where it is written",
                       "; do it inside `with no_grad():` or use .detach()");
}

}  // namespace

bool grad_enabled() { return recording; }
bool set_grad_enabled(bool on) { return std::exchange(recording, on); }

Var constant(DType dtype, double value) {
  Array a = Array::dense(dtype, {});
  fill(a, value);
  return make_tensor(std::move(a));
}

Step::Step(const Op& o, const Attrs& a, std::span<const Var> inputs, std::span<const Var> outputs)
    : op(o),
      attrs(a),
      id(next_step.fetch_add(1, std::memory_order_relaxed)),
      in(inputs.begin(), inputs.end()) {
  for (const Var& v : in) in_versions.push_back(v ? v.array().buffer->version() : 0);
  for (const Var& v : outputs) {
    out.push_back(v.array());
    out_versions.push_back(v.array().buffer->version());
  }
}

// A long chain would otherwise be freed by recursion as deep as the chain.
Step::~Step() {
  if (doomed) {
    doomed->push_back(std::move(in));
    return;
  }
  std::vector<Few<Var, 3>> waiting;
  doomed = &waiting;
  in = {};
  while (!waiting.empty()) {
    const Few<Var, 3> next = std::move(waiting.back());
    waiting.pop_back();
  }
  doomed = nullptr;
}

bool Step::enter(bool keep) {
  uint32_t now = inside_.load(std::memory_order_relaxed);
  do {
    if (now & closed) return false;
  } while (!inside_.compare_exchange_weak(now, (now + 1) | (keep ? 0 : closed),
                                          std::memory_order_acquire, std::memory_order_relaxed));
  return true;
}

void Step::leave() {
  // Whoever is alone behind a closed door stays so, and need not count.
  constexpr uint32_t alone = closed | 1;
  if (inside_.load(std::memory_order_acquire) != alone &&
      inside_.fetch_sub(1, std::memory_order_acq_rel) != alone)
    return;
  in = {};
  out = {};
}

void apply(const Op& op, std::span<const Var> in, const Attrs& attrs, std::span<Var> out) {
  std::vector<Var> promoted;
  if (promote_inputs(op, in, promoted)) in = promoted;
  const bool writes = op.signature_parsed.mutates;
  if (writes) check_writable(op, in);
  compute(op, in, attrs, out);
  if (writes) mark_written(op, in);

  if (!recording || !op.vjp) return;
  bool tracked = false;
  for (const Var& v : in) tracked = tracked || (v && tensor_of(v).tracked());
  if (!tracked) return;
  const Ref<Step> step(new Step(op, attrs, in, out));
  for (size_t i = 0; i < out.size(); ++i) {
    if (!is_float(out[i].dtype())) continue;
    tensor_of(out[i]).step = step;
    tensor_of(out[i]).output = static_cast<int>(i);
  }
}

}  // namespace mg
