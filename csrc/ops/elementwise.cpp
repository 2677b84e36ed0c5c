#include "ops/elementwise.h"

#include "core/cache.h"
#include "core/threads.h"
#include "kernels/simd/past_cache.h"
#include "ops/strided.h"

namespace mg {
namespace {

constexpr int64_t block = 1024;    // elements gathered at a time; they stay in L1
constexpr int64_t panel = 32768;   // elements turned over at a time, in L2
constexpr int64_t short_row = 32;  // rows below this are gathered rather than called one by one
constexpr int64_t thread_grain = 32768;  // elements worth a thread, where they are as fast as relu

using Inputs = const void* [max_operands];

// Does neighbouring output take an element a line, over and over, from a large operand?
bool lies_across(const Array& a, const Array& out) {
  return a.numel() == out.numel() && a.numel() >= block && !a.contiguous() &&
         a.strides[a.rank() - 1] > 8;
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

void make_ready(const Call& c, const ElementwiseFn* kernel_by_dtype, Pointwise* p) {
  p->run = [](const Pointwise& self, const Piece& piece) {
    self.kernel(piece.in, piece.step, piece.out, piece.n, self.attr);
  };
  p->streams = c.count();
  p->from = c.in(c.count() - 1).dtype;  // the first may be `where`'s condition
  p->to = c.out().dtype;
  p->kernel = kernel_by_dtype[index(p->from)];
  for (int i = 0; i < 2; ++i) p->attr[i] = c.attrs.real(i);
}

void write_past_cache(Pointwise* p) {
  p->past_cache = true;
  const Elementwise& k = kernels().elementwise;
  for (const auto& way : k.past_cache)
    if (way.through == p->kernel) {
      p->kernel = way.past;
      return;
    }
  for (const auto& chain : k.chains)
    if (chain.both == p->kernel) p->attr[0] = 1;
}

void run_elementwise(const Call& c, const Pointwise& usual) {
  const Array& out = c.out();
  const int64_t n = out.numel();
  if (n == 0) return;
  Pointwise p = usual;
  const bool past_cache = outgrows_cache(n * item_size(out.dtype));
  if (past_cache) write_past_cache(&p);
  const int count = p.streams;
  const int64_t enough = workers_awake() ? thread_grain / p.work : thread_grain;
  const char* base[max_operands];
  int64_t item[max_operands], step[max_operands] = {};
  bool simple = true;
  for (int k = 0; k < c.count(); ++k) {
    const Array& a = c.in(k);
    base[k] = static_cast<const char*>(a.raw());
    item[k] = item_size(a.dtype);
    simple = simple && (k >= count || (a.shape == out.shape && a.contiguous()));
  }
  char* to = static_cast<char*>(out.raw());
  const int64_t out_item = item_size(out.dtype);
  const auto each_range = [&](int64_t size, int64_t grain, auto&& body, int64_t align = 1) {
    parallel_for(
        size, grain,
        [&](int64_t begin, int64_t end) {
          body(begin, end);
          if (past_cache) settle();
        },
        align);
  };
  // Elements from `first` on, of operands that follow the output or are shared.
  const auto piece = [&](int64_t first, int64_t size) {
    Inputs in;
    for (int k = 0; k < c.count(); ++k) in[k] = base[k] + first * step[k] * item[k];
    p.run(p, {in, step, to + first * out_item, size, first});
  };

  if (simple) {
    for (int k = 0; k < count; ++k) step[k] = 1;
    return each_range(
        n, enough, [&](int64_t begin, int64_t end) { piece(begin, end - begin); }, dropout_grain);
  }

  // Turned over square by square at once, rather than gathered piece by piece: in panels that stay
  // in the cache if nothing else is in the way.
  bool across[max_operands] = {};
  bool turns = false, panels = true;
  for (int k = 0; k < count; ++k) {
    const Array& a = c.in(k);
    across[k] = lies_across(a, out);
    turns = turns || across[k];
    step[k] = a.numel() > 1;
    panels = panels && (across[k] || a.numel() == 1 || (a.shape == out.shape && a.contiguous()));
  }
  if (turns && panels) {
    int d = 0;
    while (out.shape[d] == 1) ++d;
    const int64_t rows = out.shape[d], width = n / rows;
    const int64_t high = 16 * (1 + panel / (16 * width));
    return each_range((rows + high - 1) / high, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t first = i * high, count_of = std::min(high, rows - first);
        Array turned[max_operands];
        Inputs in;
        for (int k = 0; k < c.count(); ++k) {
          in[k] = base[k] + first * width * step[k] * item[k];
          if (!across[k]) continue;
          const Array whole = c.in(k).broadcast_to(out.shape);
          Dims shape = out.shape;
          shape[d] = count_of;
          turned[k] = dense(whole.view(shape, whole.strides, first * whole.strides[d]));
          in[k] = turned[k].raw();
        }
        p.run(p, {in, step, to + first * width * out_item, count_of * width, first * width});
      }
    });
  }
  if (turns) {
    Array turned[max_operands];
    const Array* in[max_operands];
    for (int k = 0; k < c.count(); ++k) {
      if (across[k]) turned[k] = dense(c.in(k));
      in[k] = across[k] ? &turned[k] : c.inputs[k];
    }
    const std::span<const Array* const> inputs(in, static_cast<size_t>(c.count()));
    return run_elementwise(Call{inputs, c.attrs, c.outputs, c.name}, p);
  }

  Dims strides[max_operands];
  for (int k = 0; k < count; ++k) strides[k] = c.in(k).broadcast_to(out.shape).strides;
  const Loops loops(out.shape, strides, count);
  // Is every operand's innermost dimension side by side or shared? What is drawn by position is not
  // cut at the end of every row.
  bool unit = count == c.count();
  for (int k = 0; k < count; ++k) {
    step[k] = loops.step[0][k];
    unit = unit && (step[k] == 0 || step[k] == 1);
  }
  if (unit && loops.rank == 1)
    return each_range(
        n, enough, [&](int64_t begin, int64_t end) { piece(begin, end - begin); }, dropout_grain);
  if (unit && loops.size[0] >= short_row) {
    const int64_t width = loops.size[0];
    return each_range(loops.rows(), 1 + enough / width, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        Inputs in;
        for (int k = 0; k < count; ++k) in[k] = base[k] + loops.row_offset(row, k) * item[k];
        p.run(p, {in, step, to + row * width * out_item, width, row * width});
      }
    });
  }

  bool gathered[max_operands] = {};
  for (int k = 0; k < count; ++k) {
    const Array& a = c.in(k);
    step[k] = a.numel() == 1 ? 0 : 1;
    gathered[k] = step[k] == 1 && !(a.shape == out.shape && a.contiguous());
  }
  const int64_t blocks = (n + block - 1) / block;
  each_range(blocks, std::max<int64_t>(enough / block, 1), [&](int64_t first, int64_t last) {
    alignas(64) char space[max_operands][block * 8];
    for (int64_t b = first; b < last; ++b) {
      const int64_t begin = b * block, size = std::min(block, n - begin);
      Inputs in;
      for (int k = 0; k < c.count(); ++k) {
        if (gathered[k]) gather(loops, k, base[k], c.in(k).dtype, begin, size, space[k]);
        in[k] = gathered[k] ? space[k] : base[k] + begin * step[k] * item[k];
      }
      p.run(p, {in, step, to + begin * out_item, size, begin});
    }
  });
}

}  // namespace mg
