// The class Tensor, which several files put together.
#pragma once
#include "bindings/convert.h"

namespace mg {

// x[...] and x[...] = value.
Var get_item(const Var& x, PyObject* key);
void set_item(const Var& x, PyObject* key, PyObject* value);

// The methods of Tensor that Python calls by itself: part of register_tensor.
using TensorClass = py::class_<Tensor, Ref<Tensor>>;
void register_protocols(TensorClass& tensor);

}  // namespace mg
