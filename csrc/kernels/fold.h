// The one order in which minigrad adds up data, as templates for the per-ISA sources.
//
// 64 virtual lanes: element i goes to lane i mod 64, each lane is a chain starting from the
// monoid's identity, lanes are joined by halving. Longer data is cut into chunks of 8192, joined in
// order. Columns (many outputs side by side) are chains along the rows, in chunks of 1024 rows.
// A sum starts from +0, so it is never -0, and lanes without data change nothing.
#pragma once
#include "kernels/simd.h"

// Keeps a small array of vectors in registers. Plain lanes are loops of their own: unrolling those
// too would only cost compile time.
#ifdef MG_PLAIN_FMA
#define MG_UNROLL
#else
#define MG_UNROLL _Pragma("GCC unroll 16")
#endif

// The step of a fold, and the body of a loop, must end up inside it.
#define MG_STEP __attribute__((always_inline))

namespace mg {
namespace MG_ISA {

constexpr int64_t fold_chunk = 8192;
constexpr int64_t column_chunk = 1024;
constexpr int64_t column_tile = 512;

// Where a step stands: at a whole vector, or at the first n lanes of one.
template <class T>
struct Full {
  MG_INLINE Vec<T> load(const T* p) { return MG_ISA::load(p); }
  MG_INLINE void store(T* p, Vec<T> v) { MG_ISA::store(p, v); }
  MG_INLINE Vec<T> keep(Vec<T> v, Vec<T>) { return v; }
};
template <class T>
struct Tail {
  int n;
  inline __attribute__((always_inline)) Vec<T> load(const T* p) const { return load_n(p, n); }
  inline __attribute__((always_inline)) void store(T* p, Vec<T> v) const { store_n(p, v, n); }
  inline __attribute__((always_inline)) Vec<T> keep(Vec<T> v, Vec<T> rest) const {
    return select(mask_n<T>(n), v, rest);
  }
};

struct Added {
  template <class T>
  static constexpr T identity() {
    return T(0);
  }
  template <class T>
  MG_INLINE Vec<T> join(Vec<T> a, Vec<T> b) {
    return a + b;
  }
  template <class T>
  MG_INLINE T join1(T a, T b) {
    return a + b;
  }
};
// A NaN wins, whichever side it stands on; of equals the earlier stays.
struct Highest {
  template <class T>
  static constexpr T identity() {
    return -T(__builtin_inf());
  }
  template <class T>
  MG_INLINE Vec<T> join(Vec<T> a, Vec<T> b) {
    return select(b != b, b, max(b, a));
  }
  template <class T>
  MG_INLINE T join1(T a, T b) {
    return b > a || b != b ? b : a;
  }
};
struct Lowest {
  template <class T>
  static constexpr T identity() {
    return T(__builtin_inf());
  }
  template <class T>
  MG_INLINE Vec<T> join(Vec<T> a, Vec<T> b) {
    return select(b != b, b, min(b, a));
  }
  template <class T>
  MG_INLINE T join1(T a, T b) {
    return b < a || b != b ? b : a;
  }
};

// One vector to one number, by halving.
template <class M, int H, class T>
MG_INLINE T join_lanes(Vec<T> v) {
  if constexpr (H == 0) {
    return lane0(v);
  } else {
    return join_lanes<M, H / 2>(M::template join<T>(v, down<H>(v)));
  }
}

// `vectors` accumulators over [0, n): acc = step(at, i, acc), at being a Full<T> or a Tail<T>.
template <class M, class T, int vectors, class Step>
MG_INLINE T fold_lanes(int64_t n, Step step) {
  constexpr int width = Vec<T>::width;
  Vec<T> lanes[vectors];
  const Vec<T> identity(M::template identity<T>());
  int64_t i = 0;
  if (n >= vectors * width) {
    Vec<T> acc[vectors];
    MG_UNROLL for (int r = 0; r < vectors; ++r) acc[r] = identity;
    for (; i + vectors * width <= n; i += vectors * width) {
      MG_UNROLL for (int r = 0; r < vectors; ++r) acc[r] = step(Full<T>{}, i + r * width, acc[r]);
    }
    MG_UNROLL for (int r = 0; r < vectors; ++r) lanes[r] = acc[r];
  } else {
    MG_UNROLL for (int r = 0; r < vectors; ++r) lanes[r] = identity;
  }
  int r = 0;
  for (; i + width <= n; i += width, ++r) lanes[r] = step(Full<T>{}, i, lanes[r]);
  if (i < n) lanes[r] = step(Tail<T>{static_cast<int>(n - i)}, i, lanes[r]);
  for (int h = vectors / 2; h > 0; h /= 2)
    for (r = 0; r < h; ++r) lanes[r] = M::template join<T>(lanes[r], lanes[r + h]);
  return join_lanes<M, width / 2>(lanes[0]);
}

// The same bits by a loop that is not unrolled, for steps of many instructions.
template <class M, class T, int vectors, class Step>
MG_INLINE T fold_lanes_heavy(int64_t n, Step step) {
  constexpr int width = Vec<T>::width;
  Vec<T> lanes[vectors];
  for (Vec<T>& lane : lanes) lane = Vec<T>(M::template identity<T>());
  int64_t i = 0;
  int r = 0;
  for (; i + width <= n; i += width, r = (r + 1) & (vectors - 1))
    lanes[r] = step(Full<T>{}, i, lanes[r]);
  if (i < n) lanes[r] = step(Tail<T>{static_cast<int>(n - i)}, i, lanes[r]);
  for (int h = vectors / 2; h > 0; h /= 2)
    for (r = 0; r < h; ++r) lanes[r] = M::template join<T>(lanes[r], lanes[r + h]);
  return join_lanes<M, width / 2>(lanes[0]);
}

// Up to 16 elements leave lanes 16 to 63 at the identity, so 16 lanes give the same bits.
template <class M, class T, bool heavy = false, class Step>
MG_INLINE T fold(int64_t n, Step step) {
  constexpr int width = Vec<T>::width;
  if (n <= 16) return fold_lanes_heavy<M, T, 16 / width>(n, step);
  T total = M::template identity<T>();
  for (int64_t base = 0; base < n; base += fold_chunk) {
    const int64_t left = n - base;
    const int64_t count = left < fold_chunk ? left : fold_chunk;
    const auto shifted = [&](auto at, int64_t i, Vec<T> acc)
                             MG_STEP { return step(at, base + i, acc); };
    T part;
    if constexpr (heavy)
      part = fold_lanes_heavy<M, T, 64 / width>(count, shifted);
    else
      part = fold_lanes<M, T, 64 / width>(count, shifted);
    total = base == 0 ? part : M::template join1<T>(total, part);
  }
  return total;
}

// Calls body(at, i) over [0, n), the tail as a Tail.
template <class T, class Body>
MG_INLINE void each_vector(int64_t n, Body body) {
  constexpr int width = Vec<T>::width;
  int64_t i = 0;
  for (; i + width <= n; i += width) body(Full<T>{}, i);
  if (i < n) body(Tail<T>{static_cast<int>(n - i)}, i);
}

// Up to one vector of columns: four chunks side by side, since one chain would wait for itself.
template <class M, class T, class Step>
MG_INLINE void fold_narrow(int64_t n, int columns, T* out, Step step) {
  const Tail<T> at{columns};
  const Vec<T> identity(M::template identity<T>());
  Vec<T> total = identity;
  int64_t base = 0;
  for (; base + 4 * column_chunk <= n; base += 4 * column_chunk) {
    Vec<T> acc[4] = {identity, identity, identity, identity};
    for (int64_t i = base; i < base + column_chunk; ++i) {
      MG_UNROLL for (int c = 0; c < 4; ++c) acc[c] = step(at, i + c * column_chunk, 0, acc[c]);
    }
    for (const Vec<T>& part : acc) total = M::template join<T>(total, part);
  }
  for (; base < n; base += column_chunk) {
    const int64_t end = n - base < column_chunk ? n : base + column_chunk;
    Vec<T> acc = identity;
    for (int64_t i = base; i < end; ++i) acc = step(at, i, 0, acc);
    total = M::template join<T>(total, acc);
  }
  at.store(out, total);
}

// out[j] for j < columns, over rows [0, n): acc = step(at, row, j, acc). Eight rows at a time keep
// the reads sequential, with the accumulators of one tile in L1.
template <class M, class T, class Step>
MG_INLINE void fold_columns(int64_t n, int64_t columns, T* out, Step step) {
  if (columns <= Vec<T>::width) return fold_narrow<M, T>(n, static_cast<int>(columns), out, step);
  const Vec<T> identity(M::template identity<T>());
  alignas(64) T acc[column_tile];
  if (n == 0) {
    each_vector<T>(columns, [&](auto at, int64_t j) { at.store(out + j, identity); });
  }
  for (int64_t left = 0; left < columns; left += column_tile) {
    const int64_t tile = columns - left < column_tile ? columns - left : column_tile;
    for (int64_t base = 0; base < n; base += column_chunk) {
      const int64_t end = n - base < column_chunk ? n : base + column_chunk;
      int64_t i = base;
      for (; i + 8 <= end; i += 8) {
        each_vector<T>(tile, [&](auto at, int64_t j) MG_STEP {
          Vec<T> v = i == base ? identity : load(acc + j);
          MG_UNROLL for (int r = 0; r < 8; ++r) v = step(at, i + r, left + j, v);
          store(acc + j, v);
        });
      }
      for (; i < end; ++i) {
        each_vector<T>(tile, [&](auto at, int64_t j) MG_STEP {
          store(acc + j, step(at, i, left + j, i == base ? identity : load(acc + j)));
        });
      }
      each_vector<T>(tile, [&](auto at, int64_t j) MG_STEP {
        const Vec<T> v = at.load(acc + j);
        at.store(out + left + j, base == 0 ? v : M::template join<T>(at.load(out + left + j), v));
      });
    }
  }
}

}  // namespace MG_ISA
}  // namespace mg
