#include "core/shape.h"

#include <algorithm>

namespace mg {

std::ostream& operator<<(std::ostream& out, const Dims& d) {
  out << '(';
  for (int i = 0; i < d.size(); ++i) out << (i ? ", " : "") << d[i];
  return out << (d.size() == 1 ? ",)" : ")");
}

Dims contiguous_strides(const Dims& shape) {
  Dims strides = Dims::filled(shape.size(), 1);
  // Beside a size of 0 they may be beyond all counting.
  for (int i = shape.size() - 2; i >= 0; --i)
    __builtin_mul_overflow(strides[i + 1], std::max<int64_t>(shape[i + 1], 1), &strides[i]);
  return strides;
}

Dims broadcast(const Dims& a, const Dims& b, const char* what) {
  if (a == b) return a;
  const Dims& longer = a.size() >= b.size() ? a : b;
  const Dims& shorter = a.size() >= b.size() ? b : a;
  Dims out = longer;
  const int skip = longer.size() - shorter.size();
  for (int i = skip; i < longer.size(); ++i) {
    const int64_t x = longer[i], y = shorter[i - skip];
    if (x == y || y == 1) continue;
    if (x != 1)
      fail<ValueError>(what, ": shapes ", a, " and ", b, " do not broadcast: ", x, " against ", y,
                       " in dimension ", i - longer.size(),
                       "; each pair of sizes, counted from the right, must be equal or 1");
    out[i] = y;
  }
  return out;
}

int normalize_dim(int64_t dim, int rank, const char* what) {
  if (dim < -rank || dim >= rank)
    fail<IndexError>(what, ": dim ", dim, " is out of range for a tensor with ", rank,
                     " dimensions (allowed: ", -rank, " to ", rank - 1, ")");
  return static_cast<int>(dim < 0 ? dim + rank : dim);
}

std::array<bool, max_rank> dim_set(const Dims& dims, int rank, const char* what) {
  std::array<bool, max_rank> set{};
  for (int i = 0; i < rank; ++i) set[i] = dims.empty();
  for (int64_t d : dims) {
    const int i = normalize_dim(d, rank, what);
    if (set[i]) fail<ValueError>(what, ": dim ", i, " appears twice in ", dims);
    set[i] = true;
  }
  return set;
}

}  // namespace mg
