// Copies that put what a tile reads side by side. Transposing goes through registers.

// out[c * out_row + r] = in[r * in_row + c] for `rows` <= width rows and `cols` columns. Writes
// whole vectors: out[c * out_row ...] must have room for `width` elements, and what lies beyond
// `rows` becomes zero.
template <class T>
static void transpose_rows(const T* in, int64_t in_row, int rows, int64_t cols, T* out,
                           int64_t out_row) {
  constexpr int width = Vec<T>::width;
  for (int64_t c = 0; c < cols; c += width) {
    const int some = cols - c < width ? static_cast<int>(cols - c) : width;
    Vec<T> r[width];
    for (int i = 0; i < width; ++i)
      r[i] = i >= rows       ? Vec<T>::zero()
             : some == width ? load(in + i * in_row + c)
                             : load_n(in + i * in_row + c, some);
    transpose(r);
    for (int i = 0; i < some; ++i) store(out + (c + i) * out_row, r[i]);
  }
}

// A panel of B: k rows of `columns` (a multiple of the width), zero beyond the first n.
template <class T>
static void pack_b(const T* b, int64_t b_row, int64_t b_col, int64_t k, int n, int columns,
                   T* out) {
  constexpr int width = Vec<T>::width;
  if (b_row == 1) {
    for (int j = 0; j < columns; j += width)
      transpose_rows(b + j * b_col, b_col, n - j < width ? n - j : width, k, out + j, columns);
  } else if (b_col == 1) {
    for (int64_t p = 0; p < k; ++p)
      for (int j = 0; j < columns; j += width)
        store(out + p * columns + j, load_n(b + p * b_row + j, n - j < width ? n - j : width));
  } else {
    for (int64_t p = 0; p < k; ++p)
      for (int j = 0; j < columns; ++j)
        out[p * columns + j] = j < n ? b[p * b_row + j * b_col] : T(0);
  }
}

// A panel of A: k columns of m elements. `out` has room for one vector more.
template <class T>
static void pack_a(const T* a, int64_t a_row, int64_t a_col, int m, int64_t k, T* out) {
  constexpr int width = Vec<T>::width;
  if (a_col == 1 && m <= width) {
    transpose_rows(a, a_row, m, k, out, m);
  } else {
    for (int64_t p = 0; p < k; ++p)
      for (int i = 0; i < m; ++i) out[p * m + i] = a[i * a_row + p * a_col];
  }
}

// Applies the epilogue to rows by columns elements of `in` (columns padded to whole vectors) on
// their way to C.
template <class T>
static void finish_rows(const T* in, int64_t in_row, T* c, int64_t c_row, int64_t rows,
                        int64_t cols, const Finish<T>& finish) {
  constexpr int width = Vec<T>::width;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < cols; j += width) {
      const int some = cols - j < width ? static_cast<int>(cols - j) : width;
      store_n(c + i * c_row + j, finish(load_n(in + i * in_row + j, some), finish.bias + j, some),
              some);
    }
}

// C = finish(D^T), D (n x m).
template <class T>
static void finish_transposed(const T* d, int64_t d_row, T* c, int64_t c_row, int64_t m, int64_t n,
                              const Finish<T>& finish) {
  constexpr int width = Vec<T>::width;
  for (int64_t j = 0; j < n; j += width) {
    const int columns = n - j < width ? static_cast<int>(n - j) : width;
    for (int64_t i = 0; i < m; i += width) {
      const int rows = m - i < width ? static_cast<int>(m - i) : width;
      Vec<T> r[width];
      for (int q = 0; q < width; ++q)
        r[q] = q < columns ? load_n(d + (j + q) * d_row + i, rows) : Vec<T>::zero();
      transpose(r);
      for (int q = 0; q < rows; ++q)
        store_n(c + (i + q) * c_row + j, finish(r[q], finish.bias + j, columns), columns);
    }
  }
}
