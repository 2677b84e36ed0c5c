// A small pool. Work is cut by problem size, never by thread count, so that results do not depend
// on it; small work stays on the caller's thread.
#pragma once
#include <cstdint>

namespace mg {

int get_num_threads();
void set_num_threads(int n);  // 1 to 65536

// Whether the work of the calling thread stays on it: for threads that each do their own.
void set_serial(bool serial);
// Whether it does now, as it also does where there is one thread.
bool works_alone();

// Whether a worker looks for work. To wake one takes as long as 2^17 elements of relu: short work
// waits for no sleeper.
bool workers_awake();

// Calls body(context, i) for i in [0, tasks), in any order, on several threads if the pool is free
// (it serves one caller at a time; a second caller, or a task, runs its own work itself). What a
// body throws, such as for want of memory, comes out once no thread is at work any more.
void run_tasks(int64_t tasks, void (*body)(void* context, int64_t task), void* context);

template <class F>
void parallel_tasks(int64_t tasks, F&& f) {
  if (tasks == 1) return f(int64_t{0});
  run_tasks(
      tasks, [](void* context, int64_t i) { (*static_cast<F*>(context))(i); },
      const_cast<void*>(static_cast<const void*>(&f)));
}

// Splits [0, n) into ranges of at least `grain` and a multiple of `align`, and calls f(begin, end).
// For work where every element stands alone: the cut does not show in the result.
template <class F>
void parallel_for(int64_t n, int64_t grain, F&& f, int64_t align = 1) {
  const int threads = get_num_threads();
  if (n <= 0) return;
  if (threads == 1 || n < 2 * grain) return f(int64_t{0}, n);
  int64_t parts = n / grain;
  if (parts > threads) parts = threads;
  const int64_t step = ((n + parts - 1) / parts + align - 1) / align * align;
  parts = (n + step - 1) / step;
  parallel_tasks(parts, [&](int64_t i) {
    const int64_t begin = i * step;
    f(begin, begin + step < n ? begin + step : n);
  });
}

}  // namespace mg
