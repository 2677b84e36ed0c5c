// The one inner loop behind the elementwise kernels: a functor over vectors becomes an
// ElementwiseFn, compiled once for each choice of operands that are a single shared element.
#pragma once
#include "kernels/elementwise.h"
#include "kernels/simd.h"
#include "kernels/simd/stream.h"
#include "kernels/whole.h"

// An operand may be the output itself, element for element: no element depends on another.
#ifdef __clang__
// It is said of loops over vectors too, which Clang warns that it cannot turn into vectors again.
#pragma clang diagnostic ignored "-Wpass-failed"
#define MG_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define MG_INDEPENDENT _Pragma("GCC ivdep")
#endif

namespace mg {
namespace MG_ISA {

template <class T>
struct LanesOf {
  using type = Vec<T>;
};
template <>
struct LanesOf<int64_t> {
  using type = Whole;
};
template <class T>
using Lanes = typename LanesOf<T>::type;

template <class T, bool streams>
struct Operand {
  const T* p;
  explicit Operand(const T* data) : p(data) {}
  Lanes<T> at(int64_t i) const { return load(p + i); }
  Lanes<T> at_n(int64_t i, int n) const { return load_n(p + i, n); }
};
template <class T>
struct Operand<T, false> {
  Lanes<T> v;
  explicit Operand(const T* data) : v(data ? *data : T(0)) {}
  Lanes<T> at(int64_t) const { return v; }
  Lanes<T> at_n(int64_t, int) const { return v; }
};

template <class Op, int arity, class V>
MG_ONCE V apply(V a, V b, V c, V d) {
  if constexpr (arity == 1) return Op::apply(a);
  if constexpr (arity == 2) return Op::apply(a, b);
  if constexpr (arity == 3) return Op::apply(a, b, c);
  if constexpr (arity == 4) return Op::apply(a, b, c, d);
}

// Where the output goes: through the cache or, if whole vectors of it can, past it.
enum class Way : uint8_t { through, past };

template <class Op, int arity, class T, Way way, bool s0, bool s1 = false>
static void map_streams(const T* const* in, T* out, int64_t n) {
  constexpr int width = Lanes<T>::width;
  const Operand<T, s0> a(in[0]);
  const Operand<T, s1> b(in[1]);
  const Operand<T, false> c(in[2]), d(in[3]);
  int64_t i = 0;
  if constexpr (way == Way::past) {
    if (const int before = before_boundary(out); before > 0) {
      store_n(out, apply<Op, arity>(a.at_n(0, before), b.at_n(0, before), c.v, d.v), before);
      i = before;
    }
    for (; i <= n - width; i += width)
      stream(out + i, apply<Op, arity>(a.at(i), b.at(i), c.v, d.v));
  }
  MG_INDEPENDENT
  for (; i <= n - width; i += width) store(out + i, apply<Op, arity>(a.at(i), b.at(i), c.v, d.v));
  if (const int rest = static_cast<int>(n - i); width > 1 && rest > 0)
    store_n(out + i, apply<Op, arity>(a.at_n(i, rest), b.at_n(i, rest), c.v, d.v), rest);
}

template <class T>
static void fill(void* out, const void* value, int64_t n) {
  const T v = *static_cast<const T*>(value);
  T* o = static_cast<T*>(out);
  for (int64_t i = 0; i < n; ++i) o[i] = v;
}

// Infinite attributes (an open side of clip) saturate.
template <class T>
MG_INLINE T from_attribute(double x) {
  if constexpr (T(0.5) == T(0)) {
    if (!(x < 0x1p63)) return INT64_MAX;
    if (x < -0x1p63) return INT64_MIN;
  }
  return static_cast<T>(x);
}

// Op::apply takes `inputs` vectors, then one for each attribute.
template <class Op, class T, int inputs, int attributes = 0, Way way = Way::through>
static void map(const void* const* in, const int64_t* step, void* out, int64_t n,
                const double* attr) {
  if (n <= 0) return;
  T shared[2];
  const T* p[4] = {};
  for (int i = 0; i < inputs; ++i) p[i] = static_cast<const T*>(in[i]);
  for (int i = 0; i < attributes; ++i) {
    shared[i] = from_attribute<T>(attr[i]);
    p[inputs + i] = &shared[i];
  }
  constexpr int arity = inputs + attributes;
  T* o = static_cast<T*>(out);
  const bool s0 = step[0] != 0, s1 = inputs > 1 && step[1] != 0;
  if constexpr (inputs > 1) {
    if (s0 && s1) return map_streams<Op, arity, T, way, true, true>(p, o, n);
    if (s1) return map_streams<Op, arity, T, way, false, true>(p, o, n);
  }
  if (s0) return map_streams<Op, arity, T, way, true>(p, o, n);
  map_streams<Op, arity, T, Way::through, true, (inputs > 1)>(p, o, 1);
  fill<T>(o, o, n);
}

// Fewer elements go through the cache.
template <class T>
constexpr int64_t least_past_cache = 2048 / sizeof(T);

// So do lines that were just read to be overwritten.
template <class Op, class T, int inputs, int attributes = 0>
static void map_past_cache(const void* const* in, const int64_t* step, void* out, int64_t n,
                           const double* attr) {
  const bool in_place = in[0] == out || in[inputs - 1] == out;
  if (!streams_past_cache || in_place || n < least_past_cache<T>)
    return map<Op, T, inputs, attributes>(in, step, out, n, attr);
  map<Op, T, inputs, attributes, Way::past>(in, step, out, n, attr);
}

// Op::apply takes one or two scalars of T and gives a bool.
template <class Op, class T, int inputs, bool s0, bool s1>
static void test_streams(const T* a, const T* b, uint8_t* out, int64_t n) {
  MG_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) {
    if constexpr (inputs == 1) {
      out[i] = Op::apply(a[s0 ? i : 0]);
    } else {
      out[i] = Op::apply(a[s0 ? i : 0], b[s1 ? i : 0]);
    }
  }
}
template <class Op, class T, int inputs>
static void test(const void* const* in, const int64_t* step, void* out, int64_t n, const double*) {
  if (n <= 0) return;
  const T* a = static_cast<const T*>(in[0]);
  const T* b = static_cast<const T*>(in[inputs - 1]);
  uint8_t* o = static_cast<uint8_t*>(out);
  const bool s0 = step[0] != 0, s1 = inputs > 1 && step[1] != 0;
  if (s0 && s1) return test_streams<Op, T, inputs, true, true>(a, b, o, n);
  if (s1) {
    const T first = *a;  // read once: out may be that very byte
    return test_streams<Op, T, inputs, false, true>(&first, b, o, n);
  }
  if (s0) {
    const T second = *b;
    return test_streams<Op, T, inputs, true, false>(a, &second, o, n);
  }
  test_streams<Op, T, inputs, true, true>(a, b, o, 1);
  fill<uint8_t>(o, o, n);
}

// T has the size of the elements; only bits move.
template <class T, bool s0, bool s1, bool s2>
static void where_streams(const uint8_t* c, const T* x, const T* y, T* out, int64_t n) {
  const T x0 = *x, y0 = *y;
  MG_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) {
    const T a = s1 ? x[i] : x0, b = s2 ? y[i] : y0;
    out[i] = c[s0 ? i : 0] ? a : b;
  }
}
template <class T>
static void where(const void* const* in, const int64_t* step, void* out, int64_t n, const double*) {
  if (n <= 0) return;
  const uint8_t* c = static_cast<const uint8_t*>(in[0]);
  const T* x = static_cast<const T*>(in[1]);
  const T* y = static_cast<const T*>(in[2]);
  T* o = static_cast<T*>(out);
  if (step[0] == 0) {
    const T* p = *c ? x : y;
    if (step[*c ? 1 : 2] == 0) return fill<T>(o, p, n);
    for (int64_t i = 0; i < n; ++i) o[i] = p[i];
    return;
  }
  if (step[1] && step[2]) return where_streams<T, true, true, true>(c, x, y, o, n);
  if (step[1]) return where_streams<T, true, true, false>(c, x, y, o, n);
  if (step[2]) return where_streams<T, true, false, true>(c, x, y, o, n);
  where_streams<T, true, false, false>(c, x, y, o, n);
}

}  // namespace MG_ISA
}  // namespace mg
