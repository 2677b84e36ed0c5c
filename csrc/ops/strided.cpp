#include "ops/strided.h"

#include <algorithm>
#include <cstring>

#include "core/cache.h"
#include "core/threads.h"
#include "kernels/kernels.h"
#include "kernels/simd/past_cache.h"

namespace mg {
namespace {

constexpr int64_t thread_bytes = 1 << 18;  // of a copy, worth a thread
constexpr int64_t filled = 256;            // elements that are copied past the cache over and over

}  // namespace

Loops::Loops(const Dims& shape, std::initializer_list<const Dims*> strides) {
  Dims list[max_operands];
  int n = 0;
  for (const Dims* s : strides) list[n++] = *s;
  *this = Loops(shape, list, n);
}

Loops::Loops(const Dims& shape, const Dims* strides, int operands) {
  for (int d = shape.size() - 1; d >= 0; --d) {
    if (shape[d] == 1) continue;
    bool merges = rank > 0;
    for (int k = 0; merges && k < operands; ++k)
      merges = strides[k][d] == step[rank - 1][k] * size[rank - 1];
    if (merges) {
      size[rank - 1] *= shape[d];
      continue;
    }
    size[rank] = shape[d];
    for (int k = 0; k < operands; ++k) step[rank][k] = strides[k][d];
    ++rank;
  }
  if (rank == 0) {
    rank = 1;
    size[0] = 1;
    for (int k = 0; k < operands; ++k) step[0][k] = 1;
  }
}

void gather(const Loops& loops, int k, const void* base, DType dtype, int64_t begin, int64_t n,
            void* to) {
  const char* from = static_cast<const char*>(base);
  char* out = static_cast<char*>(to);
  const int64_t item = item_size(dtype);
  const auto copy = kernels().elementwise.copy_strided[index(dtype)];
  int64_t row = begin / loops.size[0], column = begin % loops.size[0];
  while (n > 0) {
    const int64_t count = std::min(n, loops.size[0] - column);
    copy(from + (loops.row_offset(row, k) + column * loops.step[0][k]) * item, loops.step[0][k],
         out, 1, count);
    out += count * item;
    n -= count;
    ++row;
    column = 0;
  }
}

namespace {

void fill_dense(const Array& a, const void* value) {
  const Elementwise& k = kernels().elementwise;
  const int64_t item = item_size(a.dtype), n = a.numel();
  const bool past_cache = outgrows_cache(n * item);
  char* to = static_cast<char*>(a.raw());
  parallel_for(
      n, thread_bytes / item,
      [&](int64_t begin, int64_t end) {
        if (!past_cache) return k.fill[index(a.dtype)](to + begin * item, value, end - begin);
        alignas(64) char space[filled * 8];
        k.fill[index(a.dtype)](space, value, filled);
        for (; begin < end; begin += filled)
          copy_past_cache(space, to + begin * item, std::min(filled, end - begin) * item);
        settle();
      },
      filled);
}

}  // namespace

void copy(const Array& src, const Array& dst) {
  if (dst.numel() == 0) return;
  Loops loops(dst.shape, {&src.strides, &dst.strides});
  // The plane that is copied in tiles: the innermost dimension, and one where the source runs on.
  if (loops.rank > 2 && loops.step[0][0] != 1)
    for (int d = 2; d < loops.rank; ++d)
      if (loops.step[d][0] == 1) {
        std::swap(loops.size[1], loops.size[d]);
        for (int k = 0; k < 2; ++k) std::swap(loops.step[1][k], loops.step[d][k]);
      }
  const char* from = static_cast<const char*>(src.raw());
  char* to = static_cast<char*>(dst.raw());
  const int64_t item = item_size(dst.dtype);
  const Elementwise& k = kernels().elementwise;
  if (loops.rank == 1 && loops.step[0][0] == 1 && loops.step[0][1] == 1) {
    const int64_t bytes = loops.size[0] * item;
    const bool past_cache = outgrows_cache(bytes);
    return parallel_for(
        bytes, thread_bytes,
        [&](int64_t begin, int64_t end) {
          if (!past_cache) return void(std::memcpy(to + begin, from + begin, end - begin));
          copy_past_cache(from + begin, to + begin, end - begin);
          settle();
        },
        4096);
  }
  if (loops.rank == 1) {
    if (loops.step[0][0] == 0 && loops.step[0][1] == 1) return fill_dense(dst, from);
    const int64_t src_step = loops.step[0][0], dst_step = loops.step[0][1];
    return parallel_for(
        loops.size[0], thread_bytes / item,
        [&](int64_t begin, int64_t end) {
          k.copy_strided[index(dst.dtype)](from + begin * src_step * item, src_step,
                                           to + begin * dst_step * item, dst_step, end - begin);
        },
        64);
  }
  const int64_t rows = loops.size[1], planes = loops.rows() / rows;
  const int64_t row_src = loops.step[1][0], row_dst = loops.step[1][1];
  const auto copy_rows = [&](int64_t p, int64_t first, int64_t count) {
    k.copy_plane[index(dst.dtype)](from + (loops.row_offset(p * rows, 0) + first * row_src) * item,
                                   row_src, loops.step[0][0],
                                   to + (loops.row_offset(p * rows, 1) + first * row_dst) * item,
                                   row_dst, loops.step[0][1], count, loops.size[0]);
  };
  const int64_t row_bytes = loops.size[0] * item;
  if (planes == 1)
    return parallel_for(
        rows, 1 + thread_bytes / row_bytes,
        [&](int64_t begin, int64_t end) { copy_rows(0, begin, end - begin); }, 16);
  parallel_for(planes, 1 + thread_bytes / (rows * row_bytes), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) copy_rows(p, 0, rows);
  });
}

Array dense(const Array& a) {
  if (a.contiguous()) return a;
  Array out = Array::dense(a.dtype, a.shape);
  copy(a, out);
  return out;
}

void fill(const Array& a, double value) {
  const double f64 = value;
  const float f32 = static_cast<float>(value);
  const int64_t i64 = a.dtype == DType::i64 ? static_cast<int64_t>(value) : 0;
  const bool b8 = value != 0;
  const void* values[] = {&f32, &f64, &i64, &b8};
  const void* v = values[index(a.dtype)];
  if (a.contiguous()) return fill_dense(a, v);
  Array one = Array::dense(a.dtype, {});
  kernels().elementwise.fill[index(a.dtype)](one.raw(), v, 1);
  copy(one.broadcast_to(a.shape), a);
}

}  // namespace mg
