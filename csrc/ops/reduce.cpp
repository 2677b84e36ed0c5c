// Sums, extremes and their places, over any dimensions.
#include <cmath>

#include "core/threads.h"
#include "ops/families.h"
#include "ops/pointwise.h"
#include "ops/reduction.h"

namespace mg {
namespace {

// Attribute 0 of every row here: the dimensions, where None means all.
DimSet chosen(const Attrs& attrs, int rank, const char* what) {
  return dim_set(attrs.is_none(0) ? Dims{} : attrs.list(0), rank, what);
}
DimSet chosen(const Call& c) { return chosen(c.attrs, c.in(0).rank(), c.name); }

void infer_as(const Call& c, DType dtype, int keepdim) {
  c.make(dtype, reduced_shape(c.in(0).shape, chosen(c), c.attrs.flag(keepdim)));
}

// A gradient of the reduced shape, repeated over what was reduced.
Var spread(const Var& g, const Dims& shape, const DimSet& over) {
  const Dims kept = reduced_shape(shape, over, true);
  return expand_to(g.shape() == kept ? g : call<"reshape">(g, kept), shape);
}
Var spread(Vjp& v, const Var& g) {
  const Dims& shape = v.in(0).shape();
  return spread(g, shape, chosen(v.attrs, shape.size(), "backward"));
}

template <class F>
void each(const Array& out, F&& f) {
  with_float(out.dtype, [&](auto t) {
    using T = decltype(t);
    T* p = out.data<T>();
    for (int64_t i = 0, n = out.numel(); i < n; ++i) p[i] = f(p[i]);
  });
}

void divide(const Array& out, double count) {
  each(out, [&](auto v) { return static_cast<decltype(v)>(v / static_cast<decltype(v)>(count)); });
}

// ---- sum, mean ----------------------------------------------------------------------------------

void infer_sum(const Call& c) {
  infer_as(c, is_float(c.in(0).dtype) ? c.in(0).dtype : DType::i64, 1);
}
void run_sum(const Call& c) { fold_over(c.in(0), chosen(c), Fold::sum, c.out()); }

void run_mean(const Call& c) {
  run_sum(c);
  divide(c.out(), static_cast<double>(reduced_count(c.in(0).shape, chosen(c))));
}

// All of a float array at once, in the chunks of the row kernels.
template <bool Mean>
bool fold_all(const Call& c, Folding* f) {
  if (!is_float(c.in(0).dtype) || c.out().numel() != 1 || c.in(0).numel() < 2) return false;
  f->dtype = c.in(0).dtype;
  f->run = [](const Folding& self, const void* in, int64_t n, void* part) {
    kernels().reduce.sum_rows[index(self.dtype)](in, 0, 1, n, part);
  };
  f->join = [](const Folding& self, const void* parts, int64_t n, int64_t elements, void* out) {
    with_float(self.dtype, [&](auto t) {
      using T = decltype(t);
      const T* part = static_cast<const T*>(parts);
      T total = part[0];
      for (int64_t i = 1; i < n; ++i) total += part[i];
      *static_cast<T*>(out) = Mean ? total / static_cast<T>(elements) : total;
    });
  };
  return true;
}

void vjp_mean(Vjp& v) {
  const Dims& shape = v.in(0).shape();
  const DimSet over = chosen(v.attrs, shape.size(), "mean");
  v.set(0, spread(v.grad() * (1.0 / static_cast<double>(reduced_count(shape, over))), shape, over));
}

// ---- max, min -----------------------------------------------------------------------------------

void refuse_empty(const Call& c, const DimSet& over) {
  if (reduced_count(c.in(0).shape, over) == 0)
    fail<ValueError>(c.name, ": nothing to choose from in a tensor of shape ", c.in(0).shape,
                     "; reduce dimensions that have elements");
}
void infer_extreme(const Call& c) {
  refuse_empty(c, chosen(c));
  infer_as(c, c.in(0).dtype, 1);
}
template <Fold F>
void run_extreme(const Call& c) {
  fold_over(c.in(0), chosen(c), F, c.out());
}
// Evenly to all that are equal to the extreme.
void vjp_extreme(Vjp& v) {
  const Var& x = v.in(0);
  const Var chosen_ones = call<"cast">(call<"eq">(x, spread(v, v.out())), index(x.dtype()));
  const Dims dims = v.attrs.is_none(0) ? Dims{} : v.attrs.list(0);
  const Var count = call<"sum">(chosen_ones, dims, v.attrs.flag(1));
  v.set(0, chosen_ones * spread(v, v.grad() / count));
}

// ---- argmax, argmin -----------------------------------------------------------------------------

DimSet arg_dims(const Call& c) {
  const int rank = c.in(0).rank();
  if (c.attrs.is_none(0)) return dim_set({}, rank, c.name);
  DimSet one{};
  if (rank > 0 || c.attrs.integer(0) + 1 > 1 || c.attrs.integer(0) < -1)
    one[normalize_dim(c.attrs.integer(0), rank, c.name)] = true;
  return one;
}
void infer_arg(const Call& c) {
  refuse_empty(c, arg_dims(c));
  c.make(DType::i64, reduced_shape(c.in(0).shape, arg_dims(c), c.attrs.flag(1)));
}
template <bool Largest>
void run_arg(const Call& c) {
  arg_over(c.in(0), arg_dims(c), Largest, c.out());
}

// ---- var, std -----------------------------------------------------------------------------------

// Attributes: dim, correction, keepdim. Two passes: the mean, then the squares around it.
double freedom(const Attrs& attrs, const Dims& shape, const DimSet& over) {
  const int64_t n = reduced_count(shape, over) - attrs.integer(1);
  return n > 0 ? static_cast<double>(n) : 0;
}
void infer_var(const Call& c) { infer_as(c, c.in(0).dtype, 2); }
void run_var(const Call& c) {
  const Array& x = c.in(0);
  const DimSet over = chosen(c);
  const Array mean = Array::dense(x.dtype, c.out().shape);
  fold_over(x, over, Fold::sum, mean);
  divide(mean, static_cast<double>(reduced_count(x.shape, over)));
  squares_over(x, over, mean, c.out());
  divide(c.out(), freedom(c.attrs, x.shape, over));
}
void run_std(const Call& c) {
  run_var(c);
  each(c.out(), [](auto v) { return std::sqrt(v); });
}
// (x - mean) times g, which has the reduced shape.
Var centered_times(Vjp& v, const Var& g) {
  const Var& x = v.in(0);
  const Dims dims = v.attrs.is_none(0) ? Dims{} : v.attrs.list(0);
  return (x - call<"mean">(x, dims, true)) * spread(v, g);
}
double inverse_freedom(Vjp& v) {
  const Dims& shape = v.in(0).shape();
  return 1 / freedom(v.attrs, shape, chosen(v.attrs, shape.size(), "var"));
}
void vjp_var(Vjp& v) { v.set(0, centered_times(v, v.grad() * (2 * inverse_freedom(v)))); }
// Where the deviation is 0, so is the gradient.
void vjp_std(Vjp& v) {
  const Var out = v.out(), zero = constant(out.dtype(), 0);
  const Var flat = call<"eq">(out, zero);
  const Var ratio = v.grad() * inverse_freedom(v) / call<"where">(flat, zero + 1, out);
  v.set(0, centered_times(v, call<"where">(flat, zero, ratio)));
}

// ---- logsumexp ----------------------------------------------------------------------------------

void infer_logsumexp(const Call& c) {
  refuse_empty(c, chosen(c));
  infer_as(c, c.in(0).dtype, 1);
}
void run_logsumexp(const Call& c) {
  const Softmax& k = kernels().softmax;
  const int d = index(c.in(0).dtype);
  if (const PlaneView p(c.in(0), chosen(c)); p.fits && p.n <= k.most_rows) {
    const int64_t item = item_size(c.in(0).dtype);
    return p.each([&](int64_t plane, int64_t first, int64_t columns) {
      k.logsumexp_columns[d](c.in(0).data<char>() + (plane * p.n * p.columns + first) * item,
                             p.columns, p.n, columns,
                             c.out().data<char>() + (plane * p.columns + first) * item);
    });
  }
  const RowView x(c.in(0), chosen(c));
  const auto kernel = k.logsumexp[d];
  parallel_for(x.rows, 1 + 8192 / x.n, [&](int64_t begin, int64_t end) {
    kernel(x.row(begin), x.stride, end - begin, x.n,
           c.out().data<char>() + begin * item_size(x.array.dtype));
  });
}
void vjp_logsumexp(Vjp& v) {
  v.set(0, call<"exp">(v.in(0) - spread(v, v.out())) * spread(v, v.grad()));
}

const Row rows[] = {
    {"sum(x, dim: ints? = None, keepdim: bool = False)", infer_sum, run_sum,
     [](Vjp& v) { v.set(0, spread(v, v.grad())); },
     "The sum over `dim` (one, several, or all). Integers and bools are counted as int64; "
     "the sum of nothing is 0. What is reduced vanishes from the shape, or stays with size "
     "1 if keepdim.\n\n"
     ">>> mg.sum(mg.tensor([[1, 2], [3, 4]]), 0).tolist()\n"
     "[4, 6]",
     Promote::none, 1, 0, 0, nullptr, nullptr, fold_all<false>},
    {"mean(x, dim: ints? = None, keepdim: bool = False)",
     [](const Call& c) { infer_as(c, c.in(0).dtype, 1); }, run_mean, vjp_mean,
     "The mean over `dim` (one, several, or all). Integers are averaged as float32; the "
     "mean of nothing is NaN. What is reduced vanishes from the shape, or stays with size 1 "
     "if keepdim.\n\n"
     ">>> mg.mean(mg.tensor([[1, 2], [3, 4]]), 1, keepdim=True).tolist()\n"
     "[[1.5], [3.5]]",
     Promote::floating, 1, 0, 0, nullptr, nullptr, fold_all<true>},
    {"max(x, dim: ints? = None, keepdim: bool = False)", infer_extreme, run_extreme<Fold::max>,
     vjp_extreme,
     "The largest element over `dim` (one, several, or all), NaN if there is one. The "
     "gradient is shared evenly by all elements that are equal to it, as torch.amax does. "
     "What is reduced vanishes from the shape, or stays with size 1 if keepdim.\n\n"
     ">>> mg.max(mg.tensor([[1, 5], [3, 4]]), 1).tolist()\n"
     "[5, 4]"},
    {"min(x, dim: ints? = None, keepdim: bool = False)", infer_extreme, run_extreme<Fold::min>,
     vjp_extreme,
     "The smallest element over `dim` (one, several, or all), NaN if there is one. The "
     "gradient is shared evenly by all elements that are equal to it, as torch.amin does. "
     "What is reduced vanishes from the shape, or stays with size 1 if keepdim.\n\n"
     ">>> mg.min(mg.tensor([[1, 5], [3, 4]])).item()\n"
     "1"},
    {"argmax(x, dim: int? = None, keepdim: bool = False)", infer_arg, run_arg<true>, nullptr,
     "The index of the first largest element along `dim`, or of the flattened tensor; the "
     "first NaN counts as largest. The result is int64, without the dimension, or with size "
     "1 if keepdim.\n\n"
     ">>> mg.argmax(mg.tensor([[1, 5], [3, 4]]), 1).tolist()\n"
     "[1, 1]"},
    {"argmin(x, dim: int? = None, keepdim: bool = False)", infer_arg, run_arg<false>, nullptr,
     "The index of the first smallest element along `dim`, or of the flattened tensor; the "
     "first NaN counts as smallest. The result is int64, without the dimension, or with "
     "size 1 if keepdim.\n\n"
     ">>> mg.argmin(mg.tensor([[1, 5], [3, 4]])).item()\n"
     "0"},
    {"var(x, dim: ints? = None, correction: int = 1, keepdim: bool = False)", infer_var, run_var,
     vjp_var,
     "sum((x - mean)^2) / max(n - correction, 0) over `dim`, where n elements are reduced "
     "to one: correction 1 is the unbiased estimate, 0 the variance of the data itself. "
     "What is reduced vanishes from the shape, or stays with size 1 if keepdim.\n\n"
     ">>> mg.var(mg.tensor([1.0, 3.0])).item(), mg.var(mg.tensor([1.0, 3.0]), "
     "correction=0).item()\n"
     "(2.0, 1.0)",
     Promote::floating},
    {"std(x, dim: ints? = None, correction: int = 1, keepdim: bool = False)", infer_var, run_std,
     vjp_std,
     "The square root of var(x, dim, correction); its gradient is 0 where it is 0. What is "
     "reduced vanishes from the shape, or stays with size 1 if keepdim.\n\n"
     ">>> mg.std(mg.tensor([[1.0, 3.0], [1.0, 1.0]]), 1, correction=0).tolist()\n"
     "[1.0, 0.0]",
     Promote::floating},
    {"logsumexp(x, dim: ints? = None, keepdim: bool = False)", infer_logsumexp, run_logsumexp,
     vjp_logsumexp,
     "log(sum(exp(x))) over `dim`, without overflow. What is reduced vanishes from the "
     "shape, or stays with size 1 if keepdim.\n\n"
     ">>> mg.logsumexp(mg.tensor([1000.0, -1000.0])).item()\n"
     "1000.0",
     Promote::floating},
};

}  // namespace

const Family reduce_family(rows);

}  // namespace mg
