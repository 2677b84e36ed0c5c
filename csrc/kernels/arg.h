// The index of the first largest or smallest element: templates for the per-ISA sources.
#pragma once
#include "kernels/short_rows.h"

namespace mg {
namespace MG_ISA {

struct Above {
  using Fold = Highest;
  template <class T>
  MG_INLINE auto beats(T b, T a) {
    return a < b;
  }
};
struct Below {
  using Fold = Lowest;
  template <class T>
  MG_INLINE auto beats(T b, T a) {
    return b < a;
  }
};

// The first element equal to v, or the first NaN if v is one; there must be one.
template <class T>
MG_INLINE int64_t find_first(const T* x, int64_t n, T v) {
  constexpr int width = Vec<T>::width;
  const Vec<T> wanted(v);
  const bool nan = v != v;
  int64_t i = 0;
  for (; i + width <= n; i += width) {
    const Vec<T> here = load(x + i);
    if (any(nan ? here != here : here == wanted)) break;
  }
  while (nan ? x[i] == x[i] : x[i] != v) ++i;
  return i;
}

template <class Order, class T>
static void arg_short_rows(const T* x, int64_t stride, int64_t rows, int64_t n, int64_t* out) {
  using Lane = typename Int<T>::Lane;
  constexpr int64_t width = Vec<T>::width;
  each_short<short_arg>(
      x, stride, rows, n, [&](const T(*column)[width], int64_t row, int64_t count) MG_STEP {
        Vec<T> best = load(column[0]), at = Vec<T>::zero();
        for (int64_t i = 1; i < n; ++i) {
          const Vec<T> v = load(column[i]);
          const Mask<T> wins = Order::beats(v, best) | ((v != v) & (best == best));
          best = select(wins, v, best);
          at = select(wins, as_vec(Int<T>(static_cast<Lane>(i))), at);
        }
        Lane place[width];
        store_int(place, as_int(at));
        for (int64_t r = 0; r < count; ++r) out[row + r] = place[r];
      });
}

// Chunk by chunk: the best value of a chunk that is still in cache, then where it stands.
template <class Order, class T>
static void arg_rows(const void* x, int64_t stride, int64_t rows, int64_t n, void* out) {
  using M = typename Order::Fold;
  if (n <= short_arg)
    return arg_short_rows<Order>(static_cast<const T*>(x), stride, rows, n,
                                 static_cast<int64_t*>(out));
  const Vec<T> identity(M::template identity<T>());
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = static_cast<const T*>(x) + r * stride;
    T best = 0;
    int64_t from = 0;
    for (int64_t base = 0; base < n && best == best; base += fold_chunk) {
      const T* chunk = row + base;
      const int64_t left = n - base;
      const T v = fold<M, T>(left < fold_chunk ? left : fold_chunk,
                             [&](auto at, int64_t i, Vec<T> acc) MG_STEP {
                               return M::join(acc, at.keep(at.load(chunk + i), identity));
                             });
      if (base == 0 || v != v || Order::beats(v, best)) {
        best = v;
        from = base;
      }
    }
    static_cast<int64_t*>(out)[r] = from + find_first(row + from, n - from, best);
  }
}

// A few columns without gaps: vectors run on over the ends of rows, so many of them as there are
// columns, after which each lane is in its first column again.
constexpr int64_t most_narrow = 8;
template <class Order, class T>
static void arg_narrow(const T* x, int64_t n, int64_t columns, int64_t* out) {
  using M = typename Order::Fold;
  constexpr int64_t width = Vec<T>::width;
  T best[most_narrow] = {};
  for (int64_t base = 0; base < n; base += column_chunk) {
    const int64_t rows = n - base < column_chunk ? n - base : column_chunk;
    const T* chunk = x + base * columns;
    Vec<T> acc[most_narrow];
    for (Vec<T>& v : acc) v = Vec<T>(M::template identity<T>());
    int64_t i = 0;
    for (; i + width * columns <= rows * columns; i += width * columns)
      for (int64_t v = 0; v < columns; ++v)
        acc[v] = M::template join<T>(acc[v], load(chunk + i + v * width));
    T lanes[most_narrow * width];
    for (int64_t v = 0; v < columns; ++v) store(lanes + v * width, acc[v]);
    for (int64_t j = 0; j < columns; ++j) {
      T top = chunk[j];
      for (int64_t l = j; l < columns * width; l += columns)
        top = M::template join1<T>(top, lanes[l]);
      for (int64_t l = i + j; l < rows * columns; l += columns)
        top = M::template join1<T>(top, chunk[l]);
      if (base > 0 && !Order::beats(top, best[j]) && !(top != top && best[j] == best[j])) continue;
      best[j] = top;
      int64_t row = 0;
      while (top != top ? chunk[row * columns + j] == chunk[row * columns + j]
                        : chunk[row * columns + j] != top)
        ++row;
      out[j] = base + row;
    }
  }
}

// Best values and their rows (as integers in lanes of the same size) side by side in one tile; rows
// are counted within a chunk, so that they fit the lane.
template <class Order, class T>
static void arg_columns(const void* x, int64_t stride, int64_t n, int64_t columns, void* out) {
  using Lane = typename Int<T>::Lane;
  if (columns <= most_narrow && stride == columns)
    return arg_narrow<Order>(static_cast<const T*>(x), n, columns, static_cast<int64_t*>(out));
  alignas(64) T best[column_tile];
  alignas(64) T chunk_best[column_tile];
  alignas(64) T chunk_row[column_tile];
  int64_t* result = static_cast<int64_t*>(out);
  for (int64_t left = 0; left < columns; left += column_tile) {
    const T* data = static_cast<const T*>(x) + left;
    const int64_t tile = columns - left < column_tile ? columns - left : column_tile;
    for (int64_t base = 0; base < n; base += column_chunk) {
      const int64_t rows = n - base < column_chunk ? n - base : column_chunk;
      for (int64_t first = 0; first < rows; first += 8) {
        const int64_t end = first + 8 < rows ? first + 8 : rows;
        each_vector<T>(tile, [&](auto at, int64_t j) MG_STEP {
          Vec<T> b = first > 0 ? load(chunk_best + j) : at.load(data + base * stride + j);
          Vec<T> at_row = first > 0 ? load(chunk_row + j) : Vec<T>::zero();
          for (int64_t i = first; i < end; ++i) {
            const Vec<T> v = at.load(data + (base + i) * stride + j);
            const Mask<T> wins = Order::beats(v, b) | ((v != v) & (b == b));
            b = select(wins, v, b);
            at_row = select(wins, as_vec(Int<T>(static_cast<Lane>(i))), at_row);
          }
          store(chunk_best + j, b);
          store(chunk_row + j, at_row);
        });
      }
      for (int64_t j = 0; j < tile; ++j) {
        const T v = chunk_best[j];
        if (base == 0 || Order::beats(v, best[j]) || (v != v && best[j] == best[j])) {
          best[j] = v;
          Lane row;
          __builtin_memcpy(&row, chunk_row + j, sizeof row);
          result[left + j] = base + row;
        }
      }
    }
  }
}

template <class Order, class T>
static void arg_whole_rows(const void* x, int64_t stride, int64_t rows, int64_t n, void* out) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = static_cast<const T*>(x) + r * stride;
    T best = row[0];  // first what it is, which vectors can tell, then where
    for (int64_t i = 1; i < n; ++i) best = Order::beats(row[i], best) ? row[i] : best;
    int64_t at = 0;
    while (row[at] != best) ++at;
    static_cast<int64_t*>(out)[r] = at;
  }
}

template <class Order, class T>
static void arg_whole_columns(const void* x, int64_t stride, int64_t n, int64_t columns,
                              void* out) {
  const T* data = static_cast<const T*>(x);
  int64_t* best = static_cast<int64_t*>(out);
  for (int64_t j = 0; j < columns; ++j) best[j] = 0;
  for (int64_t i = 1; i < n; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      if (Order::beats(data[i * stride + j], data[best[j] * stride + j])) best[j] = i;
    }
  }
}

}  // namespace MG_ISA
}  // namespace mg
