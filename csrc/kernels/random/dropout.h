// Dropout: fields of 1 to 16 bits of the groups' words against a threshold.
#pragma once
#include "kernels/random/groups.h"
#include "kernels/simd/stream.h"

MG_KERNEL_NAMESPACE_BEGIN
namespace {

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

}  // namespace
MG_KERNEL_NAMESPACE_END
