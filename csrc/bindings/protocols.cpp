// What Python asks of a Tensor as of any object: to print, to count, to copy, to index, to share.
#include <pybind11/stl.h>

#include "bindings/convert.h"
#include "bindings/ndarray.h"
#include "bindings/tensor.h"
#include "engine/record.h"

namespace mg {
namespace {

py::object as_ndarray(Self self, const py::object& dtype, const py::object& copy) {
  py::object a = to_numpy(self);
  if (!dtype.is_none() && !py::dtype::from_args(dtype).equal(a.attr("dtype"))) {
    if (!copy.is_none() && !copy.cast<bool>())
      fail<ValueError>("a tensor of dtype ", name(self_of(self).array.dtype),
                       " cannot be another dtype without a copy");
    return a.attr("astype")(dtype);
  }
  if (!copy.is_none() && copy.cast<bool>()) return a.attr("copy")();
  return a;
}

std::string repr(Self self) {
  check_readable("printing");
  const Tensor& t = self_of(self);
  const py::object text = py::module_::import("numpy").attr("array2string")(
      to_numpy(self), py::arg("separator") = ", ", py::arg("prefix") = "tensor(");
  std::string out = "tensor(" + text.cast<std::string>();
  if (t.array.numel() == 0)
    out += ", shape=" + py::str(tuple_of(t.array.shape)).cast<std::string>();
  if (t.array.dtype == DType::f64 || (t.array.numel() == 0 && t.array.dtype != DType::f32))
    out += std::string(", dtype=") + name(t.array.dtype);
  if (t.step) out += std::string(", grad_fn=") + t.step->op.name();
  if (t.requires_grad) out += ", requires_grad=True";
  return out + ")";
}

// f"{loss:.3f}": a single value like a Python number; other tensors have no format but the empty.
py::object format(Self self, const py::str& spec) {
  check_readable("formatting");
  const Array& a = self_of(self).array;
  const bool empty = py::len(spec) == 0;
  if (a.rank() == 0 || (a.numel() == 1 && !empty))
    return item(self, "formatting").attr("__format__")(spec);
  if (!empty)
    fail<TypeError>("the format '", spec.cast<std::string>(),
                    "' is for one number, this tensor has shape ", a.shape,
                    "; reduce it first (.mean()), or format each of .tolist()");
  return py::str(self);
}

py::object builtin(const char* name) { return py::module_::import("builtins").attr(name); }

int64_t length(Self self) {
  const Array& a = self_of(self).array;
  if (a.rank() == 0) fail<TypeError>("a 0-d tensor has no length");
  return a.shape[0];
}

py::object deep_copy(Self self, const py::dict& memo) {
  const Tensor& t = self_of(self);
  if (t.step)
    fail<StateError>(
        "only leaves can be deep-copied; use .detach().clone() for the result of an op");
  Var copy = call<"clone">(call<"detach">(var_of(&self_of(self))));
  tensor_of(copy).requires_grad = t.requires_grad;
  py::object out = python(copy);
  const py::object type = py::type::of(self);
  if (!type.is(py::type::of<Tensor>())) {
    // A subclass: a new object around the copy, with the attributes of the old one.
    out = type.attr("__new__")(type);
    py::type::of<Tensor>().attr("__init__")(out, python(copy), py::none(), t.requires_grad);
    out.attr("__dict__").attr("update")(self.attr("__dict__"));
  }
  memo[py::int_(reinterpret_cast<uintptr_t>(self.ptr()))] = out;
  return out;
}

}  // namespace

void register_protocols(TensorClass& tensor) {
  tensor.def("__array__", &as_ndarray, py::arg("dtype") = py::none(), py::arg("copy") = py::none());
  tensor.attr("__array_ufunc__") = py::none();  // array + tensor is ours to answer
  tensor.def("__dlpack__",
             [](Self s, const py::kwargs& k) { return to_numpy(s).attr("__dlpack__")(**k); });
  tensor.def("__dlpack_device__", [](Self) { return py::make_tuple(1, 0); });
  tensor.def("__deepcopy__", &deep_copy, py::arg("memo"));

  tensor.def("__repr__", &repr);
  tensor.def("__format__", &format, py::arg("format_spec"));
  tensor.def("__len__", &length);
  tensor.def("__float__", [](Self s) { return py::float_(item(s, "float()")); });
  tensor.def("__int__", [](Self s) { return py::int_(item(s, "int()")); });
  tensor.def("__bool__", [](Self s) { return py::bool_(item(s, "bool()")); });
  tensor.def("__complex__", [](Self s) { return builtin("complex")(item(s, "complex()")); });
  tensor.def(
      "__round__",
      [](Self s, const py::object& digits) { return builtin("round")(item(s, "round()"), digits); },
      py::arg("ndigits") = py::none());
  tensor.def("__index__", [](Self s) {
    if (self_of(s).array.dtype != DType::i64)
      fail<TypeError>("only an int64 tensor of one element can be an index");
    return item(s, "an index");
  });
  tensor.def("__hash__", [](Self s) { return reinterpret_cast<uintptr_t>(s.ptr()) >> 4; });
  tensor.def("__getitem__", [](Self s, const py::object& key) {
    return python(get_item(var_of(&self_of(s)), key.ptr()));
  });
  tensor.def("__setitem__", [](Self s, const py::object& key, const py::object& value) {
    set_item(var_of(&self_of(s)), key.ptr(), value.ptr());
  });
  tensor.def("__iter__", [](Self s) {
    py::list rows;
    const int64_t n = length(s);
    for (int64_t i = 0; i < n; ++i)
      rows.append(python(get_item(var_of(&self_of(s)), py::int_(i).ptr())));
    return py::iter(rows);
  });
}

}  // namespace mg
