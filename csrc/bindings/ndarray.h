// Between numpy's arrays and tensors, which may share their memory.
#pragma once
#include <pybind11/numpy.h>

#include "bindings/convert.h"

namespace mg {

// np.dtype of a DType, and back; a TypeError names what there is instead.
py::dtype numpy_dtype(DType d);
DType dtype_from(const py::handle& object);

// Any array-like. Memory is shared if `share`, the dtype is one of ours and the array is writeable;
// narrow integers widen to int64, float16 to float32. Python's own floats become float32.
Var from_array_like(const py::handle& object, bool share);
// The tensor's memory as an ndarray that keeps the tensor alive.
py::array to_numpy(const py::handle& tensor);

}  // namespace mg
