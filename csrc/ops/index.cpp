// Parts of tensors, and tensors put together.
#include <algorithm>
#include <atomic>

#include "core/threads.h"
#include "ops/families.h"
#include "ops/rows.h"
#include "ops/strided.h"

namespace mg {
namespace {

// ---- slice: starts, sizes and steps over every dimension ----------------------------------------

// Are the places start + i * step, i < size, all different and in [0, n)?
bool places_in(int64_t start, int64_t size, int64_t step, int64_t n) {
  if (size < 2) return size == 0 || (size == 1 && start >= 0 && start < n);
  int64_t last;
  return start >= 0 && start < n && step != 0 && !__builtin_mul_overflow(size - 1, step, &last) &&
         !__builtin_add_overflow(start, last, &last) && last >= 0 && last < n;
}

void check_slice(const Call& c, const Dims& shape, const Dims& starts, const Dims& sizes,
                 const Dims& steps) {
  bool fits =
      starts.size() == shape.size() && sizes.size() == shape.size() && steps.size() == shape.size();
  for (int i = 0; fits && i < shape.size(); ++i)
    fits = places_in(starts[i], sizes[i], steps[i], shape[i]);
  if (!fits)
    fail<IndexError>(c.name, ": starts ", starts, ", sizes ", sizes, " and steps ", steps,
                     " leave shape ", shape);
}

Array sliced(const Array& x, const Dims& starts, const Dims& sizes, const Dims& steps) {
  Dims strides = x.strides;
  int64_t offset = 0;
  for (int i = 0; i < x.rank(); ++i) {
    if (sizes[i] > 0) offset += starts[i] * x.strides[i];
    if (sizes[i] > 1) strides[i] *= steps[i];
  }
  return x.view(sizes, strides, offset);
}

// ---- take: rows by index ------------------------------------------------------------------------

// shape with dimension dim replaced by the shape of the indices.
Dims taken_shape(const Dims& shape, int dim, const Dims& indices) {
  Dims out;
  for (int i = 0; i < dim; ++i) out.push_back(shape[i]);
  for (int64_t n : indices) out.push_back(n);
  for (int i = dim + 1; i < shape.size(); ++i) out.push_back(shape[i]);
  return out;
}

// out = the indices as numbers in [0, n).
void check_into(const Array& out, const char* what, const Array& indices, int64_t n) {
  const Array from = dense(indices);
  int64_t* to = out.data<int64_t>();
  std::atomic<bool> all = true;
  parallel_for(out.numel(), 1 << 15, [&](int64_t begin, int64_t end) {
    if (!each_index(from.data<int64_t>(), begin, end, -n, n,
                    [&](int64_t i, int64_t index) { to[i] = index; }))
      all = false;
  });
  if (!all) refuse_beyond(what, from, n);
}

void run_take(const Call& c) {
  const int dim = normalize_dim(c.attrs.integer(0), c.in(0).rank(), c.name);
  const Array x = dense(c.in(0)), index = dense(c.in(1));
  const AroundDim s(x.shape, dim);
  const int64_t* at = index.data<int64_t>();
  const int64_t count = index.numel(), bytes = s.inner * item_size(x.dtype);
  const char* from = x.data<char>();
  char* to = c.out().data<char>();
  std::atomic<bool> all = true;
  parallel_for(s.outer * count, 1 + (1 << 17) / (bytes + 8), [&](int64_t begin, int64_t end) {
    while (begin < end) {
      const int64_t o = begin / count, first = begin - o * count;
      const int64_t n = std::min(count - first, end - begin);
      if (!take_rows(from + o * s.rows * bytes, s.rows, bytes, at + first, n, -s.rows,
                     to + begin * bytes))
        all = false;
      begin += n;
    }
  });
  if (!all || c.out().numel() == 0) refuse_beyond(c.name, index, s.rows);
}

// Rows of g added to zeros where take read them, in the order of the indices.
void run_take_backward(const Call& c) {
  const int dim = normalize_dim(c.attrs.integer(1), c.out().rank(), c.name);
  const Array g = dense(c.in(0));
  const AroundDim s(c.out().shape, dim);
  const Array index = Array::dense(DType::i64, c.in(1).shape);
  check_into(index, c.name, c.in(1), s.rows);
  const int64_t* at = index.data<int64_t>();
  const int64_t count = index.numel();
  fill(c.out(), 0);
  with_float(g.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* from = g.data<T>();
    T* to = c.out().data<T>();
    for (int64_t o = 0; o < s.outer; ++o)
      for (int64_t i = 0; i < count; ++i) {
        T* row = to + (o * s.rows + at[i]) * s.inner;
        const T* add = from + (o * count + i) * s.inner;
        for (int64_t k = 0; k < s.inner; ++k) row[k] += add[k];
      }
  });
}

// ---- concatenate --------------------------------------------------------------------------------

void infer_concatenate(const Call& c) {
  const Array& first = c.in(0);
  const int dim = normalize_dim(c.attrs.integer(0), first.rank(), c.name);
  Dims shape = first.shape;
  for (int i = 1; i < c.count(); ++i) {
    const Array& x = c.in(i);
    Dims expected = first.shape;
    if (x.rank() == first.rank()) expected[dim] = x.shape[dim];
    if (!(x.shape == expected))
      fail<ValueError>(c.name, ": tensor ", i, " has shape ", x.shape, ", tensor 0 has ",
                       first.shape, "; all sizes but that of dimension ", dim, " must be equal");
    if (__builtin_add_overflow(shape[dim], x.shape[dim], &shape[dim]))
      fail<ValueError>(c.name, ": ", c.count(), " tensors like the first, of shape ", first.shape,
                       ", have more elements than can be counted");
  }
  c.make(first.dtype, shape);
}

void run_concatenate(const Call& c) {
  const int dim = normalize_dim(c.attrs.integer(0), c.out().rank(), c.name);
  int64_t at = 0;
  for (int i = 0; i < c.count(); ++i) {
    const Array& x = c.in(i);
    copy(x, c.out().view(x.shape, c.out().strides, at * c.out().strides[dim]));
    at += x.shape[dim];
  }
}

void concatenate_vjp(Vjp& v) {
  const int rank = v.in(0).rank();
  const int dim = normalize_dim(v.attrs.integer(0), rank, "concatenate");
  Dims starts = Dims::filled(rank, 0);
  const Dims steps = Dims::filled(rank, 1);
  for (int i = 0; i < v.count(); ++i) {
    if (v.needs(i)) v.set(i, call<"slice">(v.grad(), starts, v.in(i).shape(), steps));
    starts[dim] += v.in(i).shape()[dim];
  }
}

void infer_stack(const Call& c) {
  Dims shape = c.in(0).shape;
  for (int i = 1; i < c.count(); ++i)
    if (!(c.in(i).shape == shape))
      fail<ValueError>(c.name, ": tensor ", i, " has shape ", c.in(i).shape, ", tensor 0 has ",
                       shape, "; all must be equal");
  shape.insert(normalize_dim(c.attrs.integer(0), shape.size() + 1, c.name), c.count());
  c.make(c.in(0).dtype, shape);
}

void run_stack(const Call& c) {
  const Array& out = c.out();
  const int dim = normalize_dim(c.attrs.integer(0), out.rank(), c.name);
  Dims strides = out.strides;
  strides.erase(dim);
  for (int i = 0; i < c.count(); ++i)
    copy(c.in(i), out.view(c.in(i).shape, strides, i * out.strides[dim]));
}

const Row rows[] = {
    inner({"slice(x, starts: ints, sizes: ints, steps: ints)",
           [](const Call& c) {
             const Attrs& a = c.attrs;
             check_slice(c, c.in(0).shape, a.list(0), a.list(1), a.list(2));
             c.view(sliced(c.in(0), a.list(0), a.list(1), a.list(2)));
           },
           nullptr,
           [](Vjp& v) {
             v.set(0, call<"slice_backward">(v.grad(), v.in(0).shape(), v.attrs.list(0),
                                             v.attrs.list(2)));
           },
           "A box of x: elements starts[d] + i * steps[d], i < sizes[d]; a view. x[a:b:c] calls "
           "it.\n\n"
           ">>> _core.slice(mg.arange(6), [1], [2], [3]).tolist()\n"
           "[1, 4]"}),

    inner({"slice_backward(g, shape: ints, starts: ints, steps: ints)",
           [](const Call& c) {
             const Attrs& a = c.attrs;
             check_slice(c, a.list(0), a.list(1), c.in(0).shape, a.list(2));
             c.make(c.in(0).dtype, a.list(0));
           },
           [](const Call& c) {
             fill(c.out(), 0);
             copy(c.in(0), sliced(c.out(), c.attrs.list(1), c.in(0).shape, c.attrs.list(2)));
           },
           [](Vjp& v) {
             v.set(0, call<"slice">(v.grad(), v.attrs.list(1), v.in(0).shape(), v.attrs.list(2)));
           },
           "Zeros of `shape` with g where `slice` read.\n\n"
           ">>> _core.slice_backward(mg.ones(2), [6], [1], [3]).tolist()\n"
           "[0.0, 1.0, 0.0, 0.0, 1.0, 0.0]"}),

    {"take(x, indices, dim: int = 0)",
     [](const Call& c) {
       c.require_indices(1);
       const int dim = normalize_dim(c.attrs.integer(0), c.in(0).rank(), c.name);
       c.make(c.in(0).dtype, taken_shape(c.in(0).shape, dim, c.in(1).shape));
     },
     run_take,
     [](Vjp& v) {
       v.set(0, call<"take_backward">(v.grad(), v.in(1), v.in(0).shape(), v.attrs.integer(0)));
     },
     "The entries of dimension dim that the int64 indices name (numpy's take); indices "
     "below 0 count from the end. Dimension dim of x becomes those of indices.\n\n"
     ">>> mg.take(mg.tensor([[1, 2], [3, 4]]), mg.tensor([1, 1, 0])).tolist()\n"
     "[[3, 4], [3, 4], [1, 2]]"},

    inner({"take_backward(g, indices, shape: ints, dim: int)",
           [](const Call& c) {
             c.require_indices(1);
             const Dims& shape = c.attrs.list(0);
             const int dim = normalize_dim(c.attrs.integer(1), shape.size(), c.name);
             const Dims taken = taken_shape(shape, dim, c.in(1).shape);
             if (!(c.in(0).shape == taken) || !is_float(c.in(0).dtype))
               fail<ValueError>(c.name, ": g must be float of shape ", taken, ", got ",
                                name(c.in(0).dtype), " of shape ", c.in(0).shape);
             c.make(c.in(0).dtype, shape);
           },
           run_take_backward,
           [](Vjp& v) { v.set(0, call<"take">(v.grad(), v.in(1), v.attrs.integer(1))); },
           "Zeros of `shape` to which the rows of g are added where `take` read them.\n\n"
           ">>> _core.take_backward(mg.ones(3), mg.tensor([1, 1, 0]), [3], 0).tolist()\n"
           "[1.0, 2.0, 0.0]"}),

    inner({"check_indices(indices, size: int)",
           [](const Call& c) {
             c.require_indices(0);
             c.make(DType::i64, c.in(0).shape);
           },
           [](const Call& c) { check_into(c.out(), "index", c.in(0), c.attrs.integer(0)); },
           nullptr,
           "Indices in [-size, size) as [0, size); an IndexError names the first beyond.\n\n"
           ">>> _core.check_indices(mg.tensor([0, -1]), 4).tolist()\n"
           "[0, 3]"}),

    {"concatenate(*tensors, dim: int = 0)", infer_concatenate, run_concatenate, concatenate_vjp,
     "Tensors one after another along an existing dimension.\n\n"
     ">>> mg.concatenate(mg.tensor([1, 2]), mg.tensor([3])).tolist()\n"
     "[1, 2, 3]",
     Promote::any},

    {"stack(*tensors, dim: int = 0)", infer_stack, run_stack,
     [](Vjp& v) {
       const int dim = normalize_dim(v.attrs.integer(0), v.in(0).rank() + 1, "stack");
       for (int i = 0; i < v.count(); ++i) {
         if (!v.needs(i)) continue;
         Dims starts = Dims::filled(v.grad().rank(), 0), sizes = v.grad().shape();
         starts[dim] = i;
         sizes[dim] = 1;
         const Dims steps = Dims::filled(v.grad().rank(), 1);
         v.set(i, call<"reshape">(call<"slice">(v.grad(), starts, sizes, steps), v.in(i).shape()));
       }
     },
     "Tensors of one shape along a new dimension.\n\n"
     ">>> mg.stack(mg.tensor([1, 2]), mg.tensor([3, 4]), dim=1).tolist()\n"
     "[[1, 3], [2, 4]]",
     Promote::any},
};

}  // namespace

const Family index_family(rows);

}  // namespace mg
