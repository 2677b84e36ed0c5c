// Along one dimension, in order: running sums, and the order of sizes.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/threads.h"
#include "ops/families.h"
#include "ops/strided.h"

namespace mg {
namespace {

// x as (outer, n, inner), where n is the dimension.
struct Along {
  int64_t outer = 1, n, inner = 1;
  Along(const Call& c) {
    const Dims& shape = c.in(0).shape;
    const int dim = normalize_dim(c.attrs.integer(0), shape.size(), c.name);
    n = shape[dim];
    for (int i = 0; i < dim; ++i) outer *= shape[i];
    for (int i = dim + 1; i < shape.size(); ++i) inner *= shape[i];
  }
  // What to give parallel_for to have about so many elements a part.
  int64_t grain() const { return 1 + (1 << 15) / std::max<int64_t>(1, n * inner); }
};

// ---- cumsum -------------------------------------------------------------------------------------

void infer_cumsum(const Call& c) {
  normalize_dim(c.attrs.integer(0), c.in(0).rank(), c.name);
  c.make(c.in(0).dtype, c.in(0).shape);
}

template <class T>
void add_up(const Along& a, const T* from, T* to, int64_t begin, int64_t end) {
  for (int64_t o = begin; o < end; ++o) {
    const T* x = from + o * a.n * a.inner;
    T* y = to + o * a.n * a.inner;
    for (int64_t k = 0; k < a.inner; ++k) y[k] = x[k];
    for (int64_t i = a.inner; i < a.n * a.inner; ++i) y[i] = y[i - a.inner] + x[i];
  }
}

void run_cumsum(const Call& c) {
  const Along a(c);
  if (c.out().numel() == 0) return;
  const Array x = dense(c.in(0));
  parallel_for(a.outer, a.grain(), [&](int64_t begin, int64_t end) {
    if (x.dtype == DType::i64)
      add_up(a, x.data<int64_t>(), c.out().data<int64_t>(), begin, end);
    else
      with_float(x.dtype, [&](auto zero) {
        using T = decltype(zero);
        add_up(a, x.data<T>(), c.out().data<T>(), begin, end);
      });
  });
}

Var reversed(const Var& x, int dim) {
  Dims starts = Dims::filled(x.shape().size(), 0), steps = Dims::filled(x.shape().size(), 1);
  starts[dim] = std::max<int64_t>(0, x.shape()[dim] - 1);
  steps[dim] = -1;
  return call<"slice">(x, starts, x.shape(), steps);
}

// ---- argsort ------------------------------------------------------------------------------------

void infer_argsort(const Call& c) {
  normalize_dim(c.attrs.integer(0), c.in(0).rank(), c.name);
  c.make(DType::i64, c.in(0).shape);
}

// NaN counts as largest, as in numpy and torch.
template <class T>
bool less(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    if (std::isnan(b)) return !std::isnan(a);
  return a < b;
}

template <class T>
void sort_indices(const Along& a, bool descending, const T* from, int64_t* to, int64_t begin,
                  int64_t end) {
  std::vector<int64_t> order(a.n);
  for (int64_t row = begin; row < end; ++row) {
    const int64_t first = row / a.inner * a.n * a.inner + row % a.inner;
    const T* x = from + first;
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t i, int64_t j) {
      const T p = x[i * a.inner], q = x[j * a.inner];
      return descending ? less(q, p) : less(p, q);
    });
    for (int64_t i = 0; i < a.n; ++i) to[first + i * a.inner] = order[i];
  }
}

void run_argsort(const Call& c) {
  const Along a(c);
  if (c.out().numel() == 0) return;
  const Array x = dense(c.in(0));
  int64_t* to = c.out().data<int64_t>();
  const bool descending = c.attrs.flag(1);
  const int64_t grain = 1 + (1 << 12) / a.n;
  parallel_for(a.outer * a.inner, grain, [&](int64_t begin, int64_t end) {
    switch (x.dtype) {
      case DType::f32:
        return sort_indices(a, descending, x.data<float>(), to, begin, end);
      case DType::f64:
        return sort_indices(a, descending, x.data<double>(), to, begin, end);
      case DType::i64:
        return sort_indices(a, descending, x.data<int64_t>(), to, begin, end);
      default:
        return sort_indices(a, descending, x.data<bool>(), to, begin, end);
    }
  });
}

// ---- the rows -----------------------------------------------------------------------------------

const Row rows[] = {
    {"cumsum(x, dim: int)", infer_cumsum, run_cumsum,
     [](Vjp& v) {
       const int dim = normalize_dim(v.attrs.integer(0), v.in(0).rank(), "cumsum");
       v.set(0, reversed(call<"cumsum">(reversed(v.grad(), dim), dim), dim));
     },
     "Running sums along a dimension: each element and all before it.\n\n"
     ">>> mg.cumsum(mg.tensor([1, 2, 3]), 0).tolist()\n"
     "[1, 3, 6]",
     Promote::number},

    {"argsort(x, dim: int = -1, descending: bool = False)", infer_argsort, run_argsort, nullptr,
     "The indices that sort x along a dimension, int64. Equal elements keep their order; NaN "
     "counts as largest.\n\n"
     ">>> mg.argsort(mg.tensor([3, 1, 2])).tolist()\n"
     "[1, 2, 0]"},
};

}  // namespace

const Family order_family(rows);

}  // namespace mg
