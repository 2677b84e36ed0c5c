#include "ops/conv_pass.h"

#include <algorithm>

#include "core/buffer.h"
#include "core/interrupt.h"
#include "core/threads.h"

namespace mg {

double conv_flops(const ConvShape& s) {
  return 2.0 * static_cast<double>(s.images * s.filters * s.out_h * s.out_w) *
         static_cast<double>(s.channels / s.groups * s.kernel_h * s.kernel_w);
}

// The units of a pass, in ranges of whole sources while there are enough; each with scratch of its
// own. No unit knows which thread computed it, or in which round: between two of them, each of
// tens of milliseconds, the work may be interrupted.
void run_pass(const ConvPass& pass, const ConvShape& s, const void* a, const void* b,
              const void* weight, void* out, const ConvFinish& finish) {
  const ConvSizes sizes = pass.sizes(s);
  const int64_t units = sizes.units, panels = sizes.panels;
  if (units == 0) return;
  Buffer shared(sizes.shared_bytes);
  pass.prepare(s, weight, shared.data());

  constexpr double enough_for_a_round = 2e9, worth_a_thread = 1e6;
  const int64_t rounds = 1 + static_cast<int64_t>(conv_flops(s) / enough_for_a_round);
  const int64_t sources = units / panels, round = (sources + rounds - 1) / rounds * panels;
  const double flops = conv_flops(s) * round / units;
  const int threads = get_num_threads();
  int64_t parts = threads == 1 ? 1 : 4 * threads;
  if (flops < parts * worth_a_thread) parts = 1 + static_cast<int64_t>(flops / worth_a_thread);
  const int64_t align = round / panels >= parts ? panels : 1;
  const int64_t step = ((round + parts - 1) / parts + align - 1) / align * align;
  parts = (round + step - 1) / step;

  const int64_t scratch_bytes = (sizes.scratch_bytes + 63) / 64 * 64;
  Buffer scratch(parts * scratch_bytes);
  for (int64_t first = 0; first < units; first += round) {
    if (first > 0) check_interrupt();
    const int64_t last = std::min(first + round, units);
    parallel_tasks((last - first + step - 1) / step, [&](int64_t i) {
      const int64_t begin = first + i * step, end = std::min(begin + step, last);
      pass.run(s, a, b, out, finish, begin, end, shared.data(),
               static_cast<char*>(scratch.data()) + i * scratch_bytes);
    });
  }
}

}  // namespace mg
