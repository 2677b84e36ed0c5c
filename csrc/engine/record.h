// Recording: while a recorder is set, every op that this thread runs is also written down.
#pragma once
#include <memory>
#include <string>
#include <unordered_map>

#include "engine/program.h"

namespace mg {

class Recorder {
 public:
  explicit Recorder(std::span<const Var> inputs);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // One op that ran. View-only ops leave no instruction: their results are operands already.
  void add(const Op& op, std::span<const Var> in, const Attrs& attrs, std::span<const Var> out,
           bool ran);
  // A leaf whose gradient was set to None, or grew, inside the function.
  void cleared_grad(const Var& leaf) { cleared_.push_back(leaf); }
  void grew_grad(const Var& leaf) { grown_.push_back(leaf); }

  // Stops, and gives the program that computes `outputs`. `obstacle` says why replays would not do
  // the same as the function (empty: they would): something outside still holds a temporary, or
  // gradients add up over calls.
  Program finish(std::span<const Var> outputs, std::string* obstacle);

 private:
  int slot_of(const Ref<Buffer>& buffer, Slot::Kind kind_if_new);
  Operand operand(const Var& v);

  Program program_;
  std::unordered_map<Buffer*, int> slot_by_buffer_;
  std::vector<Var> cleared_, grown_;
};

// The recorder of this thread, or null.
Recorder* recorder();
// Throws if this thread is recording: `what` would read a value that a replay will change.
void check_readable(const char* what);

// Counts changes that make a recorded function another one and that its plan cannot see: a tensor
// that begins or ceases to require a gradient, a module that gets another layer or setting.
uint64_t changes();
void note_change();

}  // namespace mg
