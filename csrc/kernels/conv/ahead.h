// Memory that will be needed soon, fetched a few lines at a time while something else is computed.
#pragma once
#include <stdint.h>

namespace mg {
namespace MG_ISA {

class Ahead {
 public:
  Ahead() = default;
  // `rows` rows of `bytes` bytes at distances of `step`, in `times` calls of fetch(); into L1, or,
  // if `far`, only into L2.
  Ahead(const void* at, int64_t rows, int64_t step, int64_t bytes, int64_t times, bool far = false)
      : at_(static_cast<const char*>(at)),
        rows_(bytes > 0 ? rows : 0),
        step_(step),
        bytes_(bytes),
        far_(far) {
    const int64_t lines = rows_ * ((bytes + 63) / 64);
    each_ = times > 1 ? (lines + times - 1) / times : lines;
  }

  void fetch() {
    for (int64_t i = 0; i < each_ && row_ < rows_; ++i) {
      const char* line = at_ + row_ * step_ + byte_;
      far_ ? __builtin_prefetch(line, 0, 2) : __builtin_prefetch(line);
      byte_ += 64;
      if (byte_ < bytes_) continue;
      byte_ = 0;
      ++row_;
    }
  }

 private:
  const char* at_ = nullptr;
  int64_t rows_ = 0, step_ = 0, bytes_ = 0, each_ = 0;
  int64_t row_ = 0, byte_ = 0;
  bool far_ = false;
};

}  // namespace MG_ISA
}  // namespace mg
