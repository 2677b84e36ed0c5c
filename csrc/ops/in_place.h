// What ops that change their inputs share: checks beside input 0, and dense copies to work on.
#pragma once
#include "ops/op.h"
#include "ops/strided.h"

namespace mg {

// Elements for which a thread is worth it, and where the share of one may begin.
constexpr int64_t update_grain = 1 << 14, update_align = 64;

inline void require_float(const Call& c, int i, const char* what) {
  if (!is_float(c.in(i).dtype))
    fail<TypeError>(c.name, ": ", what, " must be float32 or float64, got ", name(c.in(i).dtype));
}
// Input i, if given, beside input 0.
inline void require_like(const Call& c, int i, const char* what,
                         const char* first = "the parameter") {
  if (!c.has(i)) return;
  const Array &x = c.in(i), &p = c.in(0);
  if (x.dtype != p.dtype)
    fail<TypeError>(c.name, ": ", what, " is ", name(x.dtype), ", ", first, " ", name(p.dtype));
  if (!(x.shape == p.shape))
    fail<ValueError>(c.name, ": ", what, " has shape ", x.shape, ", ", first, " ", p.shape);
}
inline void require_doubles(const Call& c, int i, const char* what, const Dims& shape) {
  if (!c.has(i)) return;
  const Array& x = c.in(i);
  if (x.dtype != DType::f64 || x.numel() != product(shape) || (!shape.empty() && x.rank() != 1))
    fail<ValueError>(c.name, ": ", what, " must be float64 of ",
                     shape.empty() ? "one element" : "8 elements", ", got ", name(x.dtype),
                     " of shape ", x.shape);
}

// A call whose inputs are all dense: one that is not is worked on in a copy.
class DenseCall {
 public:
  explicit DenseCall(const Call& c) : given_(c) {
    for (int i = 0; i < c.count(); ++i) inputs_[i] = c.inputs[i];
    for (int i = 0; i < c.count(); ++i)
      if (c.has(i) && !c.in(i).contiguous()) {
        copies_.reserve(max_tensors);
        copies_.push_back(dense(c.in(i)));
        inputs_[i] = &copies_.back();
      }
  }
  Call call() const {
    return {{inputs_, given_.inputs.size()}, given_.attrs, given_.outputs, given_.name};
  }
  // Element `first` of input i.
  void* at(int i, int64_t first) const {
    return inputs_[i]->data<char>() + first * item_size(inputs_[i]->dtype);
  }
  // Brings what was worked on in a copy to where it belongs; input 1, which is only read, stays as
  // it is.
  void put_back() const {
    for (int i = 0; i < given_.count(); ++i)
      if (i != 1 && inputs_[i] != given_.inputs[i]) copy(*inputs_[i], given_.in(i));
  }

 private:
  const Call& given_;
  const Array* inputs_[max_tensors];  // no op with a list of tensors is worked on so
  std::vector<Array> copies_;
};

}  // namespace mg
