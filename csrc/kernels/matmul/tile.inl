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
  const T* next_c;          // null, or where the next tile will write: fetched meanwhile, into L2
  bool first;               // begin the chains; else go on from C
  const Finish<T>* finish;  // null while the chains are unfinished
};

// Into L1, or only into L2.
static inline void prefetch(const void* p) { __builtin_prefetch(p); }
static inline void prefetch_far(const void* p) { __builtin_prefetch(p, 0, 2); }

// How a tile finds element (i, p) of A: rows[i * step + p], or columns[p * step + i] (which is also
// the form of a packed panel).
enum class AForm { rows, columns };

template <class T, int Rows, int Vectors, AForm Form, bool Copy>
static void tile(const Tile<T>& t) {
  constexpr int width = Vec<T>::width;
  T* const c = t.c;
  const int64_t c_row = t.c_row, k = t.k, a_step = t.a_step, b_row = t.b_row;
  Vec<T> acc[Rows][Vectors];
  if (t.first) {
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) acc[i][v] = Vec<T>::zero();
  } else {
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) acc[i][v] = load(c + i * c_row + v * width);
  }
  if (t.next_c)
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
      prefetch_far(t.next_c + i * c_row);
      prefetch_far(t.next_c + i * c_row + Vectors * width - 1);
    }
  const T* a = t.a;
  const T* b = t.b;
  T* copy = t.copy;
  for (int64_t p = 0; p < k; ++p) {
    Vec<T> row[Vectors];
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      row[v] = load(b + v * width);
      if constexpr (Copy) store(copy + v * width, row[v]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
      const Vec<T> x(Form == AForm::rows ? a[i * a_step] : a[i]);
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) acc[i][v] = fma(x, row[v], acc[i][v]);
    }
    a += Form == AForm::rows ? 1 : a_step;
    b += b_row;
    if constexpr (Copy) copy += Vectors * width;
  }
  if (t.finish) {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      if (t.finish->bias) {
        const Vec<T> bias = load(t.finish->bias + v * width);
#pragma GCC unroll 16
        for (int i = 0; i < Rows; ++i) acc[i][v] = acc[i][v] + bias;
      }
      if (t.finish->relu) {
#pragma GCC unroll 16
        for (int i = 0; i < Rows; ++i) acc[i][v] = max(Vec<T>::zero(), acc[i][v]);
      }
      if (t.finish->kept) {
        const T* kept = t.finish->kept + v * width;
#pragma GCC unroll 16
        for (int i = 0; i < Rows; ++i)
          acc[i][v] = t.finish->masked(acc[i][v], load(kept + i * c_row));
      }
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) store(c + i * c_row + v * width, acc[i][v]);
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
  tiles.at[0][1][Rows - 1][Vectors - 1] = tile<T, Rows, Vectors, AForm::rows, true>;
  tiles.at[1][0][Rows - 1][Vectors - 1] = tile<T, Rows, Vectors, AForm::columns, false>;
  tiles.at[1][1][Rows - 1][Vectors - 1] = tile<T, Rows, Vectors, AForm::columns, true>;
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
