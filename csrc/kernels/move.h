// Elements moved, not computed: strided copies, casts.
#pragma once
#include "kernels/map.h"

namespace mg {
namespace MG_ISA {

template <int size>
struct FloatOfSize {
  using type = float;
};
template <>
struct FloatOfSize<8> {
  using type = double;
};

// dst[i] = src[2 * i] for as many whole vectors as have something behind them; how many elements.
template <class T>
MG_INLINE int64_t copy_evens(const T* src, T* dst, int64_t n) {
  using F = typename FloatOfSize<sizeof(T)>::type;
  constexpr int width = Vec<F>::width;
  const F* s = reinterpret_cast<const F*>(src);
  int64_t i = 0;
  for (; i + width < n; i += width)
    store(reinterpret_cast<F*>(dst + i), evens(load(s + 2 * i), load(s + 2 * i + width)));
  return i;
}

template <class T>
static void copy_strided(const void* src, int64_t src_step, void* dst, int64_t dst_step,
                         int64_t n) {
  const T* s = static_cast<const T*>(src);
  T* d = static_cast<T*>(dst);
  if (n <= 0) return;
  if (src_step == 1 && dst_step == 1) {
    __builtin_memcpy(d, s, static_cast<uint64_t>(n) * sizeof(T));
  } else if (src_step == 0 && dst_step == 1) {
    fill<T>(d, s, n);
  } else if (dst_step == 1) {
    if constexpr (sizeof(T) >= 4)
      if (src_step == 2) {
        const int64_t done = copy_evens(s, d, n);
        s += 2 * done;
        d += done;
        n -= done;
      }
    MG_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) d[i] = s[i * src_step];
  } else {
    for (int64_t i = 0; i < n; ++i) d[i * dst_step] = s[i * src_step];
  }
}

// dst[r * dst_row + c] = src[r + c * src_col] for whole squares of vectors, turned in registers.
template <class T>
static void turn_squares(const T* src, int64_t src_col, T* dst, int64_t dst_row, int64_t rows,
                         int64_t cols) {
  using F = typename FloatOfSize<sizeof(T)>::type;
  constexpr int width = Vec<F>::width;
  for (int64_t r = 0; r < rows; r += width)
    for (int64_t c = 0; c < cols; c += width) {
      Vec<F> square[width];
      for (int i = 0; i < width; ++i)
        square[i] = load(reinterpret_cast<const F*>(src + r + (c + i) * src_col));
      transpose(square);
      for (int i = 0; i < width; ++i)
        store(reinterpret_cast<F*>(dst + (r + i) * dst_row + c), square[i]);
    }
}

template <class T>
static void copy_plane(const void* src, int64_t src_row, int64_t src_col, void* dst,
                       int64_t dst_row, int64_t dst_col, int64_t rows, int64_t cols) {
  const T* s = static_cast<const T*>(src);
  T* d = static_cast<T*>(dst);
  if (src_col > 0 && src_col <= 4 && dst_col == 1) {  // several elements a line
    for (int64_t r = 0; r < rows; ++r)
      copy_strided<T>(s + r * src_row, src_col, d + r * dst_row, 1, cols);
    return;
  }
  if constexpr (sizeof(T) >= 4) {
    constexpr int64_t width = Vec<typename FloatOfSize<sizeof(T)>::type>::width;
    const int64_t r = rows / width * width, c = cols / width * width;
    if (src_row == 1 && dst_col == 1 && r > 0 && c > 0) {
      turn_squares(s, src_col, d, dst_row, r, c);
      copy_plane<T>(s + c * src_col, 1, src_col, d + c, dst_row, 1, r, cols - c);
      return copy_plane<T>(s + r, 1, src_col, d + r * dst_row, dst_row, 1, rows - r, cols);
    }
  }
  constexpr int64_t tile = 16;
  for (int64_t r0 = 0; r0 < rows; r0 += tile) {
    const int64_t r1 = r0 + tile < rows ? r0 + tile : rows;
    for (int64_t c0 = 0; c0 < cols; c0 += tile) {
      const int64_t width = c0 + tile < cols ? tile : cols - c0;
      for (int64_t r = r0; r < r1; ++r)
        copy_strided<T>(s + r * src_row + c0 * src_col, src_col, d + r * dst_row + c0 * dst_col,
                        dst_col, width);
    }
  }
}

template <class To, class From>
MG_INLINE To convert(From x) {
  if constexpr (sizeof(To) == 8 && To(0.5) == To(0) && From(0.5) != From(0) && sizeof(From) > 1)
    return x >= From(-0x1p63) && x < From(0x1p63) ? static_cast<To>(x) : INT64_MIN;
  else
    return static_cast<To>(x);
}

template <class From, class To>
static void cast(const void* in, void* out, int64_t n) {
  const From* s = static_cast<const From*>(in);
  To* d = static_cast<To*>(out);
  MG_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) d[i] = convert<To>(s[i]);
}

}  // namespace MG_ISA
}  // namespace mg
