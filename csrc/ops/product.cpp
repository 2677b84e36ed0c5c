#include "ops/product.h"

namespace mg {
namespace {

Array as_row(const Array& a) { return a.view({1, a.shape[0]}, {0, a.strides[0]}); }
Array as_column(const Array& a) { return a.view({a.shape[0], 1}, {a.strides[0], 0}); }

Dims batch_of(const Array& a) {
  Dims d = a.shape;
  d.erase(d.size() - 1);
  d.erase(d.size() - 1);
  return d;
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

}  // namespace

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

Gemm gemm_of(const Array& x, const Array& y, void* out) {
  const int rx = x.rank(), ry = y.rank();
  const int64_t m = x.shape[rx - 2], n = y.shape[ry - 1], k = x.shape[rx - 1];
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

void multiply(const Array& x, const Array& y, const Array& out, const Epilogue& epilogue,
              const Sink& sink) {
  if (x.rank() == 2 && y.rank() == 2) {
    Gemm g = gemm_of(x, y, out.raw());
    g.epilogue = epilogue;
    g.then = sink;
    return run_gemm(g, out.dtype);
  }
  const Product p = product_of(x, y);
  const int64_t batches = product(p.batch);
  if (out.numel() == 0) return;
  const int64_t rows = p.flat ? batches * p.m : p.m;
  Gemm g = gemm_of(p.x, p.y, out.raw());
  g.lanes = Gemm::in_lanes(rows, p.n, p.k);
  g.epilogue = epilogue;
  g.then = sink;
  Dims strides;
  if (p.flat && reshape_strides(p.x, {rows, p.k}, &strides)) {
    g.m = rows;
    g.a_row = strides[0];
    g.a_col = strides[1];
    return run_gemm(g, out.dtype);
  }
  // The outputs of one matrix are rows of all outputs below each other.
  const int64_t size = item_size(out.dtype);
  Gemm all = g;
  all.a_row = 0;
  run_gemms(g, out.dtype, batches, [&](int64_t i) {
    Gemm at = gemm_part(all, true, i * p.m, (i + 1) * p.m, size);
    at.a = static_cast<const char*>(g.a) + batch_offset(p.batch, p.x, i) * size;
    at.a_row = g.a_row;
    at.b = static_cast<const char*>(g.b) + batch_offset(p.batch, p.y, i) * size;
    return at;
  });
}

void need_floats(const char* op, const Array& a, const char* what) {
  if (!is_float(a.dtype))
    fail<TypeError>(op, ": ", what, " must hold float32 or float64, got ", name(a.dtype),
                    "; call .float() on it first");
}

void need_same_dtype(const char* op, const Array& a, const char* what, DType dtype) {
  if (a.dtype != dtype)
    fail<TypeError>(op, ": ", what, " is ", name(a.dtype), ", the others ", name(dtype),
                    "; convert one with .to()");
}

Dims matmul_shape(const char* op, const Array& x, const Array& y) {
  need_floats(op, x, "x");
  need_floats(op, y, "y");
  if (x.rank() == 0 || y.rank() == 0)
    fail<ValueError>(op, ": x of shape ", x.shape, " and y of shape ", y.shape,
                     ": a number has no rows or columns; multiply by it with *");
  const int rows_of_y = y.rank() == 1 ? 0 : y.rank() - 2;
  if (x.shape.back() != y.shape[rows_of_y]) {
    const char* mend = "reshape or slice one of them";
    if (y.rank() > 1 && x.shape.back() == y.shape.back())
      mend = "x @ y.transpose(-1, -2) would fit";
    else if (x.rank() > 1 && x.shape[x.rank() - 2] == y.shape[rows_of_y])
      mend = "x.transpose(-1, -2) @ y would fit";
    fail<ValueError>(op, ": x of shape ", x.shape, " and y of shape ", y.shape, ": ",
                     x.shape.back(), " columns of x meet ", y.shape[rows_of_y], " rows of y; ",
                     mend);
  }
  if (x.rank() == 2 && y.rank() == 2) return {x.shape[0], y.shape[1]};
  const Product p = product_of(x, y);
  Dims out = p.batch;
  if (x.rank() > 1) out.push_back(p.m);
  if (y.rank() > 1) out.push_back(p.n);
  return out;
}

double product_flops(const Call& c) {
  return 2.0 * static_cast<double>(c.out().numel()) * static_cast<double>(c.in(0).shape.back());
}

Dims as_rows(const Dims& shape) {
  int64_t rows = 1;
  for (int i = 0; i + 1 < shape.size(); ++i) rows *= shape[i];
  return {rows, shape.back()};
}

}  // namespace mg
