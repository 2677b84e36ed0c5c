// Rows of a weight by number.
#include <atomic>

#include "core/threads.h"
#include "kernels/kernels.h"
#include "ops/families.h"
#include "ops/rows.h"
#include "ops/strided.h"

namespace mg {
namespace {

void require_inside(const Call& c, const Array& indices, int64_t rows) {
  const int64_t* at = indices.data<int64_t>();
  const int64_t bad = kernels().embedding.first_outside(at, indices.numel(), rows);
  if (bad < indices.numel())
    fail<IndexError>(c.name, ": index ", at[bad], " at position ", bad, " of indices (shape ",
                     indices.shape, ") is not in [0, ", rows, "), the rows of weight");
}

void infer_embedding(const Call& c) {
  const Array &indices = c.in(0), &weight = c.in(1);
  c.require_indices(0);
  if (weight.rank() != 2 || !is_float(weight.dtype))
    fail<ValueError>(c.name, ": weight must be (rows, features) floats, got shape ", weight.shape,
                     " and dtype ", name(weight.dtype));
  Dims shape = indices.shape;
  shape.push_back(weight.shape[1]);
  c.make(weight.dtype, shape);
}

void run_embedding(const Call& c) {
  const Array indices = dense(c.in(0)), weight = dense(c.in(1));
  const int64_t rows = weight.shape[0], bytes = weight.shape[1] * item_size(weight.dtype);
  const int64_t* at = indices.data<int64_t>();
  std::atomic<bool> all = true;
  parallel_for(indices.numel(), 1 + (1 << 17) / (bytes + 8), [&](int64_t begin, int64_t end) {
    if (!take_rows(weight.data<char>(), rows, bytes, at + begin, end - begin, 0,
                   c.out().data<char>() + begin * bytes))
      all = false;
  });
  if (!all) require_inside(c, indices, rows);
}

void infer_backward(const Call& c) {
  const Array &g = c.in(0), &indices = c.in(1);
  c.require_indices(1);
  Dims expected = indices.shape;
  if (g.rank() > 0) expected.push_back(g.shape.back());
  if (!(g.shape == expected) || g.rank() == 0 || !is_float(g.dtype))
    fail<ValueError>(c.name, ": g must be a row of floats for each index of indices (shape ",
                     indices.shape, "), got shape ", g.shape, " and dtype ", name(g.dtype));
  const int64_t rows = c.attrs.integer(0);
  if (rows < 0) fail<ValueError>(c.name, ": rows must be at least 0, got ", rows);
  c.make(g.dtype, {rows, g.shape.back()});
}

void run_backward(const Call& c) {
  const Array g = dense(c.in(0)), indices = dense(c.in(1));
  const int64_t rows = c.out().shape[0], dim = c.out().shape[1], n = indices.numel();
  require_inside(c, indices, rows);
  const auto scatter = kernels().embedding.scatter[index(g.dtype)];
  // Every thread reads all indices, so rows are split only if adding is the greater part.
  const int64_t work = n * dim < (1 << 16) || dim < 8 ? 1 : get_num_threads();
  parallel_for(rows, (rows + work - 1) / work, [&](int64_t begin, int64_t end) {
    scatter(g.raw(), dim, indices.data<int64_t>(), n, c.out().raw(), begin, end);
  });
}

const Row rows[] = {
    {"embedding(indices, weight)", infer_embedding, run_embedding,
     [](Vjp& v) { v.set(1, call<"embedding_backward">(v.grad(), v.in(0), v.in(1).shape()[0])); },
     "Row weight[i] for each of the int64 indices: shape (*indices.shape, features).\n\n"
     ">>> mg.embedding(mg.tensor([2, 0]), mg.tensor([[1.0], [2.0], [3.0]])).tolist()\n"
     "[[3.0], [1.0]]"},

    inner({"embedding_backward(g, indices, rows: int)", infer_backward, run_backward,
           [](Vjp& v) {
             if (v.needs(0)) v.set(0, call<"embedding">(v.in(1), v.grad()));
           },
           "Zeros (rows, features) to which each row of g is added at its index, in order.\n\n"
           ">>> _core.embedding_backward(mg.ones(3, 1), mg.tensor([2, 0, 2]), 3).tolist()\n"
           "[[1.0], [0.0], [2.0]]"}),
};

}  // namespace

const Family embedding_family(rows);

}  // namespace mg
