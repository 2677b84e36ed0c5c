// Random numbers and dropout: pure functions of a key, an int64 tensor [seed, step].
#include <cmath>

#include "core/threads.h"
#include "ops/elementwise.h"
#include "ops/families.h"
#include "ops/key.h"
#include "ops/strided.h"

namespace mg {
namespace {

constexpr int64_t grain = 1 << 15;

// ---- next_key -----------------------------------------------------------------------------------

void infer_next_key(const Call& c) {
  require_key(c, 0, "state");
  c.make(DType::i64, {2});
}
void run_next_key(const Call& c) {
  int64_t* state = c.in(0).data<int64_t>();
  int64_t& step = state[c.in(0).strides[0]];
  int64_t* key = c.out().data<int64_t>();
  key[0] = state[0];
  key[1] = step;
  step = static_cast<int64_t>(static_cast<uint64_t>(step) + 1);
}

// ---- numbers ------------------------------------------------------------------------------------

void infer_floats(const Call& c) {
  require_key(c, 0);
  const int64_t dtype = c.attrs.integer(1);
  if (dtype != 0 && dtype != 1)
    fail<TypeError>(c.name, ": dtype must be 0 (float32) or 1 (float64), got ", dtype);
  c.make(static_cast<DType>(dtype), c.attrs.list(0));
}

// A piece of an op whose last input is the key; attr[1] is the key's stride.
RandomKey key_of(const Pointwise& p, const Piece& a) {
  const int64_t* at = static_cast<const int64_t*>(a.in[p.streams]);
  return {static_cast<uint64_t>(at[0]), static_cast<uint64_t>(at[static_cast<int64_t>(p.attr[1])])};
}
void ready_random(const Call& c, int streams, Pointwise* p) {
  p->streams = streams;
  p->from = p->to = c.out().dtype;
  p->attr[1] = static_cast<double>(c.in(streams).strides[0]);
}

template <auto Kernel>
bool ready_floats(const Call& c, Pointwise* p) {
  ready_random(c, 0, p);
  p->run = [](const Pointwise& self, const Piece& a) {
    (kernels().random.*Kernel)[index(self.to)](a.out, a.n, key_of(self, a), a.first);
  };
  return true;
}

// ---- numbers for each row, the same whatever other rows there are -------------------------------

void infer_uniform_between(const Call& c) {
  require_key(c, 0);
  const Array& ranges = c.in(1);
  if (ranges.dtype != DType::f64 || ranges.rank() != 2 || ranges.shape[1] != 2)
    fail<ValueError>(c.name, ": ranges must be float64 of shape (columns, 2), got ",
                     name(ranges.dtype), " of shape ", ranges.shape);
  c.make(DType::f64, {c.attrs.integer(0), ranges.shape[0]});
}
void run_uniform_between(const Call& c) {
  const Array ranges = dense(c.in(1));
  const double* range = ranges.data<double>();
  const int64_t n = c.out().shape[0], columns = c.out().shape[1];
  double* out = c.out().data<double>();
  kernels().random.uniform[index(DType::f64)](out, n * columns, key_of(c.in(0)), 0);
  for (int64_t i = 0; i < n; ++i, out += columns)
    for (int64_t j = 0; j < columns; ++j)
      out[j] = range[2 * j] + out[j] * (range[2 * j + 1] - range[2 * j]);
}

void infer_symmetric_beta(const Call& c) {
  require_key(c, 0);
  const double alpha = c.attrs.real(1);
  if (!(alpha > 0 && std::isfinite(alpha)))
    fail<ValueError>(c.name, ": alpha must be positive and finite, got ", alpha);
  c.make(DType::f64, {c.attrs.integer(0)});
}
// Devroye, "Random variate generation in one line of code" (1996), from two uniform numbers u, v:
// 1/2 + 1/2 sign(cos) / sqrt(1 + 1 / ((u^(-1/alpha) - 1) cos^2)), where cos = cos(2 pi v).
void run_symmetric_beta(const Call& c) {
  const int64_t n = c.out().numel();
  double* out = c.out().data<double>();
  Array drawn = Array::dense(DType::f64, {n, 2});
  double* d = drawn.data<double>();
  kernels().random.uniform[index(DType::f64)](d, 2 * n, key_of(c.in(0)), 0);
  Array separate = Array::dense(DType::f64, {2, n});
  double *u = separate.data<double>(), *v = u + n;
  for (int64_t i = 0; i < n; ++i) u[i] = d[2 * i], v[i] = d[2 * i + 1] * 6.283185307179586;
  const double power = -1 / c.attrs.real(1);
  const void *of_pow[] = {u, &power}, *of_cos[] = {v};
  const int64_t step[] = {1, 0};
  const Elementwise& k = kernels().elementwise;
  k.pow[index(DType::f64)](of_pow, step, u, n, nullptr);
  k.cos[index(DType::f64)](of_cos, step, v, n, nullptr);
  for (int64_t i = 0; i < n; ++i) {
    const double half = 0.5 / std::sqrt(1 + 1 / ((u[i] - 1) * (v[i] * v[i])));
    out[i] = 0.5 + (v[i] < 0 ? -half : half);
  }
}

void infer_randint(const Call& c) {
  require_key(c, 0);
  const int64_t low = c.attrs.integer(0), high = c.attrs.integer(1);
  if (low >= high)
    fail<ValueError>(c.name, ": low must be below high, got low = ", low, ", high = ", high);
  c.make(DType::i64, c.attrs.list(2));
}
void run_randint(const Call& c) {
  const RandomKey key = key_of(c.in(0));
  const int64_t low = c.attrs.integer(0);
  const uint64_t range = static_cast<uint64_t>(c.attrs.integer(1)) - static_cast<uint64_t>(low);
  int64_t* out = c.out().data<int64_t>();
  parallel_for(
      c.out().numel(), grain,
      [&](int64_t begin, int64_t end) {
        kernels().random.randint(out + begin, end - begin, key, low, range, begin);
      },
      dropout_grain);
}

void infer_permutation(const Call& c) {
  require_key(c, 0);
  if (c.attrs.integer(0) < 0)
    fail<ValueError>(c.name, ": n must not be negative, got ", c.attrs.integer(0));
  c.make(DType::i64, {c.attrs.integer(0)});
}
void run_permutation(const Call& c) {
  kernels().random.permutation(c.out().data<int64_t>(), c.out().numel(), key_of(c.in(0)));
}

// ---- dropout ------------------------------------------------------------------------------------

void infer_dropout(const Call& c) {
  const Array& x = c.in(0);
  if (!is_float(x.dtype))
    fail<TypeError>(c.name, ": x must be float32 or float64, got ", name(x.dtype));
  require_key(c, 1);
  require_probability(c, 0);
  c.make(x.dtype, x.shape);
}
bool ready_dropout(const Call& c, Pointwise* p) {
  ready_random(c, 1, p);
  p->attr[0] = c.attrs.real(0);
  p->run = [](const Pointwise& self, const Piece& a) {
    const Random& k = kernels().random;
    const auto& drop = self.past_cache ? k.dropout_past_cache : k.dropout;
    drop[index(self.to)](a.in[0], a.out, a.n, key_of(self, a), self.attr[0], a.first);
  };
  return true;
}

void infer_dropout2d(const Call& c) {
  if (c.in(0).rank() < 2)
    fail<ValueError>(c.name, ": x must have shape (N, C, ...), got ", c.in(0).shape);
  infer_dropout(c);
}
void run_dropout2d(const Call& c) {
  const Array x = dense(c.in(0));
  const RandomKey key = key_of(c.in(1));
  const double p = c.attrs.real(0);
  const int64_t rows = x.shape[0] * x.shape[1], cols = rows ? x.numel() / rows : 0;
  const char* from = x.data<char>();
  char* to = c.out().data<char>();
  const int64_t bytes = cols * item_size(x.dtype);
  const auto kernel = kernels().random.dropout_rows[index(x.dtype)];
  parallel_for(rows, 1 + grain / (cols + 1), [&](int64_t begin, int64_t end) {
    kernel(from + begin * bytes, to + begin * bytes, end - begin, cols, key, p, begin);
  });
}

const Row rows[] = {
    inner({
        .signature = "next_key(state!)",
        .infer = infer_next_key,
        .run = run_next_key,
        .doc = "A copy of the generator's state [seed, step]; the state's step then grows by one. "
               "Both are int64 (2,).\n\n"
               ">>> state = mg.tensor([7, 0])\n"
               ">>> _core.next_key(state).tolist(), state.tolist()\n"
               "([7, 0], [7, 1])",
    }),
    inner(computed<ready_floats<&Random::uniform>, 6>({
        .signature = "uniform(key, shape: ints, dtype: int = 0)",
        .infer = infer_floats,
        .doc =
            "Uniform numbers in [0, 1) with 24 random bits, or 53 as float64 (dtype 1). The key is "
            "int64 [seed, step], as next_key gives it.\n\n"
            ">>> x = _core.uniform(mg.tensor([0, 0]), (2, 3))\n"
            ">>> x.shape, x.min().item() >= 0, x.max().item() < 1\n"
            "((2, 3), True, True)",
    })),
    inner(computed<ready_floats<&Random::normal>, 20>({
        .signature = "normal(key, shape: ints, dtype: int = 0)",
        .infer = infer_floats,
        .doc =
            "Normal numbers of mean 0 and variance 1 (Box-Muller); dtype 1 for float64. The key is "
            "int64 [seed, step], as next_key gives it.\n\n"
            ">>> mg._core.normal(mg.tensor([0, 0]), (2, 3)).shape\n"
            "(2, 3)",
    })),
    inner({
        .signature = "uniform_between(key, ranges, rows: int)",
        .infer = infer_uniform_between,
        .run = run_uniform_between,
        .doc =
            "float64 numbers (rows, columns), those of column j uniform in [low, high), the pair "
            "in row j of ranges (columns, 2). A row is the same for any number of rows.\n\n"
            ">>> _core.uniform_between(mg.tensor([0, 0]), mg.tensor([[0.0, 0.0], [5.0, 5.0]], "
            "'float64'), 3).tolist()\n"
            "[[0.0, 5.0], [0.0, 5.0], [0.0, 5.0]]",
    }),
    inner({
        .signature = "symmetric_beta(key, n: int, alpha: float)",
        .infer = infer_symmetric_beta,
        .run = run_symmetric_beta,
        .doc =
            "n float64 numbers with the distribution Beta(alpha, alpha). A number is the same for "
            "any n.\n\n"
            ">>> _core.symmetric_beta(mg.tensor([0, 0]), 4, 0.2).shape\n"
            "(4,)",
    }),
    inner({
        .signature = "randint(key, low: int, high: int, shape: ints)",
        .infer = infer_randint,
        .run = run_randint,
        .doc =
            "Whole numbers, uniform in [low, high), as int64. The key is int64 [seed, step]; high "
            "is not included.\n\n"
            ">>> mg._core.randint(mg.tensor([0, 0]), 5, 6, (3,)).tolist()\n"
            "[5, 5, 5]",
    }),
    inner({
        .signature = "permutation(key, n: int)",
        .infer = infer_permutation,
        .run = run_permutation,
        .doc = "The numbers 0 .. n - 1 in random order, as int64.\n\n"
               ">>> sorted(_core.permutation(mg.tensor([0, 0]), 4).tolist())\n"
               "[0, 1, 2, 3]",
    }),
    inner(computed<ready_dropout, 2>({
        .signature = "dropout(x, key, p: float = 0.5)",
        .infer = infer_dropout,
        .vjp =
            [](Vjp& v) {
              if (v.needs(0)) v.set(0, call<"dropout">(v.grad(), v.in(1), v.attrs.real(0)));
            },
        .doc =
            "Zero with probability p, else x / (1 - p). The gradient draws the same mask from the "
            "key again. The shape stays; the key is int64 [seed, step].\n\n"
            ">>> sorted(set(_core.dropout(mg.ones(100), mg.tensor([0, 0]), 0.5).tolist()))\n"
            "[0.0, 2.0]",
    })),
    inner({
        .signature = "dropout2d(x, key, p: float = 0.5)",
        .infer = infer_dropout2d,
        .run = run_dropout2d,
        .vjp =
            [](Vjp& v) {
              if (v.needs(0)) v.set(0, call<"dropout2d">(v.grad(), v.in(1), v.attrs.real(0)));
            },
        .doc = "Dropout of whole channels of x (N, C, ...): one draw for each n and c. The key is "
               "int64 [seed, step].\n\n"
               ">>> x = _core.dropout2d(mg.ones(20, 5, 2, 2), mg.tensor([0, 0]), 0.5)\n"
               ">>> sorted(set(x.mean((2, 3)).flatten().tolist()))\n"
               "[0.0, 2.0]",
    }),
};

}  // namespace

const Family random_family(rows);

}  // namespace mg
