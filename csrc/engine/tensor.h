// A tensor: values, and what is needed to differentiate them.
#pragma once
#include <algorithm>
#include <atomic>
#include <thread>

#include "engine/tape.h"
#include "ops/var.h"

namespace mg {

// A Var that several threads read and replace. What was there is let go outside of the lock, as its
// end may run code of Python's.
class SharedVar {
 public:
  Var get() const {
    const Hold hold(busy_);
    return value_;
  }
  void set(Var v) {
    const Hold hold(busy_);
    std::swap(value_, v);
  }
  // Only if `before` is there.
  bool replace(const Var& before, Var v) {
    const Hold hold(busy_);
    if (value_.get() != before.get()) return false;
    std::swap(value_, v);
    return true;
  }

 private:
  // Held for the few instructions of a swap.
  class Hold {
   public:
    explicit Hold(std::atomic_flag& busy) : busy_(busy) {
      while (busy_.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
    }
    ~Hold() { busy_.clear(std::memory_order_release); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    std::atomic_flag& busy_;
  };
  Var value_;
  mutable std::atomic_flag busy_;
};

struct Tensor final : Value {
  bool requires_grad = false;  // a leaf whose gradient is wanted
  SharedVar grad;              // of a leaf, after backward
  Ref<Step> step;              // the op that made it, if gradients flow through it
  int output = 0;              // which of that op's outputs it is

  Tensor() = default;
  explicit Tensor(Array a) { array = std::move(a); }
  static void* operator new(size_t n) { return pool_allocate(n); }
  static void operator delete(void* p, size_t n) { pool_free(p, n); }

  bool is_leaf() const { return !step; }
  bool tracked() const { return requires_grad || step; }
};

inline Tensor& tensor_of(const Var& v) { return *static_cast<Tensor*>(v.get()); }
inline bool contains(std::span<const Var> list, const Var& v) {
  return std::any_of(list.begin(), list.end(), [&](const Var& x) { return x.get() == v.get(); });
}
inline Var make_tensor(Array a) { return Var(Ref<Value>(new Tensor(std::move(a)))); }

}  // namespace mg
