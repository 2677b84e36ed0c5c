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

// A row of so many elements is worth a call of its own, rather than a copy.
constexpr int64_t least_row = 1024;

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
  if (loops && at < 0) {
    const int64_t size = loops->size[0];
    return base + (loops->row_offset(element / size, 0) + element % size * loops->step[0][0]) *
                      item_size(dtype);
  }
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

Blocks::Blocks(std::span<const Part> parts, bool near) : n_(parts[0].out.numel()), near_(near) {
  const bool folds = parts.back().op->folding != nullptr;
  const size_t calls = parts.size() - folds;
  std::vector<Member> members;
  members.reserve(calls);
  for (const Part& part : parts.first(calls))
    members.push_back({make_ready(part, part.op->pointwise), part.in, part.out, part.from,
                       part.kept, folds && parts.back().from[0] == std::ssize(members)});
  take_chains(members);

  std::vector<int> last_use(members.size(), -1);
  int64_t widest = 1;
  int folded = -1;
  for (size_t i = 0; i < members.size(); ++i) {
    widest = std::max(widest, item_size(members[i].out.dtype));
    if (members[i].folded) folded = static_cast<int>(i);
    for (const int from : members[i].from)
      if (from >= 0) last_use[from] = static_cast<int>(i);
  }
  row_ = row_of(members);
  Registers registers;
  calls_.reserve(members.size());
  for (const Member& member : members) add(member, last_use, registers);
  work_ = folds;
  for (const Call& call : calls_) {
    work_ += call.ready.work;
    for (int k = 0; k < call.ready.streams; ++k)
      widest = std::max(widest, item_size(call.in[k].dtype));
  }
  block_ = register_bytes / widest;
  grain_ = std::max(2 * block_, thread_grain / work_);
  rousing_grain_ = std::max(2 * block_, thread_grain / static_cast<int64_t>(parts.size()));
  if (folds) add_fold(parts.back(), folded);
}

// Where all operands have rows of a length, side by side or shared, those need not be gathered. But
// what is drawn by position is not cut at their ends.
int64_t Blocks::row_of(std::span<const Member> members) {
  std::vector<int64_t> sizes;
  for (const Member& m : members) {
    if (m.ready.streams < std::ssize(m.in)) return 0;
    for (size_t k = 0; k < m.in.size(); ++k) {
      const Array& a = m.in[k];
      if (m.from[k] >= 0 || a.numel() == 1 || (a.shape == m.out.shape && a.contiguous())) continue;
      const Dims strides = a.broadcast_to(m.out.shape).strides;
      const Loops loops(m.out.shape, &strides, 1);
      if (loops.step[0][0] != 0 && loops.step[0][0] != 1) return 0;
      sizes.push_back(loops.size[0]);
    }
  }
  const int64_t row = sizes.empty() ? 0 : *std::min_element(sizes.begin(), sizes.end());
  const bool fit = row >= least_row && std::all_of(sizes.begin(), sizes.end(),
                                                   [=](int64_t size) { return size % row == 0; });
  return fit ? row : 0;
}

void Blocks::add(const Member& member, std::span<const int> last_use, Registers& registers) {
  const int number = static_cast<int>(calls_.size());
  Call& call = calls_.emplace_back();
  call.ready = member.ready;
  call.inputs = static_cast<int>(member.in.size());
  const int64_t item = item_size(member.out.dtype);
  bool alike = true;            // all elements are as large as the output's
  std::vector<int64_t> ending;  // registers that nobody reads after this call
  for (int k = 0; k < call.inputs; ++k) {
    const Array& a = member.in[k];
    Place& place = call.in[k];
    place.dtype = a.dtype;
    const bool streams = k < call.ready.streams;
    alike = alike && (!streams || item_size(a.dtype) == item);
    if (const int from = member.from[k]; from >= 0) {
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
    const Dims strides = a.broadcast_to(member.out.shape).strides;
    place.loops = std::make_unique<const Loops>(member.out.shape, &strides, 1);
    if (row_ > 0) {
      call.step[k] = place.loops->step[0][0];
      continue;
    }
    place.at = registers.take();
    ending.push_back(place.at);
  }

  // The output may take the place of an input that ends here.
  const auto end = [&] {
    for (int64_t at : ending) registers.give_back(at);
  };
  if (alike) end();
  if (member.kept) call.out.base = static_cast<char*>(member.out.raw());
  if (!near_ && member.kept && !member.folded && last_use[number] < 0 &&
      outgrows_cache(n_ * item)) {
    write_past_cache(&call.ready);
    past_cache_ = true;
  }
  if (member.kept || member.folded) call.out.advance = item;
  if (!member.kept) call.out.at = member.folded ? chunk_at : registers.take();
  if (!alike) end();
}

void Blocks::add_fold(const Part& part, int from) {
  auto fold = std::make_unique<Fold>();
  fold->ready = make_ready(part, part.op->folding);
  fold->in.see(calls_[from].out);
  fold->out = part.out.raw();
  fold->parts.resize((n_ + chunk_elements - 1) / chunk_elements);
  fold_ = std::move(fold);
}

bool Blocks::gathers() const {
  return std::any_of(calls_.begin(), calls_.end(), [](const Call& c) {
    return std::any_of(c.in, c.in + c.inputs, [](const Place& p) { return p.gathers(); });
  });
}

void Blocks::run() const {
  parallel_for(
      n_, workers_awake() ? grain_ : rousing_grain_,
      [this](int64_t begin, int64_t end) { run(begin, end); }, fold_ ? chunk_elements : block_);
  if (fold_)
    fold_->ready.join(fold_->ready, fold_->part(0), static_cast<int64_t>(fold_->parts.size()), n_,
                      fold_->out);
}

void Blocks::run(int64_t begin, int64_t end) const {
  alignas(64) char scratch[chunk_at + chunk_elements * 8];
  for (int64_t first = begin, n; first < end; first += n) {
    n = std::min(block_ - first % block_, end - first);
    if (row_ > 0) n = std::min(n, row_ - first % row_);
    const int64_t last = first + n;
    for (const Call& call : calls_) {
      const void* in[max_operands];
      for (int k = 0; k < call.inputs; ++k) {
        const Place& p = call.in[k];
        if (p.gathers()) gather(*p.loops, 0, p.base, p.dtype, first, n, scratch + p.at);
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
