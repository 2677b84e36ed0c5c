// The sums of a convolution of one plane with one small square kernel, in strips: a vector wide and
// as high as the plane. Rows of the source come one after the other; each is read once and added to
// all rows of sums that meet it, which stay in registers until they are complete.
#pragma once
#include "kernels/conv/side_by_side.h"

namespace mg {
namespace MG_ISA {

template <class T>
struct Strips {
  const T* source;   // what the first lane of the first step meets
  int64_t row, col;  // the way to the next row, and to what the next element of the kernel meets
  int64_t odds;      // with a stride of 2: from the even columns of a row to the odd ones
  const T* kernel;
  T* sums;  // of the first lane, in the first row to be completed
  int64_t sums_row;
  int64_t rows;  // of sums
  int64_t vectors;
  bool more;  // go on from what `sums` holds, instead of +0
  // Steps [first, last) of `steps`; those around them would add zeros.
  int64_t first, last, steps;
};

template <int K, class T>
struct Kernel {
  Vec<T> at[K][K];
  MG_METHOD explicit Kernel(const T* p) {
#pragma GCC unroll 7
    for (int h = 0; h < K; ++h)
#pragma GCC unroll 7
      for (int w = 0; w < K; ++w) at[h][w] = Vec<T>(p[h * K + w]);
  }
};

// Row i of the sums begins at row S * i of the source and is complete `later` steps of S rows on.
template <int K, int S, class T>
static void gather_strips(const Strips<T> s) {
  constexpr int later = (K - 1) / S, V = strips_together(K), w = Vec<T>::width;
  const Kernel<K, T> kernel(s.kernel);
  for (int64_t v = 0; v < s.vectors; v += V) {
    const T *source = s.source + v * w, *begun = s.sums + v * w;
    T* sums = s.sums + v * w - later * s.sums_row;
    Vec<T> acc[later + 1][V];
    for (int j = 0; j <= later; ++j)
      for (int u = 0; u < V; ++u) acc[j][u] = Vec<T>::zero();
    for (int64_t i = 0; i < s.steps; ++i) {
      const bool go_on = s.more && i < s.rows;
      for (int u = 0; u < V; ++u) acc[0][u] = go_on ? load(begun + u * w) : Vec<T>::zero();
      if (i >= s.first && i < s.last) {
#pragma GCC unroll 2
        for (int part = 0; part < S; ++part)
#pragma GCC unroll 7
          for (int k = 0; k < K; ++k) {
            const T* from = source + part * s.row + k % S * s.odds + k / S * s.col;
            Vec<T> x[V];
            for (int u = 0; u < V; ++u) x[u] = held(load(from + u * w));
#pragma GCC unroll 7
            for (int j = 0; S * j + part < K; ++j)
              for (int u = 0; u < V; ++u)
                acc[j][u] = fma(x[u], kernel.at[S * j + part][k], acc[j][u]);
          }
      }
      if (i >= later)
        for (int u = 0; u < V; ++u) store(sums + u * w, acc[later][u]);
#pragma GCC unroll 7
      for (int j = later; j > 0; --j)
        for (int u = 0; u < V; ++u) acc[j][u] = acc[j - 1][u];
      source += S * s.row;
      begun += s.sums_row;
      sums += s.sums_row;
    }
  }
}

// The way back through a stride of 2: a row of the source is added to K rows of sums, to each in
// its even and its odd columns; then two rows are complete. Rows are stored whose number is in [0,
// rows): `done` is that of the later one of the first two.
template <int K, class T>
static void scatter_strips(const Strips<T> s, int64_t done) {
  const Kernel<K, T> kernel(s.kernel);
  for (int64_t v = 0; v < s.vectors; ++v) {
    const T* source = s.source + v * Vec<T>::width;
    T* sums = s.sums + v * Vec<T>::width;
    Vec<T> acc[K][2];
    for (int j = 0; j < K; ++j) acc[j][0] = acc[j][1] = Vec<T>::zero();
    for (int64_t i = 0; i < s.steps; ++i, source += s.row) {
      const int64_t begun = done - 2 * i - (K - 1);  // the row of acc[0]
#pragma GCC unroll 2
      for (int j = 0; j < 2; ++j) {
        const bool go_on = s.more && begun + j >= 0 && begun + j < s.rows;
        const T* from = sums + (begun + j) * s.sums_row;
        acc[j][0] = go_on ? load(from) : Vec<T>::zero();
        acc[j][1] = go_on ? load(from + s.odds) : Vec<T>::zero();
      }
      if (i >= s.first && i < s.last) {
#pragma GCC unroll 7
        for (int k = 0; k < K; ++k) {
          const Vec<T> x = held(load(source + k / 2 * s.col));
#pragma GCC unroll 7
          for (int h = 0; h < K; ++h) acc[h][k % 2] = fma(x, kernel.at[h][k], acc[h][k % 2]);
        }
      }
#pragma GCC unroll 2
      for (int j = K - 2; j < K; ++j) {
        if (begun + j < 0 || begun + j >= s.rows) continue;
        store(sums + (begun + j) * s.sums_row, acc[j][0]);
        store(sums + (begun + j) * s.sums_row + s.odds, acc[j][1]);
      }
#pragma GCC unroll 7
      for (int j = K - 1; j >= 2; --j) {
        acc[j][0] = acc[j - 2][0];
        acc[j][1] = acc[j - 2][1];
      }
    }
  }
}

}  // namespace MG_ISA
}  // namespace mg
