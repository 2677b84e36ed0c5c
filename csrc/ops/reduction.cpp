#include "ops/reduction.h"

#include <algorithm>
#include <vector>

#include "core/threads.h"
#include "kernels/kernels.h"
#include "ops/strided.h"
#include "ops/walk.h"

namespace mg {
namespace {

constexpr int64_t copied_elements = 32768;  // that stay in the cache until they are reduced

template <class T>
void join(Fold fold, T* acc, const T* more, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const T a = acc[i], b = more[i];
    switch (fold) {
      case Fold::sum:
        acc[i] = static_cast<T>(a + b);
        break;
      case Fold::max:
        acc[i] = b > a || b != b ? b : a;
        break;
      case Fold::min:
        acc[i] = b < a || b != b ? b : a;
        break;
    }
  }
}
// Results of chunks, `n` outputs each, joined in order into out.
void join_chunks(Fold fold, const Array& parts, int64_t chunks, int64_t n, const Array& out) {
  const int64_t bytes = n * item_size(out.dtype);
  std::copy_n(parts.data<char>(), bytes, out.data<char>());
  for (int64_t c = 1; c < chunks; ++c) switch (out.dtype) {
      case DType::f32:
        join(fold, out.data<float>(), parts.data<float>() + c * n, n);
        break;
      case DType::f64:
        join(fold, out.data<double>(), parts.data<double>() + c * n, n);
        break;
      case DType::i64:
        join(fold, out.data<int64_t>(), parts.data<int64_t>() + c * n, n);
        break;
      case DType::b8:
        join(fold, out.data<uint8_t>(), parts.data<uint8_t>() + c * n, n);
        break;
    }
}

void fold_split(const Array& x, const Split& s, Fold fold, const Array& out) {
  const Reduce& k = kernels().reduce;
  const int d = index(x.dtype);
  const auto rows = (fold == Fold::sum   ? k.sum_rows
                     : fold == Fold::max ? k.max_rows
                                         : k.min_rows)[d];
  const auto columns = (fold == Fold::sum   ? k.sum_columns
                        : fold == Fold::max ? k.max_columns
                                            : k.min_columns)[d];
  const int64_t item = item_size(x.dtype), out_item = item_size(out.dtype);
  const char* base = x.data<char>();
  char* to = out.data<char>();

  // Few outputs of much data: threads take the kernels' own chunks.
  const int64_t width = s.kept.inner_size(), n = s.n();
  const int64_t chunk = s.rows() ? k.row_chunk : k.column_chunk;
  const int64_t chunks = (n + chunk - 1) / chunk;
  if (s.kept.rank <= (s.rows() ? 0 : 1) && width <= 256 && chunks > 1 &&
      n * width > 2 * thread_grain && get_num_threads() > 1) {
    const Array parts = Array::dense(out.dtype, {chunks, width});
    const int64_t step = s.reduced.inner_step();
    parallel_for(chunks, 1 + thread_grain / (chunk * width), [&](int64_t begin, int64_t end) {
      for (int64_t c = begin; c < end; ++c) {
        const char* from = base + c * chunk * step * item;
        const int64_t count = std::min(chunk, n - c * chunk);
        char* part = parts.data<char>() + c * width * out_item;
        if (s.rows())
          rows(from, 0, 1, count, part);
        else
          columns(from, step, count, width, part);
      }
    });
    return join_chunks(fold, parts, chunks, width, out);
  }
  walk(
      s, base, item,
      [&](const char* p, int64_t stride, int64_t count, int64_t length, int64_t first) {
        rows(p, stride, count, length, to + first * out_item);
      },
      [&](const char* p, int64_t stride, int64_t length, int64_t count, int64_t first) {
        columns(p, stride, length, count, to + first * out_item);
      });
}

// Columns with a few others between them are reduced with those, whose results are dropped: their
// lines are read anyway. False if x is not of that kind.
bool fold_between(const Array& x, const DimSet& over, const Split& s, Fold fold, const Array& out) {
  const int64_t step = s.kept.inner_step();
  if (s.rows() || s.reduced.rank > 1 || step < 2 || step > 4) return false;
  int d = x.rank() - 1;
  while (x.shape[d] == 1) --d;
  Dims shape = x.shape, strides = x.strides;
  shape[d] = (shape[d] - 1) * step + 1;
  strides[d] = 1;
  const Array wide = x.view(shape, strides);
  const Split split(wide, over);
  if (!split.fits()) return false;
  const Dims kept = reduced_shape(shape, over, true);
  const Array results = Array::dense(out.dtype, kept);
  fold_split(wide, split, fold, results);
  Dims every = results.strides;
  every[d] = step;
  const Dims wanted = reduced_shape(x.shape, over, true);
  copy(results.view(wanted, every), out.view(wanted, contiguous_strides(wanted)));
  return true;
}

// The columns of a matrix whose rows are a run of memory, or the rows of one whose columns are:
// kernels for those take floats as they lie, with what is kept in the order of memory. False if x
// is not of that kind.
bool fold_across(const Array& x, const DimSet& over, const Split& shaped, Fold fold,
                 const Array& out) {
  if (shaped.reduced.rank != 1 || !is_float(x.dtype) || fold == Fold::min) return false;
  std::vector<int> order;  // the kept dimensions, from large steps to small ones
  for (int i = 0; i < x.rank(); ++i)
    if (!over[i]) order.push_back(i);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return x.strides[a] > x.strides[b]; });
  Walk kept;
  for (const int i : order) kept.add(x.shape[i], x.strides[i]);

  constexpr int64_t least = 16;
  const int64_t n = shaped.n(), width = kept.inner_size(), apart = shaped.reduced.inner_step();
  const bool side_by_side = kept.rank > 0 && kept.inner_step() == 1;
  const Reduce& k = kernels().reduce;
  const int d = index(x.dtype);
  Reduce::Columns kernel;
  if (shaped.rows() && side_by_side && width >= least)
    kernel = (fold == Fold::sum ? k.sum_rows_across : k.max_rows_across)[d];
  else if (!shaped.rows() && side_by_side)
    kernel = (fold == Fold::sum ? k.sum_columns : k.max_columns)[d];
  else if (!shaped.rows() && apart == 1 && n >= least && width >= least)
    kernel = (fold == Fold::sum ? k.sum_columns_along : k.max_columns_along)[d];
  else
    return false;

  Dims shape, strides, places = Dims::filled(x.rank(), 0);  // of the results, in that order
  for (const int i : order) shape.push_back(x.shape[i]);
  const bool sorted = std::is_sorted(order.begin(), order.end());
  const Array results = sorted ? out : Array::dense(out.dtype, shape);
  const int64_t stride = side_by_side ? apart : kept.inner_step(), item = item_size(x.dtype);
  const auto strip = [&](int64_t o, int64_t begin, int64_t end) {
    kernel(x.data<char>() + (kept.offset(o) + begin * kept.inner_step()) * item, stride, n,
           end - begin, results.data<char>() + (o * width + begin) * item);
  };
  const int64_t outer = kept.outer(), grain = 1 + thread_grain / n;
  if (outer == 1)
    parallel_for(width, grain, [&](int64_t b, int64_t e) { strip(0, b, e); }, 64);
  else
    parallel_for(outer, 1 + grain / width, [&](int64_t b, int64_t e) {
      for (int64_t o = b; o < e; ++o) strip(o, 0, width);
    });
  if (sorted) return true;
  const Dims steps = contiguous_strides(shape);
  for (size_t i = 0; i < order.size(); ++i) places[order[i]] = steps[static_cast<int>(i)];
  Dims wanted;
  for (int i = 0; i < x.rank(); ++i)
    if (!over[i]) {
      wanted.push_back(x.shape[i]);
      strides.push_back(places[i]);
    }
  copy(results.view(wanted, strides), out.view(wanted, contiguous_strides(wanted)));
  return true;
}

