// Between Python's objects and tensors.
#pragma once
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include "engine/tensor.h"

PYBIND11_DECLARE_HOLDER_TYPE(T, mg::Ref<T>, true)

namespace pybind11 {
// Tensor is final: no need to ask a value for its dynamic type.
template <>
struct polymorphic_type_hook<mg::Tensor> {
  static const void* get(const mg::Tensor* src, const std::type_info*& type) {
    type = nullptr;
    return src;
  }
};
}  // namespace pybind11

namespace mg {

namespace py = pybind11;

// The tensor inside a Python Tensor (or subclass), or null if it is none.
Tensor* tensor_in(PyObject* object);
inline Var var_of(Tensor* t) { return Var(Ref<Value>(t)); }
// The tensors of any iterable, None as a null Var if that may be; else a TypeError in the name of
// `what`.
std::vector<Var> vars_of(const py::handle& tensors, const char* what, bool or_none = false);
// A new reference; null Var gives None.
PyObject* to_python(const Var& v);
inline py::object python(const Var& v) { return py::reinterpret_steal<py::object>(to_python(v)); }

// What methods of Tensor get, and the tensor in it.
using Self = py::handle;
inline Tensor& self_of(Self s) { return *tensor_in(s.ptr()); }
// The value of a tensor of one element as a Python number; `reader` is who asks.
py::object item(Self self, const char* reader);

py::tuple tuple_of(const Dims& d);

// A Python number; `like` decides the width of floats.
Var from_number(PyObject* number, DType like);
bool is_number(PyObject* object);
// What an op takes: a tensor, a number or an array.
bool is_operand(PyObject* object);
// With its module, as others have a Tensor too: "torch.Tensor".
std::string type_name(PyObject* object);

// Index lists: one integer or a sequence of them.
bool is_integer(PyObject* object);
int64_t integer_from(PyObject* object);
Dims dims_from(PyObject* object, const char* op, const char* param);

}  // namespace mg
