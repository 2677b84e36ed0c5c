#include "ops/gemm.h"

#include <algorithm>
#include <atomic>
#include <exception>

#include "core/buffer.h"
#include "core/interrupt.h"
#include "core/threads.h"
#include "kernels/kernels.h"

namespace mg {
namespace {

// What a thread should have to do before it is worth waking, in multiply-adds.
constexpr int64_t enough_work = 64 * 1024;
// A product of more may end before it is finished, after some tens of ms: its kernel asks. What has
// many rows or columns, for which not every kernel does, is cut into rounds besides, of no fewer
// lines than make up for packing the other side anew.
constexpr double long_work = 0x1p31;
constexpr int64_t round_lines = 4096, round_step = 128;

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t work_of(const Gemm& g) { return g.m * g.n * (g.k + g.then.work); }  // in multiply-adds

// Whether threads that share a product take rows of it if something goes over them afterwards. Rows
// that touch are handed over many at once. But a larger weight stays in the caches of the threads
// that updated it if they take columns here.
bool takes_rows(const Gemm& g) {
  constexpr int64_t few_links = 16;  // for which a product costs less than what goes over it
  constexpr int64_t few_rows = 8, small_weight = 1 << 17;
  const int64_t threads = get_num_threads();
  return g.k <= few_links ? g.m >= threads : g.m >= threads * few_rows && g.n * g.k <= small_weight;
}

int64_t parts_of(const Gemm& g) {
  const int64_t threads = get_num_threads(), most = work_of(g) / enough_work;
  return std::max<int64_t>(1, std::min(threads, most));
}

class Scratch {
 public:
  Scratch(int64_t each, int64_t count)
      : each_((each + 63) / 64 * 64), bytes_(static_cast<size_t>(each_ * count)) {
    if (bytes_) data_ = static_cast<char*>(pool_allocate(bytes_));
  }
  ~Scratch() {
    if (bytes_) pool_free(data_, bytes_);
  }
  Scratch(const Scratch&) = delete;
  void* of(int64_t task) const { return data_ ? data_ + task * each_ : nullptr; }

 private:
  int64_t each_;
  size_t bytes_;
  char* data_ = nullptr;
};

void run_round(Gemm gemm, DType dtype) {
  const Matmul& kernel = kernels().matmul;
  const int d = index(dtype);
  int64_t parts = parts_of(gemm);
  if (gemm.then.take && takes_rows(gemm)) gemm.cut_rows = true;
  if (parts == 1) {
    const GemmPlan plan = kernel.plan[d](gemm);
    const Scratch scratch(plan.scratch_bytes, 1);
    return kernel.run[d](gemm, plan, scratch.of(0));
  }
  const GemmSplit split = kernel.split[d](gemm);  // which does not count what comes then
  parts = std::min<int64_t>(get_num_threads(), std::max(split.parts, parts));
  const int64_t total = split.rows ? gemm.m : gemm.n;
  // Tiles of rows may all be a little lower, those of columns may not be narrower.
  const int64_t step = split.rows && gemm.n > 1 ? 1 : split.step;
  const int64_t size = ceil_div(ceil_div(total, parts), step) * step;
  parts = ceil_div(total, size);
  const auto part = [&](int64_t i) {
    const int64_t end = (i + 1) * size < total ? (i + 1) * size : total;
    return gemm_part(gemm, split.rows, i * size, end, item_size(dtype));
  };
  // All parts but the last are of one size.
  const GemmPlan plan = kernel.plan[d](part(0)), last = kernel.plan[d](part(parts - 1));
  const Scratch scratch(std::max(plan.scratch_bytes, last.scratch_bytes), parts);
  parallel_tasks(parts, [&](int64_t i) {
    kernel.run[d](part(i), i + 1 < parts ? plan : last, scratch.of(i));
  });
}

// Whether an interruption has ended a product. Its threads all ask; it comes to the caller's.
class Ending {
 public:
  static bool asked(void* ending) { return static_cast<Ending*>(ending)->look(); }
  // The product, asking for it if it `lasts`.
  Gemm told(Gemm gemm, bool lasts = true) {
    gemm.unwanted = lasts ? asked : nullptr;
    gemm.context = this;
    return gemm;
  }
  void pass_on() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  bool look() {
    if (over_.load(std::memory_order_relaxed)) return true;
    try {
      check_interrupt();
    } catch (...) {
      error_ = std::current_exception();
      over_.store(true, std::memory_order_relaxed);
    }
    return over_.load(std::memory_order_relaxed);
  }

