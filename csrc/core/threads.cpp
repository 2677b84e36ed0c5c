#include "core/threads.h"

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "core/error.h"
#include "core/thread_local.h"

namespace mg {
namespace {

// Beyond every machine, and small enough for products with it to be counted.
constexpr int most_threads = 1 << 16;

// How often a worker looks for new work before it sleeps: tens of microseconds, the time between
// two ops of a step that are worth threads.
constexpr int spin_count = 1500;

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Waits for a moment, for the i-th time. Whoever is waited for may need this very core.
inline void wait_a_moment(int i) { i % 32 != 31 ? relax() : std::this_thread::yield(); }

int default_threads() {
  if (const char* text = std::getenv("MINIGRAD_NUM_THREADS"); text && *text) {
    char* end = nullptr;
    const long n = std::strtol(text, &end, 10);
    if (*end || n < 1 || n > most_threads)
      fail<ValueError>("MINIGRAD_NUM_THREADS must be a whole number from 1 to ", most_threads,
                       ", got '", text, "'");
    return static_cast<int>(n);
  }
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  const unsigned n = std::thread::hardware_concurrency();
  return n ? static_cast<int>(n) : 1;
}

std::atomic<int> awake{0};  // workers that look for work

// Tasks of one thread, which others help with when they have done their own.
struct alignas(64) Share {
  std::atomic<int64_t> next{0};
  int64_t end = 0;
};

struct Job {
  void (*body)(void*, int64_t);
  void* context;
  int64_t tasks;
};

class Pool {
 public:
  // With fewer workers where the system refuses more threads: they help with all shares.
  explicit Pool(int workers) : shares_(static_cast<size_t>(workers) + 1) {
    threads_.reserve(static_cast<size_t>(workers));
    try {
      for (int i = 1; i <= workers; ++i) threads_.emplace_back([this, i] { work(i); });
    } catch (const std::system_error&) {
    }
  }
  ~Pool() {
    stop_.store(true, std::memory_order_relaxed);
    open();
    close();
    for (auto& t : threads_) t.join();
  }

  // Tasks that touch the same memory in one job after the other mostly meet the same thread, in
  // whose cache it is: thread i begins with the i-th share.
  void run(const Job& job) {
    const auto threads = static_cast<int64_t>(shares_.size());
    const int64_t shared_by = job.tasks < threads ? job.tasks : threads;
    for (int64_t i = 0; i < threads; ++i) {
      const bool takes_part = i < shared_by;
      shares_[i].next.store(takes_part ? job.tasks * i / shared_by : 0, std::memory_order_relaxed);
      shares_[i].end = takes_part ? job.tasks * (i + 1) / shared_by : 0;
    }
    job_ = job;
    open();
    drain(0);
    close();
  }

 private:
  // The gate counts jobs in its upper half and the workers that are at one in its lower; they come
  // in only while the bit between is set.
  static constexpr uint64_t next_job = uint64_t{1} << 32, is_open = uint64_t{1} << 31;

  void open() {
    const uint64_t jobs = gate_.load(std::memory_order_relaxed) / next_job + 1;
    gate_.store(jobs * next_job | is_open, std::memory_order_seq_cst);
    if (sleepers_.load(std::memory_order_seq_cst) == 0) return;
    {
      const std::lock_guard lock(mutex_);
    }  // whoever has counted itself is waiting by now
    wake_.notify_all();
  }
  // Shuts out workers that have not come yet, then waits for those inside.
  void close() {
    gate_.fetch_and(~is_open, std::memory_order_acq_rel);
    for (int i = 0; gate_.load(std::memory_order_acquire) % is_open != 0; ++i) wait_a_moment(i);
  }
  // The gate once there is another job than `seen`.
  uint64_t wait(uint64_t seen) {
    uint64_t gate = 0;
    const auto is_new = [&] {
      gate = gate_.load(std::memory_order_seq_cst);
      return gate / next_job != seen;
    };
    for (int i = 0; i < spin_count; ++i) {
      if (is_new()) return gate;
      wait_a_moment(i);
    }
    awake.fetch_sub(1, std::memory_order_relaxed);
    std::unique_lock lock(mutex_);
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    wake_.wait(lock, is_new);
    sleepers_.fetch_sub(1, std::memory_order_relaxed);
    awake.fetch_add(1, std::memory_order_relaxed);
    return gate;
  }

