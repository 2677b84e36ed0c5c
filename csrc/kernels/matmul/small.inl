// Small products: B and a tile's rows of A stay in L1, nothing needs a plan or memory of its own.

// The most bytes of B, its rows padded to whole vectors: half of L1.
static constexpr int64_t small_b = 16 << 10;

template <class T>
static bool is_small(const Problem<T>& g) {
  const int64_t row = ceil_div(g.n, Vec<T>::width) * Vec<T>::width;
  return row * g.k <= small_b / static_cast<int64_t>(sizeof(T)) && (g.a_row == 1 || g.a_col == 1);
}

// `done(rows)` is called when so many rows of C are written.
template <class T, class Done>
static void multiply_small(const Problem<T>& g, Done done) {
  using S = Shape<T>;
  constexpr int64_t width = Vec<T>::width, size = sizeof(T);
  alignas(64) T packed[small_b / size];
  // Panels from here on are packed: all of them, or the last if it ends within a vector.
  int64_t copied =
      g.b_col == 1 ? g.n / width * width == g.n ? g.n : g.n / S::columns * S::columns : 0;
  for (int64_t j = copied; j < g.n; j += S::columns) {
    const int64_t n = g.n - j < S::columns ? g.n - j : S::columns;
    pack_b(g.b + j * g.b_col, g.b_row, g.b_col, g.k, static_cast<int>(n),
           static_cast<int>(ceil_div(n, width) * width), packed + (j - copied) * g.k);
  }
  Finish<T> finish;
  Tile<T> t;
  t.k = g.k;
  t.a_step = g.a_col == 1 ? g.a_row : g.a_col;
  t.copy = nullptr;
  t.c_row = g.c_row;
  t.first = true;
  t.finish = g.finish ? &finish : nullptr;
  const bool clash = g.a_col == 1 && g.k > 16 && g.a_row * size % 2048 == 0;
  constexpr int64_t few = S::rows < clashing_rows ? S::rows : clashing_rows;
  const int64_t tiles = clash ? ceil_div(g.m, few) : ceil_div(g.m, S::rows);
  const int64_t height = tiles == 1 ? g.m : g.m / tiles, higher = g.m - height * tiles;
  // What the next tiles need, if that outgrows L2: a stretch of A, step by step.
  const bool far = (g.m * g.k + g.m * g.n) * size > 256 << 10;
  const int64_t panels = ceil_div(g.n, S::columns);
  t.ahead_step = far && g.a_col == 1 ? ceil_div(height * g.a_row, panels * g.k) : 0;
  const auto& fns = all_tiles<T>.at[g.a_col != 1][0];
  for (int64_t i = 0, row = 0; i < tiles; ++i) {
    const int64_t rows = height + (i < higher);
    t.a = g.a + row * g.a_row;
    t.ahead = t.a + rows * g.a_row;
    for (int64_t j = 0; j < g.n; j += S::columns) {
      const int columns = static_cast<int>(g.n - j < S::columns ? g.n - j : S::columns);
      const int vectors = (columns + static_cast<int>(width) - 1) / static_cast<int>(width);
      t.last = columns - (vectors - 1) * static_cast<int>(width);
      t.b = j < copied ? g.b + j : packed + (j - copied) * g.k;
      t.b_row = j < copied ? g.b_row : vectors * width;
      t.c = g.c + row * g.c_row + j;
      t.next_c = far && !wide_vectors ? t.c + rows * g.c_row : nullptr;
      if (t.finish) finish = g.finish.at(j, row * g.c_row);
      fns[rows - 1][vectors - 1](t);
      t.ahead += t.ahead_step * g.k;
    }
    row += rows;
    done(row);
  }
}
