// A value in a computation, as an op's gradient sees it: something with an array that ops can be
// applied to. Where a value came from is the engine's business, which defines the functions below.
#pragma once
#include <span>

#include "core/array.h"
#include "core/ref.h"

namespace mg {

struct Value : RefCounted {
  Array array;
  virtual ~Value() = default;
};

class Var {
 public:
  Var() = default;
  explicit Var(Ref<Value> value) : value_(std::move(value)) {}

  explicit operator bool() const { return static_cast<bool>(value_); }
  Value* get() const { return value_.get(); }
  const Array& array() const { return value_->array; }
  const Dims& shape() const { return value_->array.shape; }
  DType dtype() const { return value_->array.dtype; }
  int rank() const { return value_->array.rank(); }
  bool unique() const { return value_.unique(); }

 private:
  Ref<Value> value_;
};

struct Op;
class Attrs;

// Runs one op, and records it if gradients are wanted: the one gate that every op goes through.
void apply(const Op& op, std::span<const Var> in, const Attrs& attrs, std::span<Var> out);

// A 0-d value that takes part in no gradient.
Var constant(DType dtype, double value);

}  // namespace mg
