// The engine's exceptions as Python's.
#pragma once
#include <Python.h>

namespace mg {

void set_python_error() noexcept;  // from the exception being handled
PyObject* capture_error();         // minigrad._core.CaptureError

// Runs f and turns the engine's exceptions into Python's; null after an error.
template <class F>
PyObject* guarded(F&& f) noexcept {
  try {
    return f();
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

}  // namespace mg
