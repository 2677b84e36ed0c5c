#include "kernels/pool.h"

#include "kernels/pool_windows.h"

// Otherwise they are called, once a vector.
#define MG_INLINE_LAMBDA __attribute__((always_inline))

MG_KERNEL_NAMESPACE_BEGIN

// The common case, 2 by 2 without overlap or padding: vectors of windows.
static inline bool is_halving(const PoolShape& s) {
  return s.kernel_h == 2 && s.kernel_w == 2 && s.stride_h == 2 && s.stride_w == 2 && s.pad_h == 0 &&
         s.pad_w == 0;
}
template <class T>
struct Quad {
  Vec<T> at[4];  // in the order (kh, kw)
};
template <class T>
struct Row {
  Vec<T> low, high;
};
// Two vectors of a row of x that make one of the output, of n elements.
template <class T>
MG_INLINE Row<T> load_row(const T* p, int n) {
  constexpr int w = Vec<T>::width;
  if (n == w) return {load(p), load(p + w)};
  if (2 * n <= w) return {load_n(p, 2 * n), Vec<T>::zero()};
  return {load(p), load_n(p + w, 2 * n - w)};
}
template <class T>
MG_INLINE void store_row(T* p, Row<T> r, int n) {
  constexpr int w = Vec<T>::width;
  if (n == w) {
    store(p, r.low);
    store(p + w, r.high);
  } else if (2 * n <= w) {
    store_n(p, r.low, 2 * n);
  } else {
    store(p, r.low);
    store_n(p + w, r.high, 2 * n - w);
  }
}
// One vector; masks cost, where all lanes are meant.
template <class T>
MG_INLINE Vec<T> load_some(const T* p, int n) {
  return n == Vec<T>::width ? load(p) : load_n(p, n);
}
template <class T>
MG_INLINE void store_some(T* p, Vec<T> v, int n) {
  n == Vec<T>::width ? store(p, v) : store_n(p, v, n);
}
template <class T>
MG_INLINE Quad<T> load_quad(const T* p, int64_t width, int n) {
  const Row<T> a = load_row(p, n), b = load_row(p + width, n);
  return {{evens(a.low, a.high), odds(a.low, a.high), evens(b.low, b.high), odds(b.low, b.high)}};
}
template <class T>
MG_INLINE void store_quad(T* p, int64_t width, const Quad<T>& q, int n) {
  store_row(p, Row<T>{zip_low(q.at[0], q.at[1]), zip_high(q.at[0], q.at[1])}, n);
  store_row(p + width, Row<T>{zip_low(q.at[2], q.at[3]), zip_high(q.at[2], q.at[3])}, n);
}
// Calls f(oh, ow, n): n windows of row oh from ow. The last vector of a row
// ends where the row does: what it shares with the one before is computed
// twice, which is cheaper than masks.
template <class T, class F>
MG_INLINE void each_vector(const PoolShape& s, F f) {
  constexpr int w = Vec<T>::width;
  for (int64_t oh = 0; oh < s.out_h; ++oh) {
    if (s.out_w < w) {
      f(oh, 0, static_cast<int>(s.out_w));
      continue;
    }
    for (int64_t ow = 0; ow < s.out_w; ow += w) f(oh, ow + w <= s.out_w ? ow : s.out_w - w, w);
  }
}
// The last row and column of an odd plane belong to no window.
template <class T>
static void clear_rest(const PoolShape& s, T* out) {
  const int64_t h = 2 * s.out_h, w = 2 * s.out_w;
  for (int64_t i = 0; i < h; ++i)
    for (int64_t j = w; j < s.width; ++j) out[i * s.width + j] = 0;
  __builtin_memset(out + h * s.width, 0, (s.height - h) * s.width * sizeof(T));
}

template <class T>
static void max_pick(const PoolShape& s, const void* x, const void* values, void* out,
                     int64_t begin, int64_t end) {
  for (int64_t p = begin; p < end; ++p) {
    const T* in = static_cast<const T*>(x) + p * s.height * s.width;
    const T* from = static_cast<const T*>(values) + p * s.height * s.width;
    T* to = static_cast<T*>(out) + p * s.out_h * s.out_w;
    if (!is_halving(s)) {
      each_max(s, in, [&](int64_t i, int64_t at) { to[i] = from[at]; });
      continue;
    }
    each_vector<T>(s, [&](int64_t oh, int64_t ow, int n) MG_INLINE_LAMBDA {
      const int64_t at = 2 * (oh * s.width + ow);
      const Quad<T> q = load_quad(in + at, s.width, n);
      const Quad<T> v = load_quad(from + at, s.width, n);
      Vec<T> most = q.at[0], picked = v.at[0];
      for (int k = 1; k < 4; ++k) {
        const Mask<T> better = beats(q.at[k], most);
        most = select(better, q.at[k], most);
        picked = select(better, v.at[k], picked);
      }
      store_some(to + oh * s.out_w + ow, picked, n);
    });
  }
}

