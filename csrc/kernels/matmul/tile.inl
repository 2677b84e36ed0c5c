// The tile: a few rows by a few vectors of C, held in registers along the whole of a block of k.

// Rows by Vectors accumulators, Vectors of B and one broadcast element of A fill the registers.
template <class T>
struct Shape {
  static constexpr int vectors = 2;
  static constexpr int rows = (vector_registers - vectors - 1) / vectors;
  static constexpr int columns = vectors * Vec<T>::width;
};

template <class T>
struct Tile {
  int64_t k;
  const T* a;
  int64_t a_step;  // between rows if a row of A is contiguous, else between columns
  const T* b;
  int64_t b_row;
  T* copy;  // where the tile leaves a packed copy of what it reads of B
  T* c;
  int64_t c_row;
  int last;                 // columns of the last vector that there are in C
  const T* next_c;          // null, or where the next tile will write: fetched meanwhile
  const T* ahead;           // fetched into L2 meanwhile, one line a step of k ...
  int64_t ahead_step;       // ... in elements
  bool first;               // begin the chains; else go on from C
  const Finish<T>* finish;  // null while the chains are unfinished
};

// Into L1, or only into L2.
static inline void prefetch(const void* p) { __builtin_prefetch(p); }
static inline void prefetch_far(const void* p) { __builtin_prefetch(p, 0, 2); }

// A tile of so many steps is over before what it fetched into L1 is pushed out.
static constexpr int64_t soon = 64;

// With wide vectors a step has time to spare, and from so many cycles before its end, about as far
// as memory is, a tile fetches the rows of C that it is to write, a row a step.
static constexpr bool wide_vectors = Vec<float>::width > 8;
static constexpr int64_t fetch_cycles = 1024;

// How a tile finds element (i, p) of A: rows[i * step + p], or columns[p * step + i] (which is also
// the form of a packed panel).
enum class AForm { rows, columns };

// x, in its register, of which the compiler forgets how it came about: it would keep every address
// that follows from it in registers that it does not have.
template <class X>
MG_INLINE X opaque(X x) {
  asm("" : "+r"(x));
  return x;
}

// The first element of each of up to 16 rows at equal distances, from every fourth of them. (By
// names, as the compiler would keep an array in memory.)
template <class T, int Rows>
struct RowStarts {
  char *p0, *p4, *p8, *p12;
  int64_t step, step3;  // in bytes

  MG_METHOD RowStarts(const T* p, int64_t distance) {
    static_assert(Rows <= 16);
    step = opaque(distance * static_cast<int64_t>(sizeof(T)));
    step3 = opaque(3 * step);
    p0 = reinterpret_cast<char*>(const_cast<T*>(p));
    p4 = p0 + step + step3;
    p8 = p4 + step + step3;
    p12 = p8 + step + step3;
    move(0);
  }
  MG_METHOD void move(int64_t bytes) {
    p0 = opaque(p0 + bytes);
    if constexpr (Rows > 4) p4 = opaque(p4 + bytes);
    if constexpr (Rows > 8) p8 = opaque(p8 + bytes);
    if constexpr (Rows > 12) p12 = opaque(p12 + bytes);
  }
  MG_METHOD T* operator[](int i) const {
    char* p = i < 4 ? p0 : i < 8 ? p4 : i < 12 ? p8 : p12;
    return reinterpret_cast<T*>(p + (i % 4 == 3 ? step3 : i % 4 * step));
  }
};

// What is rare in a tile stays out of it, as there are hundreds of them.
template <class T>
static __attribute__((noinline)) void fetch_next(const Tile<T>& t, int rows, int last_column) {
  for (int i = 0; i < rows; ++i) {
    const T* row = t.next_c + i * t.c_row;
    if (t.k <= soon) {
      prefetch(row);
      prefetch(row + last_column);
    } else {
      prefetch_far(row);
      prefetch_far(row + last_column);
    }
  }
}

// C as whole vectors, of which the last is cut short.
template <class T>
static __attribute__((noinline)) void load_edge(const Tile<T>& t, T* edge, int rows, int vectors) {
  constexpr int width = Vec<T>::width;
  for (int i = 0; i < rows; ++i)
    for (int v = 0; v < vectors; ++v, edge += width)
      store(edge, load_n(t.c + i * t.c_row + v * width, v == vectors - 1 ? t.last : width));
}

