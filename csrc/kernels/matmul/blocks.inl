// One chain an output: the loops over blocks around the tile, in the manner of Goto and BLIS.

template <class T>
struct Problem {
  int64_t m, n, k;
  const T* a;
  int64_t a_row, a_col;
  const T* b;
  int64_t b_row, b_col;
  T* c;
  int64_t c_row;
  Finish<T> finish;
  bool hands_over = false;  // rows of C as they are finished
  T* sums = nullptr;        // of the columns of B, for few rows; or null
  bool (*unwanted)(void* context) = nullptr;
  void* context = nullptr;
};

using BForm = GemmPlan::BForm;
using Blocks = GemmPlan::Blocks;

// Panels that BForm::wide packs at a time.
static constexpr int64_t panels_together = 4;

// Cuts n into equal blocks of at most `most`, a multiple of `unit`.
static int64_t even_block(int64_t n, int64_t most, int64_t unit) {
  if (n <= most) return n;
  return ceil_div(ceil_div(n, ceil_div(n, most)), unit) * unit;
}

// The most bytes of a block of k, of a packed block of A in L2 and of one of B in L3. C is read and
// written once a block of k, and its rows often lie at a power of two from each other, where they
// clash. Wide vectors make more of each load, so that panels of B that outgrow L1 cost them less
// than C does.
static constexpr int64_t most_k = wide_vectors ? 8192 : 1536;
static constexpr int64_t most_a = wide_vectors ? 640 << 10 : 256 << 10, most_b = 8 << 20;

// The most bytes of C between two times that rows of it are handed over, if it outgrows L2.
static constexpr int64_t near_rows = 384 << 10;

// Rows of A whose elements lie on the same few lines of L1 (of 8 ways) and yet stay there.
static constexpr int64_t clashing_rows = 7;

// Few panels of B all stay in L1 or L2, and C is better written row after row.
template <class T>
static Blocks choose_blocks(const Problem<T>& g) {
  const int64_t m = g.m, n = g.n, k = g.k;
  const int64_t a_row = g.a_row, a_col = g.a_col, b_row = g.b_row, b_col = g.b_col;
  using S = Shape<T>;
  constexpr int64_t l2 = 512 << 10, size = sizeof(T);
  Blocks x;
  x.k = even_block(k, most_k / size, 4);
  const int64_t depth = (x.k ? x.k : 1) * size, roomy = most_b / depth / S::columns * S::columns;
  x.n = even_block(n, roomy < 4096 ? roomy : 4096, S::columns);
  const int64_t panels = ceil_div(x.n, S::columns), b_size = panels * S::columns * x.k;
  x.pack_a = (a_row != 1 && a_col != 1) ||
             (k > 16 && m > S::rows && (panels > 32 || (panels > 4 && a_col != 1)));
  const bool clash = !x.pack_a && a_col == 1 && a_row * size % 2048 == 0;
  x.rows = clash && S::rows > clashing_rows ? clashing_rows : S::rows;
  x.rows_outside = !x.pack_a && k >= 64 && b_size * size <= l2 / 4 && m > 24 * S::rows;
  int64_t most = most_a / depth / S::rows;
  if (most > 24) most = 24;
  // Rows stay in L2 until they are handed over.
  if (g.hands_over && m * n * size > l2 && most * S::rows * n * size > near_rows) {
    most = near_rows / (n * size) / S::rows;
    if (most < 1) most = 1;
  }
  x.m = x.rows_outside ? m : even_block(m, most * S::rows, S::rows);
  x.one_panel = m <= x.m && !x.rows_outside;
  x.b = b_col != 1 ? BForm::packed
        : m > 2 * S::rows && panels > 4 && b_row * size % 4096 == 0 && !x.rows_outside ? BForm::wide
        : m <= 2 * S::rows ? BForm::direct
                           : BForm::copied;
  x.fetch = (x.rows_outside ? m : n) * k * size > l2 / 2;
  x.fetch_c = !wide_vectors && m * n * size > l2;
  x.a_size = x.pack_a ? x.m * x.k + Vec<T>::width : 0;
  x.b_size = (x.b == BForm::direct ? 1
              : !x.one_panel       ? panels
              : x.b == BForm::wide ? panels_together
                                   : 1) *
             S::columns * x.k;
  return x;
}

