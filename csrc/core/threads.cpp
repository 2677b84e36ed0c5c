#include "core/threads.h"

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/error.h"
#include "core/thread_local.h"

namespace mg {
namespace {

// How often a worker looks for new work before it sleeps: a few microseconds, the time between
// two ops of a step.
constexpr int spin_count = 2000;

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

int default_threads() {
  if (const char* text = std::getenv("MINIGRAD_NUM_THREADS"); text && *text) {
    char* end = nullptr;
    const long n = std::strtol(text, &end, 10);
    if (*end || n < 1)
      fail<ValueError>("MINIGRAD_NUM_THREADS must be a whole number of at least 1, got '", text,
                       "'");
    return static_cast<int>(n);
  }
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  const unsigned n = std::thread::hardware_concurrency();
  return n ? static_cast<int>(n) : 1;
}

struct Job {
  void (*body)(void*, int64_t);
  void* context;
  int64_t tasks;
  std::atomic<int64_t> next{0};
};

class Pool {
 public:
  explicit Pool(int workers) {
    for (int i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
  }
  ~Pool() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
      generation_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    for (auto& t : threads_) t.join();
  }

  void run(Job& job) {
    {
      std::lock_guard lock(mutex_);
      job_.store(&job, std::memory_order_relaxed);
      generation_.fetch_add(1, std::memory_order_release);
    }
    if (sleepers_.load(std::memory_order_acquire) > 0) wake_.notify_all();
    drain(job);
    // Close the door to workers that have not come yet, then wait for those inside.
    {
      std::lock_guard lock(mutex_);
      job_.store(nullptr, std::memory_order_relaxed);
    }
    for (int i = 0; inside_.load(std::memory_order_acquire) > 0; ++i)
      i < spin_count ? relax() : std::this_thread::yield();  // a worker may have lost its core
  }

 private:
  static void drain(Job& job) {
    for (int64_t i; (i = job.next.fetch_add(1, std::memory_order_relaxed)) < job.tasks;)
      job.body(job.context, i);
  }

  void work() {
    uint64_t seen = 0;
    while (true) {
      for (int i = 0; i < spin_count && generation_.load(std::memory_order_acquire) == seen; ++i)
        relax();
      Job* job;
      {
        std::unique_lock lock(mutex_);
        if (generation_.load(std::memory_order_relaxed) == seen) {
          sleepers_.fetch_add(1, std::memory_order_release);
          wake_.wait(lock, [&] { return generation_.load(std::memory_order_relaxed) != seen; });
          sleepers_.fetch_sub(1, std::memory_order_release);
        }
        if (stop_) return;
        seen = generation_.load(std::memory_order_relaxed);
        job = job_.load(std::memory_order_relaxed);
        if (job) inside_.fetch_add(1, std::memory_order_relaxed);
      }
      if (job) {
        drain(*job);
        inside_.fetch_sub(1, std::memory_order_release);
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<uint64_t> generation_{0};
  std::atomic<Job*> job_{nullptr};
  std::atomic<int> inside_{0}, sleepers_{0};
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

struct State {
  std::mutex busy;  // held by the caller whose work the pool is doing
  std::unique_ptr<Pool> pool;
};
// Never destroyed: workers may outlive static destructors.
State* state = new State;
std::atomic<int> thread_count{0};
MG_THREAD_LOCAL bool inside_task = false;

// A forked child has no workers: it forgets the parent's pool and starts its own when needed.
void forget_pool() { state = new State; }
[[maybe_unused]] const int fork_handler = pthread_atfork(nullptr, nullptr, forget_pool);

}  // namespace

int get_num_threads() {
  int n = thread_count.load(std::memory_order_relaxed);
  if (n == 0) thread_count.store(n = default_threads(), std::memory_order_relaxed);
  return n;
}

void set_num_threads(int n) {
  if (n < 1) fail<ValueError>("set_num_threads: n must be at least 1, got ", n);
  std::lock_guard lock(state->busy);
  state->pool.reset();
  thread_count.store(n, std::memory_order_relaxed);
}

void set_serial(bool serial) { inside_task = serial; }

void run_tasks(int64_t tasks, void (*body)(void*, int64_t), void* context) {
  const int threads = get_num_threads();
  std::unique_lock lock(state->busy, std::defer_lock);
  if (tasks <= 1 || threads == 1 || inside_task || !lock.try_lock()) {
    for (int64_t i = 0; i < tasks; ++i) body(context, i);
    return;
  }
  if (!state->pool) state->pool = std::make_unique<Pool>(threads - 1);
  struct Marked {
    void (*body)(void*, int64_t);
    void* context;
  } marked{body, context};
  Job job{[](void* m, int64_t i) {
            auto* inner = static_cast<Marked*>(m);
            inside_task = true;
            inner->body(inner->context, i);
            inside_task = false;
          },
          &marked, tasks};
  state->pool->run(job);
}

}  // namespace mg
