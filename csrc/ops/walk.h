// How a reduction walks through memory: its dimensions in two halves, and the pieces for its
// kernels.
#pragma once
#include <algorithm>

#include "core/threads.h"
#include "ops/over_dims.h"

namespace mg {

constexpr int64_t thread_grain = 32768;  // elements worth a thread

// Dimensions that step evenly through memory, merged; the outermost first.
struct Walk {
  int rank = 0;
  int64_t size[max_rank], step[max_rank];

  void add(int64_t n, int64_t s) {
    if (n == 1) return;
    if (rank > 0 && step[rank - 1] == s * n) {
      size[rank - 1] *= n;
      step[rank - 1] = s;
      return;
    }
    size[rank] = n;
    step[rank++] = s;
  }
  int64_t inner_size() const { return rank ? size[rank - 1] : 1; }
  int64_t inner_step() const { return rank ? step[rank - 1] : 1; }
  int64_t outer() const {
    int64_t n = 1;
    for (int d = 0; d < rank - 1; ++d) n *= size[d];
    return n;
  }
  // Where repetition number i of the innermost dimension starts.
  int64_t offset(int64_t i) const {
    int64_t at = 0;
    for (int d = rank - 2; d >= 0; --d) {
      at += i % size[d] * step[d];
      i /= size[d];
    }
    return at;
  }
};

// The two halves of x's dimensions. Whether the reduced ones go through the row kernels (they come
// last in the shape) or the column kernels is decided by the shape alone, so that strides change no
// bit; they only decide whether x must be copied first.
struct Split {
  Walk kept, reduced;
  bool last = true;  // the innermost dimension is a reduced one
  int runs = 0;      // of reduced dimensions that are neighbours
  DimSet innermost_run{};

  Split(const Array& x, const DimSet& over) {
    bool before = false;
    for (int i = 0; i < x.rank(); ++i) {
      if (x.shape[i] == 1) continue;
      if (over[i] && !before) {
        ++runs;
        innermost_run = {};
      }
      innermost_run[i] = over[i];
      (over[i] ? reduced : kept).add(x.shape[i], x.strides[i]);
      before = last = over[i];
    }
  }
  bool columns() const { return kept.rank > 0 && kept.inner_step() == 1; }
  // With nothing to reduce both kernels give the same.
  bool rows() const { return reduced.rank ? last : !columns(); }
  bool fits() const {
    return reduced.rank <= 1 && (rows() ? reduced.inner_step() == 1 : columns());
  }
  int64_t n() const { return reduced.inner_size(); }
};

// rows(data, stride, rows, n, first output), columns(data, stride, n, columns, first output).
template <class Rows, class Columns>
void walk(const Split& s, const char* base, int64_t item, Rows&& rows, Columns&& columns) {
  const int64_t width = s.kept.inner_size(), outer = s.kept.outer(), n = s.n();
  const int64_t grain = 1 + thread_grain / std::max<int64_t>(n, 1);
  if (s.rows()) {
    parallel_for(outer * width, grain, [&](int64_t begin, int64_t end) {
      for (int64_t first = begin; first < end;) {
        const int64_t column = first % width, count = std::min(width - column, end - first);
        const int64_t at = s.kept.offset(first / width) + column * s.kept.inner_step();
        rows(base + at * item, s.kept.inner_step(), count, n, first);
        first += count;
      }
    });
    return;
  }
  const auto strip = [&](int64_t o, int64_t begin, int64_t end) {
    columns(base + (s.kept.offset(o) + begin) * item, s.reduced.inner_step(), n, end - begin,
            o * width + begin);
  };
  if (outer == 1)
    return parallel_for(width, grain, [&](int64_t b, int64_t e) { strip(0, b, e); }, 64);
  parallel_for(outer, 1 + grain / width, [&](int64_t b, int64_t e) {
    for (int64_t o = b; o < e; ++o) strip(o, 0, width);
  });
}

}  // namespace mg
