// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011) in vectors:
// random words as a function of (seed, step, index), so that nothing is stored and any thread can
// begin anywhere. Per-ISA code: included by kernels only.
//
//   key      (seed low, seed high)
//   counter  (block low, block high, step low, step high); a block is 4 words of 32 bits
//
// Words come in groups of 64, from the 16 blocks 16 g .. 16 g + 15 of group g:
//   words[2 b + i]      = word i of block 16 g + b       (i = 0, 1; b = 0 .. 15)
//   words[32 + 2 b + i] = word 2 + i of block 16 g + b
// which every vector width can write without crossing its lanes. Read as 64-bit integers, the pair
// (words[2 q], words[2 q + 1]) is number q of 32, the first word being the low half.
#pragma once
#include "kernels/simd.h"

MG_KERNEL_NAMESPACE_BEGIN

constexpr int group_words = 64;
constexpr int group_blocks = 16;

alignas(64) static const int64_t lane_number[8] = {0, 1, 2, 3, 4, 5, 6, 7};

class Philox {
 public:
  MG_METHOD Philox(uint64_t seed, uint64_t step) : step_(step) {
    uint32_t low = static_cast<uint32_t>(seed), high = static_cast<uint32_t>(seed >> 32);
    for (int r = 0; r < rounds; ++r) {
      key0_[r] = low;
      key1_[r] = high;
      low += 0x9E3779B9u;
      high += 0xBB67AE85u;
    }
  }

  // Vectors drawn side by side, so that some multiply while others wait; wide ones are more than
  // one group.
  static constexpr int together = 4;
  static constexpr int most_groups = together * Vec<double>::width > group_blocks
                                         ? together * Vec<double>::width / group_blocks
                                         : 1;

  // `groups` groups, the first a multiple of their number.
  template <int groups>
  MG_METHOD void fill(uint64_t group, int32_t* words) const {
    constexpr int width = Vec<double>::width, blocks = groups * group_blocks;
    const uint64_t block = group * group_blocks;
    // All but the lowest counter word are the same for all blocks, so that half of the first two
    // rounds is done once.
    const uint64_t p = uint64_t{mul1} * static_cast<uint32_t>(step_);
    const uint32_t a0 = static_cast<uint32_t>(p >> 32 ^ block >> 32 ^ key0_[0]);
    const uint64_t q = uint64_t{mul0} * a0;
    const IntD a1(static_cast<int64_t>((p ^ key0_[1]) & 0xFFFFFFFFu));
    const IntD a2(static_cast<int64_t>(step_ >> 32 ^ key1_[0]));
    const IntD b2(static_cast<int64_t>(q >> 32 ^ key1_[1]));
    const IntD b3(static_cast<int64_t>(q & 0xFFFFFFFFu));
    // Unrolled, or GCC keeps them in memory from round to round.
    constexpr int step = together * width < blocks ? together : blocks / width;
    for (int b = 0; b < blocks; b += step * width) {
      State s[step];
#pragma GCC unroll 4
      for (int i = 0; i < step; ++i) s[i] = begin(block + b + i * width, a1, a2, b2, b3);
      for (int r = 2; r < rounds; ++r) {
        const IntD k0(key0_[r]), k1(key1_[r]);
#pragma GCC unroll 4
        for (int i = 0; i < step; ++i) s[i] = next(s[i], k0, k1);
      }
#pragma GCC unroll 4
      for (int i = 0; i < step; ++i) {
        const int first = b + i * width;
        put(s[i], words + first / group_blocks * group_words + 2 * (first % group_blocks));
      }
    }
  }

 private:
  static constexpr int rounds = 10;
  static constexpr uint32_t mul0 = 0xD2511F53u, mul1 = 0xCD9E8D57u;
  // Words in the low halves of 64-bit lanes; what the high halves hold does not matter.
  struct State {
    IntD c0, c1, c2, c3;
  };

  static MG_METHOD State begin(uint64_t block, IntD a1, IntD a2, IntD b2, IntD b3) {
    const IntD product0 =
        mul_low(load_int(lane_number) + IntD(static_cast<int64_t>(block)), IntD(mul0));
    const IntD product1 = mul_low(shr<32>(product0) ^ a2, IntD(mul1));
    return {shr<32>(product1) ^ a1, product1, product0 ^ b2, b3};
  }
  static MG_METHOD State next(State s, IntD k0, IntD k1) {
    const IntD product0 = mul_low(s.c0, IntD(mul0)), product1 = mul_low(s.c2, IntD(mul1));
    return {xor3(shr<32>(product1), s.c1, k0), product1, xor3(shr<32>(product0), s.c3, k1),
            product0};
  }
  static MG_METHOD void put(State s, int32_t* words) {
    store_int(reinterpret_cast<int64_t*>(words), pack_low(s.c0, s.c1));
    store_int(reinterpret_cast<int64_t*>(words + group_words / 2), pack_low(s.c2, s.c3));
  }

  uint64_t step_;
  int64_t key0_[rounds], key1_[rounds];
};

MG_KERNEL_NAMESPACE_END
