// Vectors in portable C++, as the vector types of GCC and Clang (lowered to whatever there is, and
// far quicker to compile than loops over lanes), of 4 floats as NEON's. `baseline` (without an FMA
// instruction) runs on any CPU; `reference` (with a true fma, MG_PLAIN_FMA) is what every other ISA
// must equal to the bit.
#pragma once
#include <stdint.h>

namespace mg {
namespace MG_ISA {

static constexpr int vector_registers = 16;
constexpr bool plain_vectors = true;

#define MG_VECTOR __attribute__((vector_size(16)))
template <class T>
struct PlainOf;
template <>
struct PlainOf<float> {
  typedef float Numbers MG_VECTOR;
  typedef int32_t Signed MG_VECTOR;
  typedef uint32_t Unsigned MG_VECTOR;
  using Lane = int32_t;
};
template <>
struct PlainOf<double> {
  typedef double Numbers MG_VECTOR;
  typedef int64_t Signed MG_VECTOR;
  typedef uint64_t Unsigned MG_VECTOR;
  using Lane = int64_t;
};
#undef MG_VECTOR
template <class T>
using Numbers = typename PlainOf<T>::Numbers;
template <class T>
using Signed = typename PlainOf<T>::Signed;
template <class T>
using Unsigned = typename PlainOf<T>::Unsigned;

#define MG_LANES for (int i = 0; i < Vec<T>::width; ++i)

template <class T>
struct Vec {
  static constexpr int width = 16 / sizeof(T);
  Numbers<T> lane;
  Vec() = default;
  Vec(Numbers<T> x) : lane(x) {}
  explicit Vec(T x) : lane(x - Numbers<T>{}) {}
  static Vec zero() { return Vec(T(0)); }
};
template <class T>
struct Mask {
  Signed<T> lane;  // 0 or -1
};
template <class T>
struct Int {
  using Lane = typename PlainOf<T>::Lane;
  Signed<T> lane;
  Int() = default;
  Int(Signed<T> x) : lane(x) {}
  explicit Int(Lane x) : lane(x - Signed<T>{}) {}
};

using VecF = Vec<float>;
using VecD = Vec<double>;
using IntF = Int<float>;
using IntD = Int<double>;

template <class T, class F>
MG_INLINE Vec<T> each(F f) {
  Vec<T> r;
  MG_LANES r.lane[i] = f(i);
  return r;
}
template <class T, class F>
MG_INLINE Mask<T> test_each(F f) {
  Mask<T> r;
  MG_LANES r.lane[i] = f(i) ? -1 : 0;
  return r;
}
template <class T, class F>
MG_INLINE Int<T> int_each(F f) {
  Int<T> r;
  MG_LANES r.lane[i] = f(i);
  return r;
}

template <class T>
MG_INLINE Vec<T> load(const T* p) {
  Vec<T> r;
  __builtin_memcpy(&r, p, sizeof r);
  return r;
}
template <class T>
MG_ONCE Vec<T> load_n(const T* p, int n) {
  return each<T>([=](int i) { return i < n ? p[i] : T(0); });
}
template <class T>
MG_INLINE void store(T* p, Vec<T> v) {
  __builtin_memcpy(p, &v, sizeof v);
}
template <class T>
MG_ONCE void store_n(T* p, Vec<T> v, int n) {
  for (int i = 0; i < n; ++i) p[i] = v.lane[i];
}

template <class T>
MG_INLINE Vec<T> held(Vec<T> a) {
  return a;
}

template <class T>
MG_INLINE Vec<T> operator+(Vec<T> a, Vec<T> b) {
  return a.lane + b.lane;
}
template <class T>
MG_INLINE Vec<T> operator-(Vec<T> a, Vec<T> b) {
  return a.lane - b.lane;
}
template <class T>
MG_INLINE Vec<T> operator*(Vec<T> a, Vec<T> b) {
  return a.lane * b.lane;
}
template <class T>
MG_INLINE Vec<T> operator/(Vec<T> a, Vec<T> b) {
  return a.lane / b.lane;
}
template <class T>
MG_INLINE Vec<T> operator-(Vec<T> a) {
  return -a.lane;
}

constexpr bool exact_fma = MG_PLAIN_FMA;
MG_INLINE float fma1(float a, float b, float c) {
  return MG_PLAIN_FMA ? __builtin_fmaf(a, b, c) : a * b + c;
}
MG_INLINE double fma1(double a, double b, double c) {
  return MG_PLAIN_FMA ? __builtin_fma(a, b, c) : a * b + c;
}
template <class T>
MG_ONCE Vec<T> fma(Vec<T> a, Vec<T> b, Vec<T> c) {
  return each<T>([=](int i) { return fma1(a.lane[i], b.lane[i], c.lane[i]); });
}
template <class T>
MG_INLINE Vec<T> min(Vec<T> a, Vec<T> b) {
  return a.lane < b.lane ? a.lane : b.lane;
}
template <class T>
MG_INLINE Vec<T> max(Vec<T> a, Vec<T> b) {
  return a.lane > b.lane ? a.lane : b.lane;
}
MG_INLINE Vec<float> sqrt(Vec<float> a) {
  return each<float>([=](int i) { return __builtin_sqrtf(a.lane[i]); });
}
MG_INLINE Vec<double> sqrt(Vec<double> a) {
  return each<double>([=](int i) { return __builtin_sqrt(a.lane[i]); });
}
template <class T>
MG_INLINE Vec<T> abs(Vec<T> a) {
  return each<T>([=](int i) { return T(__builtin_fabs(a.lane[i])); });
}
template <class T>
MG_INLINE Vec<T> floor(Vec<T> a) {
  return each<T>([=](int i) { return T(__builtin_floor(a.lane[i])); });
}
template <class T>
MG_INLINE Vec<T> round(Vec<T> a) {
  return each<T>([=](int i) { return T(__builtin_nearbyint(a.lane[i])); });
}

template <class T>
MG_INLINE Mask<T> operator<(Vec<T> a, Vec<T> b) {
  return {a.lane < b.lane};
}
template <class T>
MG_INLINE Mask<T> operator<=(Vec<T> a, Vec<T> b) {
  return {a.lane <= b.lane};
}
template <class T>
MG_INLINE Mask<T> operator==(Vec<T> a, Vec<T> b) {
  return {a.lane == b.lane};
}
template <class T>
MG_INLINE Mask<T> operator!=(Vec<T> a, Vec<T> b) {
  return {a.lane != b.lane};
}
template <class T>
MG_INLINE Mask<T> operator&(Mask<T> a, Mask<T> b) {
  return {a.lane & b.lane};
}
template <class T>
MG_INLINE Mask<T> operator|(Mask<T> a, Mask<T> b) {
  return {a.lane | b.lane};
}
template <class T>
MG_INLINE Mask<T> operator~(Mask<T> a) {
  return {~a.lane};
}
template <class T>
MG_INLINE Vec<T> select(Mask<T> m, Vec<T> a, Vec<T> b) {
  return m.lane ? a.lane : b.lane;
}
template <class T>
MG_INLINE bool any(Mask<T> m) {
  bool r = false;
  MG_LANES r |= m.lane[i] != 0;
  return r;
}

template <class T>
MG_INLINE Mask<T> mask_n(int n) {
  return test_each<T>([=](int i) { return i < n; });
}
template <int H, class T>
MG_INLINE Vec<T> down(Vec<T> a) {
  return each<T>([=](int i) { return i < H ? a.lane[i + H] : T(0); });
}
template <class T>
MG_INLINE T lane0(Vec<T> a) {
  return a.lane[0];
}

template <class T>
MG_INLINE Int<T> as_int(Vec<T> v) {
  Int<T> r;
  __builtin_memcpy(&r, &v, sizeof r);
  return r;
}
template <class T>
MG_INLINE Vec<T> as_vec(Int<T> v) {
  Vec<T> r;
  __builtin_memcpy(&r, &v, sizeof r);
  return r;
}
template <class T>
MG_INLINE Int<T> to_int(Vec<T> v) {
  return int_each<T>(
      [=](int i) { return static_cast<typename Int<T>::Lane>(__builtin_nearbyint(v.lane[i])); });
}
template <class T>
MG_INLINE Vec<T> to_vec(Int<T> v) {
  return each<T>([=](int i) { return static_cast<T>(v.lane[i]); });
}

// Integer lanes wrap around, so they are computed unsigned.
template <class T>
MG_INLINE Int<T> operator+(Int<T> a, Int<T> b) {
  return (Signed<T>)((Unsigned<T>)a.lane + (Unsigned<T>)b.lane);
}
template <class T>
MG_INLINE Int<T> operator-(Int<T> a, Int<T> b) {
  return (Signed<T>)((Unsigned<T>)a.lane - (Unsigned<T>)b.lane);
}
template <class T>
MG_INLINE Int<T> operator&(Int<T> a, Int<T> b) {
  return a.lane & b.lane;
}
template <class T>
MG_INLINE Int<T> operator|(Int<T> a, Int<T> b) {
  return a.lane | b.lane;
}
template <class T>
MG_INLINE Int<T> operator^(Int<T> a, Int<T> b) {
  return a.lane ^ b.lane;
}
template <int N, class T>
MG_INLINE Int<T> shl(Int<T> a) {
  return (Signed<T>)((Unsigned<T>)a.lane << N);
}
template <int N, class T>
MG_INLINE Int<T> shr(Int<T> a) {
  return (Signed<T>)((Unsigned<T>)a.lane >> N);
}
template <class T>
MG_INLINE Mask<T> operator>(Int<T> a, Int<T> b) {
  return {a.lane > b.lane};
}
template <class T>
MG_INLINE Int<T> shl(Int<T> a, int n) {
  return (Signed<T>)((Unsigned<T>)a.lane << n);
}
MG_INLINE Int<float> load_int(const int32_t* p) {
  Int<float> r;
  __builtin_memcpy(&r, p, sizeof r);
  return r;
}
MG_INLINE Int<double> load_int(const int64_t* p) {
  Int<double> r;
  __builtin_memcpy(&r, p, sizeof r);
  return r;
}
MG_INLINE void store_int(int32_t* p, Int<float> a) { __builtin_memcpy(p, &a, sizeof a); }
MG_INLINE void store_int(int64_t* p, Int<double> a) { __builtin_memcpy(p, &a, sizeof a); }
MG_INLINE Int<double> load_wide(const int32_t* p) {
  return int_each<double>([=](int i) { return p[i]; });
}
MG_INLINE Int<double> mul_low(Int<double> a, Int<double> b) {
  return int_each<double>([=](int i) {
    return uint64_t{static_cast<uint32_t>(a.lane[i])} * static_cast<uint32_t>(b.lane[i]);
  });
}
MG_INLINE Int<double> xor3(Int<double> a, Int<double> b, Int<double> c) { return a ^ b ^ c; }
MG_INLINE Int<double> pack_low(Int<double> a, Int<double> b) {
  return int_each<double>(
      [=](int i) { return static_cast<uint32_t>(a.lane[i]) | uint64_t(b.lane[i]) << 32; });
}

template <class T>
MG_INLINE void transpose(Vec<T> (&r)[Vec<T>::width]) {
  for (int i = 0; i < Vec<T>::width; ++i)
    for (int j = 0; j < i; ++j) {
      const T x = r[i].lane[j];
      r[i].lane[j] = r[j].lane[i];
      r[j].lane[i] = x;
    }
}
template <int First, class T>
MG_INLINE Vec<T> every_other(Vec<T> a, Vec<T> b) {
  constexpr int half = Vec<T>::width / 2;
  Vec<T> r;
  for (int i = 0; i < half; ++i) r.lane[i] = a.lane[2 * i + First];
  for (int i = 0; i < half; ++i) r.lane[half + i] = b.lane[2 * i + First];
  return r;
}
template <class T>
MG_INLINE Vec<T> evens(Vec<T> a, Vec<T> b) {
  return every_other<0>(a, b);
}
template <class T>
MG_INLINE Vec<T> odds(Vec<T> a, Vec<T> b) {
  return every_other<1>(a, b);
}
template <class T>
MG_INLINE Vec<T> zip_low(Vec<T> a, Vec<T> b) {
  return each<T>([=](int i) { return i % 2 ? b.lane[i / 2] : a.lane[i / 2]; });
}
template <class T>
MG_INLINE Vec<T> zip_high(Vec<T> a, Vec<T> b) {
  constexpr int h = Vec<T>::width / 2;
  return each<T>([=](int i) { return i % 2 ? b.lane[h + i / 2] : a.lane[h + i / 2]; });
}

template <class T>
MG_INLINE void load_quads(const T* p, const typename Int<T>::Lane* index, Vec<T> (&q)[4]) {
  for (int k = 0; k < 4; ++k)
    q[k] = each<T>([=](int i) { return p[2 * static_cast<int64_t>(index[i]) + k]; });
}

#undef MG_LANES

}  // namespace MG_ISA
}  // namespace mg
