// A tensor: values, and what is needed to differentiate them.
#pragma once
#include "engine/tape.h"
#include "ops/var.h"

namespace mg {

struct Tensor final : Value {
  bool requires_grad = false;  // a leaf whose gradient is wanted
  Var grad;                    // of a leaf, after backward
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
inline Var make_tensor(Array a) { return Var(Ref<Value>(new Tensor(std::move(a)))); }

}  // namespace mg
