#include "bindings/convert.h"

#include <cstdlib>

#include "core/error.h"
#include "engine/record.h"
#include "ops/strided.h"

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

py::dtype numpy_dtype(DType d) {
  static const auto& all = *new std::array<py::dtype, dtype_count>{
      py::dtype("float32"), py::dtype("float64"), py::dtype("int64"), py::dtype("bool")};
  return all[index(d)];
}

DType dtype_from(const py::handle& object) {
  const py::dtype d = py::dtype::from_args(py::reinterpret_borrow<py::object>(object));
  if (d.kind() == 'f' && d.itemsize() == 4) return DType::f32;
  if (d.kind() == 'f' && d.itemsize() == 8) return DType::f64;
  if (d.kind() == 'i' && d.itemsize() == 8) return DType::i64;
  if (d.kind() == 'b') return DType::b8;
  fail<TypeError>("dtype ", py::str(d).cast<std::string>(),
                  " is not supported; use float32, float64, int64 or bool");
}

namespace {

// The dtype that holds every value of numpy's, or a TypeError.
DType widened(const py::dtype& d) {
  const char kind = d.kind();
  const auto size = d.itemsize();
  if (kind == 'b') return DType::b8;
  if (kind == 'i' || (kind == 'u' && size < 8)) return DType::i64;
  if (kind == 'f' && size <= 4) return DType::f32;
  if (kind == 'f' && size == 8) return DType::f64;
  fail<TypeError>("an array of dtype ", py::str(d).cast<std::string>(),
                  " cannot be a tensor; convert it to float32, float64, int64 or bool");
}

void release_python(void* owner) {
  if (!Py_IsInitialized()) return;
  const PyGILState_STATE state = PyGILState_Ensure();
  Py_DECREF(static_cast<PyObject*>(owner));
  PyGILState_Release(state);
}

// A view of the ndarray's memory, which it keeps alive: from the first to the last element that its
// strides, maybe negative, reach.
Array array_over(const py::array& a, DType dtype) {
  Array out;
  out.dtype = dtype;
  int64_t before = 0, count = a.size() ? 1 : 0;
  for (int i = 0; i < a.ndim(); ++i) {
    const int64_t size = a.shape(i), stride = a.strides(i) / item_size(dtype);
    out.shape.push_back(size);
    out.strides.push_back(stride);
    if (count == 0) continue;
    const int64_t reach = (size - 1) * stride;
    count += std::abs(reach);
    if (reach < 0) before -= reach;
  }
  out.offset = before;
  char* first = static_cast<char*>(const_cast<void*>(a.data())) - before * item_size(dtype);
  out.buffer = Ref<Buffer>(new Buffer(first, static_cast<size_t>(count * item_size(dtype)),
                                      py::object(a).release().ptr(), release_python));
  return out;
}

bool strides_fit(const py::array& a) {
  for (int i = 0; i < a.ndim(); ++i)
    if (a.strides(i) % a.itemsize()) return false;
  return reinterpret_cast<uintptr_t>(a.data()) % a.itemsize() == 0;
}

}  // namespace

Var from_array_like(const py::handle& object, bool share) {
  if (Tensor* t = tensor_in(object.ptr())) {
    if (share) return call<"detach">(var_of(t));
    return call<"clone">(call<"detach">(var_of(t)));
  }
  static const py::object& asarray = *new py::object(py::module_::import("numpy").attr("asarray"));
  const bool python_data = !py::hasattr(object, "dtype");
  py::array a = asarray(object);
  if (a.ndim() > max_rank)
    fail<ValueError>("an array has ", a.ndim(), " dimensions; a tensor has at most ", max_rank);
  DType dtype = widened(a.dtype());
  if (python_data && dtype == DType::f64) dtype = DType::f32;
  const bool ours = a.dtype().is(numpy_dtype(dtype)) || a.dtype().equal(numpy_dtype(dtype));
  if (!ours || !strides_fit(a)) {
    a = a.attr("astype")(numpy_dtype(dtype)).cast<py::array>();
    return make_tensor(array_over(a, dtype));
  }
  Array view = array_over(a, dtype);
  if (share && a.writeable()) return make_tensor(std::move(view));
  Array own = Array::dense(dtype, view.shape);
  copy(view, own);
  return make_tensor(std::move(own));
}

py::array to_numpy(const py::handle& tensor) {
  check_readable("numpy");
  const Array& a = tensor_in(tensor.ptr())->array;
  std::vector<py::ssize_t> shape(a.shape.begin(), a.shape.end()), strides;
  for (int64_t s : a.strides) strides.push_back(s * item_size(a.dtype));
  return py::array(numpy_dtype(a.dtype), shape, strides, a.raw(), tensor);
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

PyObject* capture_error() {
  static PyObject* const type =
      PyErr_NewExceptionWithDoc("minigrad._core.CaptureError",
                                "A function cannot be recorded by mg.compile; it ran, or failed, "
                                "as it would have without it.",
                                PyExc_RuntimeError, nullptr);
  return type;
}

void set_python_error() noexcept {
  try {
    throw;
  } catch (py::error_already_set& e) {
    e.restore();
  } catch (const ValueError& e) {
    PyErr_SetString(PyExc_ValueError, e.what());
  } catch (const TypeError& e) {
    PyErr_SetString(PyExc_TypeError, e.what());
  } catch (const IndexError& e) {
    PyErr_SetString(PyExc_IndexError, e.what());
  } catch (const MemoryError& e) {
    PyErr_SetString(PyExc_MemoryError, e.what());
  } catch (const CaptureError& e) {
    PyErr_SetString(capture_error(), e.what());
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& e) {
    PyErr_SetString(PyExc_RuntimeError, e.what());
  }
}

}  // namespace mg
