#include "ops/elementwise.h"

#include "core/threads.h"
#include "ops/strided.h"

namespace mg {
namespace {

constexpr int64_t block = 1024;    // elements gathered at a time; they stay in L1
constexpr int64_t short_row = 32;  // rows below this are gathered rather than called one by one
constexpr int64_t thread_grain = 32768;  // elements worth a thread

using Inputs = const void* [max_operands];

// Elements [begin, begin + n) of operand k, in the order of the loops, side by side into `to`.
void gather(const Loops& loops, int k, const char* base, DType dtype, int64_t begin, int64_t n,
            char* to) {
  const int64_t item = item_size(dtype);
  const auto copy = kernels().elementwise.copy_strided[index(dtype)];
  int64_t row = begin / loops.size[0], column = begin % loops.size[0];
  while (n > 0) {
    const int64_t count = std::min(n, loops.size[0] - column);
    copy(base + (loops.row_offset(row, k) + column * loops.step[0][k]) * item, loops.step[0][k], to,
         1, count);
    to += count * item;
    n -= count;
    ++row;
    column = 0;
  }
}

}  // namespace

void infer_elementwise(const Call& c, const ElementwiseFn* kernel_by_dtype, Result result) {
  Dims shape = c.in(0).shape;
  for (int i = 1; i < c.count(); ++i) shape = broadcast(shape, c.in(i).shape, c.name);
  const DType dtype = c.in(c.count() - 1).dtype;
  // Two inputs always share a dtype; the first of three is `where`'s condition.
  for (int i = c.count() == 3 ? 1 : 0; i < c.count(); ++i)
    if (c.in(i).dtype != dtype)
      fail<TypeError>(c.name, ": inputs are ", name(c.in(i).dtype), " and ", name(dtype),
                      "; convert one with .to()");
  if (!kernel_by_dtype[index(dtype)])
    fail<TypeError>(c.name, ": not defined for ", name(dtype),
                    "; convert with .float() or .double()");
  c.make(result == Result::boolean ? DType::b8 : dtype, shape);
}

void run_elementwise(const Call& c, ElementwiseFn kernel, const double* attr) {
  const Array& out = c.out();
  const int64_t n = out.numel();
  if (n == 0) return;
  const int count = c.count();
  Dims strides[max_operands];
  const char* base[max_operands];
  int64_t item[max_operands];
  bool simple = true;
  for (int k = 0; k < count; ++k) {
    const Array& a = c.in(k);
    base[k] = static_cast<const char*>(a.raw());
    item[k] = item_size(a.dtype);
    simple = simple && a.shape == out.shape && a.contiguous();
  }
  char* to = static_cast<char*>(out.raw());
  const int64_t out_item = item_size(out.dtype);
  int64_t step[max_operands];

  if (simple) {
    for (int k = 0; k < count; ++k) step[k] = 1;
    return parallel_for(
        n, thread_grain,
        [&](int64_t begin, int64_t end) {
          Inputs in;
          for (int k = 0; k < count; ++k) in[k] = base[k] + begin * item[k];
          kernel(in, step, to + begin * out_item, end - begin, attr);
        },
        block);
  }

  for (int k = 0; k < count; ++k) strides[k] = c.in(k).broadcast_to(out.shape).strides;
  const Loops loops(out.shape, strides, count);
  bool unit = true;  // every operand's innermost dimension is side by side or shared
  for (int k = 0; k < count; ++k) {
    step[k] = loops.step[0][k];
    unit = unit && (step[k] == 0 || step[k] == 1);
  }

  if (unit && (loops.rank == 1 || loops.size[0] >= short_row)) {
    if (loops.rank == 1)
      return parallel_for(
          n, thread_grain,
          [&](int64_t begin, int64_t end) {
            Inputs in;
            for (int k = 0; k < count; ++k) in[k] = base[k] + begin * step[k] * item[k];
            kernel(in, step, to + begin * out_item, end - begin, attr);
          },
          block);
    const int64_t width = loops.size[0];
    return parallel_for(loops.rows(), 1 + thread_grain / width, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        Inputs in;
        for (int k = 0; k < count; ++k) in[k] = base[k] + loops.row_offset(row, k) * item[k];
        kernel(in, step, to + row * width * out_item, width, attr);
      }
    });
  }

  bool gathered[max_operands];
  for (int k = 0; k < count; ++k) {
    const Array& a = c.in(k);
    step[k] = a.numel() == 1 ? 0 : 1;
    gathered[k] = step[k] == 1 && !(a.shape == out.shape && a.contiguous());
  }
  const int64_t blocks = (n + block - 1) / block;
  parallel_for(blocks, thread_grain / block, [&](int64_t first, int64_t last) {
    alignas(64) char space[max_operands][block * 8];
    for (int64_t b = first; b < last; ++b) {
      const int64_t begin = b * block, size = std::min(block, n - begin);
      Inputs in;
      for (int k = 0; k < count; ++k) {
        if (gathered[k]) gather(loops, k, base[k], c.in(k).dtype, begin, size, space[k]);
        in[k] = gathered[k] ? space[k] : base[k] + begin * step[k] * item[k];
      }
      kernel(in, step, to + begin * out_item, size, attr);
    }
  });
}

}  // namespace mg
