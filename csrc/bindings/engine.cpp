// Gradients, threads and facts about the build.
#include <pybind11/stl.h>

#include "bindings/convert.h"
#include "bindings/interrupt.h"
#include "bindings/module.h"
#include "bindings/ndarray.h"
#include "core/threads.h"
#include "engine/record.h"
#include "kernels/dispatch.h"
#include "kernels/kernels.h"

namespace mg {
namespace {

// A tensor, or several: also those that a module's parameters() yields.
std::vector<Var> one_or_more(const py::object& tensors, const char* what, bool or_none = false) {
  if (Tensor* t = tensor_in(tensors.ptr())) return {var_of(t)};
  if (!py::isinstance<py::iterable>(tensors))
    fail<TypeError>(what, " must be a Tensor or several, got ", type_name(tensors.ptr()));
  return vars_of(tensors, what, or_none);
}

py::tuple grad(const py::object& outputs, const py::object& inputs, const py::object& grad_outputs,
               const py::object& retain_graph, bool create_graph, bool allow_unused) {
  const std::vector<Var> out = one_or_more(outputs, "grad: outputs"),
                         in = one_or_more(inputs, "grad: inputs");
  std::vector<Var> seeds;
  if (!grad_outputs.is_none()) {
    seeds = one_or_more(grad_outputs, "grad: grad_outputs", true);
    if (seeds.size() != out.size())
      fail<ValueError>("grad: ", seeds.size(), " grad_outputs for ", out.size(), " outputs");
  }
  const bool retain = retain_graph.is_none() ? create_graph : retain_graph.cast<bool>();
  std::vector<Var> found;
  {
    const LongWork work;
    found = gradients(out, seeds, in, retain, create_graph, allow_unused);
  }
  py::tuple result(found.size());
  for (size_t i = 0; i < found.size(); ++i)
    result[i] = py::reinterpret_steal<py::object>(to_python(found[i]));
  return result;
}

py::dict build_info() {
  py::dict d;
  d["version"] = MINIGRAD_VERSION;
#if defined(__clang__)
  d["compiler"] = "clang " __clang_version__;
#else
  d["compiler"] = "gcc " __VERSION__;
#endif
  d["isa"] = kernels().isa;
  d["isas"] = isa_names();
  d["threads"] = get_num_threads();
  return d;
}

}  // namespace

void register_engine(py::module_& m) {
  m.def(
      "grad", &grad, py::arg("outputs"), py::arg("inputs"), py::arg("grad_outputs") = py::none(),
      py::arg("retain_graph") = py::none(), py::arg("create_graph") = false,
      py::arg("allow_unused") = false,
      "Gradients of outputs with respect to inputs (each a tensor, or several), as a tuple; no "
      ".grad\n"
      "is touched.\n\n"
      "With create_graph they can be differentiated again. An input that outputs do not depend on\n"
      "is an error, or None with allow_unused.\n\n"
      ">>> x = mg.tensor(3.0, requires_grad=True)\n"
      ">>> (slope,) = mg.grad(x ** 3, x, create_graph=True)\n"
      ">>> slope.item(), mg.grad(slope, x)[0].item()\n"
      "(27.0, 18.0)");
  m.def("is_grad_enabled", &grad_enabled, "Whether ops of this thread are recorded.");
  m.def("set_grad_enabled", &set_grad_enabled, py::arg("mode"),
        "Whether ops of this thread are recorded; returns what it was before.");
  m.def("changes", &changes,
        "How often a tensor's requires_grad or a module was changed: another count means that a "
        "plan may no longer be what its function does.");
  m.def("note_change", &note_change, "Counts one change.");
  m.def("get_num_threads", &get_num_threads,
        "How many threads an op may use.\n\n"
        ">>> mg.get_num_threads() >= 1\n"
        "True");
  m.def("set_num_threads", &set_num_threads, py::arg("n"),
        "How many threads an op may use; results do not depend on it.\n\n"
        ">>> mg.set_num_threads(mg.get_num_threads())");
  m.def("set_serial", &set_serial, py::arg("serial"),
        "Whether the ops of the calling thread stay on it; results do not depend on it.");
  m.def(
      "isa", [] { return kernels().isa; },
      "The instruction set whose kernels are in use.\n\n"
      ">>> mg.isa() in mg.build_info()['isas']\n"
      "True");
  m.def("build_info", &build_info,
        "Version, compiler, instruction sets and threads, as a dict.\n\n"
        ">>> sorted(mg.build_info())\n"
        "['compiler', 'isa', 'isas', 'threads', 'version']");
  m.def(
      "from_numpy",
      [](const py::object& a) {
        return py::reinterpret_steal<py::object>(to_python(from_array_like(a, true)));
      },
      py::arg("array"),
      "A tensor over the array's own memory, where dtype and memory allow.\n\n"
      ">>> array = np.zeros(2, 'float32')\n"
      ">>> _ = mg.from_numpy(array).fill_(3)\n"
      ">>> array.tolist()\n"
      "[3.0, 3.0]");
}

}  // namespace mg
