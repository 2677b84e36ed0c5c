// What happens to finished outputs: in registers on their way to C, and then in C.

template <class T>
struct Finish {
  const T* bias = nullptr;  // of the first column at hand, or null
  bool relu = false;
  const T* kept = nullptr;  // of the first output at hand, or null; lies as C does
  T scale = 1;

  explicit operator bool() const { return bias || relu || kept; }

  // The same, seen from an output further right and, in `kept`, `down` elements further on.
  Finish at(int64_t column, int64_t down) const {
    return {bias ? bias + column : nullptr, relu, kept ? kept + down + column : nullptr, scale};
  }
  // Without branches max(least(), x + bias_at(j)) is x with the bias added and above relu; what is
  // not wanted changes no bit.
  MG_METHOD Vec<T> bias_at(int64_t j) const { return bias ? load(bias + j) : Vec<T>(T(-0.0)); }
  MG_METHOD Vec<T> least() const { return Vec<T>(relu ? T(0) : -static_cast<T>(__builtin_inf())); }
  MG_METHOD Vec<T> masked(Vec<T> x, Vec<T> y) const {
    return select(y <= Vec<T>::zero(), Vec<T>::zero(), x * Vec<T>(scale));
  }
  // A whole vector of outputs from column j on, `down` elements into `kept`.
  MG_METHOD Vec<T> operator()(Vec<T> x, int64_t j, int64_t down) const {
    if (bias) x = x + load(bias + j);
    if (relu) x = max(Vec<T>::zero(), x);
    return kept ? masked(x, load(kept + down + j)) : x;
  }
  // The first n of them.
  Vec<T> operator()(Vec<T> x, int64_t j, int64_t down, int n) const {
    if (bias) x = x + load_n(bias + j, n);
    if (relu) x = max(Vec<T>::zero(), x);
    return kept ? masked(x, load_n(kept + down + j, n)) : x;
  }
};

template <class T>
static Finish<T> finish_of(const Epilogue& e) {
  return {static_cast<const T*>(e.bias), e.activation == Activation::relu,
          static_cast<const T*>(e.kept), static_cast<T>(e.scale)};
}

// Hands over the rows of C that are finished, while they are still in cache; where rows touch, in
// whole groups of random numbers.
template <class T>
class HandOver {
 public:
  explicit HandOver(const Gemm& g) : g_(g), dense_(g.c_row == g.n) {}

  // Rows up to here are finished.
  void reach(int64_t rows) {
    if (!g_.then.take || g_.n == 0) return;
    if (!dense_) {
      for (; done_ < rows; ++done_) give(done_ * g_.c_row, g_.n);
      return;
    }
    const int64_t all = rows * g_.n, first = g_.first;
    const int64_t end = rows == g_.m ? all : (first + all) / dropout_grain * dropout_grain - first;
    if (end <= done_) return;
    give(done_, end - done_);
    done_ = end;
  }

 private:
  void give(int64_t at, int64_t count) const {
    g_.then.take(g_.then.context, static_cast<T*>(g_.c) + at, g_.first + at, count);
  }

  const Gemm& g_;
  bool dense_;
  int64_t done_ = 0;  // elements, or rows
};

// Finishes rows by columns elements of `in` (columns padded to whole vectors) on their way to C.
template <class T>
static void finish_rows(const T* in, int64_t in_row, T* c, int64_t c_row, int64_t rows,
                        int64_t cols, const Finish<T>& finish) {
  constexpr int width = Vec<T>::width;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < cols; j += width) {
      const int some = cols - j < width ? static_cast<int>(cols - j) : width;
      store_n(c + i * c_row + j, finish(load_n(in + i * in_row + j, some), j, i * c_row, some),
              some);
    }
}

// A lone column, which lies side by side in C: one bias for all.
template <class T>
static void finish_column(T* c, int64_t m, const Finish<T>& finish) {
  constexpr int width = Vec<T>::width;
  const Finish<T> rest = {nullptr, finish.relu, finish.kept, finish.scale};
  for (int64_t i = 0; i < m; i += width) {
    const int some = m - i < width ? static_cast<int>(m - i) : width;
    Vec<T> x = load_n(c + i, some);
    if (finish.bias) x = x + Vec<T>(*finish.bias);
    store_n(c + i, rest(x, i, 0, some), some);
  }
}

// C = finish(D^T), D (n x m). Where the rows of C touch, a narrow row is stored as a whole vector,
// which the next rows overwrite, but for the last ones.
template <class T>
static void finish_transposed(const T* d, int64_t d_row, T* c, int64_t c_row, int64_t m, int64_t n,
                              const Finish<T>& finish) {
  constexpr int width = Vec<T>::width;
  const int64_t roomy = n < width && c_row == n ? m - ceil_div(width, n) : 0;
  for (int64_t j = 0; j < n; j += width) {
    const int columns = n - j < width ? static_cast<int>(n - j) : width;
    for (int64_t i = 0; i < m; i += width) {
      const int rows = m - i < width ? static_cast<int>(m - i) : width;
      Vec<T> r[width];
      for (int q = 0; q < width; ++q)
        r[q] = q < columns ? load_n(d + (j + q) * d_row + i, rows) : Vec<T>::zero();
      transpose(r);
      for (int q = 0; q < rows; ++q) {
        const int64_t at = (i + q) * c_row;
        const Vec<T> x = finish(r[q], j, at, columns);
        if (i + q < roomy)
          store(c + at + j, x);
        else
          store_n(c + at + j, x, columns);
      }
    }
  }
}
