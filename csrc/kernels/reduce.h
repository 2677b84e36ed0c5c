// Reductions over one axis of a matrix. The order of every sum is the one of kernels/fold.h.
#pragma once
#include <stdint.h>

namespace mg {

// Arrays of pointers are indexed by dtype: float, double, and where there are four, int64, bool.
// Sums of int64 and bool are int64; arg reductions give int64; otherwise out has x's dtype.
// A NaN wins every max and min; an arg reduction gives the first of equals, or the first NaN.
// max, min and arg reductions need n > 0. Nothing overlaps; no scratch.
struct Reduce {
  // out[r] over the n adjacent elements of row r; rows are `stride` elements apart.
  using Rows = void (*)(const void* x, int64_t stride, int64_t rows, int64_t n, void* out);
  Rows sum_rows[4], max_rows[4], min_rows[4], argmax_rows[4], argmin_rows[4];

  // out[j] over n rows that are `stride` elements apart, j < columns adjacent.
  using Columns = void (*)(const void* x, int64_t stride, int64_t n, int64_t columns, void* out);
  Columns sum_columns[4], max_columns[4], min_columns[4], argmax_columns[4], argmin_columns[4];

  // The bits of sum_rows and max_rows where element i of row j is at j + i * stride, and of
  // sum_columns and max_columns where element i of column j is at i + j * stride. Floats only.
  Columns sum_rows_across[2], max_rows_across[2], sum_columns_along[2], max_columns_along[2];

  // Sums of (x - center)^2, by fma; one center for each output.
  using CenteredRows = void (*)(const void* x, int64_t stride, int64_t rows, int64_t n,
                                const void* center, void* out);
  CenteredRows squares_rows[2];
  using CenteredColumns = void (*)(const void* x, int64_t stride, int64_t n, int64_t columns,
                                   const void* center, void* out);
  CenteredColumns squares_columns[2];

  // Where a long reduction may be cut between threads: chunks of so many elements of a row, or so
  // many rows, whose results are then joined in order.
  int64_t row_chunk, column_chunk;
};

}  // namespace mg
