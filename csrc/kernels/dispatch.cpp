#include "kernels/dispatch.h"

#include <cstdlib>

#include "core/error.h"
#include "kernels/kernels.h"

namespace mg {

namespace baseline {
extern const Kernels table;
}
namespace reference {
extern const Kernels table;
}
#if defined(__x86_64__)
namespace avx2 {
extern const Kernels table;
}
namespace avx512 {
extern const Kernels table;
}
#elif defined(__aarch64__)
namespace neon {
extern const Kernels table;
}
#endif

namespace {

struct Choice {
  const Kernels* table;
  bool (*runs_here)();
};

// Best first; `reference` is there to be asked for, not to be fast.
const Choice choices[] = {
#if defined(__x86_64__)
    {&avx512::table,
     [] {
       return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
              __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
     }},
    {&avx2::table, [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }},
#elif defined(__aarch64__)
    {&neon::table, [] { return true; }},
#endif
    {&baseline::table, [] { return true; }},
    {&reference::table, [] { return true; }},
};

const Kernels& choose() {
  const char* wanted = std::getenv("MINIGRAD_ISA");
  std::string known;
  for (const Choice& c : choices) {
    if (!wanted || !*wanted) {
      if (c.runs_here()) return *c.table;
    } else if (std::string(wanted) == c.table->isa) {
      if (c.runs_here()) return *c.table;
      fail<ValueError>("MINIGRAD_ISA=", wanted, ": this CPU lacks ", wanted,
                       "; unset it to take the best that the CPU has");
    }
    known += (known.empty() ? "" : ", ") + std::string(c.table->isa);
  }
  fail<ValueError>("MINIGRAD_ISA=", wanted, ": unknown; this build has ", known);
}

}  // namespace

const Kernels& kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

std::vector<std::string> isa_names() {
  std::vector<std::string> names;
  for (const Choice& c : choices)
    if (c.runs_here()) names.emplace_back(c.table->isa);
  return names;
}

}  // namespace mg
