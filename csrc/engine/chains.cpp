#include "engine/chains.h"

#include <algorithm>

namespace mg {
namespace {

using Chain = Elementwise::Chain;

const Chain* find_chain(const Pointwise& first, const Pointwise& then, size_t side) {
  for (const Chain& chain : kernels().elementwise.chains)
    if (chain.first && chain.first == first.kernel && chain.then == then.kernel &&
        (side == 0 || chain.commutes))
      return &chain;
  return nullptr;
}

// Whether nobody but one input of `reader` takes what member `made` makes, in the same shape, and
// nothing is written between the two that `made` may read.
bool is_between(const std::vector<Member>& members, int made, int reader) {
  if (members[made].kept || members[made].folded) return false;
  if (!(members[made].out.shape == members[reader].out.shape)) return false;
  int readers = 0;
  for (const Member& m : members) readers += std::count(m.from.begin(), m.from.end(), made);
  return readers == 1 && std::none_of(members.begin() + made, members.begin() + reader,
                                      [](const Member& m) { return m.kept; });
}

// Member `made`, which goes into `reader` on this side, becomes a part of it.
void join(std::vector<Member>& members, int made, int reader, size_t side, const Chain& chain) {
  Member& first = members[made];
  Member& then = members[reader];
  const auto at = static_cast<std::ptrdiff_t>(side);
  then.in.erase(then.in.begin() + at);
  then.from.erase(then.from.begin() + at);
  then.in.insert(then.in.begin(), first.in.begin(), first.in.end());
  then.from.insert(then.from.begin(), first.from.begin(), first.from.end());
  then.ready.kernel = chain.both;
  then.ready.streams = chain.inputs;
  then.ready.attr[0] = 0;
  members.erase(members.begin() + made);
  for (Member& m : members)
    for (int& from : m.from) from -= from > made;
}

bool take_one(std::vector<Member>& members) {
  for (int reader = 0; reader < static_cast<int>(members.size()); ++reader)
    for (size_t side = 0; side < members[reader].from.size(); ++side) {
      const int made = members[reader].from[side];
      if (made < 0 || !is_between(members, made, reader)) continue;
      if (const Chain* c = find_chain(members[made].ready, members[reader].ready, side)) {
        join(members, made, reader, side, *c);
        return true;
      }
    }
  return false;
}

}  // namespace

void take_chains(std::vector<Member>& members) {
  while (take_one(members)) {
  }
}

}  // namespace mg
