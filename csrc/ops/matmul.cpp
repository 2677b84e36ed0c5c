// Matrix products: matmul with torch's rules for 1-d and batched operands.
#include "ops/families.h"
#include "ops/product.h"
#include "ops/strided.h"

namespace mg {
namespace {

void matmul_infer(const Call& c) { c.make(c.in(0).dtype, matmul_shape(c.name, c.in(0), c.in(1))); }

void matmul_run(const Call& c) { multiply(c.in(0), c.in(1), c.out()); }

void matmul_run_then(const Call& c, const Sink& sink) {
  multiply(c.in(0), c.in(1), c.out(), {}, sink);
}

void matmul_run_to(const Call& c, const Sink& sink) {
  run_gemm_to(gemm_of(c.in(0), c.in(1), nullptr), c.in(0).dtype, sink);
}

// The gradients of x and y, g being that of x @ y.
void product_vjp(Vjp& v, Var g) {
  Var x = v.in(0), y = v.in(1);
  const Dims x_shape = x.shape(), y_shape = y.shape();
  const Product p = product_of(x.array(), y.array());
  Dims full = p.batch;
  full.push_back(p.m);
  full.push_back(p.n);
  g = reshaped(g, full);
  x = reshaped(x, p.x.shape);
  y = reshaped(y, p.y.shape);
  if (p.flat) {
    // One product for the whole batch, and no sum over it afterwards.
    g = reshaped(g, as_rows(g.shape()));
    x = reshaped(x, as_rows(x.shape()));
    y = reshaped(y, {p.k, p.n});
  }
  if (v.needs(0)) {
    const Var gx = call<"matmul">(g, transposed(y));
    v.set(0, reshaped(p.flat ? gx : sum_to(gx, p.x.shape), x_shape));
  }
  if (v.needs(1)) {
    const Var gy = call<"matmul">(transposed(x), g);
    v.set(1, reshaped(p.flat ? gy : sum_to(gy, p.y.shape), y_shape));
  }
}

void matmul_vjp(Vjp& v) { product_vjp(v, v.grad()); }

// ---- The same, and back through y = dropout(relu(.)) --------------------------------------------

void matmul_relu_infer(const Call& c) {
  matmul_infer(c);
  need_same_dtype(c.name, c.in(1), "w", c.in(0).dtype);
  need_same_dtype(c.name, c.in(2), "y", c.in(0).dtype);
  if (!(c.in(2).shape == c.out().shape))
    fail<ValueError>(c.name, ": y has shape ", c.in(2).shape, ", the product ", c.out().shape,
                     "; y must be what the product is the gradient of");
}

void matmul_relu_run(const Call& c) {
  const Array y = dense(c.in(2));
  multiply(c.in(0), c.in(1), c.out(), {.kept = y.raw(), .scale = c.attrs.real(0)});
}

void matmul_relu_vjp(Vjp& v) {
  product_vjp(v, call<"relu_dropout_backward">(v.grad(), v.in(2), v.attrs.real(0)));
}

constexpr Row rows[] = {
    then<matmul_run_then>(
        {"matmul(x, y)", matmul_infer, matmul_run, matmul_vjp,
         "The matrix product x @ y of x (..., m, k) and y (..., k, n): (..., m, n).\n\n"
         "Leading dimensions broadcast. A 1-d x counts as one row and a 1-d y as one column, which "
         "the\n"
         "result leaves out. Strided operands, such as transposes, are used where they lie.\n\n"
         "Raises ValueError if the inner dimensions differ, TypeError if x or y holds no "
         "floats.\n\n"
         ">>> mg.matmul(mg.tensor([[1.0, 2.0]]), mg.tensor([[3.0], [4.0]])).tolist()\n"
         "[[11.0]]\n",
         Promote::any, 1, 0, 0, product_flops, nullptr, nullptr, matmul_run_to}),
    inner({"matmul_relu_dropout_backward(x, w, y, scale: float = 1.0)", matmul_relu_infer,
           matmul_relu_run, matmul_relu_vjp,
           "relu_dropout_backward(x @ w, y, scale) in one pass: the gradient of what was put into "
           "y = dropout(relu(.)).\n\n"
           ">>> _core.matmul_relu_dropout_backward(mg.ones(1, 2), mg.ones(2, 2), mg.tensor([[0.0, "
           "1.0]]), 2.0).tolist()\n"
           "[[0.0, 4.0]]",
           Promote::none, 1, 0, 0, product_flops}),
};

}  // namespace

const Family matmul_family = rows;

}  // namespace mg
