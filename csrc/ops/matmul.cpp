// Matrix products: matmul with torch's rules for 1-d and batched operands, and linear.
#include "core/threads.h"
#include "ops/families.h"
#include "ops/gemm.h"

namespace mg {
namespace {

// x (batch..., m, k) times y (batch..., k, n), with the axes that 1-d operands lack filled in.
struct Product {
  Array x, y;
  Dims batch;  // of the result
  int64_t m, n, k;
  bool flat;  // y is one matrix for all: the batch of x is more rows
};

Array as_row(const Array& a) { return a.view({1, a.shape[0]}, {0, a.strides[0]}); }
Array as_column(const Array& a) { return a.view({a.shape[0], 1}, {a.strides[0], 0}); }

Dims batch_of(const Array& a) {
  Dims d = a.shape;
  d.erase(d.size() - 1);
  d.erase(d.size() - 1);
  return d;
}

Product product_of(const Array& x, const Array& y) {
  Product p;
  p.x = x.rank() == 1 ? as_row(x) : x;
  p.y = y.rank() == 1 ? as_column(y) : y;
  p.m = p.x.shape[p.x.rank() - 2];
  p.k = p.x.shape.back();
  p.n = p.y.shape.back();
  p.batch = broadcast(batch_of(p.x), batch_of(p.y), "matmul: the batch dimensions of x and y");
  p.flat = product(batch_of(p.y)) == 1;
  return p;
}

void need_floats(const char* op, const Array& a, const char* what) {
  if (!is_float(a.dtype))
    fail<TypeError>(op, ": ", what, " must hold float32 or float64, got ", name(a.dtype),
                    "; call .float() on it first");
}

void matmul_infer(const Call& c) {
  const Array &x = c.in(0), &y = c.in(1);
  need_floats("matmul", x, "x");
  need_floats("matmul", y, "y");
  if (x.rank() == 0 || y.rank() == 0)
    fail<ValueError>("matmul: x of shape ", x.shape, " and y of shape ", y.shape,
                     ": a number has no rows or columns; multiply by it with *");
  const int rows_of_y = y.rank() == 1 ? 0 : y.rank() - 2;
  if (x.shape.back() != y.shape[rows_of_y]) {
    const char* mend = "reshape or slice one of them";
    if (y.rank() > 1 && x.shape.back() == y.shape.back())
      mend = "x @ y.transpose(-1, -2) would fit";
    else if (x.rank() > 1 && x.shape[x.rank() - 2] == y.shape[rows_of_y])
      mend = "x.transpose(-1, -2) @ y would fit";
    fail<ValueError>("matmul: x of shape ", x.shape, " and y of shape ", y.shape, ": ",
                     x.shape.back(), " columns of x meet ", y.shape[rows_of_y], " rows of y; ",
                     mend);
  }
  if (x.rank() == 2 && y.rank() == 2) return c.make(x.dtype, {x.shape[0], y.shape[1]});
  const Product p = product_of(x, y);
  Dims out = p.batch;
  if (x.rank() > 1) out.push_back(p.m);
  if (y.rank() > 1) out.push_back(p.n);
  c.make(x.dtype, out);
}

// Where matrix i of a batch begins, in elements from the first.
int64_t batch_offset(const Dims& batch, const Array& of, int64_t i) {
  int64_t offset = 0;
  for (int b = batch.size() - 1, a = of.rank() - 3; b >= 0 && a >= 0; --b, --a) {
    if (of.shape[a] != 1) offset += i % batch[b] * of.strides[a];
    i /= batch[b];
  }
  return offset;
}

Gemm gemm_of(const Array& x, const Array& y, void* out, int64_t m, int64_t n, int64_t k) {
  const int rx = x.rank(), ry = y.rank();
  return {m,
          n,
          k,
          x.raw(),
          x.strides[rx - 2],
          x.strides[rx - 1],
          y.raw(),
          y.strides[ry - 2],
          y.strides[ry - 1],
          out,
          n,
          Gemm::in_lanes(m, n, k)};
}

void multiply(const Product& p, Array& out, const Epilogue& epilogue) {
  const int64_t batches = product(p.batch);
  if (out.numel() == 0) return;
  const int64_t rows = p.flat ? batches * p.m : p.m;
  Gemm g = gemm_of(p.x, p.y, out.raw(), p.m, p.n, p.k);
  g.lanes = Gemm::in_lanes(rows, p.n, p.k);
  g.epilogue = epilogue;
  Dims strides;
  if (p.flat && reshape_strides(p.x, {rows, p.k}, &strides)) {
    g.m = rows;
    g.a_row = strides[0];
    g.a_col = strides[1];
    return run_gemm(g, out.dtype);
  }
  const int64_t size = item_size(out.dtype);
  run_gemms(g, out.dtype, batches, [&](int64_t i) {
    Gemm at = g;
    at.a = static_cast<const char*>(g.a) + batch_offset(p.batch, p.x, i) * size;
    at.b = static_cast<const char*>(g.b) + batch_offset(p.batch, p.y, i) * size;
    at.c = static_cast<char*>(g.c) + i * p.m * p.n * size;
    return at;
  });
}

void matmul_run(const Call& c) {
  const Array &x = c.in(0), &y = c.in(1);
  if (x.rank() != 2 || y.rank() != 2) return multiply(product_of(x, y), c.out(), {});
  run_gemm(gemm_of(x, y, c.out().raw(), x.shape[0], y.shape[1], x.shape[1]), x.dtype);
}

Var transposed(const Var& v) { return call<"transpose">(v, -1, -2); }

Var reshaped(const Var& v, const Dims& shape) {
  return v.shape() == shape ? v : call<"reshape">(v, shape);
}

// All axes but the last as one.
Dims as_rows(const Dims& shape) {
  int64_t rows = 1;
  for (int i = 0; i + 1 < shape.size(); ++i) rows *= shape[i];
  return {rows, shape.back()};
}

void matmul_vjp(Vjp& v) {
  Var x = v.in(0), y = v.in(1), g = v.grad();
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

void linear_infer(const Call& c) {
  const Array &x = c.in(0), &weight = c.in(1);
  need_floats("linear", x, "x");
  need_floats("linear", weight, "weight");
  if (weight.rank() != 2)
    fail<ValueError>("linear: weight must have the shape (out_features, in_features), got ",
                     weight.shape);
  if (x.rank() == 0)
    fail<ValueError>("linear: x must have a last dimension of ", weight.shape[1],
                     " features, got a number; give it the shape (", weight.shape[1],
                     ",) or (batch, ", weight.shape[1], ")");
  if (x.shape.back() != weight.shape[1])
    fail<ValueError>("linear: x of shape ", x.shape, " has ", x.shape.back(),
                     " features, but weight of shape ", weight.shape, " takes ", weight.shape[1],
                     "; give x a last dimension of ", weight.shape[1],
                     ", or the layer in_features=", x.shape.back());
  if (c.has(2) && c.in(2).shape != Dims{weight.shape[0]})
    fail<ValueError>("linear: bias of shape ", c.in(2).shape, " does not fit weight of shape ",
                     weight.shape, "; it needs the shape (", weight.shape[0], ",)");
  Dims out = x.shape;
  out[out.size() - 1] = weight.shape[0];
  c.make(x.dtype, out);
}

void linear_run(const Call& c) {
  const Array &x = c.in(0), &weight = c.in(1);
  Epilogue epilogue;
  Array bias;
  if (c.has(2)) {
    bias = c.in(2);
    if (!bias.contiguous()) {
      const int64_t size = item_size(bias.dtype);
      Array dense = Array::dense(bias.dtype, bias.shape);
      for (int64_t i = 0; i < bias.shape[0]; ++i)
        __builtin_memcpy(static_cast<char*>(dense.raw()) + i * size,
                         static_cast<char*>(bias.raw()) + i * bias.strides[0] * size,
                         static_cast<size_t>(size));
      bias = dense;
    }
    epilogue.bias = bias.raw();
  }
  if (x.rank() == 2) {
    const int64_t m = x.shape[0], n = weight.shape[0], k = x.shape[1];
    Gemm g = gemm_of(x, weight, c.out().raw(), m, n, k);
    g.b_row = weight.strides[1];
    g.b_col = weight.strides[0];
    g.epilogue = epilogue;
    return run_gemm(g, x.dtype);
  }
  const Array turned =
      weight.view({weight.shape[1], weight.shape[0]}, {weight.strides[1], weight.strides[0]});
  multiply(product_of(x, turned), c.out(), epilogue);
}

void linear_vjp(Vjp& v) {
  const Var &x = v.in(0), &weight = v.in(1), &g = v.grad();
  if (v.needs(0)) v.set(0, call<"matmul">(g, weight));
  if (v.needs(1))
    v.set(1, call<"matmul">(transposed(reshaped(g, as_rows(g.shape()))),
                            reshaped(x, as_rows(x.shape()))));
  if (v.count() > 2 && v.needs(2)) v.set(2, sum_to(g, {weight.shape()[0]}));
}

// A multiply and an add for each output and each k.
double product_flops(const Call& c) {
  return 2.0 * static_cast<double>(c.out().numel()) * static_cast<double>(c.in(0).shape.back());
}

constexpr Row rows[] = {
    {"matmul(x, y)", matmul_infer, matmul_run, matmul_vjp,
     "The matrix product x @ y of x (..., m, k) and y (..., k, n): (..., m, n).\n\n"
     "Leading dimensions broadcast. A 1-d x counts as one row and a 1-d y as one column, which "
     "the\n"
     "result leaves out. Strided operands, such as transposes, are used where they lie.\n\n"
     "Raises ValueError if the inner dimensions differ, TypeError if x or y holds no floats.\n\n"
     ">>> mg.matmul(mg.tensor([[1.0, 2.0]]), mg.tensor([[3.0], [4.0]])).tolist()\n"
     "[[11.0]]\n",
     Promote::any, 1, 0, 0, product_flops},
    {"linear(x, weight, bias?)", linear_infer, linear_run, linear_vjp,
     "x @ weight.T + bias for x (..., in), weight (out, in) and bias (out,): (..., out).\n\n"
     "Raises ValueError if the features of x are not those that weight takes.\n\n"
     ">>> mg.linear(mg.tensor([1.0, 2.0]), mg.tensor([[3.0, 4.0]]), mg.tensor([0.5])).tolist()\n"
     "[11.5]\n",
     Promote::any, 1, 0, 0, product_flops},
};

}  // namespace

const Family matmul_family = rows;

}  // namespace mg
