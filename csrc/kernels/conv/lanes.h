// The sums of weight_grad in 16 lanes along rows of pixels, of the source and of the gradient
// alike, so that nothing is turned over and no lane waits for a filter that there is not.
//
// A weight is the sum of 16 chains: lane l takes pixel l, l + 16, ... of every row of all images of
// the chunk; they are joined by l += l + 8, l + 4, l + 2, l + 1. So is the gradient of the bias.
#pragma once
#include "kernels/conv/weight.h"
#include "kernels/every.h"
#include "kernels/fold.h"

namespace mg {
namespace MG_ISA {

constexpr int64_t pixel_lanes = 16;
// The most filters and weights that are summed at a time.
constexpr int lane_filters = vector_registers >= 32 ? 3 : 1, lane_weights = 9;

// Planes of some images: row by row those of the source and of the gradient
// that they meet.
template <class T>
struct Planes {
  const T *source, *grad;
  int64_t images, source_image, grad_image;
  int64_t rows, source_row, grad_row;
};

template <class T>
__attribute__((noinline)) static T lanes_sum(const T* lanes) {
  constexpr int w = Vec<T>::width, parts = pixel_lanes / w;
  Vec<T> sum[parts];
  for (int i = 0; i < parts; ++i) sum[i] = load(lanes + i * w);
  for (int half = parts / 2; half; half /= 2)
    for (int i = 0; i < half; ++i) sum[i] = sum[i] + sum[i + half];
  return join_lanes<Added, w / 2>(sum[0]);
}

// R filters, at distances of `filter`, by K weights, which look at source +
// at[k] and every S-th pixel from there; or, if K is 0, the sums of the
// gradient alone. to[r * row + k] = the sum.
template <int S, int R, int K, class T>
static void lanes_tile(const Planes<T>& p, int64_t filter, const int64_t* at, T* to, int64_t row) {
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
    for (int k = 0; k < N; ++k) to[r * row + k] = lanes_sum(lanes[r][k]);
}

// All weights of R filters, and then their bias. Rather than fewer weights the last ones are summed
// twice.
template <int S, int R, class T>
static void lanes_tiles(const Planes<T>& p, int64_t filter, const int64_t* at, int64_t weights,
                        T* to) {
  constexpr int K = lane_weights;
  if (weights < K)
    for (int64_t i = 0; i < weights; ++i)
      lanes_tile<S, R, 1>(p, filter, at + i, to + i, weights + 1);
  else
    for (int64_t i = 0; i < weights; i += K) {
      const int64_t first = min_of(i, weights - K);
      lanes_tile<S, R, K>(p, filter, at + first, to + first, weights + 1);
    }
  lanes_tile<1, R, 0>(p, filter, at, to + weights, weights + 1);
}

template <int S, class T>
static void lanes_filters(Planes<T> p, int64_t filter, int64_t filters, const int64_t* at,
                          int64_t weights, T* to) {
  const T* grad = p.grad;
  const int64_t together = filters < lane_filters ? 1 : lane_filters;
  for (int64_t i = 0; i < filters; i += together) {
    const int64_t f = min_of(i, filters - together);
    p.grad = grad + f * filter;
    if (together == 1)
      lanes_tiles<S, 1>(p, filter, at, weights, to + f * (weights + 1));
    else
      lanes_tiles<S, lane_filters>(p, filter, at, weights, to + f * (weights + 1));
  }
}

// The sums of a unit: filter by filter its weights and its bias, in whole vectors.
template <class T>
static int64_t lanes_sums(const Weights& w) {
  return round_up(min_of(w.columns, panel_columns<T>) * (w.rows + 1), 16);
}

// Adds up the chunks of panels [begin, end) (of all groups) and writes their filters.
template <class T>
static void join_lanes_weight(const ConvShape& s, void* sums, void* out, void* bias, int64_t begin,
                              int64_t end) {
  const Weights w = weights<T>(s);
  for (int64_t unit = begin; unit < end; ++unit) {
    const int64_t panel = unit % w.panels, group = unit / w.panels;
    const int64_t first = panel * panel_columns<T>, filter = group * w.columns + first;
    const int64_t used = min_of(w.columns - first, panel_columns<T>);
    T* to = static_cast<T*>(out) + filter * w.rows;
    T* of_bias = static_cast<T*>(bias) + filter;
    if (w.chunks == 0) {
      __builtin_memset(to, 0, used * w.rows * sizeof(T));
      __builtin_memset(of_bias, 0, used * sizeof(T));
      continue;
    }
    T* total = static_cast<T*>(sums) + unit * lanes_sums<T>(w);
    add_chunks(total, w.chunks, s.groups * w.panels * lanes_sums<T>(w), lanes_sums<T>(w));
    for (int64_t f = 0; f < used; ++f, total += w.rows + 1) {
      copy_row(total, to + f * w.rows, w.rows);
      of_bias[f] = total[w.rows];
    }
  }
}

}  // namespace MG_ISA
}  // namespace mg
