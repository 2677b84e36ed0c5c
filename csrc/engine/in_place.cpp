#include "engine/in_place.h"

#include <algorithm>

#include "engine/record.h"

namespace mg {
namespace {

// bool, integer or float: an op in place may narrow a number, but not change its kind.
int kind(DType d) { return is_float(d) ? 2 : d == DType::i64 ? 1 : 0; }

bool is_view_in_graph(const Tensor& x) {
  const Entered here(x.step.get(), true);
  return here && std::any_of(x.step->in.begin(), x.step->in.end(),
                             [&](const Var& v) { return v && v.array().buffer == x.array.buffer; });
}

// Whether x can become the result of the op. Steps hold their inputs themselves, not what made
// them: one that holds x, or a view with a graph of its own, would not know of the change.
void check_joins(const char* name, const Tensor& x, const Var& y) {
  if (x.requires_grad)
    fail<StateError>(name, ": 'x' is a leaf that requires a gradient, which would not flow through",
                     " a change in place; do it inside `with no_grad():`");
  const char* instead = "; write the result to a new tensor (x = x + y) instead";
  if (x.refs.load() > (y.get() == &x ? 2 : 1))
    fail<StateError>(name, ": gradients flow through x, and it was used before it is changed in",
                     " place", instead);
  const int holders = recorder() ? 2 : 1;  // a recorder holds every buffer too
  if (x.step ? is_view_in_graph(x) : x.array.buffer->refs.load() > holders)
    fail<StateError>(name, ": gradients would flow through x, which shares its memory with another",
                     " tensor that would not know of them", instead);
}

void check_fits(const char* name, const Array& x, const Array& result) {
  if (!(result.shape == x.shape))
    fail<ValueError>(name, ": the result has shape ", result.shape, ", x has ", x.shape,
                     " and keeps it");
  if (kind(result.dtype) != kind(x.dtype))
    fail<TypeError>(name, ": the result is ", mg::name(result.dtype), ", x is ", mg::name(x.dtype),
                    " and stays so; convert x first, such as by .float()");
  for (int i = 0; i < x.rank(); ++i)
    if (x.strides[i] == 0 && x.shape[i] > 1)
      fail<ValueError>(name, ": several elements of x, of shape ", x.shape, ", are one place in",
                       " memory, as after expand; change x.clone() instead");
}

}  // namespace

void apply_in_place(const Op& op, const char* name, Tensor& x, Var y) {
  const bool joins = grad_enabled() && (x.tracked() || tensor_of(y).tracked());
  if (joins) check_joins(name, x, y);

  // In the graph, x as it was is a tensor of its own, whose values backward may read.
  const Var self{Ref<Value>(&x)};
  Var before = self;
  if (joins) {
    before = call<"clone">(call<"detach">(self));
    tensor_of(before).step = x.step;
    tensor_of(before).output = x.output;
    if (y.get() == &x) y = before;
  }
  const Var in[] = {before, y};
  Var out;
  apply(op, in, op.signature_parsed.defaults, {&out, 1});
  check_fits(name, x.array, out.array());
  if (out.dtype() != x.array.dtype) out = call<"cast">(out, index(x.array.dtype));
  call_all<"copy_", 0>(call<"detach">(self), call<"detach">(out));
  if (!joins) return;
  x.step = tensor_of(out).step;
  x.output = tensor_of(out).output;
}

}  // namespace mg
