// Products take in relu on the way forward, and its gradient on the way back: done in registers,
// the intermediate results are never stored.
#include "engine/passes/flow.h"
#include "engine/passes/passes.h"

namespace mg {
namespace {

// relu_backward(dropout(g, key), x), where y = dropout(relu(x), key) is stored: y is 0 wherever
// either made it so, and the mask need not be drawn again.
bool mask_by_dropped(Program& p, const Flow& flow, int i) {
  if (!flow.is(i, "relu_backward")) return false;
  const int back = flow.sole_maker(p.code[i].in[0]);
  if (!flow.is(back, "dropout") || !flow.can_wait(back, i)) return false;
  const int relu = flow.maker_of("relu", p.code[i].in[1], i);
  const int there = relu < 0 ? -1 : flow.maker_of("dropout", p.code[relu].out[0], i);
  if (there < 0) return false;
  const Operand& key = p.code[back].in[1];
  const double rate = p.code[back].attrs.real(0);
  if (flow.maker(key) < 0 || !same(p.code[there].in[1], key) || p.code[there].attrs.real(0) != rate)
    return false;
  p.code[i] =
      instruction("relu_dropout_backward", {p.code[back].in[0], p.code[there].out[0]}, p.code[i]);
  p.code[i].attrs.set_real(0, 1 / (1 - rate));
  return true;
}

// relu_backward(g, x), where y = relu(x) is stored: y is above 0 where x is.
bool mask_by_relu(Program& p, const Flow& flow, int i) {
  if (!flow.is(i, "relu_backward")) return false;
  const int relu = flow.maker_of("relu", p.code[i].in[1], i);
  if (relu < 0) return false;
  p.code[i] =
      instruction("relu_dropout_backward", {p.code[i].in[0], p.code[relu].out[0]}, p.code[i]);
  return true;
}

// Which op takes in what follows `op`, and the place of its scale.
struct Absorber {
  const char *op, *with;
  int scale = 0;
};
constexpr Absorber before_relu[] = {{"linear", "linear_relu"}, {"conv2d", "conv2d_relu"}};
constexpr Absorber before_mask[] = {{"matmul", "matmul_relu_dropout_backward", 0},
                                    {"conv2d_input_grad", "conv2d_input_grad_relu_backward", 6}};

// linear or conv2d, then relu.
bool take_relu(Program& p, const Flow& flow, int i) {
  if (!flow.is(i, "relu")) return false;
  const int product = flow.sole_maker(p.code[i].in[0]);
  for (const Absorber& a : before_relu)
    if (flow.is(product, a.op) && flow.can_wait(product, i)) {
      p.code[i] = instruction(a.with, p.code[product].in, p.code[i]);
      p.code[i].attrs = p.code[product].attrs;
      return true;
    }
  return false;
}

// A gradient as a product, then back through relu and dropout.
bool take_mask(Program& p, const Flow& flow, int i) {
  if (!flow.is(i, "relu_dropout_backward")) return false;
  const Operand& y = p.code[i].in[1];
  const int product = flow.sole_maker(p.code[i].in[0]);
  if (!y.view.contiguous() || !(y.view.shape == p.code[i].out[0].view.shape)) return false;
  for (const Absorber& a : before_mask)
    if (flow.is(product, a.op) && flow.can_wait(product, i)) {
      const double scale = p.code[i].attrs.real(0);
      const Instruction& made = p.code[product];
      p.code[i] = instruction(a.with, {made.in[0], made.in[1], y}, p.code[i]);
      p.code[i].attrs = made.attrs;
      p.code[i].attrs.set_real(a.scale, scale);
      return true;
    }
  return false;
}

// The gradient of max_pool2d(y), then back through y = relu(.).
bool take_pool_mask(Program& p, const Flow& flow, int i) {
  if (!flow.is(i, "relu_dropout_backward") || p.code[i].attrs.real(0) != 1) return false;
  const int pool = flow.sole_maker(p.code[i].in[0]);
  if (!flow.is(pool, "max_pool2d_backward") || !flow.can_wait(pool, i) ||
      !same(p.code[pool].in[1], p.code[i].in[1]))
    return false;
  p.code[i] = instruction("max_pool2d_relu_backward", p.code[pool].in, p.code[i]);
  p.code[i].attrs = p.code[pool].attrs;
  return true;
}

// batch_norm, then relu: there and then, as it changes the running statistics.
bool take_norm_relu(Program& p, const Flow& flow, int i) {
  if (!flow.is(i, "relu") || flow.maker(p.code[i].out[0]) != i) return false;
  const int norm = flow.sole_maker(p.code[i].in[0]);
  if (!flow.is(norm, "batch_norm")) return false;
  p.code[norm].op = &find_op("batch_norm_relu");
  p.code[norm].out[0] = p.code[i].out[0];
  p.code.erase(p.code.begin() + i);
  return true;
}

// A rule lets instruction i take in others, or says that it cannot.
using Rule = bool (*)(Program& p, const Flow& flow, int i);
constexpr Rule rules[] = {mask_by_dropped, mask_by_relu,   take_relu,
                          take_mask,       take_pool_mask, take_norm_relu};

bool apply_one(Program& p) {
  const Flow flow(p);
  for (const Rule rule : rules)
    for (int i = 0; i < static_cast<int>(p.code.size()); ++i)
      if (rule(p, flow, i)) return true;
  return false;
}

}  // namespace

Program take_epilogues(Program p) {
  while (apply_one(p)) p = drop_dead(std::move(p));
  return p;
}

}  // namespace mg
