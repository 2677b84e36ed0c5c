#include "bindings/ndarray.h"

#include <cstdlib>

#include "core/error.h"
#include "engine/record.h"
#include "ops/strided.h"

namespace mg {

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

}  // namespace mg
