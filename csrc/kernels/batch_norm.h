// Batch norm over a range of channels: templates for the per-ISA sources. Features without images
// stand side by side and go through column loops; images give each channel rows of its own.
#pragma once
#include "kernels/fold.h"
#include "kernels/norm.h"

namespace mg {
namespace MG_ISA {

template <class T>
MG_INLINE T reciprocal_root(T x) {
  return T(1) / lane0(sqrt(Vec<T>(x)));
}

// Sums over every channel of the range: step(at, i, c, acc) with i the position of the element in
// the batch and c a lane-wise reader of per-channel arrays.
template <class T>
struct Shared {  // one channel, the same in all lanes
  int64_t channel;
  template <class At>
  inline __attribute__((always_inline)) Vec<T> of(At, const T* p) const {
    return Vec<T>(p[channel]);
  }
};
template <class T>
struct Lanewise {  // neighbouring channels
  int64_t channel;
  template <class At>
  inline __attribute__((always_inline)) Vec<T> of(At at, const T* p) const {
    return at.load(p + channel);
  }
};

// Lanes beyond a row must come out of step as they went in; `at.keep` sees to it.
template <class T, class Step>
MG_INLINE void sum_channels(const ChannelRange& r, T* out, Step step) {
  if (r.size == 1) {
    fold_columns<Added, T>(r.images, r.end - r.begin, out + r.begin,
                           [&](auto at, int64_t i, int64_t j, Vec<T> acc) MG_STEP {
                             const int64_t c = r.begin + j;
                             return step(at, i * r.channels + c, Lanewise<T>{c}, acc);
                           });
    return;
  }
  for (int64_t c = r.begin; c < r.end; ++c) {
    T total = 0;
    for (int64_t i = 0; i < r.images; ++i) {
      const int64_t base = (i * r.channels + c) * r.size;
      total += fold<Added, T>(r.size, [&](auto at, int64_t k, Vec<T> acc) MG_STEP {
        return step(at, base + k, Shared<T>{c}, acc);
      });
    }
    out[c] = total;
  }
}

// body(at, i, c) for every element of the range.
template <class T, class Body>
MG_INLINE void each_in_channels(const ChannelRange& r, Body body) {
  if (r.size == 1) {
    for (int64_t i = 0; i < r.images; ++i)
      each_vector<T>(r.end - r.begin, [&](auto at, int64_t j) MG_STEP {
        body(at, i * r.channels + r.begin + j, Lanewise<T>{r.begin + j});
      });
    return;
  }
  for (int64_t c = r.begin; c < r.end; ++c)
    for (int64_t i = 0; i < r.images; ++i) {
      const int64_t base = (i * r.channels + c) * r.size;
      each_vector<T>(r.size, [&](auto at, int64_t k) MG_STEP { body(at, base + k, Shared<T>{c}); });
    }
}

template <class T>
static void statistics(const void* x, const ChannelRange& r, void* mean, void* variance) {
  const T* in = static_cast<const T*>(x);
  T* m = static_cast<T*>(mean);
  T* v = static_cast<T*>(variance);
  const T count = static_cast<T>(r.images * r.size);
  sum_channels<T>(
      r, m, [&](auto at, int64_t i, auto, Vec<T> acc) MG_STEP { return acc + at.load(in + i); });
  for (int64_t c = r.begin; c < r.end; ++c) m[c] /= count;
  sum_channels<T>(r, v, [&](auto at, int64_t i, auto channel, Vec<T> acc) MG_STEP {
    const Vec<T> d = at.keep(at.load(in + i) - channel.of(at, m), Vec<T>::zero());
    return fma(d, d, acc);
  });
  for (int64_t c = r.begin; c < r.end; ++c) v[c] /= count;
}

template <class T>
static void batch_norm(const void* x, const ChannelRange& r, const void* mean, const void* rstd,
                       const void* weight, const void* bias, bool relu, void* y) {
  const Vec<T> least(relu ? T(0) : -T(__builtin_inf()));
  const T* in = static_cast<const T*>(x);
  const T* m = static_cast<const T*>(mean);
  const T* k = static_cast<const T*>(rstd);
  const T* w = static_cast<const T*>(weight);
  const T* b = static_cast<const T*>(bias);
  T* out = static_cast<T*>(y);
  each_in_channels<T>(r, [&](auto at, int64_t i, auto channel) MG_STEP {
    const Vec<T> scale = channel.of(at, k) * channel.of(at, w);
    const Vec<T> v = fma(at.load(in + i) - channel.of(at, m), scale, channel.of(at, b));
    at.store(out + i, max(least, v));
  });
}

template <class T>
static void batch_norm_weights(const void* grad, const void* x, const ChannelRange& r,
                               const void* mean, const void* rstd, void* dweight, void* dbias) {
  const T* g = static_cast<const T*>(grad);
  const T* in = static_cast<const T*>(x);
  const T* m = static_cast<const T*>(mean);
  const T* k = static_cast<const T*>(rstd);
  sum_channels<T>(r, static_cast<T*>(dbias), [&](auto at, int64_t i, auto, Vec<T> acc) MG_STEP {
    return acc + at.load(g + i);
  });
  sum_channels<T>(r, static_cast<T*>(dweight),
                  [&](auto at, int64_t i, auto channel, Vec<T> acc) MG_STEP {
                    const Vec<T> hat = (at.load(in + i) - channel.of(at, m)) * channel.of(at, k);
                    return fma(at.load(g + i), at.keep(hat, Vec<T>::zero()), acc);
                  });
}

template <class T>
static void batch_norm_backward(const void* grad, const void* x, const ChannelRange& r,
                                const void* mean, const void* rstd, const void* weight,
                                const void* dweight, const void* dbias, int64_t count, void* dx) {
  const T* g = static_cast<const T*>(grad);
  const T* in = static_cast<const T*>(x);
  const T* m = static_cast<const T*>(mean);
  const T* k = static_cast<const T*>(rstd);
  const T* w = static_cast<const T*>(weight);
  const T* dw = static_cast<const T*>(dweight);
  const T* db = static_cast<const T*>(dbias);
  T* out = static_cast<T*>(dx);
  const Vec<T> share(count ? T(1) / static_cast<T>(count) : T(0));
  each_in_channels<T>(r, [&](auto at, int64_t i, auto channel) MG_STEP {
    const Vec<T> rs = channel.of(at, k);
    const Vec<T> scale = rs * channel.of(at, w);
    Vec<T> h = at.load(g + i);
    if (count) {
      const Vec<T> hat = (at.load(in + i) - channel.of(at, m)) * rs;
      h = h - fma(hat, channel.of(at, dw), channel.of(at, db)) * share;
    }
    at.store(out + i, h * scale);
  });
}

}  // namespace MG_ISA
}  // namespace mg
