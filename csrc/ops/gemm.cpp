#include "ops/gemm.h"

#include <algorithm>

#include "core/buffer.h"
#include "core/threads.h"
#include "kernels/kernels.h"

namespace mg {
namespace {

// What a thread should have to do before it is worth waking, in multiply-adds.
constexpr int64_t enough_work = 64 * 1024;

bool worth_threads(const Gemm& g) { return g.m * g.n * g.k >= 2 * enough_work; }

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

}  // namespace

void run_gemm(const Gemm& gemm, DType dtype) {
  const Matmul& kernel = kernels().matmul;
  const int d = index(dtype);
  const int64_t threads = get_num_threads();
  int64_t parts = 1;
  GemmSplit split{};
  if (threads > 1 && worth_threads(gemm)) {
    split = kernel.split[d](gemm);
    parts = split.parts < threads ? split.parts : threads;
  }
  if (parts <= 1) {
    const GemmPlan plan = kernel.plan[d](gemm);
    const Scratch scratch(plan.scratch_bytes, 1);
    return kernel.run[d](gemm, plan, scratch.of(0));
  }
  const int64_t total = split.rows ? gemm.m : gemm.n;
  const int64_t steps = (total + split.step - 1) / split.step;
  const int64_t size = (steps + parts - 1) / parts * split.step;
  parts = (total + size - 1) / size;
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

bool can_sum_rows(const Gemm& gemm, DType dtype) {
  return !worth_threads(gemm) && kernels().matmul.sums[index(dtype)](gemm);
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
  parallel_tasks(parts, [&](int64_t part) {
    for (int64_t i = count * part / parts; i < count * (part + 1) / parts; ++i)
      kernel.run[d](place(context, i), plan, scratch.of(part));
  });
}

}  // namespace mg