// What the tiles of one block share.
template <class T>
struct Block {
  const Problem<T>& g;
  const Blocks& x;
  int64_t m0, m, n0, n1, k0, k;
  const T* a;  // of its first row and column of k
  T *c, *a_packed, *b_packed;
  AForm form;
  // From top to bottom, the first `higher` by one row higher: a flat last one would wait for
  // itself.
  int64_t tiles, height, higher;

  int64_t row(int64_t i) const { return i * height + (i < higher ? i : higher); }
};

// Where the tiles of a panel find B, and where the first of them leaves a copy.
template <class T>
struct Panel {
  int64_t j;
  int columns, vectors;
  const T* b;
  int64_t b_row;
  T* copy;
};

template <class T>
static Panel<T> panel_at(const Block<T>& s, int64_t j, bool fresh) {
  constexpr int width = Vec<T>::width;
  const Problem<T>& g = s.g;
  Panel<T> p;
  p.j = j;
  p.columns = s.n1 - j < Shape<T>::columns ? static_cast<int>(s.n1 - j) : Shape<T>::columns;
  p.vectors = (p.columns + width - 1) / width;
  p.copy = nullptr;
  const bool edge = p.columns < Shape<T>::columns;
  const bool one = s.x.one_panel || s.x.b == BForm::direct;
  T* slot = s.b_packed + (one ? 0 : (j - s.n0) * s.k);
  const T* b = g.b + s.k0 * g.b_row + j * g.b_col;
  if (s.x.b == BForm::wide) {
    const int64_t group = panels_together * Shape<T>::columns, at = (j - s.n0) % group;
    if (s.x.one_panel) slot = s.b_packed + at * s.k;
    if (fresh && at == 0)
      pack_b_wide(b, g.b_row, s.k, s.n1 - j < group ? s.n1 - j : group, Shape<T>::columns, slot,
                  Shape<T>::columns * s.k);
    p.b = slot;
    p.b_row = p.vectors * width;
    return p;
  }
  const bool direct = s.x.b == BForm::direct && p.columns % width == 0;
  if (s.x.b == BForm::packed || (edge && !direct)) {
    if (fresh) pack_b(b, g.b_row, g.b_col, s.k, p.columns, p.vectors * width, slot);
  } else if (direct || fresh) {
    p.b = b;
    p.b_row = g.b_row;
    if (s.x.b == BForm::copied) p.copy = slot;
    return p;
  }
  p.b = slot;
  p.b_row = p.vectors * width;
  return p;
}

// The tiles of a panel, ready to run; what differs from tile to tile is filled in by run_tile.
template <class T>
struct Column {
  Tile<T> tile;
  Finish<T> finish;
  const TileFn<T>* fns;  // by rows - 1, in steps of Shape<T>::vectors
};

template <class T>
static inline void aim(Column<T>& c, const Block<T>& s, const Panel<T>& p) {
  c.tile.b = p.b;
  c.tile.b_row = p.b_row;
  c.tile.copy = p.copy;
  c.fns = &all_tiles<T>.at[s.form == AForm::columns][p.copy != nullptr][0][p.vectors - 1];
}

template <class T>
static inline void start(Column<T>& c, const Block<T>& s, const Panel<T>& p) {
  c.tile.k = s.k;
  c.tile.last = p.columns - (p.vectors - 1) * Vec<T>::width;
  c.tile.a_step = s.form == AForm::rows ? s.g.a_row : s.g.a_col;
  c.tile.c_row = s.g.c_row;
  c.tile.next_c = nullptr;
  c.tile.ahead = p.b;
  c.tile.ahead_step = 0;
  c.tile.first = s.k0 == 0;
  c.tile.finish = s.k0 + s.k == s.g.k && s.g.finish ? &c.finish : nullptr;
  aim(c, s, p);
}

template <class T>
MG_INLINE void run_tile(Column<T>& c, const Block<T>& s, int64_t row, int64_t rows, int64_t j) {
  c.tile.a = s.x.pack_a ? s.a_packed + row * s.k : s.a + row * s.g.a_row;
  if (s.x.pack_a) c.tile.a_step = rows;
  c.tile.c = s.c + row * s.g.c_row + j;
  if (c.tile.finish) c.finish = s.g.finish.at(j, (s.m0 + row) * s.g.c_row);
  if (s.x.fetch_c || !c.tile.first)
    c.tile.next_c = c.tile.c + (s.x.rows_outside ? Shape<T>::columns : rows * s.g.c_row);
  c.fns[(rows - 1) * Shape<T>::vectors](c.tile);
}

