// A plan: a program bound to memory, replayed without asking for any.
#pragma once
#include <functional>
#include <mutex>
#include <string>

#include "engine/program.h"

namespace mg {

class Plan {
 public:
  // Runs the passes over a recorded program and binds it.
  explicit Plan(Program recorded);

  // Copies the inputs in, runs every instruction, and gives the outputs as arrays of their own.
  // An input of another shape or dtype than recorded is a ValueError.
  std::vector<Array> replay(std::span<const Array> inputs);

  // The same over batches of rows: batch b takes rows order[b * batch ... ] of every array of
  // `data`. Float outputs of one element, times the batch's rows, are added to `sums` in double, in
  // the order of the batches. `pause` is called between batches and may throw to stop.
  void replay_batches(std::span<const Array> data, const int64_t* order, int64_t rows,
                      std::vector<double>& sums, const std::function<void()>& pause);

  const Program& program() const { return program_; }
  // One line an instruction: op, shapes, bytes moved; then the arena.
  std::string describe() const;
  // Median nanoseconds of each instruction over `repeats` replays; everything that the plan
  // changes is put back afterwards.
  std::vector<double> profile(int repeats);

 private:
  struct Bound {
    const Op* op;
    const Attrs* attrs;
    std::vector<Array> arrays;
    std::vector<const Array*> in;
    std::span<Array> out;
    std::vector<Buffer*> written;
  };
  Array bind(const Operand& o) const;
  void run();
  static void run(Bound& b);

  Program program_;
  Ref<Buffer> arena_;
  std::vector<Bound> code_;
  std::vector<Array> inputs_, outputs_;
  std::mutex busy_;
};

}  // namespace mg
