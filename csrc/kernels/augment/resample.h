// Bilinear resampling of planes by an affine map.
//
// The plane is copied into a frame: one line of `fill` above and left of it, two below and right.
// Positions are clamped to the frame, so that every one has four neighbours and none is tested.
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

template <class T>
struct Frame {
  T* at;
  int64_t height, width;  // of the plane

  MG_METHOD int64_t stride() const { return width + 3; }
  MG_METHOD T* row(int64_t y) const { return at + (y + 1) * stride() + 1; }

  void clear(T fill) const {
    for (int64_t i = 0, n = (height + 3) * stride(); i < n; ++i) at[i] = fill;
  }
  void read(const T* plane) const {
    for (int64_t y = 0; y < height; ++y)
      __builtin_memcpy(row(y), plane + y * width, width * sizeof(T));
  }
  void write(T* plane) const {
    for (int64_t y = 0; y < height; ++y)
      __builtin_memcpy(plane + y * width, row(y), width * sizeof(T));
  }
};

// Where a vector of pixels comes from: the first of four neighbours in the frame, and how far each
// lies beyond it.
template <class T>
struct Source {
  Int<T> index;
  Vec<T> fx, fy;
};

// The sources of one row of pixels; they come in lanes, from any first one on.
template <class T>
struct SourceRow {
  Vec<T> dx, dy, x0, y0, right, below, stride;

  MG_METHOD SourceRow(const double* t, int64_t y, const Frame<T>& frame)
      : dx(static_cast<T>(t[0])),
        dy(static_cast<T>(t[3])),
        x0(static_cast<T>(t[1] * static_cast<double>(y) + t[2] + 1)),
        y0(static_cast<T>(t[4] * static_cast<double>(y) + t[5] + 1)),
        right(static_cast<T>(frame.width + 1)),
        below(static_cast<T>(frame.height + 1)),
        stride(static_cast<T>(frame.stride())) {}

  MG_METHOD Source<T> at(int64_t first) const {
    const Vec<T> i = lane_numbers(T()) + Vec<T>(static_cast<T>(first));
    // In this order a NaN becomes 0.
    const Vec<T> x = min(max(fma(dx, i, x0), Vec<T>::zero()), right);
    const Vec<T> y = min(max(fma(dy, i, y0), Vec<T>::zero()), below);
    const Vec<T> left = floor(x), top = floor(y);
    return {to_int(fma(top, stride, left)), x - left, y - top};
  }
};

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
  for (int64_t y = 0; y < s.out_height; ++y, out += s.out_width) {
    const SourceRow<T> row(theta, y, frame);
    for (int64_t x = 0; x < s.out_width; x += width) {
      const Source<T> source = row.at(x);
      Vec<T> a, b, c, d;
      load_pairs(frame.at, source.index, a, b);
      load_pairs(frame.at + frame.stride(), source.index, c, d);
      const Vec<T> above = fma(source.fx, b - a, a), below = fma(source.fx, d - c, c);
      const Vec<T> value = fma(source.fy, below - above, above);
      if (x + width <= s.out_width)
        store(out + x, value);
      else
        store_n(out + x, value, static_cast<int>(s.out_width - x));
    }
  }
}

template <class T>
static void resample(const void* in, const double* theta, int64_t images, const Resampling& s,
                     double fill_value, void* scratch, void* out) {
  const T fill = static_cast<T>(fill_value);
  const T* x = static_cast<const T*>(in);
  T* y = static_cast<T*>(out);
  const Frame<T> frame{static_cast<T*>(scratch), s.height, s.width};
  frame.clear(fill);
  for (int64_t i = 0; i < images; ++i, theta += 6) {
    const WholePixels map(theta);
    for (int64_t c = 0; c < s.channels; ++c) {
      if (map.holds) {
        copy_pixels(x, map, s, fill, y);
      } else {
        frame.read(x);
        resample_plane(frame, theta, s, y);
      }
      x += s.height * s.width;
      y += s.out_height * s.out_width;
    }
  }
}

template <class T>
static void scatter_plane(const Frame<T>& frame, const double* theta, const Resampling& s,
                          const T* g) {
  constexpr int64_t width = Vec<T>::width;
  const Vec<T> one(1);
  for (int64_t y = 0; y < s.out_height; ++y, g += s.out_width) {
    const SourceRow<T> row(theta, y, frame);
    for (int64_t x = 0; x < s.out_width; x += width) {
      const int n = static_cast<int>(s.out_width - x < width ? s.out_width - x : width);
      const Source<T> source = row.at(x);
      const Vec<T> value = load_n(g + x, n), low = value * source.fy, high = value - low;
      typename Int<T>::Lane index[width];
      T a[width], b[width], c[width], d[width];
      store_int(index, source.index);
      store(a, high * (one - source.fx));
      store(b, high * source.fx);
      store(c, low * (one - source.fx));
      store(d, low * source.fx);
      for (int i = 0; i < n; ++i) {
        T *above = frame.at + index[i], *below = above + frame.stride();
        above[0] += a[i];
        above[1] += b[i];
        below[0] += c[i];
        below[1] += d[i];
      }
    }
  }
}

template <class T>
static void resample_backward(const void* grad, const double* theta, int64_t images,
                              const Resampling& s, void* scratch, void* out) {
  const T* g = static_cast<const T*>(grad);
  T* dx = static_cast<T*>(out);
  const Frame<T> frame{static_cast<T*>(scratch), s.height, s.width};
  for (int64_t i = 0; i < images * s.channels; ++i) {
    frame.clear(0);
    scatter_plane(frame, theta + i / s.channels * 6, s, g);
    frame.write(dx);
    g += s.out_height * s.out_width;
    dx += s.height * s.width;
  }
}

}  // namespace MG_ISA
}  // namespace mg
