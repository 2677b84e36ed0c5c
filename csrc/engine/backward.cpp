// Backward: steps in the reverse of the order in which they ran, each once.
#include <algorithm>
#include <unordered_set>

#include "core/interrupt.h"
#include "engine/record.h"
#include "engine/tensor.h"

namespace mg {
namespace {

struct Pending {
  Ref<Step> step;
  Few<Var, 1> grads;  // of the step's outputs, as far as they have come in
};

// Sorted by id, so that the latest step is at the end; a step's gradient is complete when it is
// taken, since all that use its outputs ran after it.
class Queue {
 public:
  void add(const Ref<Step>& step, int output, const Var& g) {
    auto it = std::lower_bound(items_.begin(), items_.end(), step->id,
                               [](const Pending& p, uint64_t id) { return p.step->id < id; });
    if (it == items_.end() || it->step->id != step->id) {
      const size_t outputs = std::max<size_t>(step->op.outputs, 1);
      it = items_.insert(it, Pending{step, Few<Var, 1>(outputs)});
    }
    Var& sum = it->grads[output];
    sum = sum ? sum + g : g;
  }
  bool empty() const { return items_.empty(); }
  Pending take() {
    Pending p = std::move(items_.back());
    items_.pop_back();
    return p;
  }

 private:
  std::vector<Pending> items_;
};

using Steps = std::unordered_set<const Step*>;

// The steps by which outputs depend on chosen values: the graph behind those stays as it is, for
// another backward.
Steps steps_between(std::span<const Var> outputs, std::span<const Var> chosen) {
  uint64_t oldest = ~uint64_t{0};  // a step on the way is younger than the values' own
  for (const Var& c : chosen)
    oldest = std::min(oldest, tensor_of(c).step ? tensor_of(c).step->id : 0);
  std::vector<Ref<Step>> found;
  std::vector<Entered> entered;  // all the while, as other threads may use them up
  Steps seen, open, wanted;
  const auto find = [&](const Var& v) {
    if (!v) return;
    const Ref<Step>& step = tensor_of(v).step;
    if (step && step->id > oldest && seen.insert(step.get()).second) found.push_back(step);
  };
  for (const Var& v : outputs) find(v);
  for (size_t i = 0; i < found.size(); ++i) {
    Step* step = found[i].get();
    Entered here(step, true);
    if (!here) continue;
    entered.push_back(std::move(here));
    open.insert(step);
    for (const Var& v : step->in) find(v);
  }
  std::sort(found.begin(), found.end(),
            [](const Ref<Step>& a, const Ref<Step>& b) { return a->id < b->id; });
  // What a step that is used up depended on is forgotten: it is walked to, which is an error.
  for (const Ref<Step>& step : found)
    if (!open.count(step.get()) || std::any_of(step->in.begin(), step->in.end(), [&](const Var& v) {
          return v && (contains(chosen, v) || wanted.count(tensor_of(v).step.get()));
        }))
      wanted.insert(step.get());
  return wanted;
}

// Where gradients go: to leaves' .grad, or to the slots of chosen values.
struct Targets {
  std::span<const Var> chosen;
  std::vector<Var>* slots = nullptr;  // null: accumulate into .grad
  Steps between;                      // with slots: the steps that lead to them

  bool wants(const Var& v) const {
    return slots ? leads_on(v) || contains(chosen, v) : tensor_of(v).tracked();
  }
  // Is the step that made v to be walked?
  bool leads_on(const Var& v) const {
    const Step* step = tensor_of(v).step.get();
    return step && (!slots || between.count(step));
  }
};

// A gradient that the leaf may keep: nothing else may write to its memory.
Var owned(const Var& g) {
  const int holders = recorder() ? 2 : 1;  // a recorder holds every buffer too
  const bool alone =
      g.unique() && g.array().buffer->refs.load() == holders && g.array().contiguous();
  return alone ? g : call<"clone">(g);
}

// Other threads may add to the same leaf: then the sum is made again.
void accumulate(Tensor& leaf, const Var& g) {
  if (Recorder* r = recorder()) r->grew_grad(Var(Ref<Value>(&leaf)));
  Var before;
  do {
    before = leaf.grad.get();
  } while (!leaf.grad.replace(before, before ? before + g : owned(g)));
}

class StepVjp final : public Vjp {
 public:
  StepVjp(Pending& p, Queue& queue, const Targets& sink)
      : Vjp(p.step->attrs),
        step_(*p.step),
        holder_(p.step),
        grads_(p.grads),
        queue_(queue),
        sink_(sink) {}

  const Var& in(int i) override {
    const Var& v = step_.in[i];
    if (v) check_unchanged("an input", v.array(), step_.in_versions[i]);
    return v;
  }
  Var out(int i) override {
    check_unchanged("the result", step_.out[i], step_.out_versions[i]);
    Var v = make_tensor(step_.out[i]);
    tensor_of(v).step = holder_;
    tensor_of(v).output = i;
    return v;
  }
  const Var& grad(int i) override { return grads_[i]; }
  bool needs(int i) const override {
    return i < count() && step_.in[i] && is_float(step_.in[i].dtype()) && sink_.wants(step_.in[i]);
  }
  int count() const override { return static_cast<int>(step_.in.size()); }

