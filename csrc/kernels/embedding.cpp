#include "kernels/embedding.h"

#include "kernels/simd.h"

MG_KERNEL_NAMESPACE_BEGIN

static int64_t first_outside(const int64_t* indices, int64_t n, int64_t rows) {
  for (int64_t i = 0; i < n; ++i)
    if (static_cast<uint64_t>(indices[i]) >= static_cast<uint64_t>(rows)) return i;
  return n;
}

template <class T>
static void scatter(const void* grad, int64_t dim, const int64_t* indices, int64_t n, void* out,
                    int64_t begin, int64_t end) {
  constexpr int w = Vec<T>::width;
  T* rows = static_cast<T*>(out);
  __builtin_memset(rows + begin * dim, 0, (end - begin) * dim * sizeof(T));
  const T* from = static_cast<const T*>(grad);
  for (int64_t i = 0; i < n; ++i, from += dim) {
    if (indices[i] < begin || indices[i] >= end) continue;
    T* row = rows + indices[i] * dim;
    int64_t j = 0;
    for (; j + w <= dim; j += w) store(row + j, load(row + j) + load(from + j));
    const int rest = static_cast<int>(dim - j);
    if (rest) store_n(row + j, load_n(row + j, rest) + load_n(from + j, rest), rest);
  }
}

extern constinit const Embedding embedding = {first_outside, {scatter<float>, scatter<double>}};

MG_KERNEL_NAMESPACE_END
