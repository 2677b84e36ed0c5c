// The index of the first largest or smallest element: templates for the per-ISA sources.
#pragma once
#include "kernels/fold.h"

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

// Chunk by chunk: the best value of a chunk that is still in cache, then where it stands.
template <class Order, class T>
static void arg_rows(const void* x, int64_t stride, int64_t rows, int64_t n, void* out) {
  using M = typename Order::Fold;
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

// Best values and their rows (as integers in lanes of the same size) side by side in one tile; rows
// are counted within a chunk, so that they fit the lane.
template <class Order, class T>
static void arg_columns(const void* x, int64_t stride, int64_t n, int64_t columns, void* out) {
  using Lane = typename Int<T>::Lane;
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
    int64_t best = 0;
    for (int64_t i = 1; i < n; ++i) best = Order::beats(row[i], row[best]) ? i : best;
    static_cast<int64_t*>(out)[r] = best;
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
