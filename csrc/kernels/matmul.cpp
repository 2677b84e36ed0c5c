#include "kernels/matmul.h"

#include "kernels/fold.h"
#include "kernels/random.h"

MG_KERNEL_NAMESPACE_BEGIN

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

#include "kernels/matmul/finish.inl"

#include "kernels/matmul/tile.inl"

#include "kernels/matmul/pack.inl"

#include "kernels/matmul/blocks.inl"

#include "kernels/matmul/lanes.inl"

#include "kernels/matmul/thin.inl"

#include "kernels/matmul/small.inl"

using Path = GemmPlan::Path;

// Cycles, about, of a product whose vectors run along n: of the sums, and of turning B if it does
// not lie that way.
template <class T>
static double cycles_along(double m, int64_t n, double k, int64_t b_row, int64_t b_col) {
  constexpr double turning = wide_vectors ? 6 : 0.4 * Vec<T>::width;
  const auto vectors = static_cast<double>(ceil_div(n, Vec<T>::width));
  if (b_col == 1) return m * vectors * k;
  if (b_row == 1 && m <= most_narrow && n >= Vec<T>::width)
    return vectors * k * turning * (m <= 4 ? 1 : 2.5);
  return (m * vectors + 0.5 * static_cast<double>(n)) * k;
}

// Vectors run along n or along m; then the result has to be turned.
template <class T>
static bool better_turned(const Gemm& g) {
  if (g.n == 1) return g.m > 1;
  if (g.m == 1) return false;
  if (g.m <= Vec<T>::width && g.n <= Vec<T>::width) return g.a_row == 1 && g.b_col != 1;
  const auto m = static_cast<double>(g.m), n = static_cast<double>(g.n);
  const auto k = static_cast<double>(g.k);
  return cycles_along<T>(n, g.m, k, g.a_col, g.a_row) + 2 * m * n <
         cycles_along<T>(m, g.n, k, g.b_row, g.b_col);
}

template <class T>
static Path path_of(const Gemm& g, const Problem<T>& p, bool turned) {
  if (g.lanes) return Path::lanes;
  if (turned && g.n == 2 && g.c_row == 2 && g.m >= Vec<T>::width && !finish_of<T>(g.epilogue) &&
      few_rows(p))
    return Path::pairs;
  if (turned && few_rows(p)) return Path::rows;
  if (few_links(p)) return Path::links;
  if (few_rows(p)) return Path::rows;
  return is_narrow(p) ? Path::narrow : is_small(p) ? Path::small : Path::blocks;
}

template <class T>
static Problem<T> problem_of(const Gemm& g, bool turned) {
  Problem<T> p;
  p.m = turned ? g.n : g.m;
  p.n = turned ? g.m : g.n;
  p.k = g.k;
  p.a = static_cast<const T*>(turned ? g.b : g.a);
  p.a_row = turned ? g.b_col : g.a_row;
  p.a_col = turned ? g.b_row : g.a_col;
  p.b = static_cast<const T*>(turned ? g.a : g.b);
  p.b_row = turned ? g.a_col : g.b_row;
  p.b_col = turned ? g.a_row : g.b_col;
  p.c = static_cast<T*>(g.c);
  p.c_row = turned ? g.m : g.c_row;
  if (!turned) {
    p.finish = finish_of<T>(g.epilogue);
    p.hands_over = g.then.take != nullptr;
  }
  p.sums = static_cast<T*>(g.row_sums);
  p.unwanted = g.unwanted;
  p.context = g.context;
  return p;
}

static int64_t aligned(int64_t elements) { return ceil_div(elements, 16) * 16; }

