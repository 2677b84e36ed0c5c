// A wide hidden layer between a few features and one output: products too thin to be worth a pass
// over the layer each. On the way forwards it is not read, and not stored where nobody else wants
// it; on the way back it is read once for all gradients.
#include <algorithm>

#include "engine/passes/flow.h"
#include "engine/passes/passes.h"
#include "kernels/hidden.h"

namespace mg {
namespace {

// The instruction that made the hidden layer which `i` brings to one output, perhaps before
// dropout, or -1.
int hidden_before(const Program& p, const Flow& flow, int i) {
  if (!flow.is(i, "linear") || p.code[i].in[2].slot < 0) return -1;
  const Operand& hidden = p.code[i].in[0];
  int made = flow.maker(hidden);
  if (flow.is(made, "dropout")) made = flow.maker(p.code[made].in[0]);
  if (!flow.is(made, "linear_relu") || p.code[made].in[2].slot < 0) return -1;
  const Array &x = p.code[made].in[0].view, &out = p.code[i].out[0].view;
  if (x.rank() != 2 || x.shape[1] < 1 || x.shape[1] > few_features || out.shape[1] != 1) return -1;
  return hidden.view.shape[1] >= many_units ? made : -1;
}

bool pass_layer(Program& p, const Flow& flow, int i) {
  const int made = hidden_before(p, flow, i);
  const Operand hidden = p.code[i].in[0];
  if (made < 0 || made != flow.maker(hidden) || !flow.can_wait(made, i)) return false;
  const std::vector<int>& readers = flow.readers(hidden);
  if (readers[0] < i) return false;
  const std::vector<Operand>&first = p.code[made].in, &second = p.code[i].in;
  const bool stored = readers.size() > 1;
  p.code[i] = instruction(stored ? "linear_relu_linear_stored" : "linear_relu_linear",
                          {first[0], first[1], first[2], second[1], second[2]}, p.code[i]);
  if (stored) p.code[i].out.push_back(hidden);
  p.code.erase(p.code.begin() + made);
  return true;
}

// Whether what i gives may come as late as `later`.
bool may_come_late(const Program& p, const Flow& flow, int i, int later) {
  if (!flow.can_wait(i, later)) return false;
  for (const Operand& o : p.code[i].out)
    for (const int reader : flow.readers(o))
      if (reader <= later) return false;
  return true;
}

// g, that of the output, gives the gradients of the second weight and bias, and what goes back into
// the layer; this in turn those of the first.
bool read_layer_once(Program& p, const Flow& flow, int i) {
  const int made = hidden_before(p, flow, i);
  if (made < 0) return false;
  const Operand &x = p.code[made].in[0], &hidden = p.code[i].in[0], &weight2 = p.code[i].in[1];
  const auto gradients_of = [&](int at, const Operand& input) {
    return flow.is(at, "linear_weight_grad") && same(p.code[at].in[1], input);
  };
  for (const int back : flow.readers(hidden)) {
    if (!flow.is(back, "matmul_relu_dropout_backward") || !same(p.code[back].in[2], hidden) ||
        !same(p.code[back].in[1], weight2))
      continue;
    const std::vector<int>& behind = flow.readers(p.code[back].out[0]);
    const int first = behind.size() == 1 ? behind[0] : -1;
    if (!gradients_of(first, x) || flow.maker(p.code[first].in[0]) != back ||
        !flow.can_wait(back, first))
      continue;
    for (const int second : flow.readers(hidden)) {
      if (second > first || !gradients_of(second, hidden) ||
          !same(p.code[second].in[0], p.code[back].in[0]) || !may_come_late(p, flow, second, first))
        continue;
      const double scale = p.code[back].attrs.real(0);
      p.code[first] = instruction("linear_relu_linear_grad",
                                  {p.code[back].in[0], x, hidden, weight2}, p.code[first]);
      p.code[first].attrs.set_real(0, scale);
      for (const Operand& o : p.code[second].out) p.code[first].out.push_back(o);
      for (const int done : {std::max(back, second), std::min(back, second)})
        p.code.erase(p.code.begin() + done);
      return true;
    }
  }
  return false;
}

bool apply_one(Program& p, bool (*rule)(Program&, const Flow&, int)) {
  const Flow flow(p);
  for (int i = 0; i < static_cast<int>(p.code.size()); ++i)
    if (rule(p, flow, i)) return true;
  return false;
}

}  // namespace

Program take_hidden_layers(Program p) {
  for (const auto rule : {read_layer_once, pass_layer})
    while (apply_one(p, rule)) {
    }
  return p;
}

}  // namespace mg
