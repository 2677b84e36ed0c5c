// Thin products: a few links or a few rows. Operands are used where they lie, and no vector is cut
// short: where the last one of a row would stick out, it begins earlier and gives a few outputs a
// second time, to the same bits.

// ---- A few links (k): C is written row by row, B and what finishes it stay in L1 ----------------

static constexpr int64_t most_links = 4;

// A few whole vectors a row are rather one tile.
template <class T>
static bool few_links(const Problem<T>& g) {
  constexpr int64_t width = Vec<T>::width;
  return g.k >= 1 && g.k <= most_links && g.n >= (g.n % width ? width : 4 * width);
}

// B side by side along n, as packed by pack_links.
template <class T>
struct Links {
  const T* b;
  int64_t row;
};

template <class T, int K, int Rows, bool Finished>
static void links_rows(const Problem<T>& g, const Links<T>& links, int64_t i0) {
  constexpr int width = Vec<T>::width;
  Vec<T> a[Rows][K];
#pragma GCC unroll 4
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 4
    for (int p = 0; p < K; ++p) a[i][p] = Vec<T>(g.a[(i0 + i) * g.a_row + p * g.a_col]);
  // Copies, as stores to C might change what lies in memory.
  const int64_t c_row = g.c_row, b_row = links.row, last = g.n - width;
  const T* const b = links.b;
  T* const c = g.c + i0 * c_row;
  const Finish<T> finish = g.finish.at(0, i0 * c_row);
  const Vec<T> least = finish.least();
  const auto vector = [&](int64_t j) __attribute__((always_inline)) {
    Vec<T> row[K], bias;
#pragma GCC unroll 4
    for (int p = 0; p < K; ++p) row[p] = load(b + p * b_row + j);
    if constexpr (Finished) bias = finish.bias_at(j);
#pragma GCC unroll 2
    for (int i = 0; i < Rows; ++i) {
      Vec<T> x = Vec<T>::zero();
#pragma GCC unroll 4
      for (int p = 0; p < K; ++p) x = fma(a[i][p], row[p], x);
      if constexpr (Finished) {
        x = max(least, x + bias);
        if (finish.kept) x = finish.masked(x, load(finish.kept + i * c_row + j));
      }
      store(c + i * c_row + j, x);
    }
  };
  int64_t j = 0;
  for (; j <= last; j += width) vector(j);
  if (j < last + width) vector(last);
}

// Turns B into K rows side by side; dense columns of 2 or 4 go through registers.
template <class T>
static Links<T> pack_links(const Problem<T>& g, T* out) {
  constexpr int width = Vec<T>::width;
  const int64_t row = ceil_div(g.n, 16) * 16;
  int64_t j = 0;
  if (g.b_row == 1 && g.b_col == 2 && g.k == 2) {
    for (; j + width <= g.n; j += width) {
      const Vec<T> x = load(g.b + 2 * j), y = load(g.b + 2 * j + width);
      store(out + j, evens(x, y));
      store(out + row + j, odds(x, y));
    }
  } else if (g.b_row == 1 && g.b_col == 4 && g.k == 4) {
    for (; j + width <= g.n; j += width) {
      Vec<T> x[4];
      for (int q = 0; q < 4; ++q) x[q] = load(g.b + 4 * j + q * width);
      const Vec<T> even0 = evens(x[0], x[1]), even1 = evens(x[2], x[3]);
      const Vec<T> odd0 = odds(x[0], x[1]), odd1 = odds(x[2], x[3]);
      store(out + j, evens(even0, even1));
      store(out + row + j, evens(odd0, odd1));
      store(out + 2 * row + j, odds(even0, even1));
      store(out + 3 * row + j, odds(odd0, odd1));
    }
  }
  for (; j < g.n; ++j)
    for (int64_t p = 0; p < g.k; ++p) out[p * row + j] = g.b[p * g.b_row + j * g.b_col];
  return {out, row};
}

template <class T>
static int64_t links_scratch(const Problem<T>& g) {
  return g.b_col == 1 ? 0 : g.k * ceil_div(g.n, 16) * 16;
}

// `done(rows)` is called when so many rows of C are written.
template <class T, int K, bool Finished, class Done>
static void links_all(const Problem<T>& g, const Links<T>& links, Done done) {
  int64_t i = 0;
  for (; i + 2 <= g.m; i += 2) {
    links_rows<T, K, 2, Finished>(g, links, i);
    done(i + 2);
  }
  if (i == g.m) return;
  links_rows<T, K, 1, Finished>(g, links, i);
  done(g.m);
}

