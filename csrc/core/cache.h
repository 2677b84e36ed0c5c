// What caches hold.
#pragma once
#include <cstdint>

namespace mg {

// Whether what is copied in one go, so many bytes, pushes its own begin out of the last-level
// cache: whoever reads it next finds none of it there, and it may as well be written past it. Of
// 32 MB, as cores in use today share them: what systems say of its size is wrong on some
// (glibc 2.36 on a Zen 4 with 32 MB: 320 MB).
inline bool outgrows_cache(int64_t bytes) { return bytes >= int64_t{32} << 20; }

}  // namespace mg