template <class T>
static void max_pool(const PoolShape& s, const void* x, void* out, int64_t begin, int64_t end) {
  for (int64_t p = begin; p < end; ++p) {
    const T* in = static_cast<const T*>(x) + p * s.height * s.width;
    T* to = static_cast<T*>(out) + p * s.out_h * s.out_w;
    if (!is_halving(s)) {
      for (int64_t oh = 0; oh < s.out_h; ++oh) max_row(s, in, oh, to + oh * s.out_w);
      continue;
    }
    each_vector<T>(s, [&](int64_t oh, int64_t ow, int n) MG_INLINE_LAMBDA {
      const Quad<T> q = load_quad(in + 2 * (oh * s.width + ow), s.width, n);
      Vec<T> most = q.at[0];
      for (int k = 1; k < 4; ++k) most = select(beats(q.at[k], most), q.at[k], most);
      store_some(to + oh * s.out_w + ow, most, n);
    });
  }
}

template <class T, bool Relu>
static void max_grad(const PoolShape& s, const void* x, const void* grad, void* out, int64_t begin,
                     int64_t end) {
  for (int64_t p = begin; p < end; ++p) {
    const T* in = static_cast<const T*>(x) + p * s.height * s.width;
    const T* g = static_cast<const T*>(grad) + p * s.out_h * s.out_w;
    T* to = static_cast<T*>(out) + p * s.height * s.width;
    if (!is_halving(s)) {
      __builtin_memset(to, 0, s.height * s.width * sizeof(T));
      each_max(s, in, [&](int64_t i, int64_t at) {
        if (!(Relu && in[at] <= 0)) to[at] += g[i];
      });
      continue;
    }
    each_vector<T>(s, [&](int64_t oh, int64_t ow, int n) MG_INLINE_LAMBDA {
      const int64_t at = 2 * (oh * s.width + ow);
      const Quad<T> q = load_quad(in + at, s.width, n);
      const Vec<T> zero = Vec<T>::zero();
      const Vec<T> all = load_some(g + oh * s.out_w + ow, n);
      Quad<T> share{{all, zero, zero, zero}};
      Vec<T> most = q.at[0];
      for (int k = 1; k < 4; ++k) {
        const Mask<T> better = beats(q.at[k], most);
        most = select(better, q.at[k], most);
        share.at[k] = select(better, all, zero);
        for (int j = 0; j < k; ++j) share.at[j] = select(better, zero, share.at[j]);
      }
      if constexpr (Relu)
        for (Vec<T>& v : share.at) v = select(most <= zero, zero, v);
      store_quad(to + at, s.width, share, n);
    });
    clear_rest(s, to);
  }
}

template <class T>
static void avg_pool(const PoolShape& s, const void* x, void* out, int64_t begin, int64_t end) {
  const T area = static_cast<T>(s.kernel_h * s.kernel_w);
  if (is_whole(s)) {
    const int64_t plane = s.height * s.width;
    return avg_planes(static_cast<const T*>(x) + begin * plane, plane, end - begin, area,
                      static_cast<T*>(out) + begin);
  }
  for (int64_t p = begin; p < end; ++p) {
    const T* in = static_cast<const T*>(x) + p * s.height * s.width;
    T* to = static_cast<T*>(out) + p * s.out_h * s.out_w;
    if (!is_halving(s)) {
      for (int64_t oh = 0; oh < s.out_h; ++oh) avg_row(s, in, oh, area, to + oh * s.out_w);
      continue;
    }
    each_vector<T>(s, [&](int64_t oh, int64_t ow, int n) MG_INLINE_LAMBDA {
      const Quad<T> q = load_quad(in + 2 * (oh * s.width + ow), s.width, n);
      Vec<T> sum = Vec<T>::zero();
      for (int k = 0; k < 4; ++k) sum = sum + q.at[k];
      store_some(to + oh * s.out_w + ow, sum / Vec<T>(area), n);
    });
  }
}

template <class T>
static void avg_grad(const PoolShape& s, const void* grad, void* out, int64_t begin, int64_t end) {
  const T area = static_cast<T>(s.kernel_h * s.kernel_w);
  for (int64_t p = begin; p < end; ++p) {
    const T* g = static_cast<const T*>(grad) + p * s.out_h * s.out_w;
    T* to = static_cast<T*>(out) + p * s.height * s.width;
    if (!is_halving(s)) {
      __builtin_memset(to, 0, s.height * s.width * sizeof(T));
      for (int64_t oh = 0; oh < s.out_h; ++oh) share_row(s, g + oh * s.out_w, oh, area, to);
      continue;
    }
    each_vector<T>(s, [&](int64_t oh, int64_t ow, int n) MG_INLINE_LAMBDA {
      const Vec<T> share = load_some(g + oh * s.out_w + ow, n) / Vec<T>(area);
      store_quad(to + 2 * (oh * s.width + ow), s.width, Quad<T>{{share, share, share, share}}, n);
    });
    clear_rest(s, to);
  }
}

extern constinit const Pool pool = {
    {max_pool<float>, max_pool<double>},
    {max_pick<float>, max_pick<double>},
    {max_grad<float, false>, max_grad<double, false>},
    {max_grad<float, true>, max_grad<double, true>},
    {avg_pool<float>, avg_pool<double>},
    {avg_grad<float>, avg_grad<double>},
};

MG_KERNEL_NAMESPACE_END
