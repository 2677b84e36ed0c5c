// Softmax along few rows, a column a lane: templates for the per-ISA sources. Each row is a virtual
// lane of fold() with one element, so that joining the rows by halving gives the same bits.
#pragma once
#include "kernels/fold.h"
#include "kernels/math/exp.h"
#include "kernels/math/log.h"

namespace mg {
namespace MG_ISA {

constexpr int64_t softmax_most_rows = 64;

// One vector of columns: rows row[i], i < n, joined by halving; those up to a power of two are the
// identity. Overwrites them.
template <class M, class T>
MG_INLINE Vec<T> join_rows(Vec<T>* row, int64_t n) {
  const Vec<T> identity(M::template identity<T>());
  int64_t half = 1;
  while (2 * half < n) half *= 2;
  for (int64_t i = n; i < 2 * half; ++i) row[i] = identity;
  for (; half > 0; half /= 2)
    for (int64_t i = 0; i < half; ++i) row[i] = M::template join<T>(row[i], row[i + half]);
  return row[0];
}

template <class T, class At>
MG_INLINE Vec<T> column_max(At at, const T* x, int64_t stride, int64_t n) {
  const Vec<T> lowest(Highest::identity<T>());
  Vec<T> row[softmax_most_rows];
  for (int64_t i = 0; i < n; ++i) row[i] = Highest::join<T>(lowest, at.load(x + i * stride));
  return join_rows<Highest>(row, n);
}

// sum exp(x - m); keep(i, e) sees each exponential.
template <class T, class At, class Keep>
MG_INLINE Vec<T> column_sum_exp(At at, const T* x, int64_t stride, int64_t n, Vec<T> m, Keep keep) {
  Vec<T> row[softmax_most_rows];
  for (int64_t i = 0; i < n; ++i) {
    const Vec<T> e = exp(at.load(x + i * stride) - m);
    keep(i, e);
    row[i] = Vec<T>::zero() + e;
  }
  return join_rows<Added>(row, n);
}

template <class T>
static void softmax_columns(const void* x, int64_t stride, int64_t n, int64_t columns, void* y) {
  each_vector<T>(columns, [&](auto at, int64_t j) MG_STEP {
    const T* in = static_cast<const T*>(x) + j;
    T* out = static_cast<T*>(y) + j;
    const Vec<T> m = column_max(at, in, stride, n);
    const Vec<T> total = column_sum_exp(
        at, in, stride, n, m, [&](int64_t i, Vec<T> e) MG_STEP { at.store(out + i * stride, e); });
    for (int64_t i = 0; i < n; ++i) at.store(out + i * stride, at.load(out + i * stride) / total);
  });
}

template <class T>
static void log_softmax_columns(const void* x, int64_t stride, int64_t n, int64_t columns,
                                void* y) {
  each_vector<T>(columns, [&](auto at, int64_t j) MG_STEP {
    const T* in = static_cast<const T*>(x) + j;
    T* out = static_cast<T*>(y) + j;
    const Vec<T> m = column_max(at, in, stride, n);
    const Vec<T> log_total =
        log(column_sum_exp(at, in, stride, n, m, [](int64_t, Vec<T>) MG_STEP {}));
    for (int64_t i = 0; i < n; ++i)
      at.store(out + i * stride, at.load(in + i * stride) - m - log_total);
  });
}

// Against an infinite maximum every difference would be NaN, so it is left out.
template <class T>
static void logsumexp_columns(const void* x, int64_t stride, int64_t n, int64_t columns, void* y) {
  each_vector<T>(columns, [&](auto at, int64_t j) MG_STEP {
    const T* in = static_cast<const T*>(x) + j;
    const Vec<T> m = column_max(at, in, stride, n);
    const Vec<T> shift = select(m - m == Vec<T>::zero(), m, Vec<T>::zero());
    at.store(static_cast<T*>(y) + j,
             shift + log(column_sum_exp(at, in, stride, n, shift, [](int64_t, Vec<T>) MG_STEP {})));
  });
}

}  // namespace MG_ISA
}  // namespace mg
