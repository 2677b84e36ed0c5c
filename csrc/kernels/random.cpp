#include "kernels/random.h"

// GCC 12 does not see that a group's words are drawn before they are read.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include "kernels/math.h"
#include "kernels/philox.h"
#include "kernels/simd/stream.h"

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

// ---- Dropout -----------------------------------------------------------------------------------

// An element is kept if its word, with its field moved to the top, exceeds `above`.
struct Threshold {
  int bits;
  int32_t above;
};
static Threshold threshold(int drop) {  // 0 < drop < 2^16, of 2^16
  int bits = 16;
  while (bits > 1 && drop % (1 << (16 - bits / 2)) == 0) bits /= 2;
  const int64_t lowest_kept = (drop >> (16 - bits)) - (int64_t{1} << (bits - 1));
  return {bits, static_cast<int32_t>(lowest_kept * (int64_t{1} << (32 - bits)) - 1)};
}

MG_INLINE IntF field(const int32_t* words, int shift, float) { return shl(load_int(words), shift); }
MG_INLINE IntD field(const int32_t* words, int shift, double) {
  return shl(load_wide(words), shift + 32);
}
MG_INLINE IntF bound(int32_t above, float) { return IntF(above); }
MG_INLINE IntD bound(int32_t above, double) {
  return IntD(int64_t{above} * (1LL << 32) | 0xFFFFFFFF);
}

template <class T>
MG_INLINE void drop_span(const T* x, T* y, int64_t n, const int32_t* words, int shift, Int<T> above,
                         Vec<T> scale) {
  constexpr int width = Vec<T>::width;
  int64_t i = 0;
  for (; i + width <= n; i += width)
    store(y + i, select(field(words + i, shift, T()) > above, load(x + i) * scale, Vec<T>::zero()));
  if (i < n) {
    const int rest = static_cast<int>(n - i);
    const Vec<T> v = load_n(x + i, rest) * scale;
    store_n(y + i, select(field(words + i, shift, T()) > above, v, Vec<T>::zero()), rest);
  }
}

// A whole group: its words stay in registers, shifted on from field to field.
template <bool past_cache, class T>
static void drop_group(const T* x, T* y, const int32_t* words, int bits, Int<T> above,
                       Vec<T> scale) {
  constexpr int width = Vec<T>::width, all = group_words / width, together = all < 8 ? all : 8;
  for (int first = 0; first < group_words; first += together * width) {
    Int<T> word[together];
#pragma GCC unroll 8
    for (int v = 0; v < together; ++v) word[v] = field(words + first + v * width, 0, T());
    for (int at = first; at < group_words * 32 / bits; at += group_words) {
#pragma GCC unroll 8
      for (int v = 0; v < together; ++v) {
        const int e = at + v * width;
        const Vec<T> kept = select(word[v] > above, load(x + e) * scale, Vec<T>::zero());
        past_cache ? stream(y + e, kept) : store(y + e, kept);
        word[v] = shl(word[v], bits);
      }
    }
  }
}

template <class T>
MG_INLINE void scale_span(const T* x, T* y, int64_t n, T by) {
  constexpr int width = Vec<T>::width;
  const Vec<T> scale(by);
  int64_t i = 0;
  for (; i + width <= n; i += width) store(y + i, load(x + i) * scale);
  if (i < n) {
    const int rest = static_cast<int>(n - i);
    store_n(y + i, load_n(x + i, rest) * scale, rest);
  }
}

