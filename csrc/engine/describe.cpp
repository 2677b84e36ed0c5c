// What a plan does and how long it takes, as a table for people.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "engine/plan.h"

namespace mg {
namespace {

constexpr size_t widest_shapes = 48;

struct Cost {
  double flops = 0, bytes = 0;
};

Cost cost_of(const Instruction& code) {
  Cost cost;
  cost.flops = code.flops();
  for (const std::vector<Operand>* operands : {&code.in, &code.out})
    for (const Operand& o : *operands)
      if (o.slot >= 0) cost.bytes += static_cast<double>(o.view.bytes());
  // What is written in place was read before.
  for (int i = 0; i < static_cast<int>(code.in.size()); ++i)
    if (code.writes_input(i)) cost.bytes += static_cast<double>(code.in[i].view.bytes());
  return cost;
}

std::string shape_text(const Array& a) {
  if (a.rank() == 0) return "1";
  std::string text;
  for (int64_t n : a.shape) {
    if (!text.empty()) text += 'x';
    text += std::to_string(n);
  }
  return text;
}

// "3 of 30x500, 8": three or more equal neighbours are told once.
std::string shapes_text(const std::vector<Operand>& operands) {
  std::vector<std::string> shapes;
  for (const Operand& o : operands)
    if (o.slot >= 0) shapes.push_back(shape_text(o.view));
  std::string text;
  for (size_t i = 0; i < shapes.size();) {
    size_t same = 1;
    while (i + same < shapes.size() && shapes[i + same] == shapes[i]) ++same;
    if (same < 3) same = 1;
    if (i > 0) text += ", ";
    if (same > 1) text.append(std::to_string(same)).append(" of ");
    text += shapes[i];
    i += same;
  }
  return text;
}

// "fused" for a group; an update may store its parameter past the caches.
std::string name_text(const Instruction& code) {
  if (!code.op) return "fused";
  return code.op->name() + (code.op->update && code.attrs.flag(0) ? " streamed" : "");
}

std::string flow_text(const Instruction& code) {
  std::string text = shapes_text(code.in);
  const std::string to = shapes_text(code.out);
  const size_t room = widest_shapes - std::min(widest_shapes / 2, to.size());
  if (text.size() > room) text = text.substr(0, room - 3).append("...");
  if (!to.empty()) text.append(" -> ").append(to);
  return text;
}

template <class... Args>
std::string print(const char* format, Args... args) {
  char text[64];
  std::snprintf(text, sizeof text, format, args...);
  return text;
}

// Three digits and a letter: 12.3k.
std::string short_number(double v) {
  const char* letters[] = {"", "k", "M", "G", "T", "P"};
  int i = 0;
  for (; v >= 999.5 && i < 5; v /= 1000) ++i;
  return print(i == 0 || v >= 99.95 ? "%.0f%s" : v >= 9.995 ? "%.1f%s" : "%.2f%s", v, letters[i]);
}

std::string short_time(double ns) {
  if (ns < 999.5) return print("%.0f ns", ns);
  if (ns < 999.5e3) return print(ns < 99.95e3 ? "%.1f us" : "%.0f us", ns / 1e3);
  return print("%.1f ms", ns / 1e6);
}

// Rows of text under a head: the first `left` columns begin together, the others end together.
class Table {
 public:
  using Row = std::vector<std::string>;
  Table(Row head, size_t left) : left_(left) { rows_.push_back(std::move(head)); }
  void add(Row row) { rows_.push_back(std::move(row)); }
  void rule() { rows_.emplace_back(); }

  std::string text() const {
    std::vector<size_t> width(rows_[0].size(), 0);
    for (const Row& row : rows_)
      for (size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], row[i].size());
    size_t whole = 2 * (width.size() - 1);
    for (size_t w : width) whole += w;
    std::string text;
    for (const Row& row : rows_) {
      std::string line = row.empty() ? std::string(whole, '-') : "";
      for (size_t i = 0; i < row.size(); ++i) {
        const std::string gap(width[i] - row[i].size(), ' ');
        line += (i ? "  " : "") + (i < left_ ? row[i] + gap : gap + row[i]);
      }
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + "\n";
    }
    return text;
  }

 private:
  size_t left_;
  std::vector<Row> rows_;
};

}  // namespace

std::string Plan::describe(std::span<const double> nanoseconds) const {
  const std::vector<Instruction>& code = program_.code;
  const bool timed = !nanoseconds.empty();
  if (timed && nanoseconds.size() != code.size())
    fail<ValueError>("describe: ", nanoseconds.size(), " times for ", code.size(),
                     " instructions; give those that profile() of the same plan returned");
  double total_time = 0;
  for (double t : nanoseconds) total_time += t;

  Table::Row head = {"instruction", "shapes", "flop", "bytes"};
  if (timed) head.insert(head.end(), {"time", "share", "GFLOP/s", "GB/s"});
  Table table(head, 2);
  table.rule();
  const std::string margin(std::to_string(code.size()).size() + 2, ' ');
  const auto line = [&](std::string name, std::string shapes, const Cost& c, double time) {
    Table::Row row = {std::move(name), std::move(shapes), short_number(c.flops),
                      short_number(c.bytes)};
    if (timed)
      row.insert(row.end(),
                 {short_time(time), print("%.1f%%", total_time > 0 ? 100 * time / total_time : 0.0),
                  print("%.2f", time > 0 ? c.flops / time : 0.0),
                  print("%.2f", time > 0 ? c.bytes / time : 0.0)});
    table.add(std::move(row));
  };
  Cost total;
  for (size_t i = 0; i < code.size(); ++i) {
    const Cost cost = cost_of(code[i]);
    std::string number = std::to_string(i);
    number.insert(0, margin.size() - 2 - number.size(), ' ');
    line(number + "  " + name_text(code[i]), flow_text(code[i]), cost, timed ? nanoseconds[i] : 0);
    for (const Instruction& part : code[i].parts)
      table.add(
          {margin + "  " + name_text(part), flow_text(part), short_number(cost_of(part).flops)});
    total.flops += cost.flops;
    total.bytes += cost.bytes;
  }
  table.rule();
  line(std::to_string(code.size()) + (code.size() == 1 ? " instruction" : " instructions"), "",
       total, total_time);
  return table.text() + "arena " + std::to_string(program_.arena_bytes) + " bytes";
}

std::vector<double> Plan::profile(int repeats) {
  if (repeats < 1) fail<ValueError>("profile: repeats must be at least 1, got ", repeats);
  const auto lock = take();
  const std::vector<Ref<Buffer>> changed = written();
  std::vector<std::vector<char>> saved;
  for (const Ref<Buffer>& w : changed) {
    const char* data = static_cast<const char*>(w->data());
    saved.emplace_back(data, data + w->bytes());
  }
  std::vector<std::vector<double>> times(code_.size());
  for (int r = 0; r < repeats; ++r)
    for (size_t i = 0; i < code_.size(); ++i) {
      const auto start = std::chrono::steady_clock::now();
      run(code_[i]);
      const auto stop = std::chrono::steady_clock::now();
      times[i].push_back(std::chrono::duration<double, std::nano>(stop - start).count());
    }
  for (size_t i = 0; i < changed.size(); ++i)
    std::memcpy(changed[i]->data(), saved[i].data(), saved[i].size());
  std::vector<double> medians;
  for (auto& t : times) {
    std::nth_element(t.begin(), t.begin() + t.size() / 2, t.end());
    medians.push_back(t[t.size() / 2]);
  }
  return medians;
}

}  // namespace mg
