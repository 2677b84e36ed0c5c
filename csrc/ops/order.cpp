// Along one dimension, in order: running sums, and the order of sizes.
#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>
#include <vector>

#include "core/threads.h"
#include "ops/families.h"
#include "ops/strided.h"

namespace mg {
namespace {

// x as (outer, n, inner), where n is the dimension.
struct Along {
  int64_t outer = 1, n, inner = 1;
  Along(const Call& c) {
    const Dims& shape = c.in(0).shape;
    const int dim = normalize_dim(c.attrs.integer(0), shape.size(), c.name);
    n = shape[dim];
    for (int i = 0; i < dim; ++i) outer *= shape[i];
    for (int i = dim + 1; i < shape.size(); ++i) inner *= shape[i];
  }
  // What to give parallel_for to have about so many elements a part.
  int64_t grain() const { return 1 + (1 << 15) / std::max<int64_t>(1, n * inner); }
};

// ---- cumsum -------------------------------------------------------------------------------------

void infer_cumsum(const Call& c) {
  normalize_dim(c.attrs.integer(0), c.in(0).rank(), c.name);
  c.make(c.in(0).dtype, c.in(0).shape);
}

template <class T>
void add_up(const Along& a, const T* from, T* to, int64_t begin, int64_t end) {
  for (int64_t o = begin; o < end; ++o) {
    const T* x = from + o * a.n * a.inner;
    T* y = to + o * a.n * a.inner;
    if (a.inner == 1) {
      T sum = y[0] = x[0];  // in a register: through memory each sum would wait for its store
      for (int64_t i = 1; i < a.n; ++i) y[i] = sum = sum + x[i];
      continue;
    }
    for (int64_t k = 0; k < a.inner; ++k) y[k] = x[k];
    for (int64_t i = a.inner; i < a.n * a.inner; ++i) y[i] = y[i - a.inner] + x[i];
  }
}

void run_cumsum(const Call& c) {
  const Along a(c);
  if (c.out().numel() == 0) return;
  const Array x = dense(c.in(0));
  parallel_for(a.outer, a.grain(), [&](int64_t begin, int64_t end) {
    if (x.dtype == DType::i64)
      add_up(a, x.data<uint64_t>(), c.out().data<uint64_t>(), begin, end);  // wraps around
    else
      with_float(x.dtype, [&](auto zero) {
        using T = decltype(zero);
        add_up(a, x.data<T>(), c.out().data<T>(), begin, end);
      });
  });
}

Var reversed(const Var& x, int dim) {
  Dims starts = Dims::filled(x.shape().size(), 0), steps = Dims::filled(x.shape().size(), 1);
  starts[dim] = std::max<int64_t>(0, x.shape()[dim] - 1);
  steps[dim] = -1;
  return call<"slice">(x, starts, x.shape(), steps);
}

// ---- argsort ------------------------------------------------------------------------------------

void infer_argsort(const Call& c) {
  normalize_dim(c.attrs.integer(0), c.in(0).rank(), c.name);
  c.make(DType::i64, c.in(0).shape);
}

// An unsigned number in the order of x: of the bits of negative floats the larger is the smaller.
// All NaN are one, and so are both zeros; NaN counts as largest, as in numpy and torch.
template <class Key, class T>
Key key_of(T x) {
  constexpr Key sign = Key(1) << (sizeof(Key) * 8 - 1);
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(x)) return static_cast<Key>(~Key(0));
    const Key bits = std::bit_cast<Key>(x + T(0));  // -0 + 0 is 0
    return bits & sign ? static_cast<Key>(~bits) : bits | sign;
  } else {
    return std::is_signed_v<T> ? static_cast<Key>(x) ^ sign : static_cast<Key>(x);
  }
}

template <class Key>
struct Item {
  Key key;
  int64_t index;
  bool operator<(const Item& b) const { return key != b.key ? key < b.key : index < b.index; }
};

// By counting, a byte of the keys at a time from the lowest, which keeps equals in their order.
// Bytes that all keys share are left out. The result is in `items`, `space` is as large.
template <class Key>
void radix_sort(std::vector<Item<Key>>& items, std::vector<Item<Key>>& space) {
  constexpr int bytes = sizeof(Key);
  size_t count[bytes][256] = {};
  for (const Item<Key>& item : items)
    for (int b = 0; b < bytes; ++b) ++count[b][item.key >> 8 * b & 255];
  for (int b = 0; b < bytes; ++b) {
    if (count[b][items[0].key >> 8 * b & 255] == items.size()) continue;
    size_t sum = 0;
    for (size_t& c : count[b]) sum += std::exchange(c, sum);
    for (const Item<Key>& item : items) space[count[b][item.key >> 8 * b & 255]++] = item;
    items.swap(space);
  }
}

template <class Key, class T>
void sort_indices(const Along& a, bool descending, const T* from, int64_t* to, int64_t begin,
                  int64_t end) {
  constexpr int64_t few = 128;  // to which comparing is faster than counting
  const Key turned = descending ? static_cast<Key>(~Key(0)) : Key(0);
  std::vector<Item<Key>> items(a.n), space(a.n > few ? a.n : 0);
  for (int64_t row = begin; row < end; ++row) {
    const int64_t first = row / a.inner * a.n * a.inner + row % a.inner;
    for (int64_t i = 0; i < a.n; ++i)
      items[i] = {static_cast<Key>(key_of<Key>(from[first + i * a.inner]) ^ turned), i};
    if (a.n > few)
      radix_sort(items, space);
    else
      std::sort(items.begin(), items.end());
    for (int64_t i = 0; i < a.n; ++i) to[first + i * a.inner] = items[i].index;
  }
}

void run_argsort(const Call& c) {
  const Along a(c);
  if (c.out().numel() == 0) return;
  const Array x = dense(c.in(0));
  int64_t* to = c.out().data<int64_t>();
  const bool descending = c.attrs.flag(1);
  const int64_t grain = 1 + (1 << 12) / a.n;
  parallel_for(a.outer * a.inner, grain, [&](int64_t begin, int64_t end) {
    switch (x.dtype) {
      case DType::f32:
        return sort_indices<uint32_t>(a, descending, x.data<float>(), to, begin, end);
      case DType::f64:
        return sort_indices<uint64_t>(a, descending, x.data<double>(), to, begin, end);
      case DType::i64:
        return sort_indices<uint64_t>(a, descending, x.data<int64_t>(), to, begin, end);
      default:
        return sort_indices<uint8_t>(a, descending, x.data<bool>(), to, begin, end);
    }
  });
}

// ---- the rows -----------------------------------------------------------------------------------

const Row rows[] = {
    {"cumsum(x, dim: int)", infer_cumsum, run_cumsum,
     [](Vjp& v) {
       const int dim = normalize_dim(v.attrs.integer(0), v.in(0).rank(), "cumsum");
       v.set(0, reversed(call<"cumsum">(reversed(v.grad(), dim), dim), dim));
     },
     "Running sums along a dimension: each element and all before it.\n\n"
     ">>> mg.cumsum(mg.tensor([1, 2, 3]), 0).tolist()\n"
     "[1, 3, 6]",
     Promote::number},

    {"argsort(x, dim: int = -1, descending: bool = False)", infer_argsort, run_argsort, nullptr,
     "The indices that sort x along a dimension, int64. Equal elements keep their order; NaN "
     "counts as largest.\n\n"
     ">>> mg.argsort(mg.tensor([3, 1, 2])).tolist()\n"
     "[1, 2, 0]"},
};

}  // namespace

const Family order_family(rows);

}  // namespace mg