template <class T>
static GemmPlan plan(const Gemm& g) {
  GemmPlan x;
  x.scratch_bytes = 0;
  x.path = Path::none;
  if (g.m == 0 || g.n == 0 || g.k == 0) return x;
  x.turned = better_turned<T>(g);
  const Problem<T> p = problem_of<T>(g, x.turned);
  x.path = path_of(g, p, x.turned);
  const bool column = g.n == 1 && (g.c_row == 1 || g.m == 1);
  x.via = x.turned && !column && x.path != Path::pairs;
  x.d_size = x.via ? p.m * aligned(p.n) : 0;
  int64_t size = x.d_size;
  if (x.path == Path::lanes) size += lanes_scratch(p);
  if (x.path == Path::links) size += links_scratch(p);
  if (x.path == Path::blocks) {
    x.blocks = choose_blocks(p);
    size += aligned(x.blocks.b_size) + aligned(x.blocks.a_size);
  }
  x.scratch_bytes = size * static_cast<int64_t>(sizeof(T));
  return x;
}

template <class T>
static void no_links(const Gemm& g) {
  T* c = static_cast<T*>(g.c);
  for (int64_t i = 0; i < g.m; ++i)
    for (int64_t j = 0; j < g.n; ++j) c[i * g.c_row + j] = T(0);
  finish_rows(c, g.c_row, c, g.c_row, g.m, g.n, finish_of<T>(g.epilogue));
  HandOver<T>(g).reach(g.m);
}

template <class T>
static void run(const Gemm& g, const GemmPlan& x, void* scratch) {
  if (x.path == Path::none) return no_links<T>(g);
  Problem<T> p = problem_of<T>(g, x.turned);
  T* d = static_cast<T*>(scratch);
  T* rest = d + x.d_size;
  if (x.via) {
    p.c = d;
    p.c_row = aligned(p.n);
  }
  HandOver<T> over(g);
  const auto done = [&](int64_t rows) {
    if (!x.turned) over.reach(rows);
  };
  switch (x.path) {
    case Path::none:
      return;
    case Path::lanes:
      multiply_lanes(p, rest);
      break;
    case Path::links:
      multiply_links(p, rest, done);
      break;
    case Path::rows:
      multiply_rows(p);
      break;
    case Path::pairs:
      multiply_pairs(p);
      break;
    case Path::narrow:
      multiply_narrow(p);
      break;
    case Path::small:
      multiply_small(p, done);
      break;
    case Path::blocks:
      multiply_blocks(p, x.blocks, rest + aligned(x.blocks.b_size), rest, done);
      break;
  }
  if (x.turned) {
    const Finish<T> finish = finish_of<T>(g.epilogue);
    T* c = static_cast<T*>(g.c);
    if (x.via)
      finish_transposed(d, p.c_row, c, g.c_row, g.m, g.n, finish);
    else if (x.path != Path::pairs && finish)
      finish_column(c, g.m, finish);
  }
  over.reach(g.m);
}

template <class T>
static GemmSplit split(const Gemm& g) {
  const double work =
      static_cast<double>(g.m) * static_cast<double>(g.n) * static_cast<double>(g.k);
  GemmSplit s;
  s.rows = g.m > g.n || g.cut_rows;
  s.step = s.rows && g.n > 1 ? Shape<T>::rows : Shape<T>::columns;
  s.parts = static_cast<int64_t>(work / (64 * 1024)) + 1;
  const int64_t most = ceil_div(s.rows ? g.m : g.n, s.step);
  if (s.parts > most) s.parts = most;
  if (s.parts < 1) s.parts = 1;
  return s;
}

template <class T>
static bool sums(const Gemm& g) {
  if (g.m == 0 || g.n == 0 || g.k == 0 || g.k > column_chunk) return false;
  if (!better_turned<T>(g)) return false;
  const Path path = path_of(g, problem_of<T>(g, true), true);
  return path == Path::rows || path == Path::pairs;
}

extern const Matmul matmul;
constinit const Matmul matmul = {
    {plan<float>, plan<double>},
    {run<float>, run<double>},
    {split<float>, split<double>},
    {sums<float>, sums<double>},
};

MG_KERNEL_NAMESPACE_END
