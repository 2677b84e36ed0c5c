// Recording a function and replaying its plan; minigrad/plan/ decides when.
#include "engine/plan.h"

#include <array>

#include <pybind11/stl.h>

#include "bindings/convert.h"
#include "bindings/interrupt.h"
#include "bindings/module.h"
#include "bindings/ndarray.h"
#include "engine/record.h"

namespace mg {
namespace {

std::vector<Array> arrays_from(const py::sequence& values) {
  std::vector<Array> out;
  for (const py::object v : values) out.push_back(from_array_like(v, true).array());
  return out;
}

// A number for a dtype of numpy: that of a tensor where there is one.
int64_t code_of(int number) {
  static const std::array<int, dtype_count> ours = [] {
    std::array<int, dtype_count> numbers{};
    for (int d = 0; d < dtype_count; ++d) numbers[d] = numpy_dtype(static_cast<DType>(d)).num();
    return numbers;
  }();
  for (int d = 0; d < dtype_count; ++d)
    if (ours[d] == number) return d;
  return -1 - number;
}

// Shapes and dtypes of tensors and arrays, and which want gradients, as a key.
py::bytes layout(const py::sequence& values) {
  std::string key;
  const auto add = [&](int64_t n) { key.append(reinterpret_cast<const char*>(&n), sizeof n); };
  for (const py::object v : values) {
    if (const Tensor* t = tensor_in(v.ptr())) {
      add(index(t->array.dtype) + (t->tracked() ? dtype_count : 0));
      add(t->array.rank());
      for (int64_t n : t->array.shape) add(n);
      continue;
    }
    const auto a = py::cast<py::array>(v);
    add(code_of(a.dtype().num()));
    add(a.ndim());
    for (py::ssize_t i = 0; i < a.ndim(); ++i) add(a.shape(i));
  }
  return py::bytes(key);
}

// What an object of a type written in C keeps in itself: equal bytes, equal state. Without what
// every object has, its count of references first of all.
py::bytes bytes_within(const py::object& object, const py::type& type) {
  if (!py::isinstance(object, type))
    fail<TypeError>("bytes_within: an object of another type: ", Py_TYPE(object.ptr())->tp_name);
  const auto* begin = reinterpret_cast<const char*>(object.ptr());
  const auto size = reinterpret_cast<const PyTypeObject*>(type.ptr())->tp_basicsize;
  return {begin + sizeof(PyObject), static_cast<size_t>(size) - sizeof(PyObject)};
}

// Runs body() once, recording it; gives (its tensors, the plan), or in place of the plan what
// stands in its way.
py::tuple record(const py::sequence& inputs, const py::function& body) {
  Recorder recorder(vars_of(inputs, "plan"));
  py::list result = body();
  const std::vector<Var> outputs = vars_of(result, "plan");
  std::string obstacle;
  Program program = recorder.finish(outputs, &obstacle);
  if (!obstacle.empty()) return py::make_tuple(result, obstacle);
  return py::make_tuple(result, std::make_shared<Plan>(std::move(program)));
}

py::list replay(Plan& plan, const py::sequence& inputs) {
  const std::vector<Array> in = arrays_from(inputs);
  std::vector<Array> out;
  {
    const LongWork work;
    out = plan.replay(in);
  }
  py::list result;
  for (Array& a : out)
    result.append(py::reinterpret_steal<py::object>(to_python(make_tensor(std::move(a)))));
  return result;
}

}  // namespace

void register_plan(py::module_& m) {
  py::class_<Plan, std::shared_ptr<Plan>>(m, "Plan", "A recorded function, replayed in C++.")
      .def("replay", &replay, py::arg("inputs"), "The outputs for these inputs, as new tensors.")
      .def(
          "describe",
          [](const Plan& p, const std::vector<double>& times) { return p.describe(times); },
          py::arg("times") = std::vector<double>(),
          "The instructions as a table, with estimated operations and bytes; the times that "
          "profile() measured put rates beside them.")
      .def(
          "profile", [](Plan& p, int repeats) { return p.profile(repeats); },
          py::arg("repeats") = 20, "Median nanoseconds of each instruction; changes nothing.")
      .def_property_readonly("instructions",
                             [](const Plan& p) {
                               std::vector<std::string> names;
                               for (const Instruction& i : p.program().code)
                                 names.push_back(i.name());
                               return names;
                             })
      .def_property_readonly(
          "outputs",
          [](const Plan& p) {
            py::list outputs;
            for (const Array& o : p.outputs())
              outputs.append(py::make_tuple(tuple_of(o.shape), numpy_dtype(o.dtype)));
            return outputs;
          },
          "Shape and dtype of each output.")
      .def_property_readonly("arena_bytes", [](const Plan& p) { return p.program().arena_bytes; });
  m.def("layout", &layout, py::arg("values"),
        "Shapes and dtypes of tensors and arrays, and which want gradients, as a key.");
  m.def("bytes_within", &bytes_within, py::arg("object"), py::arg("type"),
        "What an object keeps in itself as one of a type written in C, as bytes to compare.");
  m.def("record", &record, py::arg("inputs"), py::arg("body"),
        "Runs body() and records it: (its tensors, a Plan or what stood in the way).");
}

}  // namespace mg
