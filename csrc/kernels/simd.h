// The only vocabulary that kernels know: vectors of float or double, as wide as the machine's.
//
// Every kernel source is compiled once per ISA, into a namespace named after it, with
// MG_SIMD_HEADER naming the file that maps this vocabulary to intrinsics (or to plain loops). No
// STL here nor in any file compiled per ISA: the linker may keep an inline copy built for AVX-512
// for everyone.
//
//   Vec<T>            T is float or double; Vec<T>::width lanes
//   Vec<T>(x)         all lanes x            Vec<T>::zero()
//   load(p), load_n(p, n)                    the first n lanes, the rest zero; reads nothing beyond
//   store(p, v), store_n(p, v, n)            writes nothing beyond the first n lanes
//   held(v)                                  v, which is to be loaded once for all its uses
//   + - * / (unary -), fma(a, b, c) = a*b+c in one rounding (plain a*b+c in `baseline`)
//   exact_fma         whether fma rounds once
//   min(a, b) = a < b ? a : b, max(a, b) = a > b ? a : b    (so a NaN in either gives b)
//   abs, sqrt, floor, round (to nearest, ties to even)
//   a < b, a <= b, a == b, a != b -> Mask<T>; &, |, ~; select(mask, a, b); any(mask)
//   plain_vectors     whether they are portable C++, of which less is compiled
//   vector_registers  how many the machine has, for the shapes of tiles
//   mask_n<T>(n)      the first n lanes
//   down<H>(v)        lane l is v's lane l+H, for l < H = width/2, width/4 .. 1; the rest is junk
//   lane0(v)          the first lane as a number
//   Int<T>            signed integers of T's size in the same lanes, for the bits of floats:
//   as_int(v), as_vec(i)                     the same bits
//   to_int(v)                                nearest integer; |v| < 2^31 (float), < 2^51 (double)
//   to_vec(i)                                the number; same ranges
//   + - & | ^, shl<N>(i), shr<N>(i) (logical), a > b -> Mask<T>
//   shl(i, n)                                the same by a run-time count, 0 <= n < bits
//   load_int(p), store_int(p, i)             all lanes, of the Lane type of Int<T>
//   load_wide(p)                             int32 to the lanes of Int<double>, with their sign
//   mul_low(a, b)                            Int<double>: the 64-bit product of the unsigned low
//                                            halves of each lane
//   xor3(a, b, c)                            Int<double>: a ^ b ^ c
//   pack_low(a, b)                           Int<double>: the low half of a, below that of b
//   load_quads(p, i, q)                      lane l of q[k] is p[2 * i[l] + k], k < 4; i points to
//                                            numbers of the Lane type of Int<T>
//   transpose(r)                             r[width], the rows of a square, become its columns
//   evens(a, b), odds(a, b)                  lanes 0, 2, 4.. (1, 3, 5..) of a, then those of b
//   zip_low(a, b), zip_high(a, b)            a0 b0 a1 b1.. of the lower (upper) halves
#pragma once

#define MG_INLINE static inline __attribute__((always_inline))
#define MG_METHOD inline __attribute__((always_inline))

// Large and used often: inlined as well, but in `reference`, where speed does not count, a function
// of its own, which halves the whole library.
#if MG_PLAIN_FMA
#define MG_ONCE static inline __attribute__((noinline))
#else
#define MG_ONCE MG_INLINE
#endif

#include MG_SIMD_HEADER

#define MG_KERNEL_NAMESPACE_BEGIN \
  namespace mg {                  \
  namespace MG_ISA {
#define MG_KERNEL_NAMESPACE_END \
  }                             \
  }
