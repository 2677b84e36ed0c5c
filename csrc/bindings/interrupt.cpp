#include "bindings/interrupt.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <utility>

#include "bindings/convert.h"
#include "bindings/module.h"
#include "core/thread_local.h"

namespace mg {
namespace {

// How often long work looks for Ctrl-C.
constexpr auto signal_interval = std::chrono::milliseconds(20);

// Asked for from any thread; raised once in the core, and seen by Python until it is cleared.
class Interrupt {
 public:
  void request() {
    requested_.store(true, std::memory_order_relaxed);
    pending_.store(true, std::memory_order_relaxed);
  }
  void clear() {
    requested_.store(false, std::memory_order_relaxed);
    pending_.store(false, std::memory_order_relaxed);
  }
  bool requested() const { return requested_.load(std::memory_order_relaxed); }
  bool take() {
    return pending_.load(std::memory_order_relaxed) &&
           pending_.exchange(false, std::memory_order_relaxed);
  }

 private:
  std::atomic<bool> requested_{false}, pending_{false};
};

MG_THREAD_LOCAL Interrupt* watched = nullptr;
MG_THREAD_LOCAL std::chrono::steady_clock::rep last_look = 0;

}  // namespace

void raise_interrupt() {
  if (watched && watched->take()) {
    py::gil_scoped_acquire acquire;
    PyErr_SetNone(PyExc_KeyboardInterrupt);
    throw py::error_already_set();
  }
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  if (now - std::chrono::steady_clock::duration(last_look) < signal_interval) return;
  last_look = now.count();
  py::gil_scoped_acquire acquire;
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

void register_interrupt(py::module_& m) {
  py::class_<Interrupt>(m, "Interrupt", "A way to end a thread's work from another, as by Ctrl-C.")
      .def(py::init<>())
      .def("request", &Interrupt::request,
           "The thread that watches gets a KeyboardInterrupt out of its work in the core.")
      .def("clear", &Interrupt::clear, "As if nothing had been requested.")
      .def_property_readonly("requested", &Interrupt::requested)
      .def(py::pickle([](const Interrupt&) { return py::tuple(); },
                      [](const py::tuple&) { return std::make_unique<Interrupt>(); }));
  m.def(
      "watch", [](Interrupt* interrupt) { return std::exchange(watched, interrupt); },
      py::arg("interrupt").none(true), py::return_value_policy::reference,
      "The calling thread watches this Interrupt, which must outlive that; returns what it watched "
      "before.");
  m.def("check_interrupt", &raise_interrupt,
        "Raises KeyboardInterrupt if this thread's work is to end.");
}

}  // namespace mg
