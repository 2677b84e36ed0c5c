// What random ops take: keys, int64 tensors [seed, step], and probabilities.
#pragma once
#include "kernels/random.h"
#include "ops/op.h"

namespace mg {

inline void require_key(const Call& c, int i, const char* what = "key") {
  if (c.in(i).dtype != DType::i64 || !(c.in(i).shape == Dims{2}))
    fail<TypeError>(c.name, ": ", what,
                    " must be an int64 tensor of 2 elements, seed and step, "
                    "got ",
                    name(c.in(i).dtype), " of shape ", c.in(i).shape);
}

inline RandomKey key_of(const Array& a) {
  const int64_t* at = a.data<int64_t>();
  return {static_cast<uint64_t>(at[0]), static_cast<uint64_t>(at[a.strides[0]])};
}

inline void require_probability(const Call& c, int attribute) {
  const double p = c.attrs.real(attribute);
  if (!(p >= 0 && p <= 1)) fail<ValueError>(c.name, ": p must be a probability in [0, 1], got ", p);
}

}  // namespace mg