template <class T, int K, class Done>
static void links_finished(const Problem<T>& g, const Links<T>& links, Done done) {
  g.finish ? links_all<T, K, true>(g, links, done) : links_all<T, K, false>(g, links, done);
}

template <class T, class Done>
static void multiply_links(const Problem<T>& g, T* scratch, Done done) {
  const Links<T> links = g.b_col == 1 ? Links<T>{g.b, g.b_row} : pack_links(g, scratch);
  switch (g.k) {
    case 1:
      return links_finished<T, 1>(g, links, done);
    case 2:
      return links_finished<T, 2>(g, links, done);
    case 3:
      return links_finished<T, 3>(g, links, done);
    default:
      return links_finished<T, 4>(g, links, done);
  }
}

// ---- A few rows: strips of columns with all of their chains in registers, down along k ----------

static constexpr int64_t most_rows = 4;

template <class T>
static bool few_rows(const Problem<T>& g) {
  return g.k >= 1 && g.m <= most_rows && g.b_col == 1;
}

// Columns at a time, so that their chains, and with `sums` those of B's columns, fill the
// registers.
static constexpr int strip_vectors(int rows, bool sums) {
  return rows == 1 ? (sums ? 4 : 8) : rows == 2 ? 4 : rows == 3 ? (sums ? 2 : 3) : 2;
}

// Rows of C, or, for `Pairs`, two rows as the columns of C^T.
template <class T, int Rows, int Vectors, bool Pairs, bool Sums>
static void rows_strip(const Problem<T>& g, int64_t j) {
  constexpr int width = Vec<T>::width;
  Vec<T> acc[Rows][Vectors], sums[Vectors];
#pragma GCC unroll 8
  for (int v = 0; v < Vectors; ++v) {
    sums[v] = Vec<T>::zero();
#pragma GCC unroll 4
    for (int i = 0; i < Rows; ++i) acc[i][v] = Vec<T>::zero();
  }
  const T *a = g.a, *b = g.b + j;
  for (int64_t p = 0; p < g.k; ++p, a += g.a_col, b += g.b_row) {
    Vec<T> x[Rows];
#pragma GCC unroll 4
    for (int i = 0; i < Rows; ++i) x[i] = Vec<T>(a[i * g.a_row]);
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) {
      const Vec<T> row = load(b + v * width);
      if constexpr (Sums) sums[v] = sums[v] + row;
#pragma GCC unroll 4
      for (int i = 0; i < Rows; ++i) acc[i][v] = fma(x[i], row, acc[i][v]);
    }
  }
  if constexpr (Sums)
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) store(g.sums + j + v * width, sums[v]);
  if constexpr (Pairs) {
    T* c = g.c + 2 * j;
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v, c += 2 * width) {
      store(c, zip_low(acc[0][v], acc[1][v]));
      store(c + width, zip_high(acc[0][v], acc[1][v]));
    }
  } else {
#pragma GCC unroll 4
    for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 8
      for (int v = 0; v < Vectors; ++v) {
        const int64_t at = i * g.c_row, column = j + v * width;
        store(g.c + at + column, g.finish(acc[i][v], column, at));
      }
  }
}

template <class T, int Rows, bool Pairs, bool Sums>
static void rows_strips(const Problem<T>& g) {
  constexpr int vectors = strip_vectors(Rows, Sums);
  constexpr int64_t width = Vec<T>::width, wide = vectors * width;
  for (int64_t j = 0; j < g.n; j += g.n >= wide ? wide : width) {
    if (g.n >= wide)
      rows_strip<T, Rows, vectors, Pairs, Sums>(g, j + wide <= g.n ? j : g.n - wide);
    else
      rows_strip<T, Rows, 1, Pairs, Sums>(g, j + width <= g.n ? j : g.n - width);
  }
}

// Rows of less than a vector.
template <class T, int Rows>
static void rows_cut(const Problem<T>& g) {
  const int n = static_cast<int>(g.n);
  Vec<T> acc[Rows], sums = Vec<T>::zero();
#pragma GCC unroll 4
  for (int i = 0; i < Rows; ++i) acc[i] = Vec<T>::zero();
  const T *a = g.a, *b = g.b;
  for (int64_t p = 0; p < g.k; ++p, a += g.a_col, b += g.b_row) {
    const Vec<T> row = load_n(b, n);
    sums = sums + row;
#pragma GCC unroll 4
    for (int i = 0; i < Rows; ++i) acc[i] = fma(Vec<T>(a[i * g.a_row]), row, acc[i]);
  }
  if (g.sums) store_n(g.sums, sums, n);
#pragma GCC unroll 4
  for (int i = 0; i < Rows; ++i) store_n(g.c + i * g.c_row, g.finish(acc[i], 0, i * g.c_row, n), n);
}

