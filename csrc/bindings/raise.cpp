#include "bindings/raise.h"

#include <pybind11/pybind11.h>

#include "core/error.h"

namespace mg {

namespace py = pybind11;

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
