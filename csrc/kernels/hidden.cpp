#include "kernels/hidden.h"

#include "kernels/fold.h"

MG_KERNEL_NAMESPACE_BEGIN
namespace {

// Of a product that ends in one output (kernels/matmul.h).
constexpr int lanes = 16;

// ---- forwards: some rows at a time, along the units in lanes ------------------------------------

// Units [j, j + n) of a few rows, n <= width, as the next links of the chains in `sums`.
template <class T, int K, int Rows, class At>
MG_INLINE void hidden_strip(const HiddenForward& f, const T* x, T* stored, At at, int64_t j, int v,
                            Vec<T> (*sums)[lanes / Vec<T>::width]) {
  const Vec<T> zero = Vec<T>::zero();
  const T* weight1 = static_cast<const T*>(f.weight1) + j;
  Vec<T> weight[K];
  MG_UNROLL for (int p = 0; p < K; ++p) weight[p] = at.load(weight1 + p * f.weight1_row);
  const Vec<T> bias = at.load(static_cast<const T*>(f.bias1) + j);
  const Vec<T> out = at.load(static_cast<const T*>(f.weight2) + j);
  MG_UNROLL for (int i = 0; i < Rows; ++i) {
    Vec<T> h = zero;
    MG_UNROLL for (int p = 0; p < K; ++p) h = fma(Vec<T>(x[i * K + p]), weight[p], h);
    h = at.keep(max(zero, h + bias), zero);
    if (stored) at.store(stored + i * f.units + j, h);
    sums[i][v] = fma(out, h, sums[i][v]);
  }
}

template <class T, int K, int Rows, bool Stored>
MG_ONCE void forward_rows(const HiddenForward& f, int64_t first) {
  constexpr int width = Vec<T>::width, vectors = lanes / width;
  const T* x = static_cast<const T*>(f.x) + first * K;
  T* const stored = Stored ? static_cast<T*>(f.hidden) + first * f.units : nullptr;
  Vec<T> sums[Rows][vectors];
  MG_UNROLL for (int i = 0; i < Rows; ++i) {
    MG_UNROLL for (int v = 0; v < vectors; ++v) sums[i][v] = Vec<T>::zero();
  }
  int64_t j = 0;
  for (; j + lanes <= f.units; j += lanes) {
    MG_UNROLL for (int v = 0; v < vectors; ++v)
        hidden_strip<T, K, Rows>(f, x, stored, Full<T>{}, j + v * width, v, sums);
  }
  if (j < f.units)
    for (int v = 0; v < vectors; ++v, j += width) {
      const int64_t left = f.units - j;
      const Tail<T> at{static_cast<int>(left < 0 ? 0 : left < width ? left : width)};
      hidden_strip<T, K, Rows>(f, x, stored, at, left < 0 ? f.units : j, v, sums);
    }
  T* y = static_cast<T*>(f.y) + first;
  const T bias = *static_cast<const T*>(f.bias2);
  MG_UNROLL for (int i = 0; i < Rows; ++i) {
    for (int half = vectors / 2; half > 0; half /= 2)
      for (int v = 0; v < half; ++v) sums[i][v] = sums[i][v] + sums[i][v + half];
    y[i] = join_lanes<Added, width / 2>(sums[i][0]) + bias;
  }
}

template <class T, int K, bool Stored>
void forward_all(const HiddenForward& f) {
  constexpr int rows = vector_registers >= 32 ? 6 : 3;
  int64_t i = 0;
  for (; i + rows <= f.rows; i += rows) forward_rows<T, K, rows, Stored>(f, i);
  for (; i + 2 <= f.rows; i += 2) forward_rows<T, K, 2, Stored>(f, i);
  if (i < f.rows) forward_rows<T, K, 1, Stored>(f, i);
}

template <class T, int K>
void forward_of(const HiddenForward& f) {
  f.hidden ? forward_all<T, K, true>(f) : forward_all<T, K, false>(f);
}

template <class T>
void forward(const HiddenForward& f) {
  switch (f.features) {
    case 1:
      return forward_of<T, 1>(f);
    case 2:
      return forward_of<T, 2>(f);
    case 3:
      return forward_of<T, 3>(f);
    default:
      return forward_of<T, 4>(f);
  }
}

template <class T>
void turn(const void* weight, int64_t units, int64_t features, void* to, int64_t to_row) {
  constexpr int width = Vec<T>::width;
  const T* from = static_cast<const T*>(weight);
  T* out = static_cast<T*>(to);
  int64_t j = 0;
  if (features == 2)
    for (; j + width <= units; j += width) {
      const Vec<T> a = load(from + 2 * j), b = load(from + 2 * j + width);
      store(out + j, evens(a, b));
      store(out + to_row + j, odds(a, b));
    }
  for (; j < units; ++j)
    for (int64_t p = 0; p < features; ++p) out[p * to_row + j] = from[j * features + p];
}

// ---- backwards: some units at a time, along the rows --------------------------------------------

// The chains of a product with one row have lanes from so many links on (kernels/matmul.h).
constexpr int64_t laned_rows = 64;

// What a product over the rows gives, as one chain or in lanes.
template <class T, bool Laned>
class Links {
 public:
  MG_METHOD Links() {
    for (Vec<T>& c : chain_) c = Vec<T>::zero();
  }
  MG_METHOD void add(int64_t row, Vec<T> a, Vec<T> b) {
    Vec<T>& c = chain_[Laned ? row % lanes : 0];
    c = fma(a, b, c);
  }
  MG_METHOD Vec<T> total(int64_t rows) {
    if constexpr (Laned) {
      // A lane beyond the last row takes a product of zeros.
      for (int64_t i = rows; i % lanes != 0; ++i) add(i, Vec<T>::zero(), Vec<T>::zero());
      for (int half = lanes / 2; half > 0; half /= 2)
        for (int l = 0; l < half; ++l) chain_[l] = chain_[l] + chain_[l + half];
    }
    return chain_[0];
  }

