// Ctrl-C, and its like from another thread, while the core works.
#pragma once
#include <pybind11/pybind11.h>

#include "core/interrupt.h"

namespace mg {

// Raises KeyboardInterrupt if Ctrl-C was pressed, as far as this is the main thread, or if the
// Interrupt that this thread watches was requested. The lock of the interpreter may be free.
void raise_interrupt();

// While it lives, other Python threads run, and the work of this one ends by Ctrl-C, if it may.
class LongWork {
 public:
  explicit LongWork(bool interruptible = true)
      : scope_(interruptible ? &raise_interrupt : nullptr) {}

 private:
  pybind11::gil_scoped_release release_;
  InterruptScope scope_;
};

// Does work over so many elements; others run meanwhile if it takes long enough for that.
template <class F>
void work_over(int64_t elements, F&& work) {
  if (elements < 1 << 16) return work();
  const LongWork scope;
  work();
}

}  // namespace mg
