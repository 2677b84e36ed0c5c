#include "kernels/reduce.h"

#include "kernels/arg.h"
#include "kernels/fold_across.h"
#include "kernels/short_rows.h"

MG_KERNEL_NAMESPACE_BEGIN

template <class M, class T>
static void fold_rows(const void* x, int64_t stride, int64_t rows, int64_t n, void* out) {
  if (0 < n && n <= short_fold)
    return fold_short<M>(static_cast<const T*>(x), stride, rows, n, static_cast<T*>(out));
  const Vec<T> identity(M::template identity<T>());
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = static_cast<const T*>(x) + r * stride;
    static_cast<T*>(out)[r] = fold<M, T>(n, [&](auto at, int64_t i, Vec<T> acc) MG_STEP {
      return M::template join<T>(acc, at.keep(at.load(row + i), identity));
    });
  }
}

template <class M, class T>
static void join_columns(const void* x, int64_t stride, int64_t n, int64_t columns, void* out) {
  const T* data = static_cast<const T*>(x);
  fold_columns<M, T>(n, columns, static_cast<T*>(out),
                     [&](auto at, int64_t i, int64_t j, Vec<T> acc) MG_STEP {
                       return M::template join<T>(acc, at.load(data + i * stride + j));
                     });
}

template <class T>
static void squares_rows(const void* x, int64_t stride, int64_t rows, int64_t n, const void* center,
                         void* out) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = static_cast<const T*>(x) + r * stride;
    const Vec<T> c(static_cast<const T*>(center)[r]);
    static_cast<T*>(out)[r] = fold<Added, T>(n, [&](auto at, int64_t i, Vec<T> acc) MG_STEP {
      const Vec<T> d = at.keep(at.load(row + i) - c, Vec<T>::zero());
      return fma(d, d, acc);
    });
  }
}

template <class T>
static void squares_columns(const void* x, int64_t stride, int64_t n, int64_t columns,
                            const void* center, void* out) {
  const T* data = static_cast<const T*>(x);
  const T* c = static_cast<const T*>(center);
  fold_columns<Added, T>(n, columns, static_cast<T*>(out),
                         [&](auto at, int64_t i, int64_t j, Vec<T> acc)
                             __attribute__((always_inline)) {
                               const Vec<T> d = at.load(data + i * stride + j) - at.load(c + j);
                               return fma(d, d, acc);
                             });
}

// Integers are exact in any order; they wrap around, so they are added unsigned.
struct Count {
  using Out = uint64_t;
  MG_INLINE uint64_t join(uint64_t a, uint64_t b) { return a + b; }
};
template <class T>
struct Largest {
  using Out = T;
  MG_INLINE T join(T a, T b) { return b > a ? b : a; }
};
template <class T>
struct Smallest {
  using Out = T;
  MG_INLINE T join(T a, T b) { return b < a ? b : a; }
};

template <class M, class T>
static void whole_rows(const void* x, int64_t stride, int64_t rows, int64_t n, void* out) {
  using Out = typename M::Out;
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = static_cast<const T*>(x) + r * stride;
    Out acc = n > 0 ? static_cast<Out>(row[0]) : Out(0);
    for (int64_t i = 1; i < n; ++i) acc = M::join(acc, static_cast<Out>(row[i]));
    static_cast<Out*>(out)[r] = acc;
  }
}

template <class M, class T>
static void whole_columns(const void* x, int64_t stride, int64_t n, int64_t columns, void* out) {
  using Out = typename M::Out;
  const T* data = static_cast<const T*>(x);
  Out* acc = static_cast<Out*>(out);
  for (int64_t j = 0; j < columns; ++j) acc[j] = n > 0 ? static_cast<Out>(data[j]) : Out(0);
  for (int64_t i = 1; i < n; ++i) {
    const T* row = data + i * stride;
    for (int64_t j = 0; j < columns; ++j) acc[j] = M::join(acc[j], static_cast<Out>(row[j]));
  }
}

extern const Reduce reduce;
constinit const Reduce reduce = {
    .sum_rows = {fold_rows<Added, float>, fold_rows<Added, double>, whole_rows<Count, int64_t>,
                 whole_rows<Count, uint8_t>},
    .max_rows = {fold_rows<Highest, float>, fold_rows<Highest, double>,
                 whole_rows<Largest<int64_t>, int64_t>, whole_rows<Largest<uint8_t>, uint8_t>},
    .min_rows = {fold_rows<Lowest, float>, fold_rows<Lowest, double>,
                 whole_rows<Smallest<int64_t>, int64_t>, whole_rows<Smallest<uint8_t>, uint8_t>},
    .argmax_rows = {arg_rows<Above, float>, arg_rows<Above, double>, arg_whole_rows<Above, int64_t>,
                    arg_whole_rows<Above, uint8_t>},
    .argmin_rows = {arg_rows<Below, float>, arg_rows<Below, double>, arg_whole_rows<Below, int64_t>,
                    arg_whole_rows<Below, uint8_t>},
    .sum_columns = {join_columns<Added, float>, join_columns<Added, double>,
                    whole_columns<Count, int64_t>, whole_columns<Count, uint8_t>},
    .max_columns = {join_columns<Highest, float>, join_columns<Highest, double>,
                    whole_columns<Largest<int64_t>, int64_t>,
                    whole_columns<Largest<uint8_t>, uint8_t>},
    .min_columns = {join_columns<Lowest, float>, join_columns<Lowest, double>,
                    whole_columns<Smallest<int64_t>, int64_t>,
                    whole_columns<Smallest<uint8_t>, uint8_t>},
    .argmax_columns = {arg_columns<Above, float>, arg_columns<Above, double>,
                       arg_whole_columns<Above, int64_t>, arg_whole_columns<Above, uint8_t>},
    .argmin_columns = {arg_columns<Below, float>, arg_columns<Below, double>,
                       arg_whole_columns<Below, int64_t>, arg_whole_columns<Below, uint8_t>},
    .sum_rows_across = {fold_rows_across<Added, float>, fold_rows_across<Added, double>},
    .max_rows_across = {fold_rows_across<Highest, float>, fold_rows_across<Highest, double>},
    .sum_columns_along = {fold_columns_along<Added, float>, fold_columns_along<Added, double>},
    .max_columns_along = {fold_columns_along<Highest, float>, fold_columns_along<Highest, double>},
    .squares_rows = {squares_rows<float>, squares_rows<double>},
    .squares_columns = {squares_columns<float>, squares_columns<double>},
    .row_chunk = fold_chunk,
    .column_chunk = column_chunk,
};

MG_KERNEL_NAMESPACE_END
