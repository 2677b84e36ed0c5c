// Work that may take long asks now and then whether it is still wanted.
#pragma once

namespace mg {

// Throws if this thread's work is to end here. What it was writing is then left as it is.
void check_interrupt();

// While it lives, check_interrupt() on this thread calls `ask`, which throws to end the work; with
// null it does nothing, for work that must not stay half done.
class InterruptScope {
 public:
  explicit InterruptScope(void (*ask)());
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;

 private:
  void (*before_)();
};

}  // namespace mg