template <class T, int Rows, bool Pairs = false>
static void rows_all(const Problem<T>& g) {
  if (g.n < Vec<T>::width) return rows_cut<T, Rows>(g);
  g.sums ? rows_strips<T, Rows, Pairs, true>(g) : rows_strips<T, Rows, Pairs, false>(g);
}

template <class T>
static void multiply_rows(const Problem<T>& g) {
  switch (g.m) {
    case 1:
      return rows_all<T, 1>(g);
    case 2:
      return rows_all<T, 2>(g);
    case 3:
      return rows_all<T, 3>(g);
    default:
      return rows_all<T, 4>(g);
  }
}

// C^T (2 x n) with C dense.
template <class T>
static void multiply_pairs(const Problem<T>& g) {
  rows_all<T, 2, true>(g);
}

// ---- A few rows, and B side by side along k: squares of B are turned in registers ---------------

static constexpr int most_narrow = wide_vectors ? 8 : 4;

template <class T>
static bool is_narrow(const Problem<T>& g) {
  return g.m <= most_narrow && g.n >= Vec<T>::width && g.b_row == 1 && g.b_col != 1;
}

// `Groups` vectors of columns at a time: a lone chain would wait for itself.
template <class T, int Rows, int Groups>
static void narrow_strip(const Problem<T>& g, int64_t i0, int64_t j0, int rows) {
  constexpr int width = Vec<T>::width;
  const int64_t count = g.n - j0 < Groups * width ? g.n - j0 : Groups * width;
  // Beyond the last column the last is computed again.
  const T* column[Groups * width];
  for (int q = 0; q < Groups * width; ++q)
    column[q] = g.b + (j0 + (q < count ? q : count - 1)) * g.b_col;
  Vec<T> acc[Groups][Rows];
  for (int v = 0; v < Groups; ++v)
    for (int i = 0; i < Rows; ++i) acc[v][i] = Vec<T>::zero();
  const T* a[Rows];  // likewise
#pragma GCC unroll 4
  for (int i = 0; i < Rows; ++i) a[i] = g.a + (i0 + (i < rows ? i : rows - 1)) * g.a_row;
  const int64_t a_col = g.a_col;
  int64_t p = 0;
  for (; p + width <= g.k; p += width)
#pragma GCC unroll 2
    for (int v = 0; v < Groups; ++v) {
      Vec<T> r[width];
#pragma GCC unroll 16
      for (int q = 0; q < width; ++q) r[q] = load(column[v * width + q] + p);
      transpose(r);
#pragma GCC unroll 16
      for (int q = 0; q < width; ++q)
#pragma GCC unroll 4
        for (int i = 0; i < Rows; ++i)
          acc[v][i] = fma(Vec<T>(a[i][(p + q) * a_col]), r[q], acc[v][i]);
    }
  if (p < g.k) {
    const int some = static_cast<int>(g.k - p);
    for (int v = 0; v < Groups; ++v) {
      Vec<T> r[width];
      for (int q = 0; q < width; ++q) r[q] = load_n(column[v * width + q] + p, some);
      transpose(r);
      for (int q = 0; q < some; ++q)
#pragma GCC unroll 4
        for (int i = 0; i < Rows; ++i)
          acc[v][i] = fma(Vec<T>(a[i][(p + q) * a_col]), r[q], acc[v][i]);
    }
  }
  for (int v = 0; v < Groups && v * width < count; ++v) {
    const int64_t j = j0 + v * width;
    const int some = count - v * width < width ? static_cast<int>(count - v * width) : width;
#pragma GCC unroll 4
    for (int i = 0; i < Rows; ++i) {
      if (i == rows) break;
      const int64_t at = (i0 + i) * g.c_row;
      store_n(g.c + at + j, g.finish(acc[v][i], j, at, some), some);
    }
  }
}

template <class T>
static void multiply_narrow(const Problem<T>& g) {
  constexpr int groups = Vec<T>::width >= 16 ? 1 : 2;
  for (int64_t j = 0; j < g.n; j += groups * Vec<T>::width)
    for (int64_t i = 0; i < g.m; i += 4) {
      const int rows = g.m - i < 4 ? static_cast<int>(g.m - i) : 4;
      if (rows == 1)
        narrow_strip<T, 1, groups>(g, i, j, rows);
      else if (rows == 2)
        narrow_strip<T, 2, groups>(g, i, j, rows);
      else
        narrow_strip<T, 4, groups>(g, i, j, rows);
    }
}
