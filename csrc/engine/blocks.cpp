#include "engine/blocks.h"

#include <algorithm>

#include "core/cache.h"
#include "core/threads.h"
#include "kernels/simd/past_cache.h"

namespace mg {
namespace {

constexpr int64_t register_bytes = 8192;  // a block of one operand: a quarter of an L1 cache
constexpr int64_t thread_grain = 32768;   // elements worth a thread, of one call as fast as relu
constexpr int most_registers = Blocks::most + max_operands;
// Behind the registers lies a chunk of what is folded.
constexpr int64_t chunk_at = most_registers * register_bytes;
constexpr int64_t chunk_elements = 8192;

template <class Ready>
Ready make_ready(const Blocks::Part& part, bool (*make)(const mg::Call&, Ready*)) {
  std::vector<const Array*> in;
  for (const Array& a : part.in) in.push_back(&a);
  Array out = part.out;
  Ready ready;
  make(Call{in, *part.attrs, {&out, 1}, part.op->name().c_str()}, &ready);
  return ready;
}

}  // namespace

// Gives numbers to values, and takes back those that nobody needs any more.
class Blocks::Registers {
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

char* Blocks::Place::find(char* scratch, int64_t element) const {
  return at < 0 ? base + element * advance : scratch + at + element % chunk_elements * advance;
}

void Blocks::Place::see(const Place& made) {
  base = made.base;
  advance = made.advance;
  at = made.at;
}

void* Blocks::Fold::part(int64_t element) const {
  return reinterpret_cast<char*>(parts.data()) + element / chunk_elements * item_size(ready.dtype);
}

Blocks::Blocks(std::span<const Part> parts) : n_(parts[0].out.numel()) {
  const bool folds = parts.back().op->folding != nullptr;
  const int folded = folds ? parts.back().from[0] : -1;
  const std::span<const Part> calls = parts.first(parts.size() - folds);
  std::vector<int> last_use(calls.size(), -1);
  int64_t widest = 1;
  for (size_t i = 0; i < calls.size(); ++i) {
    widest = std::max(widest, item_size(calls[i].out.dtype));
    for (const int from : calls[i].from)
      if (from >= 0) last_use[from] = static_cast<int>(i);
  }
  Registers registers;
  calls_.reserve(calls.size());
  for (size_t i = 0; i < calls.size(); ++i)
    add(calls[i], static_cast<int>(i) == folded, last_use, registers);
  int64_t work = folds;
  for (const Call& call : calls_) {
    work += call.ready.work;
    for (int k = 0; k < call.ready.streams; ++k)
      widest = std::max(widest, item_size(call.in[k].dtype));
  }
  block_ = register_bytes / widest;
  grain_ = std::max(2 * block_, thread_grain / work);
  if (folds) add_fold(parts.back());
}

void Blocks::add(const Part& part, bool folded, std::span<const int> last_use,
                 Registers& registers) {
  const int number = static_cast<int>(calls_.size());
  Call& call = calls_.emplace_back();
  call.ready = make_ready(part, part.op->pointwise);
  call.inputs = static_cast<int>(part.in.size());
  const int64_t item = item_size(part.out.dtype);
  bool alike = true;            // all elements are as large as the output's
  std::vector<int64_t> ending;  // registers that nobody reads after this call
  for (int k = 0; k < call.inputs; ++k) {
    const Array& a = part.in[k];
    Place& place = call.in[k];
    place.dtype = a.dtype;
    const bool streams = k < call.ready.streams;
    alike = alike && (!streams || item_size(a.dtype) == item);
    if (const int from = part.from[k]; from >= 0) {
      place.see(calls_[from].out);
      call.step[k] = 1;
      const bool again = std::find(ending.begin(), ending.end(), place.at) != ending.end();
      if (place.at >= 0 && place.at < chunk_at && last_use[from] == number && !again)
        ending.push_back(place.at);
      continue;
    }
    place.base = static_cast<char*>(a.raw());
    if (!streams || (a.numel() == 1 && n_ > 1)) continue;
    call.step[k] = 1;
    if (a.numel() == n_ && a.contiguous()) {
      place.advance = item_size(a.dtype);
      continue;
    }
    const Dims strides = a.broadcast_to(part.out.shape).strides;
    place.loops = std::make_unique<const Loops>(part.out.shape, &strides, 1);
    place.at = registers.take();
    ending.push_back(place.at);
  }

  // The output may take the place of an input that ends here.
  const auto end = [&] {
    for (int64_t at : ending) registers.give_back(at);
  };
  if (alike) end();
  if (part.kept) call.out.base = static_cast<char*>(part.out.raw());
  if (part.kept && !folded && last_use[number] < 0 && outgrows_cache(n_ * item)) {
    write_past_cache(&call.ready);
    past_cache_ = true;
  }
  if (part.kept || folded) call.out.advance = item;
  if (!part.kept) call.out.at = folded ? chunk_at : registers.take();
  if (!alike) end();
}

void Blocks::add_fold(const Part& part) {
  auto fold = std::make_unique<Fold>();
  fold->ready = make_ready(part, part.op->folding);
  fold->in.see(calls_[part.from[0]].out);
  fold->out = part.out.raw();
  fold->parts.resize((n_ + chunk_elements - 1) / chunk_elements);
  fold_ = std::move(fold);
}

bool Blocks::gathers() const {
  return std::any_of(calls_.begin(), calls_.end(), [](const Call& c) {
    return std::any_of(c.in, c.in + c.inputs, [](const Place& p) { return p.loops != nullptr; });
  });
}

void Blocks::run() const {
  parallel_for(
      n_, grain_, [this](int64_t begin, int64_t end) { run(begin, end); },
      fold_ ? chunk_elements : block_);
  if (fold_)
    fold_->ready.join(fold_->ready, fold_->part(0), static_cast<int64_t>(fold_->parts.size()), n_,
                      fold_->out);
}

void Blocks::run(int64_t begin, int64_t end) const {
  alignas(64) char scratch[chunk_at + chunk_elements * 8];
  for (int64_t first = begin; first < end; first += block_) {
    const int64_t n = std::min(block_, end - first), last = first + n;
    for (const Call& call : calls_) {
      const void* in[max_operands];
      for (int k = 0; k < call.inputs; ++k) {
        const Place& p = call.in[k];
        if (p.loops) gather(*p.loops, 0, p.base, p.dtype, first, n, scratch + p.at);
        in[k] = p.find(scratch, first);
      }
      call.ready.run(call.ready, {in, call.step, call.out.find(scratch, first), n, first});
    }
    if (fold_ && (last == end || last % chunk_elements == 0)) {
      const int64_t chunk = (last - 1) / chunk_elements * chunk_elements;
      fold_->ready.run(fold_->ready, fold_->in.find(scratch, chunk), last - chunk,
                       fold_->part(chunk));
    }
  }
  if (past_cache_) settle();
}

}  // namespace mg
