// The op table as Python functions and Tensor methods: one loop.
#include <utility>

#include "bindings/call.h"
#include "bindings/module.h"
#include "bindings/raise.h"

namespace mg {
namespace {

PyObject* forward_entry(PyObject* self, PyObject* const* args, Py_ssize_t n, PyObject* keywords) {
  return guarded([&] { return call_op(op_in(self), args, n, keywords); });
}

// torch's names of ops that have numpy's here.
const std::pair<const char*, const char*> aliases[] = {
    {"cat", "concatenate"},
    {"clamp", "clip"},
    {"view", "reshape"},
};

py::list describe() {
  py::list rows;
  for (const Op& op : all_ops()) {
    py::dict row;
    row["name"] = op.name();
    row["signature"] = op.signature;
    row["doc"] = op.doc;
    py::list also;
    for (const auto& [alias, name] : aliases)
      if (op.name() == name) also.append(alias);
    row["aliases"] = also;
    row["outputs"] = op.outputs - op.hidden;
    row["differentiable"] = op.vjp != nullptr;
    row["inner"] = op.inner;
    rows.append(row);
  }
  return rows;
}

}  // namespace

void register_ops(py::module_& m) {
  const py::object tensor = m.attr("Tensor");
  py::list for_users;  // what `from minigrad._core import *` gives; x.copy_(y) is a method alone
  const auto bind = [&](const std::string& name, const Op& op, const py::object& f) {
    m.attr(name.c_str()) = f;
    if (op.inner) return;
    const auto& params = op.signature_parsed.params;
    if (!params.empty() && params[0].name == "x") py::setattr(tensor, name.c_str(), method(f));
    if (name.back() != '_') for_users.append(name);
  };
  for (const Op& op : all_ops()) bind(op.name(), op, function(op, forward_entry));
  for (const auto& [alias, name] : aliases) bind(alias, find_op(name), m.attr(name));
  m.attr("__all__") = for_users;
  m.def("ops", &describe,
        "The op table: name, aliases, signature, doc, outputs, differentiable and inner of each "
        "row.");
}

}  // namespace mg