  void set(int i, Var g) override {
    if (!needs(i)) return;
    const Var& v = step_.in[i];
    if (!(g.shape() == v.shape()) || g.dtype() != v.dtype())
      fail<StateError>("backward: the gradient of '", step_.op.name(), "' for input ", i,
                       " has shape ", g.shape(), " and dtype ", name(g.dtype()),
                       " where the input has ", v.shape(), " and ", name(v.dtype()));
    deliver(v, std::move(g));
  }
  void deliver(const Var& v, Var g);

 private:
  void check_unchanged(const char* what, const Array& a, uint32_t version) const {
    if (a.buffer->version() != version)
      fail<StateError>("backward: ", what, " of '", step_.op.name(), "' (shape ", a.shape,
                       ") was changed in place after it was used, so the gradient would be wrong; "
                       "change a .clone() instead");
  }

  Step& step_;
  const Ref<Step>& holder_;
  Few<Var, 1>& grads_;
  Queue& queue_;
  const Targets& sink_;
};

void send(const Var& v, Var g, Queue& queue, const Targets& sink) {
  Tensor& t = tensor_of(v);
  if (sink.slots) {
    for (size_t k = 0; k < sink.chosen.size(); ++k)
      if (sink.chosen[k].get() == v.get()) {
        Var& slot = (*sink.slots)[k];
        slot = slot ? slot + g : g;
      }
  } else if (t.requires_grad) {
    accumulate(t, g);
  }
  if (sink.leads_on(v)) queue.add(t.step, t.output, g);
}

void StepVjp::deliver(const Var& v, Var g) { send(v, std::move(g), queue_, sink_); }

struct GradMode {
  explicit GradMode(bool on) : before(set_grad_enabled(on)) {}
  ~GradMode() { set_grad_enabled(before); }
  bool before;
};

Var seed_for(const Var& output, const Var& seed) {
  if (!is_float(output.dtype()))
    fail<TypeError>("backward: an output has dtype ", name(output.dtype()),
                    "; only float32 and float64 have gradients");
  if (!tensor_of(output).tracked())
    fail<ValueError>(
        "backward: the output does not depend on any tensor that requires a gradient; set "
        "requires_grad=True on an input, or leave `with no_grad():` (what a compiled function "
        "returns is cut off from the graph: compile the whole step, backward() included)");
  if (!seed) {
    if (output.array().numel() != 1)
      fail<ValueError>(
          "backward: the output has shape ", output.shape(),
          "; reduce it to one number first (.sum() or .mean()), or give `gradient` (mg.grad: "
          "`grad_outputs`)");
    return expand_to(constant(output.dtype(), 1), output.shape());
  }
  if (!(seed.shape() == output.shape()) || seed.dtype() != output.dtype())
    fail<ValueError>("backward: gradient has shape ", seed.shape(), " and dtype ",
                     name(seed.dtype()), ", the output ", output.shape(), " and ",
                     name(output.dtype()));
  return seed;
}

void walk(std::span<const Var> outputs, std::span<const Var> seeds, bool retain_graph,
          bool create_graph, const Targets& sink) {
  Queue queue;
  const GradMode mode(create_graph);
  Few<Var, 1> checked;
  for (size_t i = 0; i < outputs.size(); ++i)
    checked.push_back(seed_for(outputs[i], seeds.empty() ? Var{} : seeds[i]));
  for (size_t i = 0; i < outputs.size(); ++i) send(outputs[i], std::move(checked[i]), queue, sink);
  constexpr int64_t enough = 1 << 18, of_a_step = 1 << 12;  // elements between two looks
  int64_t work = 0;
  while (!queue.empty()) {
    Pending p = queue.take();
    work += of_a_step;
    for (const Var& g : p.grads)  // the step itself may be another thread's, which uses it up
      if (g) work += g.array().numel();
    if (work >= enough) {
      const GradMode outside(mode.before);  // a signal's handler runs as between two statements
      check_interrupt();
      work = 0;
    }
    const Entered here(p.step.get(), retain_graph || create_graph);
    if (!here)
      fail<StateError>(
          "backward: this graph was used by an earlier backward and its values are "
          "freed; pass retain_graph=True there");
    StepVjp vjp(p, queue, sink);
    p.step->op.vjp(vjp);
  }
}

}  // namespace

void backward(std::span<const Var> outputs, std::span<const Var> seeds, bool retain_graph,
              bool create_graph) {
  walk(outputs, seeds, retain_graph, create_graph, Targets{});
}

std::vector<Var> gradients(std::span<const Var> outputs, std::span<const Var> seeds,
                           std::span<const Var> inputs, bool retain_graph, bool create_graph,
                           bool allow_unused) {
  std::vector<Var> slots(inputs.size());
  walk(outputs, seeds, retain_graph, create_graph,
       Targets{inputs, &slots, steps_between(outputs, inputs)});
  for (size_t i = 0; i < inputs.size(); ++i)
    if (!slots[i] && !allow_unused)
      fail<ValueError>("grad: input ", i, " of shape ", inputs[i].shape(),
                       " takes no part in the outputs; pass allow_unused=True to get None for it");
  return slots;
}

}  // namespace mg
