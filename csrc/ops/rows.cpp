#include "ops/rows.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"

namespace mg {
namespace {

constexpr int64_t short_row = 256;  // bytes, above which a call of memcpy does not show
constexpr int64_t ahead = 16;       // rows that are asked for before they are copied
constexpr int64_t line = 64;

// By words, the last of which may overlap the one before.
template <int64_t word>
void copy_words(const char* from, char* to, int64_t bytes) {
  for (int64_t i = 0; i < bytes - word; i += word) std::memcpy(to + i, from + i, word);
  std::memcpy(to + bytes - word, from + bytes - word, word);
}

// In the order of the indices, with copy(from, to) for one row.
template <class Copy>
bool each_row(const char* table, int64_t rows, int64_t bytes, const int64_t* at, int64_t n,
              int64_t lowest, char* to, Copy copy) {
  return each_index(at, 0, n, lowest, rows, [=](int64_t i, int64_t row) {
    if (i + ahead < n) {
      // Of an index to come, wherever it points: asking does no harm.
      const uintptr_t next = reinterpret_cast<uintptr_t>(table) +
                             static_cast<uintptr_t>(at[i + ahead]) * static_cast<uintptr_t>(bytes);
      for (int64_t k = 0; k < std::min(bytes, 4 * line); k += line)
        __builtin_prefetch(reinterpret_cast<const void*>(next + static_cast<uintptr_t>(k)));
    }
    copy(table + row * bytes, to + i * bytes);
  });
}

// The size is known to the compiler; the next rows are found without being asked for.
template <int64_t bytes>
bool each_word(const char* table, int64_t rows, const int64_t* at, int64_t n, int64_t lowest,
               char* to) {
  return each_index(at, 0, n, lowest, rows, [=](int64_t i, int64_t row) {
    std::memcpy(to + i * bytes, table + row * bytes, bytes);
  });
}

}  // namespace

void refuse_beyond(const char* what, const Array& dense_indices, int64_t n) {
  const int64_t* at = dense_indices.data<int64_t>();
  for (int64_t i = 0, count = dense_indices.numel(); i < count; ++i)
    if (at[i] < -n || at[i] >= n)
      fail<IndexError>(what, ": index ", at[i], " at position ", i,
                       " is out of range for a dimension of size ", n);
}

bool take_rows(const char* table, int64_t rows, int64_t bytes, const int64_t* at, int64_t n,
               int64_t lowest, char* to) {
  if (bytes == 4) return each_word<4>(table, rows, at, n, lowest, to);
  if (bytes == 8) return each_word<8>(table, rows, at, n, lowest, to);
  const auto by = [&](auto copy) { return each_row(table, rows, bytes, at, n, lowest, to, copy); };
  if (bytes < 8 || bytes > short_row)
    return by([=](const char* from, char* out) { std::memcpy(out, from, bytes); });
  if (bytes < 16) return by([=](const char* from, char* out) { copy_words<8>(from, out, bytes); });
  return by([=](const char* from, char* out) { copy_words<16>(from, out, bytes); });
}

}  // namespace mg
