// Errors that reach the user as Python's own: each names the value and says how to mend the call.
#pragma once
#include <sstream>
#include <stdexcept>
#include <string>

namespace mg {

struct ValueError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct TypeError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct IndexError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct MemoryError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct StateError : std::runtime_error {  // RuntimeError in Python
  using std::runtime_error::runtime_error;
};

struct CaptureError : StateError {  // a function cannot be recorded
  using StateError::StateError;
};

// fail<ValueError>("dropout: p must be in [0, 1], got ", p);
template <class Error, class... Parts>
[[noreturn]] __attribute__((noinline, cold)) void fail(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  throw Error(text.str());
}

}  // namespace mg
