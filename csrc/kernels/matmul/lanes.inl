// A vector times a matrix: y[j] = sum over p of x[p] * b[p, j], in 16 lanes. Nothing is packed.

static constexpr int lanes = 16;

// In: lane l of width outputs, l-th row of `r`; out: their sums by the tree.
template <class T>
static inline Vec<T> join(Vec<T>* r, int count) {
  for (int half = count / 2; half >= 1; half /= 2)
    for (int l = 0; l < half; ++l) r[l] = r[l] + r[l + half];
  return r[0];
}

// Outputs whose elements of B lie side by side along k: `count` <= width dot products.
template <class T>
static void dot_columns(const T* x, const T* b, int64_t b_col, int64_t k, int count, T* y) {
  constexpr int width = Vec<T>::width, vectors = lanes / width;
  constexpr int together = vectors >= 4 ? 2 : 4;
  const int64_t whole = k / lanes * lanes;
  const int rest = static_cast<int>(k - whole);
  Vec<T> sums[width];
  for (int j = 0; j < width; j += together) {
    // Beyond the last output the last is computed again.
    const T* column[together];
    for (int q = 0; q < together; ++q) column[q] = b + (j + q < count ? j + q : count - 1) * b_col;
    if (j >= count) {
      for (int q = 0; q < together; ++q)
        if (j + q < width) sums[j + q] = Vec<T>::zero();
      continue;
    }
    Vec<T> acc[together][vectors];
#pragma GCC unroll 4
    for (int q = 0; q < together; ++q)
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) acc[q][v] = Vec<T>::zero();
    for (int64_t p = 0; p < whole; p += lanes) {
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) {
        const Vec<T> xv = load(x + p + v * width);
#pragma GCC unroll 4
        for (int q = 0; q < together; ++q)
          acc[q][v] = fma(xv, load(column[q] + p + v * width), acc[q][v]);
      }
    }
    if (rest)
      for (int v = 0; v < vectors; ++v) {
        int some = rest - v * width;
        some = some < 0 ? 0 : some > width ? width : some;
        const Vec<T> xv = load_n(x + whole + v * width, some);
        for (int q = 0; q < together; ++q)
          acc[q][v] = fma(xv, load_n(column[q] + whole + v * width, some), acc[q][v]);
      }
    for (int q = 0; q < together; ++q)
      if (j + q < width) sums[j + q] = join(acc[q], vectors);
  }
  transpose(sums);
  store_n(y, join(sums, width), count);
}

// Outputs whose elements of B lie side by side along n. The lanes of a block of outputs are in L1;
// four rows of one lane are taken together, and their neighbours next, so that B is read in order.
template <class T>
static void dot_rows(const T* x, const T* b, int64_t b_row, int64_t k, int64_t n, T* y) {
  constexpr int width = Vec<T>::width;
  constexpr int block = 1024 / sizeof(T);
  alignas(64) T sums[lanes][block];
  for (int64_t j0 = 0; j0 < n; j0 += block) {
    const int columns = n - j0 < block ? static_cast<int>(n - j0) : block;
    const int whole = columns / width * width, rest = columns - whole;
    int64_t p0 = 0;
    for (; p0 + 4 * lanes <= k; p0 += 4 * lanes)
      for (int l = 0; l < lanes; ++l) {
        const T* r = b + (p0 + l) * b_row + j0;
        const int64_t next = lanes * b_row;
        const T* xs = x + p0 + l;
        const Vec<T> x0(xs[0]), x1(xs[lanes]), x2(xs[2 * lanes]), x3(xs[3 * lanes]);
        for (int j = 0; j < whole; j += width, r += width) {
          Vec<T> acc = p0 == 0 ? Vec<T>::zero() : load(sums[l] + j);
          acc = fma(x0, load(r), acc);
          acc = fma(x1, load(r + next), acc);
          acc = fma(x2, load(r + 2 * next), acc);
          acc = fma(x3, load(r + 3 * next), acc);
          store(sums[l] + j, acc);
        }
        if (rest) {
          Vec<T> acc = p0 == 0 ? Vec<T>::zero() : load(sums[l] + whole);
          acc = fma(x0, load_n(r, rest), acc);
          acc = fma(x1, load_n(r + next, rest), acc);
          acc = fma(x2, load_n(r + 2 * next, rest), acc);
          acc = fma(x3, load_n(r + 3 * next, rest), acc);
          store(sums[l] + whole, acc);
        }
      }
    // The last rows (there were some before: k >= 64) one by one; a lane beyond the last row takes
    // a product of zeros, as when the lanes are side by side.
    for (int64_t p = p0; p < ceil_div(k, lanes) * lanes; ++p) {
      T* sum = sums[p % lanes];
      const Vec<T> xp(p < k ? x[p] : T(0));
      for (int j = 0; j < columns; j += width) {
        const int some = columns - j < width ? columns - j : width;
        const Vec<T> row = p < k ? load_n(b + p * b_row + j0 + j, some) : Vec<T>::zero();
        store(sum + j, fma(xp, row, load(sum + j)));
      }
    }
    for (int j = 0; j < columns; j += width) {
      Vec<T> r[lanes];
      for (int l = 0; l < lanes; ++l) r[l] = load(sums[l] + j);
      store_n(y + j0 + j, join(r, lanes), columns - j < width ? columns - j : width);
    }
  }
}

// Room for x side by side, and for a few columns of B where it has no unit stride.
template <class T>
static int64_t lanes_scratch(int64_t k) {
  return (1 + Vec<T>::width) * ceil_div(k, 16) * 16;
}

template <class T>
static void multiply_lanes(const Problem<T>& g, T* scratch) {
  constexpr int width = Vec<T>::width;
  const int64_t room = ceil_div(g.k, 16) * 16;
  const T* x = g.a;
  if (g.a_col != 1) {
    for (int64_t p = 0; p < g.k; ++p) scratch[p] = g.a[p * g.a_col];
    x = scratch;
  }
  if (g.b_col == 1 && (g.b_row != 1 || g.n > 1)) {
    dot_rows(x, g.b, g.b_row, g.k, g.n, g.c);
  } else {
    for (int64_t j = 0; j < g.n; j += width) {
      const int count = g.n - j < width ? static_cast<int>(g.n - j) : width;
      const T* b = g.b + j * g.b_col;
      int64_t b_col = g.b_col;
      if (g.b_row != 1) {
        T* columns = scratch + room;
        for (int q = 0; q < count; ++q)
          for (int64_t p = 0; p < g.k; ++p) columns[q * room + p] = b[p * g.b_row + q * g.b_col];
        b = columns;
        b_col = room;
      }
      dot_columns(x, b, b_col, g.k, count, g.c + j);
    }
  }
  if (g.finish) finish_rows(g.c, 0, g.c, 0, 1, g.n, g.finish);
}
