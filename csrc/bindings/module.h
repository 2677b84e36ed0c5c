// The parts of the module.
#pragma once
#include <pybind11/pybind11.h>

namespace mg {

void register_tensor(pybind11::module_& m);
void register_ops(pybind11::module_& m);
void register_operators(pybind11::module_& m);
void register_in_place(pybind11::module_& m);
void register_engine(pybind11::module_& m);
void register_plan(pybind11::module_& m);
void register_epoch(pybind11::module_& m);
void register_interrupt(pybind11::module_& m);

}  // namespace mg
