// Memory: 64-byte aligned, pooled, shared by every view of it.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/ref.h"

namespace mg {

// Pooled blocks: freed blocks are kept by size class, per thread when small, so that an op in a
// loop asks the system for nothing.
void* pool_allocate(size_t bytes);
void pool_free(void* p, size_t bytes);

class Buffer : public RefCounted {
 public:
  explicit Buffer(size_t bytes) : data_(pool_allocate(bytes)), bytes_(bytes) {}
  // Memory of somebody else's; `release(owner)` is called when the last view is gone.
  Buffer(void* data, size_t bytes, void* owner, void (*release)(void*))
      : data_(data), bytes_(bytes), owner_(owner), release_(release) {}
  ~Buffer() {
    if (release_)
      release_(owner_);
    else
      pool_free(data_, bytes_);
  }
  static void* operator new(size_t n) { return pool_allocate(n); }
  static void operator delete(void* p, size_t n) { pool_free(p, n); }

  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }

  // Counts in-place writes, so that backward can tell that a value it needs is gone.
  uint32_t version() const { return version_.load(std::memory_order_relaxed); }
  void bump_version() { version_.fetch_add(1, std::memory_order_relaxed); }

 private:
  void* data_;
  size_t bytes_;
  void* owner_ = nullptr;
  void (*release_)(void*) = nullptr;
  std::atomic<uint32_t> version_{0};
};

// Bytes that the pool holds for reuse, and gives back to the system.
size_t pool_cached_bytes();
void pool_trim();

}  // namespace mg
