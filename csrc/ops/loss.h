// What losses share: the meaning of `reduction`, and sums whose order no thread count changes.
#pragma once
#include <algorithm>

#include "core/threads.h"
#include "kernels/kernels.h"
#include "ops/op.h"

namespace mg {

enum class Reduction : uint8_t { none, mean, sum };

inline Reduction checked_reduction(int64_t code, const char* what) {
  if (code < 0 || code > 2)
    fail<ValueError>(what, ": reduction must be 0 (none), 1 (mean) or 2 (sum), got ", code);
  return static_cast<Reduction>(code);
}
inline double mean_scale(Reduction reduction, const Dims& shape) {
  return reduction == Reduction::mean ? 1 / static_cast<double>(product(shape)) : 1;
}

inline void divide_scalar(const Array& scalar, double count) {
  with_float(scalar.dtype, [&](auto t) {
    using T = decltype(t);
    *scalar.data<T>() /= static_cast<T>(count);
  });
}

// total(begin, count, part) over [0, n) into a 0-d float array: chunk by chunk on several threads,
// joined in order, or all at once, in which order a kernel keeps by itself.
template <class Total>
void sum_in_chunks(int64_t n, const Array& out, Total&& total) {
  const int64_t chunk = kernels().reduce.row_chunk, chunks = (n + chunk - 1) / chunk;
  if (chunks < 2 || get_num_threads() == 1) return total(int64_t{0}, n, out.raw());
  const Array parts = Array::dense(out.dtype, {chunks});
  parallel_for(chunks, 2, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c)
      total(c * chunk, std::min(chunk, n - c * chunk),
            parts.data<char>() + c * item_size(out.dtype));
  });
  with_float(out.dtype, [&](auto t) {
    using T = decltype(t);
    const T* part = parts.data<T>();
    T sum = part[0];
    for (int64_t c = 1; c < chunks; ++c) sum += part[c];
    *out.data<T>() = sum;
  });
}

}  // namespace mg