  void drain(size_t own) {
    const size_t threads = shares_.size();
    for (size_t i = 0; i < threads; ++i) {
      Share& share = shares_[(own + i) % threads];
      for (int64_t t; (t = share.next.fetch_add(1, std::memory_order_relaxed)) < share.end;)
        job_.body(job_.context, t);
    }
  }

  void work(int own) {
    awake.fetch_add(1, std::memory_order_relaxed);
    uint64_t seen = 0;
    while (true) {
      uint64_t gate = wait(seen);
      seen = gate / next_job;
      if (stop_.load(std::memory_order_relaxed)) break;
      while (gate & is_open && gate / next_job == seen)
        if (gate_.compare_exchange_weak(gate, gate + 1, std::memory_order_acq_rel)) {
          drain(static_cast<size_t>(own));
          gate_.fetch_sub(1, std::memory_order_release);
          break;
        }
    }
    awake.fetch_sub(1, std::memory_order_relaxed);
  }

  std::vector<Share> shares_;
  Job job_{};
  alignas(64) std::atomic<uint64_t> gate_{0};
  std::atomic<int> sleepers_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::thread> threads_;
};

struct State {
  std::mutex busy;  // held by the caller whose work the pool is doing
  std::unique_ptr<Pool> pool;
};
// Never destroyed: workers may outlive static destructors.
State* state = new State;
std::atomic<int> thread_count{0};
MG_THREAD_LOCAL bool serial_here = false;  // this thread is at a task, or does its work alone

// A forked child has no workers: it forgets the parent's pool and starts its own when needed.
void forget_pool() {
  state = new State;
  awake.store(0, std::memory_order_relaxed);
}
[[maybe_unused]] const int fork_handler = pthread_atfork(nullptr, nullptr, forget_pool);

}  // namespace

int get_num_threads() {
  int n = thread_count.load(std::memory_order_relaxed);
  if (n == 0) thread_count.store(n = default_threads(), std::memory_order_relaxed);
  return n;
}

void set_num_threads(int n) {
  if (n < 1) fail<ValueError>("set_num_threads: n must be at least 1, got ", n);
  if (n > most_threads)
    fail<ValueError>("set_num_threads: n must be at most ", most_threads, ", got ", n);
  std::lock_guard lock(state->busy);
  state->pool.reset();
  thread_count.store(n, std::memory_order_relaxed);
}

void set_serial(bool serial) { serial_here = serial; }

bool workers_awake() { return awake.load(std::memory_order_relaxed) > 0; }

bool works_alone() { return serial_here || get_num_threads() == 1; }

void run_tasks(int64_t tasks, void (*body)(void*, int64_t), void* context) {
  const int threads = get_num_threads();
  std::unique_lock lock(state->busy, std::defer_lock);
  if (tasks <= 1 || threads == 1 || serial_here || !lock.try_lock()) {
    for (int64_t i = 0; i < tasks; ++i) body(context, i);
    return;
  }
  if (!state->pool) state->pool = std::make_unique<Pool>(threads - 1);
  struct Marked {
    void (*body)(void*, int64_t);
    void* context;
    std::atomic<bool> failed;
    std::exception_ptr error;
  } marked{body, context, false, {}};
  state->pool->run({[](void* m, int64_t i) {
                      auto* inner = static_cast<Marked*>(m);
                      serial_here = true;
                      try {
                        inner->body(inner->context, i);
                      } catch (...) {
                        if (!inner->failed.exchange(true)) inner->error = std::current_exception();
                      }
                      serial_here = false;
                    },
                    &marked, tasks});
  if (marked.error) std::rethrow_exception(marked.error);
}

}  // namespace mg