  std::atomic<bool> over_{false};
  std::exception_ptr error_;
};

}  // namespace

bool worth_threads(double multiply_adds) { return multiply_adds >= 2 * enough_work; }

void run_gemm(const Gemm& gemm, DType dtype) {
  const double work =
      static_cast<double>(gemm.m) * static_cast<double>(gemm.n) * static_cast<double>(gemm.k);
  if (work <= long_work) return run_round(gemm, dtype);
  Ending ending;
  const bool rows = gemm.m >= gemm.n;
  const int64_t total = rows ? gemm.m : gemm.n;
  const auto most = static_cast<int64_t>(work / (long_work / 2));
  const int64_t rounds = std::clamp<int64_t>(total / round_lines, 1, most);
  const int64_t size = ceil_div(ceil_div(total, rounds), round_step) * round_step;
  for (int64_t first = 0; first < total; first += size) {
    if (first > 0) check_interrupt();
    const int64_t end = std::min(first + size, total);
    run_round(ending.told(gemm_part(gemm, rows, first, end, item_size(dtype))), dtype);
    ending.pass_on();
  }
}

void run_gemm_to(const Gemm& gemm, DType dtype, const Sink& sink) {
  if (gemm.m == 0 || gemm.n == 0) return;
  // Of a piece: it stays in L2, has rows enough to make up for the packing of B, and is mostly of
  // whole rows, so that who takes it goes straight through memory.
  constexpr int64_t wide = 4096, piece_size = 1 << 16;
  constexpr int64_t lines = 16;  // so many rows are whole cache lines
  const int64_t high = piece_size / std::min(wide, gemm.n) / lines * lines;
  const Matmul& kernel = kernels().matmul;
  const int d = index(dtype);
  const int64_t item = item_size(dtype);
  const int64_t size = ceil_div(ceil_div(gemm.m, parts_of(gemm)), lines) * lines;
  const int64_t parts = ceil_div(gemm.m, size);
  const auto piece = [&](int64_t i, int64_t rows, int64_t j, int64_t columns) {
    Gemm g = gemm;
    g.m = rows;
    g.n = g.c_row = columns;
    g.a = static_cast<const char*>(gemm.a) + i * gemm.a_row * item;
    g.b = static_cast<const char*>(gemm.b) + j * gemm.b_col * item;
    return g;
  };
  const int64_t room = ceil_div(std::min(high, gemm.m) * std::min(wide, gemm.n) * item, 64) * 64;
  int64_t bytes = 0;
  for (const int64_t all : {size, gemm.m - (parts - 1) * size})
    for (const int64_t rows : {std::min(high, all), all % high})
      for (const int64_t columns : {std::min(wide, gemm.n), gemm.n % wide})
        bytes = std::max(bytes, kernel.plan[d](piece(0, rows, 0, columns)).scratch_bytes);
  const Scratch scratch(room + bytes, parts);
  parallel_tasks(parts, [&](int64_t part) {
    char* const c = static_cast<char*>(scratch.of(part));
    const int64_t end = std::min((part + 1) * size, gemm.m);
    for (int64_t i = part * size; i < end; i += high)
      for (int64_t j = 0; j < gemm.n; j += wide) {
        Gemm g = piece(i, std::min(high, end - i), j, std::min(wide, gemm.n - j));
        g.c = c;
        kernel.run[d](g, kernel.plan[d](g), c + room);
        if (g.n == gemm.n)
          sink.take(sink.context, c, i * gemm.n, g.m * g.n);
        else
          for (int64_t r = 0; r < g.m; ++r)
            sink.take(sink.context, c + r * g.n * item, (i + r) * gemm.n + j, g.n);
      }
  });
}

bool can_sum_rows(const Gemm& gemm, DType dtype) {
  return parts_of(gemm) == 1 && kernels().matmul.sums[index(dtype)](gemm);
}

void run_gemms(const Gemm& first, DType dtype, int64_t count, void* context,
               Gemm (*place)(void* context, int64_t i)) {
  const int64_t work = first.m * first.n * first.k + 1;
  const int64_t threads = get_num_threads();
  if (count < threads) {
    for (int64_t i = 0; i < count; ++i) run_gemm(place(context, i), dtype);
    return;
  }
  const Matmul& kernel = kernels().matmul;
  const int d = index(dtype);
  int64_t parts = work >= enough_work ? count : count * work / enough_work + 1;
  if (parts > threads) parts = threads;
  const GemmPlan plan = kernel.plan[d](first);
  const Scratch scratch(plan.scratch_bytes, parts);
  const bool lasts = static_cast<double>(work) * static_cast<double>(count) > long_work;
  Ending ending;
  parallel_tasks(parts, [&](int64_t part) {
    for (int64_t i = count * part / parts; i < count * (part + 1) / parts; ++i) {
      if (lasts && Ending::asked(&ending)) return;
      kernel.run[d](ending.told(place(context, i), lasts), plan, scratch.of(part));
    }
  });
  ending.pass_on();
}

}  // namespace mg
