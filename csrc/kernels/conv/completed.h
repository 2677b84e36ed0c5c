// What is done to the outputs of forward and input_grad when their chains are complete.
#pragma once
#include "kernels/conv.h"
#include "kernels/simd.h"

namespace mg {
namespace MG_ISA {

// The bias, relu and the mask are applied. `kept` lies as `out` does, from the first output of the
// panel.
template <class T>
struct Completed {
  const T *bias, *kept;
  bool relu;
  Vec<T> scale;
  int64_t plane;

  MG_METHOD Vec<T> operator()(Vec<T> v, int64_t column, int64_t at, int n) const {
    const Vec<T> zero = Vec<T>::zero();
    v = v + (bias ? Vec<T>(bias[column]) + zero : zero);
    if (relu) v = max(zero, v);
    if (!kept) return v;
    const T* k = kept + column * plane + at;
    return select((n == Vec<T>::width ? load(k) : load_n(k, n)) <= zero, zero, v * scale);
  }
  Completed at(int64_t place) const {
    Completed c = *this;
    if (kept) c.kept += place;
    return c;
  }
};

// The n outputs from `at` on are stored.
template <class T>
static void hand_over(const ConvFinish& f, const T* out, int64_t at, int64_t n) {
  if (f.then.take) f.then.take(f.then.context, out + at, at, n);
}

// Of the panel of columns that begins with `channel`, its first output being the one at `at`.
template <class T>
static Completed<T> completed(const ConvFinish& f, const T* bias, int64_t channel, int64_t at,
                              int64_t plane) {
  const T* kept = static_cast<const T*>(f.kept);
  return {bias ? bias + channel : nullptr, kept ? kept + at : nullptr, f.relu,
          Vec<T>(static_cast<T>(f.scale)), plane};
}

}  // namespace MG_ISA
}  // namespace mg
