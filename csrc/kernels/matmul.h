// Matrix products of float32 and float64: C (m x n) = A (m x k) B (k x n), then an epilogue.
//
// A kernel is single-threaded. It owns the edges: any m, n, k >= 0 and any element strides of A and
// B (negative, and 0 for what is broadcast) are right; C has neighbours of a row side by side. C
// overlaps neither A nor B, is only written, and never read before it was written. `scratch` points
// to plan.scratch_bytes bytes on a 64-byte boundary, for this call alone.
//
// The bits of an output depend on (m, n, k) and the values alone, never on strides, blocks, tiles,
// ISA or threads: one fma chain along k, in order, starting from 0; or, in lanes (see in_lanes), 16
// chains where lane l takes k = l, l + 16, ..., joined by l += l + 8, l + 4, l + 2, l + 1.
#pragma once
#include <stdint.h>

#include "kernels/matmul/plan.h"
#include "kernels/sink.h"

namespace mg {

enum class Activation : uint8_t { none, relu };

// What happens to a finished output, in this order.
struct Epilogue {
  const void* bias = nullptr;  // null, or n values side by side, added to each row
  Activation activation = Activation::none;
  // Null, or m x n values that lie as C does: the output is multiplied by `scale`, and is 0 where
  // the value is not above 0 (nor NaN).
  const void* kept = nullptr;
  double scale = 1;
};

struct Gemm {
  int64_t m, n, k;
  const void* a;
  int64_t a_row, a_col;  // strides in elements
  const void* b;
  int64_t b_row, b_col;
  void* c;
  int64_t c_row;
  bool lanes;  // in_lanes() of the whole product, kept by its parts
  Epilogue epilogue = {};
  // Null, or what is handed C, element by element of what `first` is the first number in.
  Sink then = {};
  int64_t first = 0;
  void* row_sums = nullptr;  // null, or where the sums of A's rows go, if sums() says it can be
  bool cut_rows = false;     // threads take rows of C, as those will who go over it next
  // Null, or asked with `context` between blocks of some tens of ms at most: whether the product is
  // no longer wanted. It then ends with C unfinished.
  bool (*unwanted)(void* context) = nullptr;
  void* context = nullptr;

  // The order of summation when a vector takes part: a lone chain would wait for itself.
  static constexpr bool in_lanes(int64_t m, int64_t n, int64_t k) {
    return (m == 1 || n == 1) && k >= 64;
  }
};

// How to cut a product into parts that different threads may compute: along the rows of C or along
// its columns, each cut at a multiple of `step`, and how many parts are worth their start.
struct GemmSplit {
  bool rows;
  int64_t step;
  int64_t parts;
};

struct Matmul {
  // Indexed by dtype: 0 float32, 1 float64.
  GemmPlan (*plan[2])(const Gemm& gemm);
  void (*run[2])(const Gemm& gemm, const GemmPlan& plan, void* scratch);
  GemmSplit (*split[2])(const Gemm& gemm);
  // Whether run() can write row_sums too: for each row of A a chain of adds along k, as reductions
  // add up columns (kernels/fold.h).
  bool (*sums[2])(const Gemm& gemm);
};

// The part [begin, end) of the rows or columns of C.
static inline Gemm gemm_part(const Gemm& g, bool rows, int64_t begin, int64_t end,
                             int64_t item_size) {
  const auto moved = [=](const void* p, int64_t elements) {
    return p ? static_cast<const char*>(p) + elements * item_size : nullptr;
  };
  Gemm part = g;
  part.c = static_cast<char*>(g.c) + begin * (rows ? g.c_row : 1) * item_size;
  if (rows) {
    part.m = end - begin;
    part.a = moved(g.a, begin * g.a_row);
    if (g.row_sums) part.row_sums = static_cast<char*>(g.row_sums) + begin * item_size;
    part.epilogue.kept = moved(g.epilogue.kept, begin * g.c_row);
    part.first += begin * g.c_row;
  } else {
    part.n = end - begin;
    part.b = moved(g.b, begin * g.b_col);
    part.epilogue.bias = moved(g.epilogue.bias, begin);
    part.epilogue.kept = moved(g.epilogue.kept, begin);
    part.first += begin;
  }
  return part;
}

}  // namespace mg
