// Random words in groups: which words an element gets depends on its place alone.
#pragma once
#include "kernels/math.h"
#include "kernels/philox.h"
#include "kernels/random.h"

// GCC 12 does not see that a group's words are drawn before they are read.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

MG_KERNEL_NAMESPACE_BEGIN
namespace {

MG_INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// The words of a few groups; the padding lets a whole vector be read from any of them.
struct Words {
  alignas(64) int32_t at[Philox::most_groups * group_words + 16];

  MG_METHOD Words() { __builtin_memset(at, 0, sizeof at); }
  template <int groups>
  __attribute__((noinline)) void draw(const Philox& philox, int64_t group) {
    philox.fill<groups>(static_cast<uint64_t>(group), at);
  }
};

// Calls body(words, begin, end, at) for each group that [offset, offset + n) meets, where its
// elements [begin, end) of `size` are those from `at` of the array on.
template <class F>
MG_INLINE void each_group(RandomKey key, int64_t offset, int64_t n, int64_t size, F body) {
  constexpr int most = Philox::most_groups;
  const Philox philox(key.seed, key.step);
  Words words;
  int64_t group = offset / size, begin = offset % size;
  for (int64_t at = 0; at < n;) {
    const bool single = most == 1 || group % most != 0 || begin + n - at <= size;
    if (single)
      words.draw<1>(philox, group);
    else
      words.draw<most>(philox, group);
    for (int i = 0; i < (single ? 1 : most) && at < n; ++i, ++group) {
      const int64_t end = least(size, begin + n - at);
      body(words.at + i * group_words, begin, end, at);
      at += end - begin;
      begin = 0;
    }
  }
}

}  // namespace
MG_KERNEL_NAMESPACE_END
