// a + b, -a, a < b: Python's operators.
#include <utility>

#include "bindings/call.h"
#include "bindings/module.h"
#include "bindings/raise.h"

namespace mg {
namespace {

// Python's operators and the ops that they call. `reflects`: also of a tensor on the right, whose
// method has an r before its name.
struct Operator {
  const char* name;
  const char* op;
  bool reflects = false;
};
const Operator operators[] = {
    {"add", "add", true},
    {"sub", "sub", true},
    {"mul", "mul", true},
    {"truediv", "div", true},
    {"floordiv", "floor_divide", true},
    {"mod", "remainder", true},
    {"pow", "pow", true},
    {"matmul", "matmul", true},
    {"and", "logical_and", true},
    {"or", "logical_or", true},
    {"neg", "neg"},
    {"abs", "abs"},
    {"invert", "logical_not"},
    {"eq", "eq"},
    {"ne", "ne"},
    {"lt", "lt"},
    {"le", "le"},
    {"gt", "gt"},
    {"ge", "ge"},
};

// Operators: what they cannot take is left for the other operand to answer.
PyObject* operate(const Op& op, PyObject* const* args, Py_ssize_t n, bool reflected) {
  return guarded([&]() -> PyObject* {
    if (n < 1 || n > 2) fail<TypeError>("an operator takes one or two operands, got ", n);
    for (Py_ssize_t i = 0; i < n; ++i)
      if (!is_operand(args[i])) return Py_NewRef(Py_NotImplemented);
    PyObject* operands[2] = {args[0], args[n - 1]};
    if (reflected) std::swap(operands[0], operands[1]);
    return call_op(op, operands, n, nullptr);
  });
}
PyObject* operator_entry(PyObject* self, PyObject* const* args, Py_ssize_t n, PyObject*) {
  return operate(op_in(self), args, n, false);
}
PyObject* reflected_entry(PyObject* self, PyObject* const* args, Py_ssize_t n, PyObject*) {
  return operate(op_in(self), args, n, true);
}

// What `a + b` calls: without these, Python would look up __add__ and bind it to `a` each time.
template <OpName N>
PyObject* slot(PyObject* a, PyObject* b) {
  static const Op& op = find_op(N.text);
  PyObject* const operands[] = {a, b};
  return operate(op, operands, 2, false);
}
void fill_slots(PyObject* type) {
  PyNumberMethods& number = reinterpret_cast<PyHeapTypeObject*>(type)->as_number;
  number.nb_add = slot<"add">;
  number.nb_subtract = slot<"sub">;
  number.nb_multiply = slot<"mul">;
  number.nb_true_divide = slot<"div">;
  number.nb_matrix_multiply = slot<"matmul">;
}

}  // namespace

void register_operators(py::module_& m) {
  const py::object tensor = m.attr("Tensor");
  for (const Operator& o : operators) {
    const Op& op = find_op(o.op);
    const std::string name = std::string(o.name) + "__";
    py::setattr(tensor, ("__" + name).c_str(), method(function(op, operator_entry)));
    if (o.reflects)
      py::setattr(tensor, ("__r" + name).c_str(), method(function(op, reflected_entry)));
  }
  fill_slots(tensor.ptr());  // last: setting a method puts Python's own slot back
}

}  // namespace mg