template <class T, bool past_cache = false>
void dropout(const void* in, void* out, int64_t n, RandomKey key, double p, int64_t offset) {
  const T* x = static_cast<const T*>(in);
  T* y = static_cast<T*>(out);
  const bool streams = past_cache && x != y;
  if (p >= 1) {
    if (n > 0) __builtin_memset(y, 0, n * sizeof(T));
    return;
  }
  const T scale = static_cast<T>(1 / (1 - p));
  const int drop = static_cast<int>(p * 65536 + 0.5);
  if (drop == 0) return scale_span(x, y, n, scale);
  const Threshold t = threshold(drop < 65536 ? drop : 65535);
  const Int<T> above = bound(t.above, T());
  const Vec<T> factor(scale);
  each_group(key, offset, n, group_words * 32 / t.bits,
             [&](const int32_t* words, int64_t begin, int64_t end, int64_t at) {
               if (end - begin == group_words * 32 / t.bits) {
                 const T* from = x + at;
                 T* to = y + at;
                 if (streams && before_boundary(to) == 0)
                   return drop_group<past_cache>(from, to, words, t.bits, above, factor);
                 return drop_group<false>(from, to, words, t.bits, above, factor);
               }
               for (int64_t e = begin; e < end;) {
                 const int64_t word = e % group_words, count = least(group_words - word, end - e);
                 const int shift = static_cast<int>(e / group_words) * t.bits;
                 drop_span(x + at, y + at, count, words + word, shift, above, factor);
                 e += count;
                 at += count;
               }
             });
}

template <class T>
void dropout_rows(const void* in, void* out, int64_t rows, int64_t cols, RandomKey key, double p,
                  int64_t offset) {
  constexpr int64_t batch = 64;
  const T* x = static_cast<const T*>(in);
  T* y = static_cast<T*>(out);
  T one[batch], factor[batch];
  for (int64_t i = 0; i < batch; ++i) one[i] = 1;
  for (int64_t row = 0; row < rows; row += batch) {
    const int64_t count = least(batch, rows - row);
    dropout<T>(one, factor, count, key, p, offset + row);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t at = (row + i) * cols;
      if (factor[i] != 0)
        scale_span(x + at, y + at, cols, factor[i]);
      else if (cols > 0)
        __builtin_memset(y + at, 0, cols * sizeof(T));
    }
  }
}

// ---- Numbers -----------------------------------------------------------------------------------

MG_INLINE VecF unit(const int32_t* words) {
  return to_vec(shr<8>(load_int(words))) * VecF(0x1p-24f);
}
// 53 bits as 26 + 27: each part is a whole number that converts exactly.
MG_INLINE VecD whole53(const int64_t* numbers) {
  const IntD bits = load_int(numbers);
  const VecD low = to_vec(shr<11>(bits) & IntD((1LL << 27) - 1));
  return fma(to_vec(shr<38>(bits)), VecD(0x1p27), low);
}
MG_INLINE VecD unit(const int64_t* numbers) { return whole53(numbers) * VecD(0x1p-53); }

// A group seen as draws for elements of type T: 64 words, or 32 numbers of 64 bits.
template <class T>
constexpr int64_t group_size = group_words * 4 / static_cast<int64_t>(sizeof(T));
MG_INLINE const int32_t* draws(const int32_t* words, float) { return words; }
MG_INLINE const int64_t* draws(const int32_t* words, double) {
  return reinterpret_cast<const int64_t*>(words);
}

template <class T>
void uniform(void* out, int64_t n, RandomKey key, int64_t offset) {
  constexpr int width = Vec<T>::width;
  T* y = static_cast<T*>(out);
  each_group(key, offset, n, group_size<T>,
             [&](const int32_t* words, int64_t begin, int64_t end, int64_t at) {
               const auto* from = draws(words, T()) + begin;
               const int64_t count = end - begin;
               int64_t i = 0;
               for (; i + width <= count; i += width) store(y + at + i, unit(from + i));
               if (i < count) store_n(y + at + i, unit(from + i), static_cast<int>(count - i));
             });
}

// In (0, 1], all 32 (53) bits: the lowest, 2^-32 (2^-54), bounds the normals at 6.7 (8.7).
MG_INLINE VecF unit_open(const int32_t* words) {
  return (to_vec(shr<1>(load_int(words))) + VecF(0.5f)) * VecF(0x1p-31f);
}
MG_INLINE VecD unit_open(const int64_t* numbers) {
  return (whole53(numbers) + VecD(0.5)) * VecD(0x1p-53);
}

