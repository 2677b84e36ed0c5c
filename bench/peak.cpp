// What the core can do at most: chains of fused multiply-adds in registers, nothing else.
#include <chrono>

namespace {

template <class T>
double flops_per_second() {
  using Vector [[gnu::vector_size(PEAK_BYTES)]] = T;
  constexpr int chains = 12;  // more than latency x throughput on any core we know
  constexpr long steps = 100'000;
  double best = 0;
  for (int round = 0; round < 20; ++round) {
    Vector sum[chains] = {};
    Vector factor = sum[0] + T(0.5), term = sum[0] + T(0.25);
    const auto begin = std::chrono::steady_clock::now();
    for (long i = 0; i < steps; ++i) {
      for (Vector& s : sum) {
        s = s * factor + term;
#ifdef __x86_64__
        asm volatile("" : "+x"(s));
#else
        asm volatile("" : "+w"(s));
#endif
      }
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    const double rate = 2.0 * chains * steps * (PEAK_BYTES / sizeof(T)) / took.count();
    if (rate > best) best = rate;
  }
  return best;
}

}  // namespace

extern "C" double peak_float32() { return flops_per_second<float>(); }
extern "C" double peak_float64() { return flops_per_second<double>(); }
