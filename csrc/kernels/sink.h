// Where results go while they are in the cache.
#pragma once
#include <stdint.h>

namespace mg {

// Takes n elements of a result, those from `first` on, as soon as they are finished, on any thread.
// Every element is handed over once, in any order.
struct Sink {
  void* context = nullptr;
  void (*take)(void* context, const void* elements, int64_t first, int64_t n) = nullptr;
  int64_t work = 0;  // how long it takes for an element, in multiply-adds
};

}  // namespace mg
