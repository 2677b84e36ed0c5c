#include "kernels/loss.h"

#include "kernels/fold.h"
#include "kernels/math/exp.h"
#include "kernels/math/log.h"

MG_KERNEL_NAMESPACE_BEGIN

struct Bce {
  template <class T>
  MG_INLINE Vec<T> value(Vec<T> x, Vec<T> t, T) {
    return max(x, Vec<T>::zero()) - x * t + log1p(exp(-abs(x)));
  }
  template <class T>
  MG_INLINE Vec<T> slope(Vec<T> x, Vec<T> t, T) {
    return sigmoid(x) - t;
  }
};
struct Mse {
  template <class T>
  MG_INLINE Vec<T> value(Vec<T> x, Vec<T> t, T) {
    return (x - t) * (x - t);
  }
  template <class T>
  MG_INLINE Vec<T> slope(Vec<T> x, Vec<T> t, T) {
    return (x - t) + (x - t);
  }
};
struct L1 {
  template <class T>
  MG_INLINE Vec<T> value(Vec<T> x, Vec<T> t, T) {
    return abs(x - t);
  }
  // The sign: 0 at 0, and NaN stays NaN.
  template <class T>
  MG_INLINE Vec<T> slope(Vec<T> x, Vec<T> t, T) {
    const Vec<T> d = x - t, zero = Vec<T>::zero();
    return select(zero < d, Vec<T>(T(1)), select(d < zero, Vec<T>(T(-1)), d));
  }
};
struct Huber {
  template <class T>
  MG_INLINE Vec<T> value(Vec<T> x, Vec<T> t, T delta) {
    const Vec<T> d = abs(x - t), limit(delta), half(T(0.5));
    return select(limit < d, limit * (d - half * limit), half * d * d);
  }
  template <class T>
  MG_INLINE Vec<T> slope(Vec<T> x, Vec<T> t, T delta) {
    const Vec<T> d = x - t, limit(delta);
    return select(limit < d, limit, select(d < -limit, -limit, d));
  }
};

template <class L, class T>
static void each_pair(const void* x, const void* target, int64_t n, double delta, void* out) {
  const T* a = static_cast<const T*>(x);
  const T* t = static_cast<const T*>(target);
  T* to = static_cast<T*>(out);
  each_vector<T>(n, [&](auto at, int64_t i) MG_STEP {
    at.store(to + i, L::value(at.load(a + i), at.load(t + i), static_cast<T>(delta)));
  });
}

template <class L, class T>
static void sum_pairs(const void* x, const void* target, int64_t n, double delta, void* out) {
  const T* a = static_cast<const T*>(x);
  const T* t = static_cast<const T*>(target);
  *static_cast<T*>(out) = fold<Added, T, true>(n, [&](auto at, int64_t i, Vec<T> acc) MG_STEP {
    const Vec<T> v = L::value(at.load(a + i), at.load(t + i), static_cast<T>(delta));
    return acc + at.keep(v, Vec<T>::zero());
  });
}

template <class L, class T>
static void pair_backward(const void* x, const void* target, int64_t n, double delta,
                          const void* grad, int64_t grad_step, double scale, void* dx) {
  const T* a = static_cast<const T*>(x);
  const T* t = static_cast<const T*>(target);
  const T* g = static_cast<const T*>(grad);
  T* to = static_cast<T*>(dx);
  const Vec<T> s(static_cast<T>(scale));
  const Vec<T> shared = n > 0 && grad_step == 0 ? Vec<T>(*g) * s : Vec<T>::zero();
  each_vector<T>(n, [&](auto at, int64_t i) MG_STEP {
    const Vec<T> weight = grad_step ? at.load(g + i) * s : shared;
    at.store(to + i, L::slope(at.load(a + i), at.load(t + i), static_cast<T>(delta)) * weight);
  });
}

template <class L>
static constexpr PairLoss pair_loss() {
  return {.each = {each_pair<L, float>, each_pair<L, double>},
          .total = {sum_pairs<L, float>, sum_pairs<L, double>},
          .backward = {pair_backward<L, float>, pair_backward<L, double>}};
}

extern const Loss loss;
constinit const Loss loss = {
    .bce = pair_loss<Bce>(),
    .mse = pair_loss<Mse>(),
    .l1 = pair_loss<L1>(),
    .huber = pair_loss<Huber>(),
};

MG_KERNEL_NAMESPACE_END
