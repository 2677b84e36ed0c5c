// x += y and x.add_(y): the operators and methods that change a tensor in place.
#include "engine/in_place.h"

#include "bindings/convert.h"
#include "bindings/interrupt.h"
#include "bindings/module.h"
#include "bindings/ndarray.h"

namespace mg {
namespace {

struct InPlace {
  const char* symbol;  // Python's operator
  const char* method;  // torch's name, or null
  const char* op;
  const char* doc = "";
  bool scales = false;  // takes `alpha`, which multiplies what is added
};
const InPlace rows[] = {
    {"__iadd__", "add_", "add",
     "x += alpha * other, in place; returns x, which keeps its shape and dtype.\n\n"
     ">>> mg.ones(2).add_(mg.tensor([1.0, 2.0]), alpha=-0.5).tolist()\n"
     "[0.5, 0.0]",
     true},
    {"__isub__", "sub_", "sub",
     "x -= alpha * other, in place; returns x, which keeps its shape and dtype.\n\n"
     ">>> mg.ones(2).sub_(1).tolist()\n"
     "[0.0, 0.0]",
     true},
    {"__imul__", "mul_", "mul",
     "x *= other, in place; returns x, which keeps its shape and dtype.\n\n"
     ">>> mg.ones(2).mul_(3).tolist()\n"
     "[3.0, 3.0]"},
    {"__itruediv__", "div_", "div",
     "x /= other, in place; returns x, which keeps its shape and dtype (so that it is no "
     "integer).\n\n"
     ">>> mg.ones(2).div_(2).tolist()\n"
     "[0.5, 0.5]"},
    {"__ipow__", "pow_", "pow",
     "x **= other, in place; returns x, which keeps its shape and dtype.\n\n"
     ">>> mg.tensor([2.0, 3.0]).pow_(2).tolist()\n"
     "[4.0, 9.0]"},
    {"__iand__", nullptr, "logical_and"},
    {"__ior__", nullptr, "logical_or"},
};

py::object change(const InPlace& row, const char* name, const py::handle& self, PyObject* other,
                  PyObject* alpha) {
  Tensor& x = *tensor_in(self.ptr());
  Tensor* tensor = tensor_in(other);
  Var y = tensor             ? var_of(tensor)
          : is_number(other) ? from_number(other, x.array.dtype)
                             : from_array_like(other, true);
  if (alpha) y = y * Var(from_number(alpha, y.dtype()));
  const Op& op = find_op(row.op);
  work_over(x.array.numel(), [&] { apply_in_place(op, name, x, std::move(y)); });
  return py::reinterpret_borrow<py::object>(self);
}

PyObject* operand_or_fail(const char* name, const py::object& other) {
  if (!is_operand(other.ptr()))
    fail<TypeError>(name, ": expected a Tensor, a number or a numpy array, got ",
                    type_name(other.ptr()));
  return other.ptr();
}

}  // namespace

void register_in_place(py::module_& m) {
  const py::object type = m.attr("Tensor");
  const auto add = [&](const char* name, auto function, const auto&... more) {
    py::setattr(type, name,
                py::cpp_function(function, py::name(name), py::is_method(type), more...));
  };
  for (const InPlace& row : rows) {
    // Operators: what they cannot take is left for the other operand to answer.
    add(row.symbol, [&row](const py::handle& self, const py::object& other) {
      if (!is_operand(other.ptr())) return py::reinterpret_borrow<py::object>(Py_NotImplemented);
      return change(row, row.symbol, self, other.ptr(), nullptr);
    });
    if (!row.method) continue;
    if (!row.scales) {
      add(
          row.method,
          [&row](const py::handle& self, const py::object& other) {
            PyObject* y = operand_or_fail(row.method, other);
            return change(row, row.method, self, y, nullptr);
          },
          py::arg("other"), row.doc);
      continue;
    }
    add(
        row.method,
        [&row](const py::handle& self, const py::object& other, const py::object& alpha) {
          PyObject* y = operand_or_fail(row.method, other);
          return change(row, row.method, self, y, alpha.is_none() ? nullptr : alpha.ptr());
        },
        py::arg("other"), py::kw_only(), py::arg("alpha") = py::none(), row.doc);
  }
}

}  // namespace mg
