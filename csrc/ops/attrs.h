// The attributes of one call: numbers and index lists, by their position in the op's signature.
#pragma once
#include "core/shape.h"

namespace mg {

class Attrs {
 public:
  static constexpr int max_count = 8;
  static constexpr int max_lists = 3;

  int64_t integer(int i) const { return value_[i].i; }
  double real(int i) const { return value_[i].f; }
  bool flag(int i) const { return value_[i].i != 0; }
  const Dims& list(int i) const { return list_[value_[i].i]; }
  bool is_none(int i) const { return none_ >> i & 1; }

  void set_integer(int i, int64_t v) { some(i), value_[i].i = v; }
  void set_real(int i, double v) { some(i), value_[i].f = v; }
  void set_list(int i, const Dims& v) { some(i), list_[value_[i].i] = v; }
  void set_none(int i) { none_ |= 1u << i; }
  // Gives attribute i a list of its own; done once, when the signature is parsed.
  void reserve_list(int i, int slot) { value_[i].i = slot; }

 private:
  void some(int i) { none_ &= ~(1u << i); }
  union {
    int64_t i;
    double f;
  } value_[max_count] = {};
  unsigned none_ = 0;
  Dims list_[max_lists];
};

}  // namespace mg
