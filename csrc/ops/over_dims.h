// An array by the dimensions that an op goes over, any of them: what is left, and how it looks as
// rows.
#pragma once
#include "core/array.h"
#include "core/threads.h"
#include "ops/strided.h"

namespace mg {

using DimSet = std::array<bool, max_rank>;

// x seen as a matrix with the dimensions `last` along its rows; a dense copy if strides demand it,
// or if there must be no gaps between rows.
struct RowView {
  Array array;
  int64_t stride, rows, n;

  RowView(const Array& x, const DimSet& last, bool gapless = false);
  char* row(int64_t r) const { return array.data<char>() + r * stride * item_size(array.dtype); }
};

// A dense array as planes of n rows of adjacent columns, where the dimensions `over` are the rows;
// `fits` says whether it can be seen so
// and has enough columns to work on them side by side.
struct PlaneView {
  int64_t planes = 1, n = 1, columns = 1;
  bool fits;

  PlaneView(const Array& x, const DimSet& over);
  // Calls body(plane, first column, columns).
  template <class Body>
  void each(Body&& body) const {
    if (planes == 1)
      return parallel_for(
          columns, 1 + 8192 / n,
          [&](int64_t begin, int64_t end) { body(int64_t{0}, begin, end - begin); }, 64);
    parallel_for(planes, 1 + 8192 / (n * columns), [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) body(p, int64_t{0}, columns);
    });
  }
};

// The array with the dimensions `last` moved behind the others.
Array moved_last(const Array& x, const DimSet& last);

// Calls body(first, rows, results) for dense rows of n results each, and puts them in their places
// in `out`, whose dimensions `last` run along the rows.
template <class Body>
void by_rows(const Array& out, const DimSet& last, int64_t rows, int64_t n, Body&& body) {
  const Array moved = moved_last(out, last);
  const bool in_place = moved.contiguous();
  const Array result = in_place ? moved : Array::dense(out.dtype, moved.shape);
  const int64_t row_bytes = n * item_size(out.dtype);
  parallel_for(rows, 1 + 8192 / n, [&](int64_t begin, int64_t end) {
    body(begin, end - begin, result.template data<char>() + begin * row_bytes);
  });
  if (!in_place) copy(result, moved);
}

// The shape that is left: reduced dimensions dropped, or 1 if keepdim.
Dims reduced_shape(const Dims& shape, const DimSet& over, bool keepdim);
// How many elements of x go into one of the output.
int64_t reduced_count(const Dims& shape, const DimSet& over);

}  // namespace mg
