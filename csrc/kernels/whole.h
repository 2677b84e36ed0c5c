// One int64 behind the vocabulary of kernels/simd.h, so that the functors of arithmetic.h serve
// integers too. Wraps around; the compiler turns the loops into vectors by itself.
#pragma once
#include "kernels/simd.h"

namespace mg {
namespace MG_ISA {

struct Whole {
  static constexpr int width = 1;
  int64_t v;
  Whole() = default;
  explicit Whole(int64_t x) : v(x) {}
  static Whole zero() { return Whole(0); }
};

MG_INLINE uint64_t bits(Whole a) { return static_cast<uint64_t>(a.v); }
MG_INLINE Whole whole(uint64_t bits) { return Whole(static_cast<int64_t>(bits)); }

MG_INLINE Whole load(const int64_t* p) { return Whole(*p); }
MG_INLINE Whole load_n(const int64_t* p, int) { return Whole(*p); }
MG_INLINE void store(int64_t* p, Whole a) { *p = a.v; }
MG_INLINE void store_n(int64_t* p, Whole a, int) { *p = a.v; }

MG_INLINE Whole operator+(Whole a, Whole b) { return whole(bits(a) + bits(b)); }
MG_INLINE Whole operator-(Whole a, Whole b) { return whole(bits(a) - bits(b)); }
MG_INLINE Whole operator*(Whole a, Whole b) { return whole(bits(a) * bits(b)); }
MG_INLINE Whole operator-(Whole a) { return whole(0 - bits(a)); }
MG_INLINE bool operator<(Whole a, Whole b) { return a.v < b.v; }
MG_INLINE bool operator<=(Whole a, Whole b) { return a.v <= b.v; }
MG_INLINE bool operator==(Whole a, Whole b) { return a.v == b.v; }
MG_INLINE bool operator!=(Whole a, Whole b) { return a.v != b.v; }
MG_INLINE Whole select(bool m, Whole a, Whole b) { return m ? a : b; }
MG_INLINE Whole min(Whole a, Whole b) { return a < b ? a : b; }
MG_INLINE Whole max(Whole a, Whole b) { return b < a ? a : b; }
MG_INLINE Whole abs(Whole a) { return a.v < 0 ? -a : a; }
MG_INLINE Whole floor(Whole a) { return a; }
MG_INLINE Whole round(Whole a) { return a; }

// By repeated squaring; exponents below 0 count as 0.
MG_INLINE Whole pow(Whole base, Whole exponent) {
  Whole result(1);
  for (int64_t e = exponent.v; e > 0; e >>= 1) {
    if (e & 1) result = result * base;
    base = base * base;
  }
  return result;
}

}  // namespace MG_ISA
}  // namespace mg
