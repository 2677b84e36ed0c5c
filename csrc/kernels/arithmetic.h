// Arithmetic and comparison as functors: one line an op, for vectors of floats, doubles and int64.
#pragma once
#include "kernels/math.h"
#include "kernels/whole.h"

namespace mg {
namespace MG_ISA {

#define MG_UNARY(Name, expression) \
  struct Name {                    \
    template <class V>             \
    MG_INLINE V apply(V x) {       \
      return expression;           \
    }                              \
  };
#define MG_BINARY(Name, expression) \
  struct Name {                     \
    template <class V>              \
    MG_INLINE V apply(V x, V y) {   \
      return expression;            \
    }                               \
  };
// A condition on scalars, any dtype.
#define MG_TEST1(Name, expression) \
  struct Name {                    \
    template <class T>             \
    MG_INLINE bool apply(T x) {    \
      return expression;           \
    }                              \
  };
#define MG_TEST2(Name, expression)   \
  struct Name {                      \
    template <class T>               \
    MG_INLINE bool apply(T x, T y) { \
      return expression;             \
    }                                \
  };

MG_BINARY(Add, x + y)
MG_BINARY(Sub, x - y)
MG_BINARY(Mul, (x * y))
MG_BINARY(Div, x / y)
MG_BINARY(Pow, pow(x, y))
MG_UNARY(Neg, -x)
MG_UNARY(Abs, abs(x))
MG_UNARY(Reciprocal, V(1) / x)
MG_UNARY(Sqrt, sqrt(x))
MG_UNARY(Floor, floor(x))
MG_UNARY(Round, round(x))
// A NaN and zeros pass through.
MG_UNARY(Sign, select(V::zero() < x, V(1), select(x < V::zero(), V(-1), x)))

// min(x, y) already gives y when it is a NaN.
MG_BINARY(Minimum, select(x != x, x, min(x, y)))
MG_BINARY(Maximum, select(x != x, x, max(x, y)))
struct Clip {
  template <class V>
  MG_INLINE V apply(V x, V lowest, V highest) {
    return min(highest, max(lowest, x));
  }
};

MG_TEST2(Equal, x == y)
MG_TEST2(NotEqual, x != y)
MG_TEST2(Less, x < y)
MG_TEST2(LessEqual, x <= y)
MG_TEST2(Greater, x > y)
MG_TEST2(GreaterEqual, x >= y)
MG_TEST2(And, (x != T(0)) & (y != T(0)))
MG_TEST2(Or, (x != T(0)) | (y != T(0)))
MG_TEST1(Not, x == T(0))
MG_TEST1(IsNan, x != x)
MG_TEST1(IsFinite, x - x == T(0))

MG_UNARY(Exp, exp(x))
MG_UNARY(Expm1, expm1(x))
MG_UNARY(Log, log(x))
MG_UNARY(Log1p, log1p(x))
MG_UNARY(Sin, sin(x))
MG_UNARY(Cos, cos(x))
MG_UNARY(Tanh, tanh(x))
MG_UNARY(Sigmoid, sigmoid(x))
MG_UNARY(Erf, erf(x))

}  // namespace MG_ISA
}  // namespace mg
