// Memory cut into arrays, each on a line of its own.
#pragma once
#include <stdint.h>

namespace mg {
namespace MG_ISA {

class Taken {
 public:
  explicit Taken(void* memory) : begin_(reinterpret_cast<uintptr_t>(memory)), at_(begin_) {}

  template <class T>
  void take(T*& array, int64_t n) {
    array = reinterpret_cast<T*>(at_);
    at_ += (static_cast<uintptr_t>(n) * sizeof(T) + 63) / 64 * 64;
  }
  int64_t bytes() const { return static_cast<int64_t>(at_ - begin_); }

 private:
  uintptr_t begin_, at_;
};

}  // namespace MG_ISA
}  // namespace mg
