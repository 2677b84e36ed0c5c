#include "bindings/convert.h"

#include "core/error.h"
#include "engine/record.h"

namespace mg {

Tensor* tensor_in(PyObject* object) {
  static PyTypeObject* const type =
      reinterpret_cast<PyTypeObject*>(py::type::of<Tensor>().release().ptr());
  if (!PyObject_TypeCheck(object, type)) return nullptr;
  auto* instance = reinterpret_cast<py::detail::instance*>(object);
  void* value = instance->simple_layout ? instance->simple_value_holder[0]
                                        : instance->get_value_and_holder().value_ptr();
  if (!value)
    fail<TypeError>("this ", Py_TYPE(object)->tp_name,
                    " was never initialised; call super().__init__() first");
  return static_cast<Tensor*>(value);
}

std::vector<Var> vars_of(const py::handle& tensors, const char* what, bool or_none) {
  std::vector<Var> out;
  for (const py::handle item : py::iter(tensors)) {
    Tensor* t = item.is_none() ? nullptr : tensor_in(item.ptr());
    if (!t && !(item.is_none() && or_none))
      fail<TypeError>(what, ": expected a Tensor, got ", type_name(item.ptr()));
    out.push_back(t ? var_of(t) : Var{});
  }
  return out;
}

PyObject* to_python(const Var& v) {
  if (!v) return py::none().release().ptr();
  return py::cast(Ref<Tensor>(static_cast<Tensor*>(v.get()))).release().ptr();
}

py::tuple tuple_of(const Dims& d) {
  py::tuple t(d.size());
  for (int i = 0; i < d.size(); ++i) t[i] = d[i];
  return t;
}

py::object item(Self self, const char* reader) {
  check_readable(reader);
  const Array& a = self_of(self).array;
  if (a.numel() != 1)
    fail<ValueError>("only a tensor of one element has a single value, this one has shape ",
                     a.shape);
  switch (a.dtype) {
    case DType::f32:
      return py::float_(*a.data<float>());
    case DType::f64:
      return py::float_(*a.data<double>());
    case DType::i64:
      return py::int_(*a.data<int64_t>());
    default:
      return py::bool_(*a.data<bool>());
  }
}

bool is_integer(PyObject* o) {
  return (PyLong_Check(o) && !PyBool_Check(o)) ||
         (!PyLong_Check(o) && !PyFloat_Check(o) && PyIndex_Check(o) && !tensor_in(o) &&
          !py::isinstance<py::array>(o));
}

bool is_number(PyObject* o) {
  if (PyFloat_Check(o) || PyLong_Check(o)) return true;
  static PyObject* const generic =
      py::object(py::module_::import("numpy").attr("generic")).release().ptr();
  return PyObject_IsInstance(o, generic) == 1;
}

bool is_operand(PyObject* o) {
  return tensor_in(o) || is_number(o) || py::isinstance<py::array>(o);
}

std::string type_name(PyObject* o) {
  const py::handle type(reinterpret_cast<PyObject*>(Py_TYPE(o)));
  const auto module = py::str(type.attr("__module__")).cast<std::string>();
  const auto name = py::str(type.attr("__qualname__")).cast<std::string>();
  return module == "builtins" ? name : module + "." + name;
}

Var from_number(PyObject* number, DType like) {
  if (!PyFloat_Check(number) && !PyLong_Check(number)) {
    // A numpy scalar: np.float64 is a float and was taken above; the rest say what they are.
    const char kind = py::handle(number).attr("dtype").attr("kind").cast<char>();
    if (kind == 'b') return constant(DType::b8, PyObject_IsTrue(number));
    if (kind == 'f') {
      const double v = py::float_(py::reinterpret_borrow<py::object>(number));
      return constant(is_float(like) ? like : DType::f32, v);
    }
    const py::int_ whole(py::reinterpret_borrow<py::object>(number));
    return from_number(whole.ptr(), like);
  }
  if (PyBool_Check(number)) return constant(DType::b8, number == Py_True);
  if (PyFloat_Check(number))
    return constant(is_float(like) ? like : DType::f32, PyFloat_AS_DOUBLE(number));
  if (is_float(like)) {
    const double v = PyLong_AsDouble(number);
    if (v == -1 && PyErr_Occurred()) throw py::error_already_set();
    return constant(like, v);
  }
  const int64_t v = PyLong_AsLongLong(number);
  if (v == -1 && PyErr_Occurred()) throw py::error_already_set();
  Var out = constant(DType::i64, 0);
  *out.array().data<int64_t>() = v;
  return out;
}

int64_t integer_from(PyObject* object) {
  const int64_t v = PyNumber_AsSsize_t(object, PyExc_OverflowError);
  if (v == -1 && PyErr_Occurred()) throw py::error_already_set();
  return v;
}

Dims dims_from(PyObject* object, const char* op, const char* param) {
  if (is_integer(object)) return Dims{integer_from(object)};
  Dims out;
  if (PySequence_Check(object) && !PyUnicode_Check(object)) {
    const py::sequence items = py::reinterpret_borrow<py::sequence>(object);
    for (const py::object item : items) {  // a range makes its items as it is asked for them
      if (!is_integer(item.ptr()))
        fail<TypeError>(op, ": ", param, " must hold integers, got ",
                        py::repr(item).cast<std::string>());
      out.push_back(integer_from(item.ptr()));
    }
    return out;
  }
  fail<TypeError>(op, ": ", param, " must be an integer or a tuple of integers, got ",
                  py::repr(object).cast<std::string>());
}

}  // namespace mg
