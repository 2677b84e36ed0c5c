#include "core/array.h"

#include <utility>

namespace mg {
namespace {

// Where the memory of a begins and ends.
std::pair<const char*, const char*> reach(const Array& a) {
  int64_t first = 0, last = 0;
  for (int i = 0; i < a.rank(); ++i) {
    const int64_t steps = (a.shape[i] - 1) * a.strides[i];
    (steps < 0 ? first : last) += steps;
  }
  const int64_t item = item_size(a.dtype);
  const char* base = a.data<char>();
  return {base + first * item, base + (last + 1) * item};
}

}  // namespace

bool overlap(const Array& a, const Array& b) {
  if (a.numel() == 0 || b.numel() == 0) return false;
  const auto x = reach(a), y = reach(b);
  return x.first < y.second && y.first < x.second;
}

bool reshape_strides(const Array& a, const Dims& shape, Dims* strides) {
  *strides = contiguous_strides(shape);
  if (a.contiguous()) return true;
  // Walk both shapes from the right in groups of equal product; inside a group of the old shape
  // the elements must be evenly spaced.
  int i = a.rank() - 1, j = shape.size() - 1;
  while (i >= 0 && j >= 0) {
    while (i >= 0 && a.shape[i] == 1) --i;
    while (j >= 0 && shape[j] == 1) --j;
    if (i < 0 || j < 0) break;
    int64_t step = a.strides[i], old_count = a.shape[i], new_count = 1;
    while (true) {
      if (new_count < old_count) {
        if (j < 0) return false;
        (*strides)[j] = step * new_count;
        new_count *= shape[j--];
      } else if (new_count > old_count) {
        if (--i < 0) return false;
        if (a.shape[i] != 1 && a.strides[i] != step * old_count) return false;
        old_count *= a.shape[i];
      } else {
        --i;
        break;
      }
    }
  }
  return true;
}

}  // namespace mg
