// Activations as functors, each beside its derivative times a gradient. Semantics are PyTorch's.
#pragma once
#include "kernels/arithmetic.h"

namespace mg {
namespace MG_ISA {

// max(a, b) gives b when b is a NaN.
MG_UNARY(Relu, max(V::zero(), x))
struct ReluBackward {
  template <class V>
  MG_INLINE V apply(V g, V x) {
    return select(x <= V::zero(), V::zero(), g);
  }
};
// From y = dropout(relu(x)), which is 0 wherever either made it 0; `scale` is 1 / (1 - p).
struct ReluDropoutBackward {
  template <class V>
  MG_INLINE V apply(V g, V y, V scale) {
    return select(y <= V::zero(), V::zero(), g * scale);
  }
};

struct LeakyRelu {
  template <class V>
  MG_INLINE V apply(V x, V slope) {
    return select(V::zero() < x, x, x * slope);
  }
};
struct LeakyReluBackward {
  template <class V>
  MG_INLINE V apply(V g, V x, V slope) {
    return select(V::zero() < x, g, g * slope);
  }
};

// `right` where x > 0, elsewhere left(), which vectors of nothing but positive numbers do without.
template <class V, class Left>
MG_INLINE V unless_left(V x, V right, Left left) {
  const auto positive = V::zero() < x;
  return __builtin_expect(any(~positive), 1) ? select(positive, right, left()) : right;
}

struct Elu {
  template <class V>
  MG_INLINE V apply(V x, V alpha) {
    return unless_left(x, x, [&] { return alpha * expm1(x); });
  }
};
struct EluBackward {
  template <class V>
  MG_INLINE V apply(V g, V x, V alpha) {
    return unless_left(x, g, [&] { return g * alpha * exp(x); });
  }
};

// Klambauer et al. 2017: the fixed point of mean 0 and variance 1.
constexpr double selu_scale = 1.0507009873554804934193349852946;
constexpr double selu_alpha = 1.6732632423543772848170429916717;
MG_UNARY(Selu, V(selu_scale) * unless_left(x, x, [&] { return V(selu_alpha) * expm1(x); }))
struct SeluBackward {
  template <class V>
  MG_INLINE V apply(V g, V x) {
    return g * unless_left(x, V(selu_scale), [&] { return V(selu_scale * selu_alpha) * exp(x); });
  }
};

struct SigmoidBackward {
  template <class V>
  MG_INLINE V apply(V g, V y) {
    return g * (y * (V(1) - y));
  }
};
struct TanhBackward {
  template <class V>
  MG_INLINE V apply(V g, V y) {
    return g * fma(-y, y, V(1));
  }
};

// log(1 + exp(x)), from the side that cannot overflow.
MG_UNARY(Softplus, max(V::zero(), x) + log1p(exp(-abs(x))))
struct SoftplusBackward {
  template <class V>
  MG_INLINE V apply(V g, V x) {
    return g * sigmoid(x);
  }
};

MG_UNARY(Silu, (x * sigmoid(x)))
struct SiluBackward {
  template <class V>
  MG_INLINE V apply(V g, V x) {
    const V s = sigmoid(x);
    return g * fma(x * s, V(1) - s, s);
  }
};

// For a >= 0 the normal distribution's upper tail, and its density: e^(-a^2 / 2) times a polynomial
// in r = 1 / (1 + 0.35 a) for float32, which stays within 5e-6 of the tail, however small that is;
// for float64 by erf.
template <class T>
struct NormalTail {
  Vec<T> tail, density;
};
constexpr double root_two_pi_inverse = 0.39894228040143267794;
MG_INLINE NormalTail<float> normal_tail(Vec<float> a) {
  const Vec<float> e = exp(Vec<float>(-0.5f) * a * a), one(1);
  const Vec<float> r = one / fma(Vec<float>(0.35f), a, one);
  const Vec<float> p =
      polynomial(r, 0x1.1df1cp-3f, 0x1.1e712cp-3f, 0x1.eac3f4p-4f, 0x1.b06de4p-4f, -0x1.7d19e6p-6f,
                 0x1.466d1p-3f, -0x1.0609d6p-2f, 0x1.2707fap-3f, -0x1.ddcffp-6f);
  return {e * (r * p), Vec<float>(static_cast<float>(root_two_pi_inverse)) * e};
}
MG_INLINE NormalTail<double> normal_tail(Vec<double> a) {
  const Vec<double> half(0.5);
  return {fma(-half, erf(a * Vec<double>(0.70710678118654752440)), half),
          Vec<double>(root_two_pi_inverse) * exp(-half * a * a)};
}

// x times the normal distribution function: max(x, 0) - a tail(a), a = |x|, and its derivative,
// 1 - tail(a) + a density(a) or, left of 0, 1 minus that. Both vanish at the end of no_further.
template <class V>
MG_INLINE V no_further(V a) {
  return min(V(sizeof(lane0(a)) == 4 ? 15 : 39), a);  // keeps NaN
}
struct Gelu {
  template <class V>
  MG_INLINE V apply(V x) {
    const V a = no_further(abs(x));
    return fma(-a, normal_tail(a).tail, max(V::zero(), x));
  }
};
struct GeluBackward {
  template <class V>
  MG_INLINE V apply(V g, V x) {
    const V a = no_further(abs(x));
    const auto t = normal_tail(a);
    const V rest = fma(-a, t.density, t.tail);
    return g * select(x < V::zero(), rest, V(1) - rest);
  }
};

// (1 + tanh(u)) / 2 is sigmoid(2u), with u = sqrt(2 / pi) * (x + 0.044715 x^3).
constexpr double gelu_inner = 1.5957691216057307117598;
constexpr double gelu_cubic = 0.044715;
struct GeluTanh {
  template <class V>
  MG_INLINE V apply(V x) {
    return x * sigmoid(V(gelu_inner) * x * fma(V(gelu_cubic) * x, x, V(1)));
  }
};
struct GeluTanhBackward {
  template <class V>
  MG_INLINE V apply(V g, V x) {
    const V s = sigmoid(V(gelu_inner) * x * fma(V(gelu_cubic) * x, x, V(1)));
    const V slope = V(gelu_inner) * fma(V(3 * gelu_cubic) * x, x, V(1));
    return g * fma(x * slope, s * (V(1) - s), s);
  }
};

struct ClipBackward {
  template <class V>
  MG_INLINE V apply(V g, V x, V lowest, V highest) {
    return select((lowest <= x) & (x <= highest), g, V::zero());
  }
};

}  // namespace MG_ISA
}  // namespace mg
