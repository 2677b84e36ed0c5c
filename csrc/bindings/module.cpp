#include "bindings/convert.h"
#include "kernels/kernels.h"

PYBIND11_MODULE(_core, m) {
  namespace py = pybind11;
  m.doc() = "minigrad's compiled core: the op table, tensors and gradients.";
  py::register_exception_translator([](std::exception_ptr p) {
    try {
      if (p) std::rethrow_exception(p);
    } catch (const mg::ValueError& e) {
      PyErr_SetString(PyExc_ValueError, e.what());
    } catch (const mg::TypeError& e) {
      PyErr_SetString(PyExc_TypeError, e.what());
    } catch (const mg::IndexError& e) {
      PyErr_SetString(PyExc_IndexError, e.what());
    }
  });
  mg::kernels();  // a wrong MINIGRAD_ISA is an error at import, not later
  mg::register_tensor(m);
  mg::register_ops(m);
  mg::register_engine(m);
  mg::register_plan(m);
}
