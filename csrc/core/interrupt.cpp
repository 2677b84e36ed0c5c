#include "core/interrupt.h"

#include "core/thread_local.h"

namespace mg {
namespace {

MG_THREAD_LOCAL void (*asked)() = nullptr;

}  // namespace

void check_interrupt() {
  if (asked) asked();
}

InterruptScope::InterruptScope(void (*ask)()) : before_(asked) { asked = ask; }
InterruptScope::~InterruptScope() { asked = before_; }

}  // namespace mg
