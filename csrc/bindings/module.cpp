#include "bindings/module.h"
#include "bindings/raise.h"
#include "kernels/kernels.h"

PYBIND11_MODULE(_core, m) {
  namespace py = pybind11;
  m.doc() = "minigrad's compiled core: the op table, tensors and gradients.";
  py::register_exception_translator([](std::exception_ptr p) {
    try {
      if (p) std::rethrow_exception(p);
    } catch (const py::error_already_set&) {
      throw;
    } catch (const py::builtin_exception&) {
      throw;
    } catch (const std::runtime_error&) {
      mg::set_python_error();
    }
  });
  mg::kernels();  // a wrong MINIGRAD_ISA is an error at import, not later
  m.attr("CaptureError") = py::reinterpret_borrow<py::object>(mg::capture_error());
  mg::register_tensor(m);
  mg::register_in_place(m);
  mg::register_ops(m);
  mg::register_operators(m);
  mg::register_engine(m);
  mg::register_plan(m);
  mg::register_epoch(m);
  mg::register_interrupt(m);
}
