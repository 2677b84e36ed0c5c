#include "engine/epoch.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>

#include "core/interrupt.h"
#include "core/threads.h"
#include "kernels/kernels.h"

namespace mg {

void draw_orders(int64_t seed, int64_t first, int64_t epochs, int64_t rows, int64_t* orders) {
  for (int64_t i = 0; i < epochs; ++i, orders += rows)
    kernels().random.permutation(orders, rows,
                                 {static_cast<uint64_t>(seed), static_cast<uint64_t>(first + i)});
}

Epoch::Epoch(std::vector<EpochPart> parts, std::vector<double> rows) : rows_(std::move(rows)) {
  for (EpochPart& part : parts) parts_.push_back(prepare(std::move(part), figures()));
  for (const Ready& r : parts_)
    for (const Ref<Buffer>& b : r.part.plan->written())
      if (std::find(written_.begin(), written_.end(), b) == written_.end()) written_.push_back(b);
}

Epoch::Ready Epoch::prepare(EpochPart part, int figures) {
  const Plan& plan = *part.plan;
  if (part.data.size() != plan.inputs().size())
    fail<ValueError>("epoch: a plan with ", plan.inputs().size(), " inputs got ", part.data.size(),
                     " arrays");
  if (part.figures.size() != plan.outputs().size() || part.kept.size() != plan.outputs().size())
    fail<ValueError>("epoch: a plan with ", plan.outputs().size(), " outputs got ",
                     part.figures.size(), " figures and ", part.kept.size(), " arrays to fill");
  Ready r;
  for (size_t i = 0; i < part.data.size(); ++i) {
    const Array &from = part.data[i], &to = plan.inputs()[i];
    Dims expected = to.shape;
    if (from.rank() > 0 && to.rank() > 0) expected[0] = from.shape[0];
    if (i == 0 && to.rank() > 0) r.batch = to.shape[0];
    if (!(from.shape == expected) || from.dtype != to.dtype || !from.contiguous() ||
        !to.contiguous() || to.rank() == 0 || to.shape[0] != r.batch || r.batch == 0)
      fail<ValueError>("epoch: array ", i, " of shape ", from.shape, " and dtype ",
                       name(from.dtype), " does not give batches of shape ", to.shape,
                       " and dtype ", name(to.dtype));
    r.gathers.push_back(
        {from.data<char>(), to.data<char>(), to.numel() / r.batch * item_size(to.dtype)});
    r.rows_needed = i == 0 ? from.shape[0] : std::min(r.rows_needed, from.shape[0]);
  }
  const int64_t rows = part.last - part.first;
  if (r.batch && (part.first < 0 || rows < 0 || rows % r.batch))
    fail<ValueError>("epoch: rows ", part.first, " to ", part.last,
                     " are no multiple of the batch of ", r.batch);
  if (r.batch && !part.shuffled && part.last > r.rows_needed)
    fail<IndexError>("epoch: row ", part.last - 1, " of ", r.rows_needed);
  for (size_t i = 0; i < part.kept.size(); ++i) {
    const Array &from = plan.outputs()[i], &to = part.kept[i];
    if (part.figures[i] >= figures || (part.figures[i] >= 0 && from.numel() != 1))
      fail<ValueError>("epoch: output ", i, " of shape ", from.shape, " is no figure");
    if (!to.buffer) continue;
    if (from.dtype != to.dtype || !from.contiguous() || !to.contiguous() || r.batch == 0 ||
        from.rank() == 0 || from.shape[0] != r.batch ||
        to.numel() < part.last * (from.numel() / r.batch))
      fail<ValueError>("epoch: output ", i, " of shape ", from.shape,
                       " does not fill rows of an array of shape ", to.shape);
    r.keeps.push_back(
        {from.data<char>(), to.data<char>() + part.first * (from.bytes() / r.batch), from.bytes()});
  }
  r.part = std::move(part);
  return r;
}

static double number_in(const Array& a) {
  switch (a.dtype) {
    case DType::f32:
      return *a.data<float>();
    case DType::f64:
      return *a.data<double>();
    case DType::i64:
      return static_cast<double>(*a.data<int64_t>());
    default:
      return *a.data<bool>();
  }
}

void Epoch::add(const Ready& r, double* figures) {
  for (size_t i = 0; i < r.part.figures.size(); ++i)
    if (const int figure = r.part.figures[i]; figure >= 0)
      figures[figure] += number_in(r.part.plan->outputs()[i]) * r.part.weight;
}

// Rows at `count` positions of the order (null: as they lie). Most of the time is waiting for
// memory, which threads do side by side.
void Epoch::bring(const Gather& g, const int64_t* order, int64_t first, int64_t count) {
  constexpr int64_t enough_bytes = 1 << 16;
  parallel_for(count, 1 + enough_bytes / (g.bytes + 1), [&](int64_t begin, int64_t end) {
    char* to = g.to + begin * g.bytes;
    if (!order) {
      std::memcpy(to, g.from + (first + begin) * g.bytes, (end - begin) * g.bytes);
      return;
    }
    for (int64_t i = begin; i < end; ++i, to += g.bytes)
      std::memcpy(to, g.from + order[first + i] * g.bytes, g.bytes);
  });
}

void Epoch::run(Ready& r, const int64_t* order, double* figures) {
  if (r.batch == 0) {
    r.part.plan->run();
    return add(r, figures);
  }
  int64_t replay = 0;
  for (int64_t at = r.part.first; at < r.part.last; at += r.batch, ++replay) {
    for (const Gather& g : r.gathers) bring(g, r.part.shuffled ? order : nullptr, at, r.batch);
    r.part.plan->run();
    add(r, figures);
    for (const Keep& k : r.keeps) std::memcpy(k.to + replay * k.bytes, k.from, k.bytes);
    check_interrupt();
  }
}

std::vector<std::unique_lock<std::mutex>> Epoch::take() const {
  std::vector<std::unique_lock<std::mutex>> held;
  std::vector<const Plan*> seen;
  for (const Ready& r : parts_) {
    if (std::find(seen.begin(), seen.end(), r.part.plan.get()) != seen.end()) continue;
    seen.push_back(r.part.plan.get());
    held.push_back(r.part.plan->take());
  }
  return held;
}

void Epoch::check_width(int64_t width) const {
  for (const Ready& r : parts_)
    if (r.part.shuffled && r.part.last > width)
      fail<ValueError>("epoch: an order of ", width, " rows, of which ", r.part.last, " are taken");
}

template <class OrderOf>
void Epoch::run_each(int64_t epochs, const OrderOf& order_of, double* table, double seconds) {
  completed_ = 0;
  const auto start = std::chrono::steady_clock::now();
  for (int64_t done = 0; done < epochs; table += figures() + 1) {
    const int64_t* order = order_of(done);
    for (Ready& r : parts_) run(r, order, table);
    for (int f = 0; f < figures(); ++f) table[f] /= rows_[f];
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    table[figures()] = spent.count();
    completed_ = ++done;
    if (spent.count() >= seconds) return;
  }
}

void Epoch::run(int64_t epochs, const int64_t* orders, int64_t width, double* table) {
  const auto held = take();
  check_width(width);
  // The caller's threads may write to theirs while it is followed.
  const std::vector<int64_t> order(orders, orders + epochs * width);
  for (const Ready& r : parts_) {
    if (!r.part.shuffled) continue;
    for (const int64_t row : order)
      if (row < 0 || row >= r.rows_needed)
        fail<IndexError>("epoch: row ", row, " of ", r.rows_needed);
  }
  constexpr double for_ever = std::numeric_limits<double>::infinity();
  run_each(epochs, [&](int64_t i) { return order.data() + i * width; }, table, for_ever);
}

void Epoch::run_drawn(int64_t epochs, int64_t seed, int64_t first, int64_t rows, double* table,
                      double seconds) {
  const auto held = take();
  check_width(rows);
  for (const Ready& r : parts_)
    if (r.part.shuffled && rows > r.rows_needed)
      fail<IndexError>("epoch: row ", rows - 1, " of ", r.rows_needed);
  std::vector<int64_t> order(rows);
  const auto drawn = [&](int64_t i) {
    if (rows > 0) draw_orders(seed, first + i, 1, rows, order.data());
    return order.data();
  };
  run_each(epochs, drawn, table, seconds);
}

EpochState Epoch::save() const {
  const auto held = take();
  EpochState state;
  for (const Ref<Buffer>& b : written_) {
    const char* data = static_cast<const char*>(b->data());
    state.bytes.emplace_back(data, data + b->bytes());
  }
  return state;
}

void Epoch::restore(const EpochState& state) {
  const auto held = take();
  if (state.bytes.size() != written_.size())
    fail<ValueError>("epoch: this state is from other plans");
  for (size_t i = 0; i < state.bytes.size(); ++i)
    if (state.bytes[i].size() != written_[i]->bytes())
      fail<ValueError>("epoch: this state is from other plans");
  for (size_t i = 0; i < state.bytes.size(); ++i) {
    std::memcpy(written_[i]->data(), state.bytes[i].data(), state.bytes[i].size());
    written_[i]->bump_version();
  }
}

}  // namespace mg
