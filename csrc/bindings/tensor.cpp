// The Tensor class: what is not an op.
#include <pybind11/stl.h>

#include "bindings/convert.h"
#include "bindings/interrupt.h"
#include "bindings/module.h"
#include "bindings/ndarray.h"
#include "bindings/tensor.h"
#include "engine/record.h"

namespace mg {
namespace {

void require_grad(Tensor& t, bool wanted) {
  if (wanted && !is_float(t.array.dtype))
    fail<TypeError>("requires_grad: only float32 and float64 tensors have gradients, this one is ",
                    name(t.array.dtype));
  if (!wanted && t.step)
    fail<StateError>(
        "requires_grad: this tensor is the result of an op; use .detach() to cut it off");
  if (t.step || t.requires_grad == wanted) return;
  t.requires_grad = wanted;
  note_change();
}

Ref<Tensor> create(const py::object& data, const py::object& dtype, bool requires_grad) {
  Var v = from_array_like(data, false);
  if (!dtype.is_none()) {
    const DType to = dtype_from(dtype);
    // From the source, so that a list of Python floats keeps its digits in float64.
    if (to == DType::f64 && v.dtype() == DType::f32 && !tensor_in(data.ptr()))
      v = from_array_like(py::module_::import("numpy").attr("asarray")(data, "float64"), false);
    else if (to != v.dtype())
      v = call<"cast">(v, index(to));
  }
  Ref<Tensor> t(static_cast<Tensor*>(v.get()));
  require_grad(*t, requires_grad);
  return t;
}

void set_grad(Self self, const py::object& value) {
  Tensor& t = self_of(self);
  if (value.is_none()) {
    if (Recorder* r = recorder()) r->cleared_grad(var_of(&t));
    t.grad.set(Var{});
    return;
  }
  Tensor* g = tensor_in(value.ptr());
  if (!g) fail<TypeError>("grad must be a Tensor or None, got ", Py_TYPE(value.ptr())->tp_name);
  if (!(g->array.shape == t.array.shape) || g->array.dtype != t.array.dtype)
    fail<ValueError>("grad has shape ", g->array.shape, " and dtype ", name(g->array.dtype),
                     ", the tensor ", t.array.shape, " and ", name(t.array.dtype));
  t.grad.set(var_of(g));
}

// What `x.data -= y` ends in holds the values already.
void set_data(Self self, const py::object& value) {
  const Array& a = self_of(self).array;
  const Var v = from_array_like(value, true);
  const Array& b = v.array();
  if (!(b.shape == a.shape) || b.dtype != a.dtype)
    fail<ValueError>("data has shape ", b.shape, " and dtype ", name(b.dtype), ", the tensor ",
                     a.shape, " and ", name(a.dtype));
  if (b.raw() == a.raw() && b.strides == a.strides) return;
  call_all<"copy_", 0>(call<"detach">(var_of(&self_of(self))), v);
}

// Plans and graphs that there are keep the memory that they know.
void swap_memory(Self self, Self other) {
  Array &a = self_of(self).array, &b = self_of(other).array;
  if (!(a.shape == b.shape) || a.dtype != b.dtype)
    fail<ValueError>("swap_memory: shape ", a.shape, " and dtype ", name(a.dtype), ", and ",
                     b.shape, " and ", name(b.dtype));
  std::swap(a, b);
}

py::object convert(Self self, const py::handle& dtype) {
  Tensor& t = self_of(self);
  const DType to = dtype_from(dtype);
  if (to == t.array.dtype) return py::reinterpret_borrow<py::object>(self);
  return python(call<"cast">(var_of(&t), index(to)));
}

py::object fill_with(Self self, Var value) {
  Tensor& t = self_of(self);
  if (value.dtype() != t.array.dtype) value = call<"cast">(value, index(t.array.dtype));
  call_all<"copy_", 0>(var_of(&t), value);
  return py::reinterpret_borrow<py::object>(self);
}
py::object fill_with_number(Self self, const py::object& value) {
  const py::object number = is_number(value.ptr()) ? value : py::float_(value);
  return fill_with(self, from_number(number.ptr(), self_of(self).array.dtype));
}

py::object reversed_dims(Self self) {
  Tensor& t = self_of(self);
  Dims order;
  for (int i = t.array.rank() - 1; i >= 0; --i) order.push_back(i);
  return python(call<"permute">(var_of(&t), order));
}

void run_backward(Self self, const py::object& gradient, const py::object& retain_graph,
                  bool create_graph) {
  const Var out = var_of(&self_of(self));
  std::vector<Var> seeds;
  if (!gradient.is_none()) seeds.push_back(from_array_like(gradient, true));
  const bool retain = retain_graph.is_none() ? create_graph : retain_graph.cast<bool>();
  const LongWork work;
  backward(std::span(&out, 1), seeds, retain, create_graph);
}

}  // namespace

void register_tensor(py::module_& m) {
  TensorClass tensor(
      m, "Tensor", py::dynamic_attr(),
      "An n-dimensional array of float32, float64, int64 or bool that can be differentiated.\n\n"
      "Made by mg.tensor and by ops; operators and indexing are numpy's, names and gradients "
      "torch's.\n\n"
      ">>> x = mg.tensor([1.0, 2.0], requires_grad=True)\n"
      ">>> (x * x).sum().backward()\n"
      ">>> x.grad\n"
      "tensor([2., 4.])");
  tensor.def(py::init(&create), py::arg("data"), py::arg("dtype") = py::none(),
             py::arg("requires_grad") = false);

  tensor.def_property_readonly(
      "shape", [](Self s) { return tuple_of(self_of(s).array.shape); },
      "The sizes of the dimensions, as a tuple.\n\n"
      ">>> mg.zeros(2, 3).shape\n"
      "(2, 3)");
  tensor.def_property_readonly(
      "strides", [](Self s) { return tuple_of(self_of(s).array.strides); },
      "Steps between elements along each dimension, in elements.\n\n"
      ">>> mg.zeros(2, 3).strides\n"
      "(3, 1)");
  tensor.def_property_readonly(
      "ndim", [](Self s) { return self_of(s).array.rank(); },
      "How many dimensions there are.\n\n"
      ">>> mg.zeros(2, 3).ndim\n"
      "2");
  tensor.def_property_readonly(
      "size", [](Self s) { return self_of(s).array.numel(); },
      "How many elements there are, as in numpy (torch: numel).\n\n"
      ">>> mg.zeros(2, 3).size\n"
      "6");
  tensor.def(
      "numel", [](Self s) { return self_of(s).array.numel(); },
      "How many elements there are.\n\n"
      ">>> mg.zeros(2, 3).numel()\n"
      "6");
  tensor.def_property_readonly(
      "nbytes", [](Self s) { return self_of(s).array.bytes(); },
      "The bytes that the elements take.\n\n"
      ">>> mg.zeros(2, 3).nbytes\n"
      "24");
  tensor.def_property_readonly(
      "dtype", [](Self s) { return numpy_dtype(self_of(s).array.dtype); },
      "The type of the elements, as numpy's.\n\n"
      ">>> mg.zeros(2).dtype\n"
      "dtype('float32')");
  tensor.def_property_readonly("T", &reversed_dims,
                               "The dimensions in reverse order; a view.\n\n"
                               ">>> mg.zeros(2, 3).T.shape\n"
                               "(3, 2)");
  tensor.def_property_readonly(
      "is_leaf", [](Self s) { return self_of(s).is_leaf(); },
      "Whether it is no result of an op that gradients flow through: its own .grad is kept.\n\n"
      ">>> x = mg.ones(1, requires_grad=True)\n"
      ">>> x.is_leaf, (2 * x).is_leaf\n"
      "(True, False)");
  tensor.def(
      "is_contiguous", [](Self s) { return self_of(s).array.contiguous(); },
      "Whether the elements lie side by side in row-major order.\n\n"
      ">>> mg.zeros(2, 3).is_contiguous(), mg.zeros(2, 3).T.is_contiguous()\n"
      "(True, False)");

  tensor.def_property(
      "grad", [](Self s) { return python(self_of(s).grad.get()); }, &set_grad,
      "The gradient that backward() added up, a tensor of the same shape and dtype, or None.\n\n"
      ">>> x = mg.ones(2, requires_grad=True)\n"
      ">>> (3 * x).sum().backward()\n"
      ">>> x.grad.tolist()\n"
      "[3.0, 3.0]");
  tensor.def_property(
      "requires_grad", [](Self s) { return self_of(s).tracked(); },
      [](Self s, bool on) { require_grad(self_of(s), on); },
      "Whether gradients flow to it; of a leaf it can be set.\n\n"
      ">>> x = mg.ones(1)\n"
      ">>> x.requires_grad = True\n"
      ">>> (2 * x).requires_grad\n"
      "True");
  tensor.def(
      "requires_grad_",
      [](Self s, bool on) {
        require_grad(self_of(s), on);
        return py::reinterpret_borrow<py::object>(s);
      },
      py::arg("requires_grad") = true,
      "Sets requires_grad of a leaf; returns it.\n\n"
      ">>> mg.ones(1).requires_grad_().requires_grad\n"
      "True");
  tensor.def_property_readonly(
      "grad_fn",
      [](Self s) -> py::object {
        const Tensor& t = self_of(s);
        return t.step ? py::object(py::str(t.step->op.name())) : py::object(py::none());
      },
      "The name of the op that made this tensor, or None for a leaf.\n\n"
      ">>> mg.ones(1, requires_grad=True).exp().grad_fn\n"
      "'exp'");
  tensor.def_property(
      "data", [](Self s) { return python(call<"detach">(var_of(&self_of(s)))); }, &set_data,
      "The values without gradient, in the same memory, as detach() gives them; to be changed in\n"
      "place or set, unseen by gradients.\n\n"
      ">>> x = mg.ones(2, requires_grad=True)\n"
      ">>> x.data -= 0.5\n"
      ">>> x.tolist(), x.requires_grad\n"
      "([0.5, 0.5], True)");
  tensor.def(
      "backward", &run_backward, py::arg("gradient") = py::none(),
      py::arg("retain_graph") = py::none(), py::arg("create_graph") = false,
      "Adds d(self)/d(leaf) to .grad of every leaf that requires a gradient.\n\n"
      "gradient, of the shape of self, takes the place of the 1 for a scalar. The graph is freed,\n"
      "unless retain_graph; with create_graph gradients can be differentiated again.\n\n"
      ">>> x = mg.tensor([1.0, 2.0], requires_grad=True)\n"
      ">>> (x * x).backward(mg.tensor([1.0, 10.0]))\n"
      ">>> x.grad.tolist()\n"
      "[2.0, 40.0]");

  tensor.def("to", &convert, py::arg("dtype"),
             "Converted to a dtype; self if it has it already.\n\n"
             ">>> mg.tensor([1.5, -0.5]).to('int64').tolist()\n"
             "[1, 0]");
  tensor.def(
      "float", [](Self s) { return convert(s, numpy_dtype(DType::f32)); },
      "Converted to float32.\n\n"
      ">>> mg.tensor([1]).float().dtype\n"
      "dtype('float32')");
  tensor.def(
      "double", [](Self s) { return convert(s, numpy_dtype(DType::f64)); },
      "Converted to float64.\n\n"
      ">>> mg.tensor([1]).double().dtype\n"
      "dtype('float64')");
  tensor.def(
      "long", [](Self s) { return convert(s, numpy_dtype(DType::i64)); },
      "Converted to int64, towards 0.\n\n"
      ">>> mg.tensor([1.5]).long().tolist()\n"
      "[1]");
  tensor.def(
      "bool", [](Self s) { return convert(s, numpy_dtype(DType::b8)); },
      "Converted to bool: whether not 0.\n\n"
      ">>> mg.tensor([0.0, 2.0]).bool().tolist()\n"
      "[False, True]");
  tensor.def(
      "zero_", [](Self s) { return fill_with(s, constant(self_of(s).array.dtype, 0)); },
      "Sets every element to 0, in place; returns the tensor.\n\n"
      ">>> mg.ones(2).zero_().tolist()\n"
      "[0.0, 0.0]");
  tensor.def("fill_", &fill_with_number, py::arg("value"),
             "Sets every element, in place; returns the tensor.\n\n"
             ">>> mg.zeros(2).fill_(3).tolist()\n"
             "[3.0, 3.0]");

  tensor.def(
      "item", [](Self s) { return item(s, "item"); },
      "The value of a tensor of one element, as a Python number.\n\n"
      ">>> mg.tensor([[2.5]]).item()\n"
      "2.5");
  tensor.def(
      "tolist",
      [](Self s) {
        check_readable("tolist");
        return to_numpy(s).attr("tolist")();
      },
      "The elements as nested lists of Python numbers.\n\n"
      ">>> mg.tensor([[1, 2], [3, 4]]).tolist()\n"
      "[[1, 2], [3, 4]]");
  tensor.def("numpy", &to_numpy,
             "The same memory as an ndarray: what is written to one is in the other.\n\n"
             ">>> x = mg.zeros(2)\n"
             ">>> x.numpy()[0] = 5\n"
             ">>> x.tolist()\n"
             "[5.0, 0.0]");
  register_protocols(tensor);
  m.def("swap_memory", &swap_memory, py::arg("self"), py::arg("other"),
        "Each of two tensors of one shape and dtype gets the memory of the other.");
}

}  // namespace mg
