// Elements chosen along a dimension, each by an index of its own.
#include <algorithm>
#include <atomic>

#include "core/threads.h"
#include "ops/families.h"
#include "ops/rows.h"
#include "ops/strided.h"

namespace mg {
namespace {

constexpr int64_t thread_grain = 1 << 14;  // elements worth a thread

// The shape of the result, for indices whose sizes are those of x but for `dim`, or 1.
Dims chosen_shape(const Call& c, const Dims& shape, const Dims& indices, int dim) {
  Dims out = shape;
  if (indices.size() == shape.size()) out[dim] = indices[dim];
  bool fits = indices.size() == shape.size();
  for (int i = 0; fits && i < shape.size(); ++i) fits = indices[i] == out[i] || indices[i] == 1;
  if (!fits)
    fail<ValueError>(c.name, ": indices of shape ", indices, " must have the ", shape.size(),
                     " dimensions of x, ", shape, ", and its sizes but for dimension ", dim);
  return out;
}

// use(p, q) for elements p of the result and those of x that they are of, in the order of the
// result; parts of x before `dim` are shared out. Indices beyond x are refused, by name.
template <class Use>
void each_chosen(const Call& c, const Array& indices, const Dims& shape, const Dims& result,
                 int dim, Use&& use) {
  const Array index = dense(indices.broadcast_to(result));
  const AroundDim s(shape, dim);
  const int64_t* at = index.data<int64_t>();
  const int64_t each = result[dim] * s.inner;
  const bool single = s.inner == 1;  // else an element of x is found beside that of the result
  const int64_t run = single ? each : s.inner;
  std::atomic<bool> all = true;
  parallel_for(
      run == 0 ? 0 : s.outer, 1 + thread_grain / (each + 1), [&](int64_t begin, int64_t end) {
        bool fine = true;
        for (int64_t first = begin * each; first < end * each; first += run) {
          const int64_t from = first / each * s.rows * s.inner, inner = s.inner;
          fine &=
              single ? each_index(at + first, 0, run, -s.rows, s.rows,
                                  [=](int64_t i, int64_t row) { use(first + i, from + row); })
                     : each_index(at + first, 0, run, -s.rows, s.rows, [=](int64_t i, int64_t row) {
                         use(first + i, from + row * inner + i);
                       });
        }
        if (!fine) all = false;
      });
  if (!all) refuse_beyond(c.name, index, s.rows);
}

template <class T>
void choose(const Call& c, int dim) {
  const Array x = dense(c.in(0));
  const T* from = x.data<T>();
  T* to = c.out().data<T>();
  each_chosen(c, c.in(1), x.shape, c.out().shape, dim,
              [=](int64_t p, int64_t q) { to[p] = from[q]; });
}

void run_take_along_dim(const Call& c) {
  const int dim = normalize_dim(c.attrs.integer(0), c.in(0).rank(), c.name);
  switch (item_size(c.in(0).dtype)) {
    case 1:
      return choose<uint8_t>(c, dim);
    case 4:
      return choose<uint32_t>(c, dim);
    default:
      return choose<uint64_t>(c, dim);
  }
}

void run_take_along_dim_backward(const Call& c) {
  const int dim = normalize_dim(c.attrs.integer(1), c.out().rank(), c.name);
  const Array g = dense(c.in(0));
  fill(c.out(), 0);
  with_float(g.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* from = g.data<T>();
    T* to = c.out().data<T>();
    each_chosen(c, c.in(1), c.out().shape, g.shape, dim,
                [=](int64_t p, int64_t q) { to[q] += from[p]; });
  });
}

const Row rows[] = {
    {"take_along_dim(x, indices, dim: int)",
     [](const Call& c) {
       c.require_indices(1);
       const int dim = normalize_dim(c.attrs.integer(0), c.in(0).rank(), c.name);
       c.make(c.in(0).dtype, chosen_shape(c, c.in(0).shape, c.in(1).shape, dim));
     },
     run_take_along_dim,
     [](Vjp& v) {
       v.set(0, call<"take_along_dim_backward">(v.grad(), v.in(1), v.in(0).shape(),
                                                v.attrs.integer(0)));
     },
     "out[i, j] = x[i, indices[i, j]] for dim 1, and likewise for others (numpy's "
     "take_along_axis); "
     "indices below 0 count from the end. The int64 indices have the sizes of x but for `dim`, or "
     "1 "
     "where all of x take the same.\n\n"
     ">>> x = mg.tensor([[0.5, 1.5], [2.5, 3.5]])\n"
     ">>> mg.take_along_dim(x, mg.tensor([[1], [0]]), 1).tolist()\n"
     "[[1.5], [2.5]]"},

    inner({"take_along_dim_backward(g, indices, shape: ints, dim: int)",
           [](const Call& c) {
             c.require_indices(1);
             const Dims& shape = c.attrs.list(0);
             const int dim = normalize_dim(c.attrs.integer(1), shape.size(), c.name);
             const Dims chosen = chosen_shape(c, shape, c.in(1).shape, dim);
             if (!(c.in(0).shape == chosen) || !is_float(c.in(0).dtype))
               fail<ValueError>(c.name, ": g must be float of shape ", chosen, ", got ",
                                name(c.in(0).dtype), " of shape ", c.in(0).shape);
             c.make(c.in(0).dtype, shape);
           },
           run_take_along_dim_backward,
           [](Vjp& v) { v.set(0, call<"take_along_dim">(v.grad(), v.in(1), v.attrs.integer(1))); },
           "Zeros of `shape` to which the elements of g are added where `take_along_dim` read "
           "them.\n\n"
           ">>> g, indices = mg.ones(1, 3), mg.tensor([[1, 1, 0]])\n"
           ">>> _core.take_along_dim_backward(g, indices, [1, 2], 1).tolist()\n"
           "[[1.0, 2.0]]"}),
};

}  // namespace

const Family along_family(rows);

}  // namespace mg
