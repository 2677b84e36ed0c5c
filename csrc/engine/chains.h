// Two calls of a group, the second on what the first makes, as one where a kernel does both
// (kernels/chain.h).
#pragma once
#include <vector>

#include "ops/pointwise.h"

namespace mg {

// One call of a group, over as many elements as all others. Where `from[i]` >= 0, input i is the
// output of that earlier call, element for element; its array is not read.
struct Member {
  Pointwise ready;
  std::vector<Array> in;
  Array out;
  std::vector<int> from;
  bool kept;    // the output has memory, for others to read
  bool folded;  // a fold at the end of the group reads the output
};

// The same results, in memory and for the fold, by fewer calls.
void take_chains(std::vector<Member>& members);

}  // namespace mg
