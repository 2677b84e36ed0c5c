// Random numbers and dropout: pure functions of (seed, step, element), so that any split over
// threads gives the same bits, and backward draws a mask again instead of keeping it.
//
// The contract: x and y point to n elements side by side, and y may be x. `offset` is the number
// of the first element in the whole array that the key was made for. Arrays of functions are
// indexed by dtype (0 float32, 1 float64). Draws come from Philox4x32-10 in groups of 64 words
// (kernels/philox.h); element e takes:
//   dropout   field f = e / 64 % F of word e % 64 of group e / (64 F), where a word holds F = 32 /
//   B
//             fields of B bits, highest first. B is the least of 1, 2, 4, 8, 16 in which
//             round(2^16 p) / 2^16 is a whole number of 2^-B steps: p = 0.5 needs one bit.
//             The field is read as a signed number; the lowest p 2^B of its 2^B values drop.
//   uniform   float32: word e % 64 of group e / 64, upper 24 bits; float64: number e % 32 of group
//             e / 32, upper 53 bits
//   normal    Box-Muller: like uniform, words (numbers) of the first half of a group give the
//             radius, those of the second half the angle; cosines fill the first half of the
//             group's elements, sines the second
//   randint   number e % 32 of group e / 32, times `range`, upper 64 bits, plus `low`
//   permutation  number i places i at random among 0..i ("inside-out" Fisher-Yates)
#pragma once
#include <stdint.h>

namespace mg {

struct RandomKey {
  uint64_t seed, step;
};

struct Random {
  // y = x / (1 - p), or 0 with probability p in [0, 1], exact to 2^-17; 0 also where x is NaN or
  // infinite and dropped. Fastest where offset is a multiple of dropout_grain.
  void (*dropout[2])(const void* x, void* y, int64_t n, RandomKey key, double p, int64_t offset);
  // The same past the cache, as Elementwise::past_cache.
  void (*dropout_past_cache[2])(const void* x, void* y, int64_t n, RandomKey key, double p,
                                int64_t offset);
  // One draw for each row of `cols` elements; `offset` counts rows.
  void (*dropout_rows[2])(const void* x, void* y, int64_t rows, int64_t cols, RandomKey key,
                          double p, int64_t offset);
  void (*uniform[2])(void* y, int64_t n, RandomKey key, int64_t offset);  // in [0, 1)
  void (*normal[2])(void* y, int64_t n, RandomKey key, int64_t offset);   // mean 0, variance 1
  void (*randint)(int64_t* y, int64_t n, RandomKey key, int64_t low, uint64_t range,
                  int64_t offset);                            // in [low, low + range)
  void (*permutation)(int64_t* y, int64_t n, RandomKey key);  // of 0 .. n - 1
};

// A whole number of groups for every dropout and dtype.
inline constexpr int64_t dropout_grain = 2048;

}  // namespace mg
