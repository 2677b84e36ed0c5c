#include "core/buffer.h"

#include <pthread.h>
#include <sys/mman.h>

#include <bit>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>

#include "core/error.h"
#include "core/thread_local.h"

#ifndef MG_POOL
#define MG_POOL 1  // 0: every block from the system, for sanitizers
#endif

namespace mg {
namespace {

constexpr size_t alignment = 64;
constexpr size_t huge_page = 2 << 20;
constexpr size_t small_limit = 64 * 1024;               // kept per thread up to here
constexpr size_t thread_cache_limit = 4 << 20;          // bytes a thread keeps
constexpr size_t shared_cache_limit = size_t{1} << 30;  // bytes all threads keep together
constexpr int class_count = 160;
constexpr size_t largest = size_t{1} << 44;  // no machine has more

[[noreturn]] void no_memory(size_t bytes) {
  fail<MemoryError>("cannot allocate ", bytes, " bytes");
}

// Four classes per power of two waste at most a fifth.
int size_class(size_t bytes) {
  if (bytes <= alignment) return 0;
  if (bytes > largest) no_memory(bytes);
  const size_t units = (bytes - 1) / alignment;
  const int octave = std::bit_width(units) - 1;
  const int quarter = octave >= 2 ? static_cast<int>((units >> (octave - 2)) & 3)
                                  : static_cast<int>((units << (2 - octave)) & 3);
  return 1 + 4 * octave + quarter;
}
size_t class_bytes(int c) {
  if (c == 0) return alignment;
  const int octave = (c - 1) / 4;
  const size_t quarter = (c - 1) % 4;
  const size_t units =
      octave >= 2 ? (4 + quarter + 1) << (octave - 2) : ((4 + quarter) >> (2 - octave)) + 1;
  return units * alignment;
}

// Large blocks lie on huge pages where the system hands them out on request: streaming through
// small ones waits for their addresses.
void* system_allocate(size_t bytes) {
  const size_t align = bytes < huge_page ? alignment : huge_page;
  void* p = nullptr;
  if (posix_memalign(&p, align, bytes)) {
    pool_trim();  // what lies idle there may be what is lacking
    if (posix_memalign(&p, align, bytes)) no_memory(bytes);
  }
#ifdef MADV_HUGEPAGE
  if (align == huge_page) madvise(p, bytes, MADV_HUGEPAGE);  // a refusal costs speed only
#endif
  return p;
}

// Freed blocks form lists through their own first bytes: to free one takes no memory.
struct Link {
  Link* next;
};
void push(Link*& list, void* p) {
  Link* link = static_cast<Link*>(p);
  link->next = list;
  list = link;
}
Link* pop(Link*& list) {
  Link* link = list;
  list = link->next;
  return link;
}
void free_all(Link*& list) {
  while (list) std::free(pop(list));
}

struct SharedCache {
  std::mutex mutex;
  Link* free[class_count] = {};
  size_t bytes = 0;
};
// Never destroyed: buffers may outlive static destructors.
SharedCache& shared() {
  static SharedCache& cache = *new SharedCache;
  return cache;
}

// A child forked while another thread held the lock would wait for ever.
[[maybe_unused]] const int fork_handler =
    pthread_atfork([] { shared().mutex.lock(); }, [] { shared().mutex.unlock(); },
                   [] { shared().mutex.unlock(); });

void shared_free(void* p, int c) {
  SharedCache& cache = shared();
  {
    std::lock_guard lock(cache.mutex);
    if (cache.bytes + class_bytes(c) <= shared_cache_limit) {
      push(cache.free[c], p);
      cache.bytes += class_bytes(c);
      return;
    }
  }
  std::free(p);
}

struct ThreadCache;
MG_THREAD_LOCAL ThreadCache* my_cache = nullptr;
MG_THREAD_LOCAL bool thread_ending = false;

struct ThreadCache {
  Link* free[class_count] = {};
  size_t bytes = 0;
  ~ThreadCache() {
    my_cache = nullptr;
    thread_ending = true;
    for (Link*& list : free) free_all(list);
  }
};
ThreadCache* thread_cache() {
  if (my_cache || thread_ending) return my_cache;
  // On the heap: the room for thread-local variables is one for all libraries of a process.
  thread_local const std::unique_ptr<ThreadCache> cache(new (std::nothrow) ThreadCache);
  return my_cache = cache.get();
}

}  // namespace

void* pool_allocate(size_t bytes) {
  if (!MG_POOL) return system_allocate(bytes);
  const int c = size_class(bytes);
  if (bytes <= small_limit) {
    ThreadCache* cache = thread_cache();
    if (cache && cache->free[c]) {
      cache->bytes -= class_bytes(c);
      return pop(cache->free[c]);
    }
    return system_allocate(class_bytes(c));
  }
  SharedCache& cache = shared();
  {
    std::lock_guard lock(cache.mutex);
    if (cache.free[c]) {
      cache.bytes -= class_bytes(c);
      return pop(cache.free[c]);
    }
  }
  return system_allocate(class_bytes(c));
}

void pool_free(void* p, size_t bytes) {
  if (!p) return;
  if (!MG_POOL) return std::free(p);
  const int c = size_class(bytes);
  if (bytes > small_limit) return shared_free(p, c);
  ThreadCache* cache = thread_cache();
  if (!cache || cache->bytes + class_bytes(c) > thread_cache_limit) {
    std::free(p);
    return;
  }
  push(cache->free[c], p);
  cache->bytes += class_bytes(c);
}

size_t pool_cached_bytes() {
  std::lock_guard lock(shared().mutex);
  return shared().bytes;
}

void pool_trim() {
  SharedCache& cache = shared();
  std::lock_guard lock(cache.mutex);
  for (Link*& list : cache.free) free_all(list);
  cache.bytes = 0;
}

}  // namespace mg
