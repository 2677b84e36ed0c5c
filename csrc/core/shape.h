// Shapes, strides and index lists: at most 8 numbers, held inline.
#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <string>

#include "core/error.h"

namespace mg {

inline constexpr int max_rank = 8;

class Dims {
 public:
  Dims() = default;
  Dims(std::initializer_list<int64_t> values) {
    for (int64_t v : values) push_back(v);
  }
  static Dims filled(int rank, int64_t value) {
    Dims d;
    for (int i = 0; i < rank; ++i) d.push_back(value);
    return d;
  }

  int size() const { return size_; }
  bool empty() const { return size_ == 0; }
  int64_t& operator[](int i) { return at_[i]; }
  int64_t operator[](int i) const { return at_[i]; }
  int64_t back() const { return at_[size_ - 1]; }
  const int64_t* begin() const { return at_.data(); }
  const int64_t* end() const { return at_.data() + size_; }

  void push_back(int64_t v) {
    if (size_ == max_rank) fail<ValueError>("a tensor has at most ", max_rank, " dimensions");
    at_[size_++] = v;
  }
  void insert(int i, int64_t v) {
    push_back(v);
    for (int j = size_ - 1; j > i; --j) at_[j] = at_[j - 1];
    at_[i] = v;
  }
  void erase(int i) {
    for (int j = i; j + 1 < size_; ++j) at_[j] = at_[j + 1];
    --size_;
  }
  bool operator==(const Dims& o) const {
    if (size_ != o.size_) return false;
    for (int i = 0; i < size_; ++i)
      if (at_[i] != o.at_[i]) return false;
    return true;
  }

 private:
  std::array<int64_t, max_rank> at_;
  int size_ = 0;
};

inline int64_t product(const Dims& d) {
  int64_t n = 1;
  bool too_big = false;
  for (int64_t v : d) too_big |= __builtin_mul_overflow(n, v, &n);
  if (too_big) fail<ValueError>("a shape has more elements than can be counted");
  return n;
}

// As Python prints a tuple.
std::ostream& operator<<(std::ostream& out, const Dims& d);

Dims contiguous_strides(const Dims& shape);

// The shape that both broadcast to (numpy's rule); `what` names the call in the error.
Dims broadcast(const Dims& a, const Dims& b, const char* what);

// dim in [-rank, rank) as [0, rank); an IndexError that names `what` otherwise.
int normalize_dim(int64_t dim, int rank, const char* what);

// The dims of a reduction as a set of flags; an empty list means all of them.
std::array<bool, max_rank> dim_set(const Dims& dims, int rank, const char* what);

}  // namespace mg
