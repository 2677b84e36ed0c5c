// Rows of a table by number.
#pragma once
#include "core/array.h"

namespace mg {

// A shape around one of its dimensions, whose elements are the rows.
struct AroundDim {
  int64_t outer = 1, rows = 1, inner = 1;
  AroundDim(const Dims& shape, int dim) : rows(shape[dim]) {
    for (int i = 0; i < dim; ++i) outer *= shape[i];
    for (int i = dim + 1; i < shape.size(); ++i) inner *= shape[i];
  }
};

// An IndexError names the first index that is not in [-n, n), if there is one.
void refuse_beyond(const char* what, const Array& dense_indices, int64_t n);

// Calls use(i, index) for indices [begin, end), each read once; those below 0 count from the end.
// False if some are not in [lowest, n), which are left out.
template <class Use>
bool each_index(const int64_t* at, int64_t begin, int64_t end, int64_t lowest, int64_t n,
                Use&& use) {
  bool all = true;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t given = *static_cast<const volatile int64_t*>(at + i);
    const int64_t index = given < 0 ? given + n : given;
    const bool in = given >= lowest && given < n;
    if (in) use(i, index);
    all &= in;
  }
  return all;
}

// Row i of `to` = row at[i] of `rows` rows of so many bytes, for i < n; no overlap. Indices and
// result are those of each_index.
bool take_rows(const char* table, int64_t rows, int64_t bytes, const int64_t* at, int64_t n,
               int64_t lowest, char* to);

}  // namespace mg
