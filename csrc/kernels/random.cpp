#include "kernels/random.h"

#include "kernels/random/dropout.h"
#include "kernels/random/groups.h"

MG_KERNEL_NAMESPACE_BEGIN
namespace {

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
