// weight_grad where a filter has few weights, or a group few filters: vectors
// run along a row of pixels, of the source and of the gradient alike, so that
// nothing is turned over and no lane waits for a filter that there is not. The
// sums are laid out as in weight.h.
//
// A weight is the sum of 16 chains: lane l takes ow = l, l + 16, ... of all
// rows and images of the chunk; they are joined by l += l + 8, l + 4, l + 2, l
// + 1. So is the gradient of the bias.
#pragma once
#include "kernels/conv/weight.h"
#include "kernels/every.h"

namespace mg {
namespace MG_ISA {

constexpr int64_t pixel_lanes = 16;
// The most filters and weights that are summed at a time.
constexpr int lane_filters = vector_registers >= 32 ? 3 : 1, lane_weights = 9;

// Counted in cycles of a machine with 16 lanes, the same for every ISA.
static bool lanes_suit_weight(const ConvShape& s) {
  if (s.stride_w > 2) return false;
  const int64_t weights = s.channels / s.groups * s.kernel_h * s.kernel_w;
  const int64_t filters = s.filters / s.groups;
  const int64_t turned = s.out_h * s.out_w * ceil_div(filters, 16) * (weights + weights / 8 + 16);
  const int64_t tiles = ceil_div(filters, 3) * ceil_div(weights, lane_weights);
  const int64_t along =
      s.out_h * tiles * (ceil_div(s.out_w, pixel_lanes) * (s.stride_w == 1 ? 30 : 45) + 8);
  return along < turned;
}

template <class T>
static ConvSizes lanes_weight_sizes(const ConvShape& s) {
  const Weights w = weights<T>(s);
  const int64_t scratch = source_elements(w.source, min_of(s.images, images_per_chunk));
  return {w.units, w.panels, w.rows * int64_t{sizeof(int64_t)}, scratch * int64_t{sizeof(T)},
          w.units * w.sums * int64_t{sizeof(T)}};
}
template <class T>
static void prepare_lanes_weight(const ConvShape& s, const void*, void* shared) {
  list_weights(s, weights<T>(s).source, static_cast<int64_t*>(shared));
}

// Planes of some images: row by row those of the source and of the gradient
// that they meet.
template <class T>
struct Planes {
  const T *source, *grad;
  int64_t images, source_image, grad_image;
  int64_t rows, source_row, grad_row;
};

// R filters, at distances of `filter`, by K weights, which look at source +
// at[k] and every S-th pixel from there; or, if K is 0, the sums of the
// gradient alone. to[k * wide + r] = the sum.
template <int S, int R, int K, class T>
static void lanes_tile(const Planes<T>& p, int64_t filter, const int64_t* at, T* to, int64_t wide) {
  constexpr int w = Vec<T>::width, N = K ? K : 1;
  T lanes[R][N][pixel_lanes];
  for (int64_t part = 0; part < pixel_lanes; part += w) {
    Vec<T> acc[R][N];
    const T* look[N];
#pragma GCC unroll 9
    for (int k = 0; k < N; ++k) {
      look[k] = K ? p.source + at[k] : nullptr;
#pragma GCC unroll 3
      for (int r = 0; r < R; ++r) acc[r][k] = Vec<T>::zero();
    }
    const auto add = [&](int64_t from, const T* grad, int n) __attribute__((always_inline)) {
      Vec<T> g[R];
#pragma GCC unroll 3
      for (int r = 0; r < R; ++r) g[r] = load_every(grad + r * filter, 1, n);
#pragma GCC unroll 9
      for (int k = 0; k < N; ++k) {
        Vec<T> x = K ? load_every(look[k] + from, S, n) : Vec<T>::zero();
        if constexpr (R > 1) x = held(x);  // across two lines mostly
#pragma GCC unroll 3
        for (int r = 0; r < R; ++r) acc[r][k] = K ? fma(x, g[r], acc[r][k]) : acc[r][k] + g[r];
      }
    };
    for (int64_t n = 0; n < p.images; ++n)
      for (int64_t i = 0; i < p.rows; ++i) {
        const int64_t source = n * p.source_image + i * p.source_row;
        const T* grad = p.grad + n * p.grad_image + i * p.grad_row;
        int64_t j = part;
        for (; j + w <= p.grad_row; j += pixel_lanes) add(source + S * j, grad + j, w);
        if (j < p.grad_row) add(source + S * j, grad + j, static_cast<int>(p.grad_row - j));
      }
#pragma GCC unroll 3
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 9
      for (int k = 0; k < N; ++k) store(lanes[r][k] + part, acc[r][k]);
  }
  for (int r = 0; r < R; ++r)
    for (int k = 0; k < N; ++k) {
      T* lane = lanes[r][k];
      for (int64_t half = pixel_lanes / 2; half; half /= 2)
        for (int64_t l = 0; l < half; ++l) lane[l] += lane[l + half];
      to[k * wide + r] = *lane;
    }
}

// All weights of R filters. Rather than fewer weights the last ones are summed
// twice.
template <int S, int R, class T>
static void lanes_tiles(const Planes<T>& p, int64_t filter, const int64_t* at, int64_t weights,
                        T* to, int64_t wide) {
  constexpr int K = lane_weights;
  if (weights < K)
    for (int64_t i = 0; i < weights; ++i)
      lanes_tile<S, R, 1>(p, filter, at + i, to + i * wide, wide);
  else
    for (int64_t i = 0; i < weights; i += K) {
      const int64_t first = min_of(i, weights - K);
      lanes_tile<S, R, K>(p, filter, at + first, to + first * wide, wide);
    }
  lanes_tile<1, R, 0>(p, filter, at, to + weights * wide, wide);
}

template <int S, class T>
static void lanes_filters(Planes<T> p, int64_t filter, int64_t filters, const int64_t* at,
                          int64_t weights, T* to, int64_t wide) {
  const T* grad = p.grad;
  const int64_t together = filters < lane_filters ? 1 : lane_filters;
  for (int64_t i = 0; i < filters; i += together) {
    const int64_t f = min_of(i, filters - together);
    p.grad = grad + f * filter;
    if (together == 1)
      lanes_tiles<S, 1>(p, filter, at, weights, to + f, wide);
    else
      lanes_tiles<S, lane_filters>(p, filter, at, weights, to + f, wide);
  }
}

template <class T>
static void run_lanes_weight(const ConvShape& s, const void* x, const void* grad, void* sums,
                             const ConvFinish&, int64_t begin, int64_t end, const void* shared,
                             void* scratch) {
  const Weights w = weights<T>(s);
  const int64_t* at = static_cast<const int64_t*>(shared);
  T* copy = static_cast<T*>(scratch);
  __builtin_memset(copy, 0,
                   source_elements(w.source, min_of(s.images, images_per_chunk)) * sizeof(T));
  Planes<T> p{};
  p.source_image = w.source.image;
  p.grad_image = s.filters * w.plane;
  p.rows = s.out_h;
  p.source_row = s.stride_h * w.source.cols;
  p.grad_row = s.out_w;
  for (int64_t unit = begin; unit < end; ++unit) {
    const int64_t panel = unit % w.panels, group = unit / w.panels % s.groups;
    const int64_t chunk = unit / w.panels / s.groups * images_per_chunk;
    p.images = min_of(images_per_chunk, s.images - chunk);
    if (unit == begin || panel == 0)
      p.source = read_source(w.source, static_cast<const T*>(x), chunk, p.images, group, copy);
    const int64_t first = panel * panel_columns<T>;
    const int64_t wide = panel_vectors<T>(w.columns, panel) * Vec<T>::width;
    const int64_t used = min_of(wide, w.columns - first);
    p.grad =
        static_cast<const T*>(grad) + (chunk * s.filters + group * w.columns + first) * w.plane;
    T* total = static_cast<T*>(sums) + unit * w.sums;
    __builtin_memset(total, 0, (w.rows + 1) * wide * sizeof(T));
    if (s.stride_w == 1)
      lanes_filters<1>(p, w.plane, used, at, w.rows, total, wide);
    else
      lanes_filters<2>(p, w.plane, used, at, w.rows, total, wide);
  }
}

}  // namespace MG_ISA
}  // namespace mg
