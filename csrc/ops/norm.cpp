#include "ops/norm.h"

#include "ops/strided.h"

namespace mg {
namespace {

void add_to(Var& sum, const Var& term) { sum = sum ? sum + term : term; }

Var as(const Var& parameter, const Dims& shape) {
  return parameter.shape() == shape ? parameter : call<"reshape">(parameter, shape);
}
// Summed over what the weight is repeated over, in the weight's shape.
Var weight_sum(Vjp& v, const NormGroups& groups, const Var& g) {
  const Var s = groups.weights.empty() ? g : call<"sum">(g, groups.weights, false);
  return as(s, v.in(2).shape());
}

}  // namespace

void check_input(const Call& c, const Array& x) {
  if (!is_float(x.dtype))
    fail<TypeError>(c.name, ": the input must be float32 or float64, got ", name(x.dtype),
                    "; convert it with .float()");
}

void check_parameter(const Call& c, int i, const char* what, const Dims& shape, DType dtype) {
  if (!c.has(i)) return;
  if (!(c.in(i).shape == shape))
    fail<ValueError>(c.name, ": ", what, " must have shape ", shape, ", got ", c.in(i).shape);
  if (c.in(i).dtype != dtype)
    fail<TypeError>(c.name, ": ", what, " is ", name(c.in(i).dtype), " and the input ", name(dtype),
                    "; convert one with .to()");
}

Array parameter_or(const Call& c, int i, const Dims& shape, DType dtype, double value) {
  if (c.has(i)) return dense(c.in(i));
  Array a = Array::dense(dtype, shape);
  fill(a, value);
  return a;
}

// With xhat = (x - mean) r and P(a) = a - mean(a) - xhat mean(a xhat), which is symmetric, the op
// gives dx = r P(h) for h = grad weight, dweight = sum(grad xhat), dbias = sum(grad). From
// dxhat = r P(.) and dr = -r^2 mean(xhat .) follow, for a gradient u of dx and M elements a mean,
//   grad: weight r P(u)     weight: sum(grad r P(u))
//   x: -r^2 / M (xhat sum(u P(h)) + P(u) sum(h xhat) + P(h) sum(u xhat)).
void vjp_of_norm_backward(Vjp& v, const NormGroups& groups, double eps) {
  const Var &g = v.in(0), &x = v.in(1);
  const Var &u = v.grad(0), &uw = v.grad(1), &ub = v.grad(2);
  const auto mean = [&](const Var& a) { return call<"mean">(a, groups.statistics, true); };
  const auto sum = [&](const Var& a) { return call<"sum">(a, groups.statistics, true); };
  const Var centered = x - mean(x);
  const Var r = constant(x.dtype(), 1) / call<"sqrt">(mean(centered * centered) + eps);
  const Var hat = centered * r;
  const auto project = [&](const Var& a) { return a - mean(a) - hat * mean(a * hat); };
  const Var weight = v.in(2) ? as(v.in(2), groups.parameter) : constant(x.dtype(), 1);

  Var dg, dx;
  if (u) {
    double count = 1;
    for (int64_t d : groups.statistics) count *= static_cast<double>(x.shape()[d]);
    const Var h = g * weight, ph = project(h), pu = project(u), along = r * pu;
    add_to(dg, weight * along);
    add_to(dx,
           (hat * sum(u * ph) + pu * sum(h * hat) + ph * sum(u * hat)) * (r * r) * (-1 / count));
    if (v.needs(2)) v.set(2, weight_sum(v, groups, g * along));
  }
  if (uw) {
    const Var wide = as(uw, groups.parameter);
    add_to(dg, wide * hat);
    add_to(dx, r * project(wide * g));
  }
  if (ub) add_to(dg, expand_to(as(ub, groups.parameter), x.shape()));
  if (dg && v.needs(0)) v.set(0, dg);
  if (dx && v.needs(1)) v.set(1, dx);
}

void vjp_of_fixed_norm_backward(Vjp& v, const NormGroups& groups) {
  const Var &g = v.in(0), &x = v.in(1);
  const Var &u = v.grad(0), &uw = v.grad(1), &ub = v.grad(2);
  const Var mean = as(v.in(3), groups.parameter), r = as(v.in(4), groups.parameter);
  const Var weight = v.in(2) ? as(v.in(2), groups.parameter) : constant(x.dtype(), 1);

  Var dg, dx;
  if (u) {
    add_to(dg, u * (weight * r));
    if (v.needs(2)) v.set(2, weight_sum(v, groups, g * u * r));
  }
  if (uw) {
    const Var wide = as(uw, groups.parameter);
    add_to(dg, (x - mean) * (r * wide));
    add_to(dx, g * (r * wide));
  }
  if (ub) add_to(dg, expand_to(as(ub, groups.parameter), x.shape()));
  if (dg && v.needs(0)) v.set(0, dg);
  if (dx && v.needs(1)) v.set(1, dx);
}

}  // namespace mg
