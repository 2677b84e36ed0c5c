// Bilinear resampling of planes by an affine map.
//
// The plane is copied into a frame: one line of `fill` above and left of it, two below and right.
// Positions are clamped to the frame, so that every one has four neighbours and none is tested.
// To be read, each pixel has the one below it beside it, and so one load takes all four neighbours.
#pragma once
#include "kernels/augment.h"
#include "kernels/simd.h"

namespace mg {
namespace MG_ISA {

alignas(64) static const
    float lane_float[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
alignas(64) static const double lane_double[8] = {0, 1, 2, 3, 4, 5, 6, 7};
MG_INLINE Vec<float> lane_numbers(float) { return load(lane_float); }
MG_INLINE Vec<double> lane_numbers(double) { return load(lane_double); }

// f(x, n) for vectors that cover 0 .. size - 1. The last one begins early, so that it is whole:
// storing a part is slow on some machines. Only a size below a vector's is left to a part.
template <class T, class F>
MG_INLINE void each_vector(int64_t size, F f) {
  constexpr int64_t width = Vec<T>::width;
  if (size < width) return f(int64_t{0}, static_cast<int>(size));
  for (int64_t x = 0; x < size; x += width)
    f(x + width <= size ? x : size - width, static_cast<int>(width));
}

template <class T>
struct Frame {
  T* at;
  int64_t height, width;  // of the plane

  MG_METHOD int64_t stride() const { return width + 3; }
  MG_METHOD int64_t size() const { return (height + 3) * stride(); }

  // A pixel at each place, to add to.
  void clear() const { __builtin_memset(at, 0, size() * sizeof(T)); }
  void write(T* plane) const {
    for (int64_t y = 0; y < height; ++y) {
      const T* row = at + (y + 1) * stride() + 1;
      // Rows are short: a call of memcpy for each would cost more than the copy.
      each_vector<T>(width, [&](int64_t x, int n) __attribute__((always_inline)) {
        if (n == Vec<T>::width)
          store(plane + y * width + x, load(row + x));
        else
          store_n(plane + y * width + x, load_n(row + x, n), n);
      });
    }
  }

  // A pair at each place: the pixel and the one below.
  void fill_pairs(T fill) const {
    for (int64_t i = 0; i < 2 * size(); ++i) at[i] = fill;
  }
  void read_pairs(const T* plane, T fill) const {
    const Vec<T> nothing(fill);
    for (int64_t y = -1; y < height; ++y) {
      const bool above = y >= 0, below = y + 1 < height;
      const T *upper = plane + (above ? y * width : 0),
              *lower = plane + (below ? y + 1 : 0) * width;
      T* to = at + 2 * ((y + 1) * stride() + 1);
      each_vector<T>(width, [&](int64_t x, int n) __attribute__((always_inline)) {
        if (n < Vec<T>::width) {
          for (int64_t i = 0; i < n; ++i) {
            to[2 * i] = above ? upper[i] : fill;
            to[2 * i + 1] = below ? lower[i] : fill;
          }
          return;
        }
        const Vec<T> a = above ? load(upper + x) : nothing, b = below ? load(lower + x) : nothing;
        store(to + 2 * x, zip_low(a, b));
        store(to + 2 * x + n, zip_high(a, b));
      });
    }
  }
};

// Where up to `most` pixels, one after the other, come from: the first of four neighbours in the
// frame, and how far each lies beyond it.
template <class T>
struct Sources {
  static constexpr int64_t most = 256, spare = Vec<T>::width;
  alignas(64) typename Int<T>::Lane index[most + spare];
  alignas(64) T fx[most + spare], fy[most + spare];

  // From `at` on those of pixels (x, y) .. (x + n - 1, y), then junk up to a whole vector.
  void find(int64_t at, const double* t, int64_t x, int64_t y, int64_t n, const Frame<T>& frame) {
    const double begin = static_cast<double>(x), line = static_cast<double>(y);
    const Vec<T> dx(static_cast<T>(t[0])), dy(static_cast<T>(t[3]));
    const Vec<T> x0(static_cast<T>(t[0] * begin + t[1] * line + t[2] + 1));
    const Vec<T> y0(static_cast<T>(t[3] * begin + t[4] * line + t[5] + 1));
    const Vec<T> right(static_cast<T>(frame.width + 1)), below(static_cast<T>(frame.height + 1));
    const Vec<T> stride(static_cast<T>(frame.stride()));
    Vec<T> number = lane_numbers(T());
    for (int64_t i = 0; i < n; i += Vec<T>::width) {
      // In this order a NaN becomes 0.
      const Vec<T> px = min(max(fma(dx, number, x0), Vec<T>::zero()), right);
      const Vec<T> py = min(max(fma(dy, number, y0), Vec<T>::zero()), below);
      const Vec<T> left = floor(px), top = floor(py);
      store_int(index + at + i, to_int(fma(top, stride, left)));
      store(fx + at + i, px - left);
      store(fy + at + i, py - top);
      number = number + Vec<T>(static_cast<T>(Vec<T>::width));
    }
  }
};

// f(sources, first, n) for all pixels of the result, which are numbered row by row: some rows at a
// time, or parts of a long one.
template <class T, class F>
MG_INLINE void each_sources(const Frame<T>& frame, const double* theta, const Resampling& s, F f) {
  constexpr int64_t most = Sources<T>::most;
  Sources<T> sources;
  const int64_t width = s.out_width, rows = width < most ? most / width : 1;
  for (int64_t y = 0; y < s.out_height; y += rows)
    for (int64_t x = 0; x < width; x += most) {
      const int64_t part = width - x < most ? width - x : most;
      const int64_t some = s.out_height - y < rows ? s.out_height - y : rows;
      for (int64_t r = 0; r < some; ++r) sources.find(r * part, theta, x, y + r, part, frame);
      f(sources, y * width + x, some * part);
    }
}

// A map that mirrors and shifts by whole pixels only.
struct WholePixels {
  bool holds;
  int64_t dx, dy;  // 1 or -1
  int64_t x0, y0;

  explicit WholePixels(const double* t) {
    const double far = 1e9;
    holds = (t[0] == 1 || t[0] == -1) && t[1] == 0 && t[3] == 0 && (t[4] == 1 || t[4] == -1) &&
            t[2] > -far && t[2] < far && t[5] > -far && t[5] < far;
    if (!holds) return;
    dx = static_cast<int64_t>(t[0]), dy = static_cast<int64_t>(t[4]);
    x0 = static_cast<int64_t>(t[2]), y0 = static_cast<int64_t>(t[5]);
    holds = static_cast<double>(x0) == t[2] && static_cast<double>(y0) == t[5];
  }
};

MG_INLINE int64_t within(int64_t i, int64_t low, int64_t high) {
  return i < low ? low : i > high ? high : i;
}

template <class T>
static void copy_pixels(const T* plane, const WholePixels& map, const Resampling& s, T fill,
                        T* out) {
  // Pixels [begin, end) of each row lie inside of the plane.
  const int64_t w = s.out_width;
  int64_t begin = map.dx > 0 ? -map.x0 : map.x0 - (s.width - 1);
  int64_t end = map.dx > 0 ? s.width - map.x0 : map.x0 + 1;
  begin = within(begin, 0, w);
  end = within(end, begin, w);
  for (int64_t y = 0; y < s.out_height; ++y, out += w) {
    const int64_t from = map.dy * y + map.y0;
    if (from < 0 || from >= s.height) {
      for (int64_t x = 0; x < w; ++x) out[x] = fill;
      continue;
    }
    const T* row = plane + from * s.width;
    for (int64_t x = 0; x < begin; ++x) out[x] = fill;
    if (map.dx > 0)
      for (int64_t x = begin; x < end; ++x) out[x] = row[map.x0 + x];
    else
      for (int64_t x = begin; x < end; ++x) out[x] = row[map.x0 - x];
    for (int64_t x = end; x < w; ++x) out[x] = fill;
  }
}

template <class T>
static void resample_plane(const Frame<T>& frame, const double* theta, const Resampling& s,
                           T* out) {
  constexpr int64_t width = Vec<T>::width;
  each_sources(frame, theta, s, [&](const Sources<T>& from, int64_t first, int64_t n) {
    each_vector<T>(n, [&](int64_t i, int some) __attribute__((always_inline)) {
      const Vec<T> fx = load(from.fx + i), fy = load(from.fy + i);
      Vec<T> q[4];  // upper left, lower left, upper right, lower right
      load_quads(frame.at, from.index + i, q);
      const Vec<T> above = fma(fx, q[2] - q[0], q[0]), below = fma(fx, q[3] - q[1], q[1]);
      const Vec<T> value = fma(fy, below - above, above);
      if (some == width)
        store(out + first + i, value);
      else
        store_n(out + first + i, value, some);
    });
  });
}

template <class T>
static void resample(const void* in, const double* theta, int64_t images, const Resampling& s,
                     double fill_value, void* scratch, void* out) {
  const T fill = static_cast<T>(fill_value);
  const T* x = static_cast<const T*>(in);
  T* y = static_cast<T*>(out);
  const Frame<T> frame{static_cast<T*>(scratch), s.height, s.width};
  frame.fill_pairs(fill);
  for (int64_t i = 0; i < images; ++i, theta += 6) {
    const WholePixels map(theta);
    for (int64_t c = 0; c < s.channels; ++c) {
      if (map.holds) {
        copy_pixels(x, map, s, fill, y);
      } else {
        frame.read_pairs(x, fill);
        resample_plane(frame, theta, s, y);
      }
      x += s.height * s.width;
      y += s.out_height * s.out_width;
    }
  }
}

template <class T>
static void scatter_plane(const Frame<T>& frame, const double* theta, const Resampling& s,
                          const T* grad) {
  each_sources(frame, theta, s, [&](const Sources<T>& from, int64_t first, int64_t n) {
    const T* g = grad + first;
    for (int64_t i = 0; i < n; ++i) {
      const T low = g[i] * from.fy[i], high = g[i] - low;
      T *above = frame.at + from.index[i], *below = above + frame.stride();
      above[0] += high * (1 - from.fx[i]);
      above[1] += high * from.fx[i];
      below[0] += low * (1 - from.fx[i]);
      below[1] += low * from.fx[i];
    }
  });
}

template <class T>
static void resample_backward(const void* grad, const double* theta, int64_t images,
                              const Resampling& s, void* scratch, void* out) {
  const T* g = static_cast<const T*>(grad);
  T* dx = static_cast<T*>(out);
  const Frame<T> frame{static_cast<T*>(scratch), s.height, s.width};
  for (int64_t i = 0; i < images * s.channels; ++i) {
    frame.clear();
    scatter_plane(frame, theta + i / s.channels * 6, s, g);
    frame.write(dx);
    g += s.out_height * s.out_width;
    dx += s.height * s.width;
  }
}

}  // namespace MG_ISA
}  // namespace mg
