// An op's signature, written as Python would: "softmax(x, dim: int = -1)".
//
//   x          a tensor            x?         a tensor or None
//   x!         changed in place    *tensors   any number of tensors
//   p: float = 0.5                 an attribute: int, float, bool, ints (one or several integers);
//                                  `int?` and the like admit None
#pragma once
#include <string>
#include <vector>

#include "ops/attrs.h"

namespace mg {

enum class Kind : uint8_t { tensor, integer, real, flag, list };

struct Param {
  std::string name;
  Kind kind = Kind::tensor;
  bool nullable = false;  // may be None
  bool mutated = false;   // a tensor changed in place
  bool variadic = false;  // the rest of the positional arguments
  bool has_default = false;
  int slot = 0;  // its position among the tensors, or among the attributes
};

struct Signature {
  std::string name;
  std::vector<Param> params;  // in the order of the call
  int tensors = 0;
  int attrs = 0;
  bool variadic = false;
  bool mutates = false;  // some parameter is
  Attrs defaults;

  // Throws a StateError that quotes the text: a row of the table is wrong.
  static Signature parse(const std::string& text);
};

}  // namespace mg
