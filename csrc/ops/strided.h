// Walking strided arrays: dimensions merged where memory allows, so that most arrays are one row.
#pragma once
#include "core/array.h"

namespace mg {

inline constexpr int max_operands = 5;

// A nest of loops over several arrays at once; dimension 0 is the innermost.
struct Loops {
  int rank = 0;
  int64_t size[max_rank];
  int64_t step[max_rank][max_operands];  // in elements, by dimension and operand

  // `strides[k]` are operand k's over `shape` (0 where it is broadcast).
  Loops(const Dims& shape, std::initializer_list<const Dims*> strides);
  Loops(const Dims& shape, const Dims* strides, int operands);

  // Position of row number `row` (counted over dimensions 1 and up) for operand k.
  int64_t row_offset(int64_t row, int k) const {
    if (rank < 2) return 0;
    int64_t offset = 0;
    for (int d = 1; d < rank - 1; ++d) {
      offset += row % size[d] * step[d][k];
      row /= size[d];
    }
    return offset + row * step[rank - 1][k];
  }
  int64_t rows() const {
    int64_t n = 1;
    for (int d = 1; d < rank; ++d) n *= size[d];
    return n;
  }
};

// Elements [begin, begin + n) of operand k, in the order of the loops, side by side into `to`;
// `base` is where the operand's first element lies.
void gather(const Loops& loops, int k, const void* base, DType dtype, int64_t begin, int64_t n,
            void* to);

// dst[...] = src[...]; same shape and dtype, any strides, no overlap.
void copy(const Array& src, const Array& dst);

// The array itself if it is contiguous, else a dense copy.
Array dense(const Array& a);

// Every element = value (converted to the array's dtype); any strides.
void fill(const Array& a, double value);

}  // namespace mg
