#include "engine/blocks.h"

#include <algorithm>

#include "core/threads.h"

namespace mg {
namespace {

constexpr int64_t register_bytes = 8192;  // a block of one operand: a quarter of an L1 cache
constexpr int64_t thread_grain = 32768;   // elements of one call worth a thread
constexpr int most_registers = Blocks::most + max_operands;

// Gives numbers to values, and takes back those that nobody needs any more.
class Registers {
 public:
  int64_t take() {
    int i = 0;
    while (used_[i]) ++i;
    used_[i] = true;
    return i * register_bytes;
  }
  void give_back(int64_t at) { used_[at / register_bytes] = false; }

 private:
  bool used_[most_registers] = {};
};

}  // namespace

Blocks::Blocks(std::span<const Part> parts) {
  const int count = static_cast<int>(parts.size());
  n_ = parts[0].out.numel();
  std::vector<int> last_use(parts.size(), -1);
  for (int i = 0; i < count; ++i)
    for (int from : parts[i].from)
      if (from >= 0) last_use[from] = i;

  Registers registers;
  int64_t widest = 1;
  calls_.resize(parts.size());
  for (int i = 0; i < count; ++i) {
    const Part& part = parts[i];
    Call& call = calls_[i];
    std::vector<const Array*> in;
    for (const Array& a : part.in) in.push_back(&a);
    Array out = part.out;
    part.op->pointwise(mg::Call{in, *part.attrs, {&out, 1}, part.op->name().c_str()}, &call.ready);

    call.inputs = static_cast<int>(part.in.size());
    const int64_t item = item_size(out.dtype);
    widest = std::max(widest, item);
    bool alike = true;            // all elements are as large as the output's
    std::vector<int64_t> ending;  // registers that nobody reads after this call
    for (int k = 0; k < call.inputs; ++k) {
      const Array& a = part.in[k];
      Place& place = call.in[k];
      place.dtype = a.dtype;
      const bool streams = k < call.ready.streams;
      if (streams) widest = std::max(widest, item_size(a.dtype));
      alike = alike && (!streams || item_size(a.dtype) == item);
      if (part.from[k] >= 0) {
        const Place& made = calls_[part.from[k]].out;
        place.base = made.base;
        place.advance = made.advance;
        place.at = made.at;
        call.step[k] = 1;
        const bool again = std::find(ending.begin(), ending.end(), made.at) != ending.end();
        if (made.at >= 0 && last_use[part.from[k]] == i && !again) ending.push_back(made.at);
        continue;
      }
      place.base = static_cast<char*>(a.raw());
      if (!streams || (a.numel() == 1 && n_ > 1)) continue;
      call.step[k] = 1;
      if (a.numel() == n_ && a.contiguous()) {
        place.advance = item_size(a.dtype);
        continue;
      }
      const Dims strides = a.broadcast_to(out.shape).strides;
      place.loops = std::make_unique<const Loops>(out.shape, &strides, 1);
      place.at = registers.take();
      ending.push_back(place.at);
    }

    // The output may take the place of an input that ends here.
    const auto end = [&] {
      for (int64_t at : ending) registers.give_back(at);
    };
    if (alike) end();
    if (part.kept) {
      call.out.base = static_cast<char*>(out.raw());
      call.out.advance = item;
    } else {
      call.out.at = registers.take();
    }
    if (!alike) end();
  }
  block_ = register_bytes / widest;
  grain_ = std::max(2 * block_, thread_grain / count);
}

bool Blocks::gathers() const {
  return std::any_of(calls_.begin(), calls_.end(), [](const Call& c) {
    return std::any_of(c.in, c.in + c.inputs, [](const Place& p) { return p.loops != nullptr; });
  });
}

void Blocks::run() const {
  parallel_for(n_, grain_, [this](int64_t begin, int64_t end) { run(begin, end); }, block_);
}

void Blocks::run(int64_t begin, int64_t end) const {
  alignas(64) char scratch[most_registers * register_bytes];
  for (int64_t first = begin; first < end; first += block_) {
    const int64_t n = std::min(block_, end - first);
    const auto find = [&](const Place& p) {
      return p.at < 0 ? p.base + first * p.advance : scratch + p.at;
    };
    for (const Call& call : calls_) {
      const void* in[max_operands];
      for (int k = 0; k < call.inputs; ++k) {
        const Place& p = call.in[k];
        if (p.loops) gather(*p.loops, 0, p.base, p.dtype, first, n, scratch + p.at);
        in[k] = find(p);
      }
      call.ready.run(call.ready, {in, call.step, find(call.out), n, first});
    }
  }
}

}  // namespace mg
