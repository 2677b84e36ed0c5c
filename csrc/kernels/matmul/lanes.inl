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

// Adds up rows of B from row p on, as many lots of Rows * lanes as there are before row k, and
// returns the next row. Rows of one lane are taken together, their neighbours next, so that B is
// read in order.
template <class T, int Rows>
static int64_t add_lots(const T* x, const T* b, int64_t b_row, int64_t p, int64_t k, int columns,
                        T* sums, int64_t sums_row) {
  constexpr int width = Vec<T>::width;
  const int whole = columns / width * width, rest = columns - whole;
  for (; p + Rows * lanes <= k; p += Rows * lanes) {
    const bool first = p == 0;
    RowStarts<T, Rows> of_lane(b + p * b_row, lanes * b_row);
    for (int l = 0; l < lanes; ++l, of_lane.move(b_row * static_cast<int64_t>(sizeof(T)))) {
      T* sum = sums + l * sums_row;
      RowStarts<T, Rows> row = of_lane;
      Vec<T> xs[Rows];
#pragma GCC unroll 8
      for (int q = 0; q < Rows; ++q) xs[q] = Vec<T>(x[p + l + q * lanes]);
      for (int j = 0; j < whole; j += width) {
        Vec<T> acc = first ? Vec<T>::zero() : load(sum + j);
#pragma GCC unroll 8
        for (int q = 0; q < Rows; ++q) acc = fma(xs[q], load(row[q]), acc);
        store(sum + j, acc);
        row.move(width * static_cast<int64_t>(sizeof(T)));
      }
      if (rest) {
        Vec<T> acc = first ? Vec<T>::zero() : load(sum + whole);
#pragma GCC unroll 8
        for (int q = 0; q < Rows; ++q) acc = fma(xs[q], load_n(row[q], rest), acc);
        store(sum + whole, acc);
      }
    }
  }
  return p;
}

// The same of all rows, for Vectors whole vectors of columns: lane after lane, as registers hold
// the sums of one.
template <class T, int Vectors>
static void add_lanes(const T* x, const T* b, int64_t b_row, int64_t k, T* sums, int64_t sums_row) {
  constexpr int width = Vec<T>::width;
  for (int l = 0; l < lanes; ++l) {
    Vec<T> acc[Vectors];
#pragma GCC unroll 16
    for (int v = 0; v < Vectors; ++v) acc[v] = Vec<T>::zero();
    const T* row = b + l * b_row;
    for (int64_t p = l; p < k; p += lanes, row += lanes * b_row) {
      const Vec<T> xs(x[p]);
#pragma GCC unroll 16
      for (int v = 0; v < Vectors; ++v) acc[v] = fma(xs, load(row + v * width), acc[v]);
    }
#pragma GCC unroll 16
    for (int v = 0; v < Vectors; ++v) store(sums + l * sums_row + v * width, acc[v]);
  }
}

// Vectors of sums that registers hold beside what is added to them.
static constexpr int most_sums = vector_registers / 2;

// How the rows of B are gone through: so many elements of each at a time, with the sums of all
// lanes in memory, or of one lane in registers, in `vectors` vectors.
struct Stretch {
  int64_t elements;
  int vectors;
};

// Where B comes from L2, few, so that sums in memory stay in L1, if they are used often and no line
// of B is then read twice; long stretches where B comes from further away. Lane after lane jumps
// over rows, which only L2 stands, and only from one long run to the next.
template <class T>
static Stretch stretch(int64_t k, int64_t n, int64_t b_row) {
  constexpr int64_t near_b = 896 << 10, size = sizeof(T), width = Vec<T>::width;
  if (k * n * size > near_b) return {4096 / size, 0};
  if (k < 256 || b_row * size % 64 != 0) return {1024 / size, 0};
  if (wide_vectors)
    for (int vectors = most_sums; vectors >= most_sums / 2; vectors /= 2)
      if (n % (vectors * width) == 0) return {vectors * width, vectors};
  return {256 / size, 0};
}

// Outputs whose elements of B lie side by side along n.
template <class T>
static void dot_rows(const T* x, const T* b, int64_t b_row, int64_t k, int64_t n, T* y, T* sums) {
  constexpr int width = Vec<T>::width, most = vector_registers >= 32 ? 8 : 4;
  const Stretch by = stretch<T>(k, n, b_row);
  const int64_t block = by.elements;
  const auto last = static_cast<int>((k - 1) % lanes);  // lane of the last row
  for (int64_t j0 = 0; j0 < n; j0 += block, b += block) {
    const int columns = static_cast<int>(n - j0 < block ? n - j0 : block);
    int64_t p = by.vectors ? k : 0;
    if (by.vectors == most_sums)
      add_lanes<T, most_sums>(x, b, b_row, k, sums, block);
    else if (by.vectors)
      add_lanes<T, most_sums / 2>(x, b, b_row, k, sums, block);
    if (block * static_cast<int64_t>(sizeof(T)) > 1024)
      p = add_lots<T, most>(x, b, b_row, p, k, columns, sums, block);
    p = add_lots<T, 4>(x, b, b_row, p, k, columns, sums, block);
    p = add_lots<T, 2>(x, b, b_row, p, k, columns, sums, block);
    p = add_lots<T, 1>(x, b, b_row, p, k, columns, sums, block);
    // The last rows: there were some before, as k >= 64.
    for (; p < k; ++p)
      for (int j = 0; j < columns; j += width) {
        const int some = columns - j < width ? columns - j : width;
        T* sum = sums + p % lanes * block + j;
        store(sum, fma(Vec<T>(x[p]), load_n(b + p * b_row + j, some), load(sum)));
      }
    for (int j = 0; j < columns; j += width) {
      // A lane beyond the last row takes a product of zeros, as when the lanes are side by side.
      Vec<T> r[lanes];
#pragma GCC unroll 16
      for (int l = 0; l < lanes; ++l) {
        r[l] = load(sums + l * block + j);
        if (l > last) r[l] = r[l] + Vec<T>::zero();
      }
      store_n(y + j0 + j, join(r, lanes), columns - j < width ? columns - j : width);
    }
  }
}

// Room for x side by side, and for sums, or for a few columns of B where it has no unit stride.
template <class T>
static int64_t lanes_scratch(const Problem<T>& g) {
  const int64_t x = ceil_div(g.k, 16) * 16;
  return x + (g.b_col == 1   ? lanes * stretch<T>(g.k, g.n, g.b_row).elements
              : g.b_row == 1 ? 0
                             : Vec<T>::width * x);
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
    dot_rows(x, g.b, g.b_row, g.k, g.n, g.c, scratch + room);
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