 private:
  Vec<T> chain_[Laned ? lanes : 1];
};

template <class T, int K, bool Scaled, bool Laned>
MG_ONCE void backward_strip(const HiddenBackward& b, int64_t j) {
  constexpr int width = Vec<T>::width;
  const Vec<T> zero = Vec<T>::zero(), scale(static_cast<T>(b.scale));
  const Vec<T> weight2 = load(static_cast<const T*>(b.weight2) + j);
  const T *g = static_cast<const T*>(b.g), *x = static_cast<const T*>(b.x);
  const T* hidden = static_cast<const T*>(b.hidden) + j;
  Links<T, Laned> of_weight2;
  Links<T, Laned && K == 1> of_weight1[K];
  Vec<T> of_bias1 = zero;
  for (int64_t chunk = 0; chunk < b.rows; chunk += column_chunk) {
    const int64_t end = b.rows - chunk < column_chunk ? b.rows : chunk + column_chunk;
    Vec<T> sum = zero;
    for (int64_t i = chunk; i < end; ++i, x += K, hidden += b.hidden_row) {
      const Vec<T> gi(g[i]), h = load(hidden);
      of_weight2.add(i, gi, h);
      Vec<T> back = fma(gi, weight2, zero);
      if constexpr (Scaled) back = back * scale;
      back = select(h <= zero, zero, back);
      MG_UNROLL for (int p = 0; p < K; ++p) of_weight1[p].add(i, Vec<T>(x[p]), back);
      sum = sum + back;
    }
    of_bias1 = chunk == 0 ? sum : of_bias1 + sum;
  }
  store(static_cast<T*>(b.bias1_grad) + j, of_bias1);
  store(static_cast<T*>(b.weight2_grad) + j, of_weight2.total(b.rows));
  T* weight1_grad = static_cast<T*>(b.weight1_grad) + j * K;
  if constexpr (K == 1) {
    store(weight1_grad, of_weight1[0].total(b.rows));
  } else if constexpr (K == 2) {
    const Vec<T> first = of_weight1[0].total(b.rows), second = of_weight1[1].total(b.rows);
    store(weight1_grad, zip_low(first, second));
    store(weight1_grad + width, zip_high(first, second));
  } else {
    T turned[K][width];
    for (int p = 0; p < K; ++p) store(turned[p], of_weight1[p].total(b.rows));
    for (int l = 0; l < width; ++l)
      for (int p = 0; p < K; ++p) weight1_grad[l * K + p] = turned[p][l];
  }
}

template <class T, int K, bool Scaled, bool Laned>
void backward_strips(const HiddenBackward& b) {
  constexpr int width = Vec<T>::width;
  // Where the last vector would stick out it begins earlier, and gives some units a second time.
  for (int64_t j = 0; j < b.units; j += width)
    backward_strip<T, K, Scaled, Laned>(b, j + width <= b.units ? j : b.units - width);
}

template <class T, int K>
void backward_all(const HiddenBackward& b) {
  const bool laned = b.rows >= laned_rows;
  if (b.scale == 1)
    laned ? backward_strips<T, K, false, true>(b) : backward_strips<T, K, false, false>(b);
  else
    laned ? backward_strips<T, K, true, true>(b) : backward_strips<T, K, true, false>(b);
}

template <class T>
void backward(const HiddenBackward& b) {
  switch (b.features) {
    case 1:
      return backward_all<T, 1>(b);
    case 2:
      return backward_all<T, 2>(b);
    case 3:
      return backward_all<T, 3>(b);
    default:
      return backward_all<T, 4>(b);
  }
}

}  // namespace

extern const Hidden hidden;
constinit const Hidden hidden = {
    {forward<float>, forward<double>},
    {backward<float>, backward<double>},
    {turn<float>, turn<double>},
};

MG_KERNEL_NAMESPACE_END