// All of x to one number: each thread copies a few chunks of it side by side, and folds those while
// they are in its cache. False if x has too little to share out.
bool fold_all_by_copies(const Array& x, Fold fold, const Array& out) {
  int d = 0;
  while (d < x.rank() && x.shape[d] == 1) ++d;
  if (out.numel() != 1 || d == x.rank()) return false;
  const Reduce& k = kernels().reduce;
  const int64_t n = x.numel(), each = n / x.shape[d], chunk = k.row_chunk;
  int64_t size = n;  // of a copy: whole chunks, of as many of the first dimension as copies like
  for (const int64_t many : {64, 16, 4})
    if (const int64_t whole = (std::max(many * each, copied_elements) + chunk - 1) / chunk * chunk;
        size == n && 2 * whole <= n)
      size = whole;
  if (size == n) return false;
  const auto rows = (fold == Fold::sum   ? k.sum_rows
                     : fold == Fold::max ? k.max_rows
                                         : k.min_rows)[index(x.dtype)];
  const int64_t chunks = (n + chunk - 1) / chunk, item = item_size(x.dtype);
  const Array parts = Array::dense(out.dtype, {chunks});
  parallel_for((n + size - 1) / size, 1, [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; ++i) {
      const int64_t begin = i * size, end = std::min(n, begin + size), first = begin / each;
      Dims shape = x.shape;
      shape[d] = (end + each - 1) / each - first;
      const Array piece = dense(x.view(shape, x.strides, first * x.strides[d]));
      for (int64_t at = begin; at < end; at += chunk)
        rows(piece.data<char>() + (at - first * each) * item, 0, 1, std::min(chunk, end - at),
             parts.data<char>() + at / chunk * item_size(out.dtype));
    }
  });
  join_chunks(fold, parts, chunks, 1, out);
  return true;
}

