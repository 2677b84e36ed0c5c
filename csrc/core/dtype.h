// The four element types, and the rule for mixing them.
#pragma once
#include <cstdint>

#include "core/error.h"

namespace mg {

// The order is a contract: kernels are indexed by it, and promotion takes the higher rank below.
enum class DType : uint8_t { f32, f64, i64, b8 };
inline constexpr int dtype_count = 4;

inline const char* name(DType d) {
  constexpr const char* names[] = {"float32", "float64", "int64", "bool"};
  return names[static_cast<int>(d)];
}
inline int64_t item_size(DType d) {
  constexpr int64_t sizes[] = {4, 8, 8, 1};
  return sizes[static_cast<int>(d)];
}
inline int index(DType d) { return static_cast<int>(d); }
inline bool is_float(DType d) { return d == DType::f32 || d == DType::f64; }

// As torch: bool < int64 < float32 < float64.
inline DType promote(DType a, DType b) {
  constexpr int rank[] = {2, 3, 1, 0};
  return rank[index(a)] >= rank[index(b)] ? a : b;
}

template <class T>
inline constexpr DType dtype_of = DType::f32;
template <>
inline constexpr DType dtype_of<double> = DType::f64;
template <>
inline constexpr DType dtype_of<int64_t> = DType::i64;
template <>
inline constexpr DType dtype_of<bool> = DType::b8;

// Calls f with a value of the float type that d names: with_float(d, [&](auto t) { using T =
// decltype(t); ... }).
template <class F>
auto with_float(DType d, F&& f) {
  return d == DType::f64 ? f(double()) : f(float());
}

}  // namespace mg
