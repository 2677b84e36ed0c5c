// Around an update: the norm of all gradients, and what scales, averages and bounds in place.
#include <cmath>

#include "core/threads.h"
#include "kernels/kernels.h"
#include "ops/families.h"
#include "ops/in_place.h"

namespace mg {
namespace {

constexpr int64_t fold_chunk = 8192;  // of kernels/fold.h

void infer_total_norm(const Call& c) {
  for (int i = 0; i < c.count(); ++i)
    if (!is_float(c.in(i).dtype))
      fail<TypeError>(c.name, ": tensor ", i, " must be float32 or float64, got ",
                      name(c.in(i).dtype));
  c.make(DType::f64, {});
}
// Sums of squares of chunks of 8192 elements in their own dtype, added in order as float64.
void run_total_norm(const Call& c) {
  const bool largest = c.attrs.flag(0);
  double total = 0;
  for (int i = 0; i < c.count(); ++i) {
    const Array x = dense(c.in(i));
    const int64_t n = x.numel(), chunks = (n + fold_chunk - 1) / fold_chunk;
    const int64_t size = item_size(x.dtype);
    const char* from = x.data<char>();
    const auto kernel =
        (largest ? kernels().optim.max_abs : kernels().optim.square_sum)[index(x.dtype)];
    const Array parts = Array::dense(DType::f64, {chunks});
    double* part = parts.data<double>();
    parallel_for(chunks, 4, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; ++k) {
        const int64_t at = k * fold_chunk, left = n - at;
        part[k] = kernel(from + at * size, left < fold_chunk ? left : fold_chunk);
      }
    });
    for (const double v : std::span(part, chunks))
      total = !largest ? total + v : v > total || v != v || total != total ? v + 0 * total : total;
  }
  *c.out().data<double>() = largest ? total : std::sqrt(total);
}

void infer_scale(const Call& c) {
  require_float(c, 0, "the tensor");
  require_doubles(c, 1, "factor", {});
}
void run_scale(const Call& c) {
  const double by = *c.in(1).data<double>();
  if (by == 1) return;
  const DenseCall d(c);
  const auto kernel = kernels().optim.scale[index(c.in(0).dtype)];
  parallel_for(
      c.in(0).numel(), update_grain,
      [&](int64_t begin, int64_t end) { kernel(d.at(0, begin), end - begin, by); }, update_align);
  d.put_back();
}

void infer_lerp(const Call& c) {
  require_float(c, 0, "the tensor");
  require_like(c, 1, "end", "the tensor");
  require_doubles(c, 2, "weight", {});
}
void run_lerp(const Call& c) {
  const double weight = *c.in(2).data<double>();
  const DenseCall d(c);
  const auto kernel = kernels().optim.lerp[index(c.in(0).dtype)];
  parallel_for(
      c.in(0).numel(), update_grain,
      [&](int64_t begin, int64_t end) {
        kernel(d.at(0, begin), d.at(1, begin), end - begin, weight);
      },
      update_align);
  d.put_back();
}

void infer_max_norm(const Call& c) {
  require_float(c, 0, "the tensor");
  if (c.in(0).rank() < 2)
    fail<ValueError>(c.name, ": the tensor must have 2 dimensions or more, got shape ",
                     c.in(0).shape);
  if (!(c.attrs.real(0) > 0))
    fail<ValueError>(c.name, ": max_norm must be above 0, got ", c.attrs.real(0));
}
void run_max_norm(const Call& c) {
  const int64_t rows = c.in(0).shape[0], cols = rows ? c.in(0).numel() / rows : 0;
  const double limit = c.attrs.real(0);
  const DenseCall d(c);
  const auto kernel = kernels().optim.max_norm[index(c.in(0).dtype)];
  parallel_for(rows, 1 + update_grain / (cols + 1), [&](int64_t begin, int64_t end) {
    kernel(d.at(0, begin * cols), end - begin, cols, limit);
  });
  d.put_back();
}

const Row rows[] = {
    inner({
        .signature = "total_norm(*tensors, largest: bool = False)",
        .infer = infer_total_norm,
        .run = run_total_norm,
        .doc = "The Euclidean norm of all elements of all tensors, or the largest magnitude, as "
               "float64. The result has no dimensions.\n\n"
               ">>> _core.total_norm(mg.tensor([3.0]), mg.tensor([[4.0]])).item()\n"
               "5.0",
    }),
    inner({
        .signature = "scale_(tensor!, factor)",
        .infer = infer_scale,
        .run = run_scale,
        .doc = "tensor *= factor in place; factor is one float64 value, read when the op runs. The "
               "factor has shape (1,).\n\n"
               ">>> x = mg.tensor([1.0, 2.0])\n"
               ">>> _core.scale_(x, mg.tensor([0.5], 'float64'))\n"
               ">>> x.tolist()\n"
               "[0.5, 1.0]",
        .outputs = 0,
    }),
    inner({
        .signature = "lerp_(tensor!, end, weight)",
        .infer = infer_lerp,
        .run = run_lerp,
        .doc =
            "tensor += weight * (end - tensor) in place; weight is one float64 value. The weight "
            "has shape (1,).\n\n"
            ">>> x = mg.zeros(2)\n"
            ">>> _core.lerp_(x, mg.tensor([4.0, 8.0]), mg.tensor([0.25], 'float64'))\n"
            ">>> x.tolist()\n"
            "[1.0, 2.0]",
        .outputs = 0,
    }),
    inner({
        .signature = "max_norm_(tensor!, max_norm: float)",
        .infer = infer_max_norm,
        .run = run_max_norm,
        .doc = "Scales back every row tensor[i] (over all other dimensions) whose Euclidean norm "
               "exceeds max_norm.\n\n"
               ">>> x = mg.tensor([[3.0, 4.0], [0.0, 1.0]])\n"
               ">>> _core.max_norm_(x, 2.5)\n"
               ">>> x.tolist()\n"
               "[[1.5, 2.0], [0.0, 1.0]]",
        .outputs = 0,
    }),
};

}  // namespace

const Family rescale_family(rows);

}  // namespace mg