// Calls body(copy, first output) for dense copies of x, cut along the first kept dimension so that
// each is still in the cache when it is reduced. A cut leaves that dimension at 2 or more, and with
// it the split of the dimensions as it is for all of x.
template <class Body>
void by_copies(const Array& x, const DimSet& over, Body&& body) {
  int d = 0;
  while (d < x.rank() && (over[d] || x.shape[d] == 1)) ++d;
  if (d == x.rank() || x.numel() < 2 * copied_elements) return body(dense(x), int64_t{0});
  const int64_t size = x.shape[d], each = x.numel() / size;
  const int64_t step = 16 * (1 + copied_elements / (16 * each));
  const int64_t outputs = x.numel() / reduced_count(x.shape, over) / size;
  parallel_for((size + step - 1) / step, 1, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const int64_t begin = i * step, end = begin + step + 1 >= size ? size : begin + step;
      if (i > 0 && begin + 1 >= size) continue;  // the one before has taken the last
      Dims shape = x.shape;
      shape[d] = end - begin;
      body(dense(x.view(shape, x.strides, begin * x.strides[d])), begin * outputs);
    }
  });
}

// For kernels that cannot reduce one run after another: several runs become one by a copy that has
// the reduced dimensions last. Calls body(array, its split, first output).
template <class Body>
void by_fitting(const Array& x, const DimSet& over, Body&& body) {
  const Split s(x, over);
  if (s.runs <= 1 && s.fits()) return body(x, s, int64_t{0});
  if (s.runs <= 1)
    return by_copies(x, over,
                     [&](const Array& a, int64_t first) { body(a, Split(a, over), first); });
  const int64_t n = reduced_count(x.shape, over);
  const Array moved = dense(moved_last(x, over));
  const Array a = moved.view({moved.numel() / n, n}, {n, 1});
  body(a, Split(a, {false, true}), int64_t{0});
}

}  // namespace

void fold_over(const Array& x, const DimSet& over, Fold fold, const Array& out) {
  if (out.numel() == 0) return;
  if (x.numel() == 0) return fill(out, 0);
  const Split s(x, over);
  if (s.runs > 1) {
    // The innermost run first, then the rest.
    DimSet rest = over;
    for (int i = 0; i < x.rank(); ++i) rest[i] = over[i] && !s.innermost_run[i];
    const Array between = Array::dense(out.dtype, reduced_shape(x.shape, s.innermost_run, true));
    fold_over(x, s.innermost_run, fold, between);
    return fold_over(between, rest, fold, out);
  }
  if (s.fits()) return fold_split(x, s, fold, out);
  if (fold_between(x, over, s, fold, out) || fold_across(x, over, s, fold, out) ||
      fold_all_by_copies(x, fold, out))
    return;
  by_copies(x, over, [&](const Array& a, int64_t first) {
    const int64_t n = a.numel() / reduced_count(a.shape, over);
    fold_split(a, Split(a, over), fold, out.view({n}, {1}, first));
  });
}

void squares_over(const Array& x, const DimSet& over, const Array& center, const Array& out) {
  if (out.numel() == 0) return;
  if (x.numel() == 0) return fill(out, 0);
  const Reduce& k = kernels().reduce;
  const int d = index(x.dtype);
  const int64_t item = item_size(x.dtype);
  const char* c = center.data<char>();
  char* to = out.data<char>();
  by_fitting(x, over, [&](const Array& a, const Split& s, int64_t from) {
    walk(
        s, a.data<char>(), item,
        [&](const char* p, int64_t stride, int64_t count, int64_t n, int64_t first) {
          first += from;
          k.squares_rows[d](p, stride, count, n, c + first * item, to + first * item);
        },
        [&](const char* p, int64_t stride, int64_t n, int64_t count, int64_t first) {
          first += from;
          k.squares_columns[d](p, stride, n, count, c + first * item, to + first * item);
        });
  });
}

void arg_over(const Array& x, const DimSet& over, bool largest, const Array& out) {
  if (out.numel() == 0) return;
  const Reduce& k = kernels().reduce;
  const int d = index(x.dtype);
  by_fitting(x, over, [&](const Array& a, const Split& s, int64_t from) {
    int64_t* to = out.data<int64_t>() + from;
    walk(
        s, a.data<char>(), item_size(x.dtype),
        [&](const char* p, int64_t stride, int64_t count, int64_t n, int64_t first) {
          (largest ? k.argmax_rows : k.argmin_rows)[d](p, stride, count, n, to + first);
        },
        [&](const char* p, int64_t stride, int64_t n, int64_t count, int64_t first) {
          (largest ? k.argmax_columns : k.argmin_columns)[d](p, stride, n, count, to + first);
        });
  });
}

}  // namespace mg
