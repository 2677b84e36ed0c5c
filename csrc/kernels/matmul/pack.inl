// Copies that put what a tile reads side by side. Transposing goes through registers.

// out[c * out_row + r] = in[r * in_row + c] for `rows` <= width rows and `cols` columns. Writes
// whole vectors: out[c * out_row ...] must have room for `width` elements, and what lies beyond
// `rows` is a number that nobody needs.
template <class T>
static void transpose_rows(const T* in, int64_t in_row, int rows, int64_t cols, T* out,
                           int64_t out_row) {
  constexpr int width = Vec<T>::width;
  const T* at[width];
  for (int i = 0; i < width; ++i) at[i] = in + (i < rows ? i : rows - 1) * in_row;
  Vec<T> r[width];
  int64_t c = 0;
  for (; c + width <= cols; c += width) {
#pragma GCC unroll 16
    for (int i = 0; i < width; ++i) r[i] = load(at[i] + c);
    transpose(r);
#pragma GCC unroll 16
    for (int i = 0; i < width; ++i) store(out + (c + i) * out_row, r[i]);
  }
  if (c == cols) return;
  const int some = static_cast<int>(cols - c);
  for (int i = 0; i < width; ++i) r[i] = load_n(at[i] + c, some);
  transpose(r);
  for (int i = 0; i < some; ++i) store(out + (c + i) * out_row, r[i]);
}

// A panel of B: k rows of `columns` (a multiple of the width), of which the first n matter.
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

// Several panels of B at once, `panel` elements apart in `out`, from rows that lie side by side:
// long stretches of each row, where panel after panel would fetch the same lines again and again.
template <class T>
static void pack_b_wide(const T* b, int64_t b_row, int64_t k, int64_t n, int columns, T* out,
                        int64_t panel) {
  constexpr int width = Vec<T>::width, line = 64 / sizeof(T);
  for (int64_t p = 0; p < k; ++p) {
    const T* row = b + p * b_row;
    for (int64_t j = 0; j < n; j += line) prefetch(row + 8 * b_row + j);
    for (int64_t j0 = 0; j0 < n; j0 += columns) {
      const int64_t some = n - j0 < columns ? n - j0 : columns;
      const int64_t padded = (some + width - 1) / width * width;
      T* to = out + j0 / columns * panel + p * padded;
      for (int64_t j = 0; j < some; j += width)
        store(to + j, some - j < width ? load_n(row + j0 + j, static_cast<int>(some - j))
                                       : load(row + j0 + j));
    }
  }
}

// A panel of A: k columns of m elements. `out` has room for one vector more.
template <class T>
static void pack_a(const T* a, int64_t a_row, int64_t a_col, int m, int64_t k, T* out) {
  constexpr int width = Vec<T>::width;
  if (a_col == 1 && m <= width) {
    transpose_rows(a, a_row, m, k, out, m);
  } else if (a_row == 1) {
    // What a whole vector writes too much, the next column or panel writes again.
    for (int64_t p = 0; p < k; ++p)
      for (int i = 0; i < m; i += width)
        store(out + p * m + i, load_n(a + p * a_col + i, m - i < width ? m - i : width));
  } else {
    for (int64_t p = 0; p < k; ++p)
      for (int i = 0; i < m; ++i) out[p * m + i] = a[i * a_row + p * a_col];
  }
}
