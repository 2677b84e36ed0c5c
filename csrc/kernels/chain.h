// Elementwise ops that often follow each other, as one: what the first makes stays in registers.
#pragma once
#include "kernels/activation.h"
#include "kernels/fold.h"
#include "kernels/map.h"

namespace mg {
namespace MG_ISA {

#define MG_TERNARY(Name, expression)   \
  struct Name {                        \
    template <class V>                 \
    MG_INLINE V apply(V x, V y, V z) { \
      return expression;               \
    }                                  \
  };

MG_BINARY(AddRelu, Relu::apply(x + y))
MG_TERNARY(AddAdd, (x + y) + z)
MG_TERNARY(AddAddRelu, Relu::apply((x + y) + z))
MG_TERNARY(SubMul, (x - y) * z)
MG_TERNARY(MulAdd, (x * y) + z)
MG_TERNARY(MulAddRelu, Relu::apply((x * y) + z))

// One loop for every choice of shared operands, which are vectors that are read again and again,
// and for what lies before the first boundary or behind the last whole vector.
template <class Op, class T, int inputs>
static void chain(const void* const* in, const int64_t* step, void* out, int64_t n,
                  const double* past_cache) {
  using V = Vec<T>;
  constexpr int width = V::width;
  alignas(64) T shared[inputs][width];
  const T* from[inputs];
  int64_t moves[inputs];  // all bits, or none where an operand is shared
  T* to = static_cast<T*>(out);
  bool past = streams_past_cache && *past_cache != 0 && n >= least_past_cache<T>;
  MG_UNROLL for (int k = 0; k < inputs; ++k) {
    from[k] = static_cast<const T*>(in[k]);
    moves[k] = -(step[k] != 0);
    past = past && from[k] != to;
    if (step[k] || n <= 0) continue;
    store(shared[k], V(*from[k]));
    from[k] = shared[k];
  }
  const auto result = [&](auto read) MG_STEP {
    const V x = read(from[0]), y = read(from[1]), z = inputs > 2 ? read(from[inputs - 1]) : x;
    return apply<Op, inputs>(x, y, z, x);
  };
  int64_t count = past ? before_boundary(to) : 0;
  for (count = count ? count : width; n > 0; count = width) {
    if (count <= n && count == width) {
      const V v = result([](const T* p) MG_STEP { return load(p); });
      if (past)
        stream(to, v);
      else
        store(to, v);
    } else {
      const int some = static_cast<int>(count = count < n ? count : n);
      store_n(to, result([=](const T* p) MG_STEP { return load_n(p, some); }), some);
    }
    MG_UNROLL for (int k = 0; k < inputs; ++k) from[k] += count & moves[k];
    to += count;
    n -= count;
  }
}

}  // namespace MG_ISA
}  // namespace mg
