// A call from Python of an op: arguments matched to its signature, converted, applied.
#pragma once
#include "bindings/convert.h"

namespace mg {

// `count` positional arguments, then those that `keywords` (a tuple of names, or null) names.
PyObject* call_op(const Op& op, PyObject* const* args, size_t count, PyObject* keywords);

// An op as a builtin function of Python's, whose calls `entry` takes, and as a method.
using Entry = PyObject* (*)(PyObject*, PyObject* const*, Py_ssize_t, PyObject*);
py::object function(const Op& op, Entry entry);
py::object method(const py::object& function);
// The op of the function that an entry is called for.
const Op& op_in(PyObject* self);

}  // namespace mg
