#include "kernels/matmul.h"

#include "kernels/fold.h"

MG_KERNEL_NAMESPACE_BEGIN

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

#include "kernels/matmul/finish.inl"

#include "kernels/matmul/tile.inl"

#include "kernels/matmul/pack.inl"

#include "kernels/matmul/blocks.inl"

#include "kernels/matmul/lanes.inl"

#include "kernels/matmul/thin.inl"

enum class Path : uint8_t { blocks, lanes, links, rows, pairs };

// What run() and scratch_bytes() must agree on.
template <class T>
struct Plan {
  Problem<T> problem;
  Path path;
  bool turned;     // computes C^T = B^T A^T, so that vectors run along m ...
  bool via;        // ... into a scratch matrix
  Blocks blocks;   // of Path::blocks
  int64_t d_size;  // elements of the scratch matrix
};

// Vectors run along n or along m. Either way costs whole vectors of products, and the copying of an
// operand that does not lie that way; along m also the turning of the result.
template <class T>
static bool better_turned(const Gemm& g) {
  constexpr double width = Vec<T>::width;
  if (g.n == 1) return g.m > 1;
  if (g.m == 1) return false;
  const double m = g.m, n = g.n, k = g.k;
  const double wide_m = ceil_div(g.m, Vec<T>::width) * width;
  const double wide_n = ceil_div(g.n, Vec<T>::width) * width;
  const double product = k / (2 * width), copy = 0.6 * k;
  const double along_n = m * wide_n * product + (g.b_col == 1 ? 0 : n * copy);
  const double along_m = n * wide_m * product + (g.a_row == 1 ? 0 : m * copy) + m * n * 1.0;
  return along_m < along_n;
}

template <class T>
static Path path_of(const Gemm& g, const Problem<T>& p, bool turned) {
  if (g.lanes) return Path::lanes;
  if (turned && g.n == 2 && g.c_row == 2 && !finish_of<T>(g.epilogue) && few_rows(p))
    return Path::pairs;
  if (turned && few_rows(p)) return Path::rows;
  return few_links(p) ? Path::links : few_rows(p) ? Path::rows : Path::blocks;
}

template <class T>
static Plan<T> plan(const Gemm& g) {
  Plan<T> x;
  x.turned = better_turned<T>(g);
  const auto a = static_cast<const T*>(g.a), b = static_cast<const T*>(g.b);
  const auto c = static_cast<T*>(g.c);
  if (x.turned)
    x.problem = {g.n, g.m, g.k, b, g.b_col, g.b_row, a, g.a_col, g.a_row, c, g.m, {}};
  else
    x.problem = {g.m, g.n,     g.k,     a, g.a_row, g.a_col,
                 b,   g.b_row, g.b_col, c, g.c_row, finish_of<T>(g.epilogue)};
  Problem<T>& p = x.problem;
  p.sums = static_cast<T*>(g.row_sums);
  x.path = path_of(g, p, x.turned);
  const bool column = g.n == 1 && (g.c_row == 1 || g.m == 1);
  x.via = x.turned && !column && x.path != Path::pairs;
  x.d_size = x.via ? p.m * ceil_div(p.n, 16) * 16 : 0;
  if (x.via) p.c_row = ceil_div(p.n, 16) * 16;
  if (x.path == Path::blocks)
    x.blocks = choose_blocks<T>(p.m, p.n, p.k, p.a_row, p.a_col, p.b_row, p.b_col);
  return x;
}

static int64_t aligned(int64_t elements) { return ceil_div(elements, 16) * 16; }

template <class T>
static int64_t rest_size(const Plan<T>& x) {
  switch (x.path) {
    case Path::blocks:
      return aligned(x.blocks.b_size) + aligned(x.blocks.a_size);
    case Path::lanes:
      return lanes_scratch<T>(x.problem.k);
    case Path::links:
      return links_scratch(x.problem);
    default:
      return 0;
  }
}

template <class T>
static int64_t scratch_bytes(const Gemm& g) {
  if (g.m == 0 || g.n == 0) return 0;
  const Plan<T> x = plan<T>(g);
  return (aligned(x.d_size) + rest_size(x)) * static_cast<int64_t>(sizeof(T));
}

template <class T>
static void no_links(const Gemm& g) {
  T* c = static_cast<T*>(g.c);
  for (int64_t i = 0; i < g.m; ++i)
    for (int64_t j = 0; j < g.n; ++j) c[i * g.c_row + j] = T(0);
  finish_rows(c, g.c_row, c, g.c_row, g.m, g.n, finish_of<T>(g.epilogue));
  Dropping<T>(g).reach(g.m);
}

template <class T>
static void run(const Gemm& g, void* scratch) {
  if (g.m == 0 || g.n == 0) return;
  if (g.k == 0) return no_links<T>(g);
  Plan<T> x = plan<T>(g);
  T* d = static_cast<T*>(scratch);
  T* rest = d + aligned(x.d_size);
  if (x.via) x.problem.c = d;
  switch (x.path) {
    case Path::blocks:
      multiply_blocks(x.problem, x.blocks, rest + aligned(x.blocks.b_size), rest);
      break;
    case Path::lanes:
      multiply_lanes(x.problem, rest);
      break;
    case Path::links:
      if (!x.turned) {
        Dropping<T> dropping(g);
        return multiply_links(x.problem, rest, [&](int64_t rows) { dropping.reach(rows); });
      }
      multiply_links(x.problem, rest, [](int64_t) {});
      break;
    case Path::rows:
      multiply_rows(x.problem);
      break;
    case Path::pairs:
      multiply_pairs(x.problem);
      break;
  }
  if (x.turned) {
    const Finish<T> finish = finish_of<T>(g.epilogue);
    T* c = static_cast<T*>(g.c);
    if (x.via)
      finish_transposed(d, x.problem.c_row, c, g.c_row, g.m, g.n, finish);
    else if (x.path != Path::pairs && finish)
      finish_column(c, g.m, finish);
  }
  Dropping<T>(g).reach(g.m);
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
  const Plan<T> x = plan<T>(g);
  return x.turned && (x.path == Path::rows || x.path == Path::pairs);
}

extern const Matmul matmul;
constinit const Matmul matmul = {
    {run<float>, run<double>},
    {scratch_bytes<float>, scratch_bytes<double>},
    {split<float>, split<double>},
    {sums<float>, sums<double>},
};

MG_KERNEL_NAMESPACE_END
