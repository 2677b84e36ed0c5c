// Windows of any size: vectors of those windows of a row that lie inside the
// plane, for strides of 1 and 2; one by one where a window is cut by an edge,
// or the stride is longer. Either way an output is the same.
#pragma once
#include "kernels/every.h"
#include "kernels/pool.h"

namespace mg {
namespace MG_ISA {

// The elements of a window that lie in the plane.
struct Window {
  int64_t top, bottom, left, right;
};
static inline Window window(const PoolShape& s, int64_t oh, int64_t ow) {
  const int64_t h = oh * s.stride_h - s.pad_h, w = ow * s.stride_w - s.pad_w;
  return {h < 0 ? 0 : h, h + s.kernel_h < s.height ? h + s.kernel_h : s.height, w < 0 ? 0 : w,
          w + s.kernel_w < s.width ? w + s.kernel_w : s.width};
}

// vectors(ow, n) for n windows of row oh from ow, all inside of the plane, and
// single(ow) for each of the others, in any order.
template <class T, class Vectors, class Single>
MG_INLINE void each_of_row(const PoolShape& s, Vectors vectors, Single single) {
  constexpr int64_t w = Vec<T>::width;
  int64_t first = 0, last = 0;
  const bool counted = s.kernel_h * s.width < (1 << 24);  // places are exact as floats
  if (s.stride_w <= 2 && s.width + s.pad_w >= s.kernel_w && counted) {
    first = (s.pad_w + s.stride_w - 1) / s.stride_w;
    last = (s.width + s.pad_w - s.kernel_w) / s.stride_w + 1;
    last = last < s.out_w ? last : s.out_w;
    if (first >= last) first = last = 0;
  }
  for (int64_t ow = 0; ow < first; ++ow) single(ow);
  for (int64_t ow = first; ow < last; ow += w)
    vectors(ow, static_cast<int>(last - ow < w ? last - ow : w));
  for (int64_t ow = last; ow < s.out_w; ++ow) single(ow);
}

// What a vector of windows has at its greatest elements: their values, and how
// far they are from the window's first row and column, as a number.
template <class T>
struct Greatest {
  Vec<T> value, at;
};
template <class T>
MG_INLINE Mask<T> beats(Vec<T> v, Vec<T> most) {
  return (most < v) | (v != v);
}
template <class T>
MG_INLINE Greatest<T> greatest_of(const PoolShape& s, const T* first, int64_t rows, int n) {
  Greatest<T> g{load_every(first, s.stride_w, n), Vec<T>::zero()};
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < s.kernel_w; ++j) {
      const int64_t at = i * s.width + j;
      const Vec<T> v = load_every(first + at, s.stride_w, n);
      const Mask<T> better = beats(v, g.value);
      g.value = select(better, v, g.value);
      g.at = select(better, Vec<T>(static_cast<T>(at)), g.at);
    }
  return g;
}

template <class T>
static inline int64_t find_max(const PoolShape& s, const T* plane, int64_t oh, int64_t ow) {
  const Window w = window(s, oh, ow);
  int64_t best = w.top * s.width + w.left;
  T most = plane[best];
  for (int64_t i = w.top; i < w.bottom; ++i)
    for (int64_t j = w.left; j < w.right; ++j) {
      const T v = plane[i * s.width + j];
      if (v > most || v != v) {
        most = v;
        best = i * s.width + j;
      }
    }
  return best;
}

// Calls f(output, where its maximum is), output by output.
template <class T, class F>
static inline void each_max(const PoolShape& s, const T* plane, F f) {
  for (int64_t oh = 0; oh < s.out_h; ++oh) {
    const Window rows = window(s, oh, 0);
    each_of_row<T>(
        s,
        [&](int64_t ow, int n) {
          const int64_t corner = rows.top * s.width + ow * s.stride_w - s.pad_w;
          T at[Vec<T>::width];
          store(at, greatest_of(s, plane + corner, rows.bottom - rows.top, n).at);
          for (int l = 0; l < n; ++l)
            f(oh * s.out_w + ow + l, corner + l * s.stride_w + static_cast<int64_t>(at[l]));
        },
        [&](int64_t ow) { f(oh * s.out_w + ow, find_max(s, plane, oh, ow)); });
  }
}

template <class T>
static inline void max_row(const PoolShape& s, const T* plane, int64_t oh, T* to) {
  const Window rows = window(s, oh, 0);
  const T* first = plane + rows.top * s.width - s.pad_w;
  each_of_row<T>(
      s,
      [&](int64_t ow, int n) {
        const T* corner = first + ow * s.stride_w;
        store_n(to + ow, greatest_of(s, corner, rows.bottom - rows.top, n).value, n);
      },
      [&](int64_t ow) { to[ow] = plane[find_max(s, plane, oh, ow)]; });
}

template <class T>
static inline void avg_row(const PoolShape& s, const T* plane, int64_t oh, T area, T* to) {
  const Window rows = window(s, oh, 0);
  each_of_row<T>(
      s,
      [&](int64_t ow, int n) {
        Vec<T> sum = Vec<T>::zero();
        for (int64_t i = rows.top; i < rows.bottom; ++i)
          for (int64_t j = 0; j < s.kernel_w; ++j)
            sum = sum +
                  load_every(plane + i * s.width + ow * s.stride_w - s.pad_w + j, s.stride_w, n);
        store_n(to + ow, sum / Vec<T>(area), n);
      },
      [&](int64_t ow) {
        const Window w = window(s, oh, ow);
        T sum = 0;
        for (int64_t i = w.top; i < w.bottom; ++i)
          for (int64_t j = w.left; j < w.right; ++j) sum += plane[i * s.width + j];
        to[ow] = sum / area;
      });
}

// One window that is the plane: the planes of a vector side by side.
static inline bool is_whole(const PoolShape& s) {
  return s.out_h == 1 && s.out_w == 1 && s.kernel_h == s.height && s.kernel_w == s.width &&
         s.pad_h == 0 && s.pad_w == 0;
}
template <class T>
static inline void avg_planes(const T* x, int64_t plane, int64_t planes, T area, T* to) {
  constexpr int w = Vec<T>::width;
  for (int64_t p = 0; p < planes; p += w) {
    const int many = static_cast<int>(planes - p < w ? planes - p : w);
    Vec<T> sum = Vec<T>::zero();
    for (int64_t i = 0; i < plane; i += w) {
      const int n = static_cast<int>(plane - i < w ? plane - i : w);
      Vec<T> v[w];
      for (int l = 0; l < w; ++l)
        v[l] = l < many ? load_n(x + (p + l) * plane + i, n) : Vec<T>::zero();
      transpose(v);
      for (int l = 0; l < w; ++l) sum = sum + v[l];  // +0 beyond the plane
    }
    store_n(to + p, sum / Vec<T>(area), many);
  }
}

// Adds to a cleared plane what its windows of row oh share out, each window
// after the one before.
template <class T>
static inline void share_row(const PoolShape& s, const T* grad, int64_t oh, T area, T* to) {
  const Window rows = window(s, oh, 0);
  if (s.stride_h >= s.kernel_h && s.stride_w >= s.kernel_w) {  // none overlap
    T* row = to + rows.top * s.width;
    for (int64_t ow = 0; ow < s.out_w; ++ow) {
      const Window w = window(s, oh, ow);
      const T share = grad[ow] / area;
      for (int64_t j = w.left; j < w.right; ++j) row[j] += share;
    }
    for (int64_t j = 0; j < s.width; j += Vec<T>::width) {
      const int n = static_cast<int>(s.width - j < Vec<T>::width ? s.width - j : Vec<T>::width);
      const Vec<T> shares = load_n(row + j, n);
      for (int64_t i = rows.top + 1; i < rows.bottom; ++i) store_n(to + i * s.width + j, shares, n);
    }
    return;
  }
  for (int64_t ow = 0; ow < s.out_w; ++ow) {
    const Window w = window(s, oh, ow);
    const T share = grad[ow] / area;
    for (int64_t i = w.top; i < w.bottom; ++i)
      for (int64_t j = w.left; j < w.right; ++j) to[i * s.width + j] += share;
  }
}

}  // namespace MG_ISA
}  // namespace mg