// An angle as bits: the highest turns it by half a circle, the next mirrors it at 45 degrees, the
// others lie evenly in [-45, 45) degrees.
MG_INLINE VecF eighth(IntF bits) { return to_vec(shl<2>(bits)) * VecF(0x1.921fb6p-32f); }
MG_INLINE VecD eighth(IntD bits) {
  return (to_vec(shr<13>(shl<2>(bits))) - VecD(0x1p50)) * VecD(0x1.921fb54442d18p-51);
}
MG_INLINE VecF signed_by(VecF v, IntF bits) { return as_vec(as_int(v) ^ (bits & IntF(INT32_MIN))); }
MG_INLINE VecD signed_by(VecD v, IntD bits) { return as_vec(as_int(v) ^ (bits & IntD(INT64_MIN))); }

constexpr double inverse_factorial(int n) { return n == 0 ? 1 : inverse_factorial(n - 1) / n; }
// (-1)^i / (2 i + odd)! z^i summed: cos x with z = x^2, or sin x / x if odd. So many terms of
// Taylor's series round right on [-pi/4, pi/4].
template <int odd, class T>
MG_INLINE Vec<T> trigonometric(Vec<T> z) {
  constexpr int terms = sizeof(T) == 4 ? 6 : 10;
  Vec<T> sum(0);
  for (int i = terms - 1; i >= 0; --i)
    sum = fma(sum, z, Vec<T>(static_cast<T>((i % 2 ? -1 : 1) * inverse_factorial(2 * i + odd))));
  return sum;
}

template <class T, class Bits>
MG_INLINE void box_muller(const Bits* radius, const Bits* angle, T* cosines, T* sines) {
  const Int<T> bits = load_int(angle);
  const Vec<T> r = signed_by(sqrt(Vec<T>(-2) * log(unit_open(radius))), bits);
  const Vec<T> x = eighth(bits), z = x * x;
  const Vec<T> c = trigonometric<0, T>(z), s = trigonometric<1, T>(z) * x;
  const Mask<T> mirror = Int<T>(0) > shl<1>(bits);
  store(cosines, r * select(mirror, s, c));
  store(sines, r * select(mirror, c, s));
}

template <class T>
void normal(void* out, int64_t n, RandomKey key, int64_t offset) {
  constexpr int64_t size = group_size<T>, half = size / 2;
  T* y = static_cast<T*>(out);
  each_group(key, offset, n, size,
             [&](const int32_t* words, int64_t begin, int64_t end, int64_t at) {
               T values[size];
               const auto* from = draws(words, T());
               for (int64_t i = 0; i < half; i += Vec<T>::width)
                 box_muller<T>(from + i, from + half + i, values + i, values + half + i);
               __builtin_memcpy(y + at, values + begin, (end - begin) * sizeof(T));
             });
}

MG_INLINE uint64_t number(const int32_t* words, int64_t i) {
  uint64_t r;
  __builtin_memcpy(&r, words + 2 * i, sizeof r);
  return r;
}
// floor(number * range / 2^64): the bias is below range / 2^64.
MG_INLINE uint64_t scaled(uint64_t number, uint64_t range) {
  return static_cast<uint64_t>(static_cast<unsigned __int128>(number) * range >> 64);
}

void randint(int64_t* y, int64_t n, RandomKey key, int64_t low, uint64_t range, int64_t offset) {
  each_group(key, offset, n, group_size<double>,
             [&](const int32_t* words, int64_t begin, int64_t end, int64_t at) {
               for (int64_t i = begin; i < end; ++i)
                 y[at + i - begin] = static_cast<int64_t>(static_cast<uint64_t>(low) +
                                                          scaled(number(words, i), range));
             });
}

void permutation(int64_t* y, int64_t n, RandomKey key) {
  each_group(key, 0, n, group_size<double>,
             [&](const int32_t* words, int64_t begin, int64_t end, int64_t at) {
               for (int64_t k = begin; k < end; ++k, ++at) {
                 const int64_t j = static_cast<int64_t>(scaled(number(words, k), at + 1));
                 y[at] = y[j];
                 y[j] = at;
               }
             });
}

}  // namespace

extern const Random random;
constinit const Random random = {
    {dropout<float>, dropout<double>},
    {dropout<float, true>, dropout<double, true>},
    {dropout_rows<float>, dropout_rows<double>},
    {uniform<float>, uniform<double>},
    {normal<float>, normal<double>},
    randint,
    permutation,
};

MG_KERNEL_NAMESPACE_END