template <class T, int Rows, int Vectors, AForm Form, bool Copy>
static void tile(const Tile<T>& t) {
  constexpr int width = Vec<T>::width;
  const int64_t k = t.k, a_step = t.a_step, b_row = t.b_row;
  const bool cut = t.last < width;
  Vec<T> acc[Rows][Vectors];
  if (t.first) {
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) acc[i][v] = Vec<T>::zero();
  } else {
    alignas(64) T edge[Rows * Vectors * width];
    if (cut) load_edge(t, edge, Rows, Vectors);
    const RowStarts<T, Rows> c(cut ? edge : t.c, cut ? Vectors * width : t.c_row);
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) acc[i][v] = load(c[i] + v * width);
  }
  if (t.next_c) fetch_next(t, Rows, Vectors * width - 1);
  constexpr bool by_rows = Form == AForm::rows;
  RowStarts<T, by_rows ? Rows : 1> a(t.a, a_step);
  const T* b = t.b;
  T* copy = t.copy;
  const T* ahead = t.ahead;
  const int64_t ahead_step = t.ahead_step;
  const T* c_fetched = t.c;
  constexpr int64_t lead = 2 * Rows + fetch_cycles / (Rows * Vectors);
  const int64_t fetch_from = k > lead ? k - lead : 0, fetch_step = t.c_row;
  for (int64_t p = 0; p < k; ++p, ahead += ahead_step) {
    Vec<T> row[Vectors];
    prefetch_far(ahead);
    if constexpr (wide_vectors) {
      prefetch(c_fetched);
      prefetch(c_fetched + (Vectors * width - 1));
      c_fetched += static_cast<uint64_t>(p - fetch_from) < Rows - 1 ? fetch_step : 0;
    }
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      row[v] = load(b + v * width);
      if constexpr (Copy) store(copy + v * width, row[v]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
      const Vec<T> x(by_rows ? *a[i] : a[0][i]);
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) acc[i][v] = fma(x, row[v], acc[i][v]);
    }
    a.move((by_rows ? 1 : a_step) * static_cast<int64_t>(sizeof(T)));
    b += b_row;
    if constexpr (Copy) copy += Vectors * width;
  }
#pragma GCC unroll 4
  for (int v = 0; v < Vectors; ++v) {
    T* const begin = opaque(t.c + v * width);  // addresses in C are not needed before
    const RowStarts<T, Rows> c(begin, t.c_row);
    if (v == Vectors - 1 && cut) {
#pragma GCC unroll 16
      for (int i = 0; i < Rows; ++i) store_n(c[i], acc[i][v], t.last);
      if (t.finish)
        finish_rows(begin, t.c_row, begin, t.c_row, Rows, t.last, t.finish->at(v * width, 0));
      return;
    }
    if (t.finish) {
      const Vec<T> bias = t.finish->bias_at(v * width), least = t.finish->least();
#pragma GCC unroll 16
      for (int i = 0; i < Rows; ++i) acc[i][v] = max(least, acc[i][v] + bias);
      if (t.finish->kept) {
        const RowStarts<T, Rows> kept(t.finish->kept, t.c_row);
#pragma GCC unroll 16
        for (int i = 0; i < Rows; ++i)
          acc[i][v] = t.finish->masked(acc[i][v], load(kept[i] + v * width));
      }
    }
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) store(c[i], acc[i][v]);
  }
}

// Every tile up to the full shape, by [form of A][copy][rows - 1][vectors - 1].
template <class T>
using TileFn = void (*)(const Tile<T>&);
template <class T>
struct Tiles {
  TileFn<T> at[2][2][Shape<T>::rows][Shape<T>::vectors];
};

template <class T, int Rows, int Vectors>
static constexpr void fill_tiles(Tiles<T>& tiles) {
  tiles.at[0][0][Rows - 1][Vectors - 1] = tile<T, Rows, Vectors, AForm::rows, false>;
  tiles.at[1][0][Rows - 1][Vectors - 1] = tile<T, Rows, Vectors, AForm::columns, false>;
  if constexpr (Vectors == Shape<T>::vectors) {  // narrower panels are packed first
    tiles.at[0][1][Rows - 1][Vectors - 1] = tile<T, Rows, Vectors, AForm::rows, true>;
    tiles.at[1][1][Rows - 1][Vectors - 1] = tile<T, Rows, Vectors, AForm::columns, true>;
  }
  if constexpr (Vectors > 1)
    fill_tiles<T, Rows, Vectors - 1>(tiles);
  else if constexpr (Rows > 1)
    fill_tiles<T, Rows - 1, Shape<T>::vectors>(tiles);
}
template <class T>
static constexpr Tiles<T> make_tiles() {
  Tiles<T> tiles = {};
  fill_tiles<T, Shape<T>::rows, Shape<T>::vectors>(tiles);
  return tiles;
}
template <class T>
static constexpr Tiles<T> all_tiles = make_tiles<T>();