// Fetches part i of n of `lines` lines, the l-th at `at + l * step`, into L2.
template <class T>
static inline void fetch_part(const T* at, int64_t step, int64_t lines, int64_t i, int64_t n) {
  for (int64_t l = lines * i / n, end = lines * (i + 1) / n; l < end; ++l)
    prefetch_far(at + l * step);
}

// `done(rows)` is called when so many rows of C are written.
template <class T, class Done>
static void run_block(const Block<T>& s, Done done) {
  using S = Shape<T>;
  constexpr int64_t line = 64 / sizeof(T), lines = S::columns / line;  // of a row of a panel
  const Problem<T>& g = s.g;
  Column<T> c;
  if (s.x.rows_outside) {
    const int64_t panels = ceil_div(s.n1 - s.n0, S::columns);
    for (int64_t i = 0; i < s.tiles; ++i) {
      for (int64_t q = 0; q < panels; ++q) {
        const int64_t row = s.row(i), rows = s.row(i + 1) - row, j = s.n0 + q * S::columns;
        start(c, s, panel_at(s, j, i == 0));
        if (s.x.fetch && s.form == AForm::rows) {
          // The next rows of A, a share of them during each panel.
          c.tile.ahead = s.a + (row + rows) * g.a_row + q * (rows * g.a_row / panels);
          c.tile.ahead_step = ceil_div(rows * g.a_row, panels * s.k);
        }
        run_tile(c, s, row, rows, j);
      }
      done(s.row(i + 1));
    }
    return;
  }
  for (int64_t j = s.n0; j < s.n1; j += S::columns) {
    const bool fresh = s.m0 == 0 || s.x.one_panel;
    const Panel<T> p = panel_at(s, j, fresh);
    start(c, s, p);
    // What the next panel will read: of B itself if it is still to be copied.
    const bool more = j + S::columns < s.n1, from_b = more && p.copy;
    const bool fetch = s.x.fetch && (s.x.b == BForm::copied || !fresh);
    const T* next = !more ? s.b_packed : from_b ? p.b + S::columns : p.b + S::columns * s.k;
    for (int64_t i = 0, row = 0; i < s.tiles; ++i) {
      const int64_t rows = s.height + (i < s.higher);
      if (fetch && from_b)
        for (int64_t l = 0; l < lines; ++l) fetch_part(next + l * line, g.b_row, s.k, i, s.tiles);
      else if (fetch) {
        c.tile.ahead = next + S::columns * s.k * i / s.tiles;
        c.tile.ahead_step = ceil_div(S::columns, s.tiles);
      }
      run_tile(c, s, row, rows, j);
      if (c.tile.copy) aim(c, s, panel_at(s, j, false));
      row += rows;
    }
  }
  done(s.m);
}

template <class T, class Done>
static void multiply_blocks(const Problem<T>& g, const Blocks& x, T* a_packed, T* b_packed,
                            Done done) {
  const AForm form = x.pack_a || g.a_col != 1 ? AForm::columns : AForm::rows;
  const auto most = [](int64_t begin, int64_t block, int64_t all) {
    return begin + block < all ? begin + block : all;
  };
  for (int64_t n0 = 0; n0 < g.n; n0 += x.n)
    for (int64_t k0 = 0; k0 < g.k; k0 += x.k)
      for (int64_t m0 = 0; m0 < g.m; m0 += x.m) {
        if (g.unwanted && g.unwanted(g.context)) return;
        Block<T> s = {g,
                      x,
                      m0,
                      most(m0, x.m, g.m) - m0,
                      n0,
                      most(n0, x.n, g.n),
                      k0,
                      most(k0, x.k, g.k) - k0,
                      g.a + m0 * g.a_row + k0 * g.a_col,
                      g.c + m0 * g.c_row,
                      a_packed,
                      b_packed,
                      form,
                      0,
                      0,
                      0};
        s.tiles = ceil_div(s.m, x.rows);
        s.height = s.m / s.tiles;
        s.higher = s.m % s.tiles;
        if (x.pack_a)
          for (int64_t i = 0; i < s.tiles; ++i)
            pack_a(s.a + s.row(i) * g.a_row, g.a_row, g.a_col,
                   static_cast<int>(s.row(i + 1) - s.row(i)), s.k, a_packed + s.row(i) * s.k);
        run_block(s, [&](int64_t rows) {
          if (s.n1 == g.n && k0 + s.k == g.k) done(m0 + rows);
        });
      }
}
