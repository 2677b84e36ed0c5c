// The gradient of rows of a table by number.
#pragma once
#include <stdint.h>

namespace mg {

// Arrays are dense and do not overlap; per dtype: 0 float, 1 double.
struct Embedding {
  // The first position in [0, n) whose index is not in [0, rows), or n.
  int64_t (*first_outside)(const int64_t* indices, int64_t n, int64_t rows);
  // Rows [begin, end) of out (rows, dim) = the sums of the rows of grad (n, dim) that were taken
  // from them, added to +0 one after the other in the order of the indices.
  void (*scatter[2])(const void* grad, int64_t dim, const int64_t* indices, int64_t n, void* out,
                     int64_t begin, int64_t end);
};

}  // namespace mg
