// Softmax and its logarithm, along one dimension.
#include "kernels/kernels.h"
#include "ops/families.h"
#include "ops/reduction.h"

namespace mg {
namespace {

DimSet row_dim(const Call& c) {
  DimSet one{};
  one[normalize_dim(c.attrs.integer(0), c.in(0).rank(), c.name)] = true;
  return one;
}

void infer_same(const Call& c) {
  row_dim(c);
  for (int i = 1; i < c.count(); ++i)
    if (!(c.in(i).shape == c.in(0).shape))
      fail<ValueError>(c.name, ": shapes ", c.in(0).shape, " and ", c.in(i).shape,
                       " must be equal");
  c.make(c.in(0).dtype, c.in(0).shape);
}

template <auto Kernel, auto ColumnKernel>
void run_forward(const Call& c) {
  if (c.out().numel() == 0) return;
  const DimSet dim = row_dim(c);
  const Softmax& k = kernels().softmax;
  if (const PlaneView p(c.in(0), dim); p.fits && p.n <= k.most_rows && c.out().contiguous()) {
    const int d = index(c.in(0).dtype);
    const int64_t item = item_size(c.in(0).dtype);
    return p.each([&](int64_t plane, int64_t first, int64_t columns) {
      const int64_t at = (plane * p.n * p.columns + first) * item;
      (k.*ColumnKernel)[d](c.in(0).data<char>() + at, p.columns, p.n, columns,
                           c.out().data<char>() + at);
    });
  }
  const RowView x(c.in(0), dim);
  const auto kernel = (k.*Kernel)[index(x.array.dtype)];
  by_rows(c.out(), dim, x.rows, x.n, [&](int64_t first, int64_t rows, void* out) {
    kernel(x.row(first), x.stride, rows, x.n, out);
  });
}

template <auto Kernel>
void run_backward(const Call& c) {
  if (c.out().numel() == 0) return;
  const DimSet dim = row_dim(c);
  const RowView g(c.in(0), dim, true), y(c.in(1), dim, true);
  const auto kernel = (kernels().softmax.*Kernel)[index(y.array.dtype)];
  by_rows(c.out(), dim, y.rows, y.n, [&](int64_t first, int64_t rows, void* out) {
    kernel(g.row(first), y.row(first), rows, y.n, out);
  });
}

Var row_sum(Vjp& v, const Var& x) { return call<"sum">(x, Dims{v.attrs.integer(0)}, true); }
double dim_of(Vjp& v) { return static_cast<double>(v.attrs.integer(0)); }

// y (g - sum(g y)), against the gradient u of that.
void vjp_softmax_backward(Vjp& v) {
  const Var &u = v.grad(), &g = v.in(0), &y = v.in(1);
  if (v.needs(0)) v.set(0, call<"softmax_backward">(u, y, dim_of(v)));
  if (v.needs(1)) v.set(1, u * (g - row_sum(v, g * y)) - g * row_sum(v, u * y));
}
// g - exp(y) sum(g), likewise.
void vjp_log_softmax_backward(Vjp& v) {
  const Var &u = v.grad(), &g = v.in(0);
  const Var p = call<"exp">(v.in(1));
  if (v.needs(0)) v.set(0, u - row_sum(v, p * u));
  if (v.needs(1)) v.set(1, -(p * u * row_sum(v, g)));
}

using S = Softmax;

const Row rows[] = {
    {"softmax(x, dim: int = -1)", infer_same, run_forward<&S::softmax, &S::softmax_columns>,
     [](Vjp& v) { v.set(0, call<"softmax_backward">(v.grad(), v.out(), dim_of(v))); },
     "exp(x) / sum(exp(x)) along `dim`, without overflow. The shape stays.\n\n"
     ">>> mg.softmax(mg.tensor([[0.0, 0.0], [1000.0, 0.0]])).tolist()\n"
     "[[0.5, 0.5], [1.0, 0.0]]",
     Promote::floating},
    {"log_softmax(x, dim: int = -1)", infer_same,
     run_forward<&S::log_softmax, &S::log_softmax_columns>,
     [](Vjp& v) { v.set(0, call<"log_softmax_backward">(v.grad(), v.out(), dim_of(v))); },
     "x - log(sum(exp(x))) along `dim`, without overflow. The shape stays.\n\n"
     ">>> mg.log_softmax(mg.tensor([1000.0, 0.0])).tolist()\n"
     "[0.0, -1000.0]",
     Promote::floating},
    inner({"softmax_backward(grad, y, dim: int)", infer_same, run_backward<&S::softmax_backward>,
           vjp_softmax_backward,
           "y (grad - sum(grad y)) along `dim`: the gradient of y = softmax(x).\n\n"
           ">>> _core.softmax_backward(mg.tensor([1.0, 0.0]), mg.tensor([0.5, 0.5]), -1).tolist()\n"
           "[0.25, -0.25]",
           Promote::floating}),
    inner(
        {"log_softmax_backward(grad, y, dim: int)", infer_same,
         run_backward<&S::log_softmax_backward>, vjp_log_softmax_backward,
         "grad - exp(y) sum(grad) along `dim`: the gradient of y = log_softmax(x).\n\n"
         ">>> y = mg.log_softmax(mg.zeros(2))\n"
         ">>> _core.log_softmax_backward(mg.tensor([1.0, 0.0]), y, -1).numpy().round(4).tolist()\n"
         "[0.5, -0.5]",
         Promote::floating}),
};

}  // namespace

const Family softmax_family(rows);

}  // namespace mg
