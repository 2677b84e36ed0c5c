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
};

enum class BForm : uint8_t {
  direct,  // tiles read B where it is
  copied,  // the first tile of a panel reads it there and leaves a packed copy to the others
  packed,  // panels are packed first
};

struct Blocks {
  int64_t m, n, k;  // of a block
  bool pack_a;
  BForm b;
  bool one_panel;  // a panel of B is used up before the next is packed

  // In elements.
  int64_t a_size, b_size;
};

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Cuts n into equal blocks of at most `most`, a multiple of `unit`.
static int64_t even_block(int64_t n, int64_t most, int64_t unit) {
  if (n <= most) return n;
  return ceil_div(ceil_div(n, ceil_div(n, most)), unit) * unit;
}

// A panel of B (columns x block k) stays in L1, the packed block of A in L2, of B in L3.
template <class T>
static Blocks choose_blocks(int64_t m, int64_t n, int64_t k, int64_t a_row, int64_t a_col,
                            int64_t b_col) {
  using S = Shape<T>;
  Blocks x;
  x.k = even_block(k, 384, 4);
  x.m = even_block(m, 24 * S::rows, S::rows);
  x.n = even_block(n, 4096, S::columns);
  const int64_t panels = ceil_div(x.n, S::columns);
  x.pack_a = (a_row != 1 && a_col != 1) || (panels > 4 && k > 16);
  x.b = b_col != 1 ? BForm::packed : m <= 2 * S::rows ? BForm::direct : BForm::copied;
  x.one_panel = m <= x.m;
  x.a_size = x.pack_a ? x.m * x.k + Vec<T>::width : 0;
  x.b_size = (x.b == BForm::direct || x.one_panel ? 1 : panels) * S::columns * x.k;
  return x;
}

// A tile at the right edge: computed in a buffer of whole vectors, so that C is touched only where
// it is.
template <class T>
static void edge_tile(TileFn<T> fn, Tile<T> t, int rows, int n) {
  constexpr int width = Vec<T>::width, columns = Shape<T>::columns;
  alignas(64) T buffer[Shape<T>::rows * columns];
  T* c = t.c;
  const Finish<T>* finish = t.finish;
  if (!t.first)
    for (int i = 0; i < rows; ++i)
      for (int j = 0; j < n; j += width)
        store(buffer + i * columns + j, load_n(c + i * t.c_row + j, n - j < width ? n - j : width));
  t.c = buffer;
  const int64_t c_row = t.c_row;
  t.c_row = columns;
  t.finish = nullptr;
  fn(t);
  const Finish<T> plain = {nullptr, false};
  finish_rows(buffer, columns, c, c_row, rows, n, finish ? *finish : plain);
}

template <class T>
static void multiply_blocks(const Problem<T>& g, const Blocks& x, T* a_packed, T* b_packed) {
  using S = Shape<T>;
  constexpr int width = Vec<T>::width;
  const AForm a_form = x.pack_a || g.a_col != 1 ? AForm::columns : AForm::rows;
  const auto& tiles = all_tiles<T>.at[a_form == AForm::columns];
  for (int64_t n0 = 0; n0 < g.n; n0 += x.n) {
    const int64_t n1 = n0 + x.n < g.n ? n0 + x.n : g.n;
    for (int64_t k0 = 0; k0 < g.k; k0 += x.k) {
      const int64_t k = k0 + x.k < g.k ? x.k : g.k - k0;
      const bool last = k0 + k == g.k;
      for (int64_t m0 = 0; m0 < g.m; m0 += x.m) {
        // Tiles of nearly equal height: a last one of a row or two would wait for itself.
        const int64_t m = m0 + x.m < g.m ? x.m : g.m - m0;
        const int64_t count = ceil_div(m, S::rows), height = m / count, higher = m % count;
        const T* a_block = g.a + m0 * g.a_row + k0 * g.a_col;
        if (x.pack_a)
          for (int64_t i = 0, row = 0; i < count; ++i) {
            const int rows = static_cast<int>(height + (i < higher));
            pack_a(a_block + row * g.a_row, g.a_row, g.a_col, rows, k, a_packed + row * k);
            row += rows;
          }
        for (int64_t j = n0; j < n1; j += S::columns) {
          const int columns = n1 - j < S::columns ? static_cast<int>(n1 - j) : S::columns;
          const int vectors = (columns + width - 1) / width;
          const bool edge = columns % width != 0;
          const T* b = g.b + k0 * g.b_row + j * g.b_col;
          T* panel = b_packed;
          if (!x.one_panel && x.b != BForm::direct) panel += (j - n0) * x.k;
          const bool fresh = m0 == 0 || x.one_panel || x.b == BForm::direct;
          bool direct = x.b != BForm::packed && !edge;
          bool copy = direct && x.b == BForm::copied;
          if (!direct && fresh) pack_b(b, g.b_row, g.b_col, k, columns, vectors * width, panel);
          if (copy && !fresh) direct = copy = false;

          const Finish<T> finish = {g.finish.bias ? g.finish.bias + j : nullptr, g.finish.relu};
          Tile<T> t;
          t.k = k;
          t.copy = panel;
          t.c_row = g.c_row;
          t.first = k0 == 0;
          t.finish = last && (finish.bias || finish.relu) ? &finish : nullptr;
          // What the next panel will read, a share of it at each tile.
          const bool more = j + S::columns < n1;
          const bool next_packed = x.b == BForm::packed || !fresh;
          const T* next =
              more ? next_packed ? panel + S::columns * x.k : b + S::columns * g.b_col : b_packed;
          const int64_t next_row = more && !next_packed ? g.b_row : S::columns;
          int64_t fetched = 0;
          for (int64_t i = 0, row = 0; i < count; ++i) {
            const int rows = static_cast<int>(height + (i < higher));
            for (const int64_t share = k * (i + 1) / count; fetched < share; ++fetched)
              prefetch(next + fetched * next_row);
            t.next_c = g.c + (m0 + row + (i + 1 < count ? rows : 0)) * g.c_row + j;
            t.a = x.pack_a ? a_packed + row * k : a_block + row * g.a_row;
            t.a_step = x.pack_a ? rows : a_form == AForm::rows ? g.a_row : g.a_col;
            t.b = direct ? b : panel;
            t.b_row = direct ? g.b_row : vectors * width;
            t.c = g.c + (m0 + row) * g.c_row + j;
            const TileFn<T> fn = tiles[copy][rows - 1][vectors - 1];
            if (edge)
              edge_tile(fn, t, rows, columns);
            else
              fn(t);
            if (copy) direct = copy = false;
            row += rows;
          }
        }
      }
    }
  }
}
