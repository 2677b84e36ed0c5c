// A plan: a program bound to memory, replayed without asking for any.
#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "engine/blocks.h"
#include "engine/program.h"
#include "ops/update.h"

namespace mg {

class Plan {
 public:
  // Runs the passes over a recorded program and binds it.
  explicit Plan(Program recorded);

  // Copies the inputs in, runs every instruction, and gives the outputs as arrays of their own.
  // An input of another shape or dtype than recorded is a ValueError.
  std::vector<Array> replay(std::span<const Array> inputs);

  // The same by hand, for one user at a time: take(), fill inputs(), run(), read outputs().
  // Taken by another thread it is a StateError, as there is one memory for all replays.
  std::unique_lock<std::mutex> take();
  const std::vector<Array>& inputs() const { return inputs_; }
  const std::vector<Array>& outputs() const { return outputs_; }
  // Ends early where check_interrupt() throws, but never between the updates of two parameters.
  void run();

  // What replays change and what outlives them: parameters, optimizer and random state.
  const std::vector<Ref<Buffer>>& written() const { return written_; }

  const Program& program() const { return program_; }
  // A table of the instructions: shapes, floating-point operations and bytes, as estimated; with
  // `nanoseconds` of each (from profile) also times and rates; then totals and the arena.
  std::string describe(std::span<const double> nanoseconds = {}) const;
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
    std::unique_ptr<const Blocks> blocks;  // of ops that go element by element
    std::vector<Bound> parts;              // all others
    std::vector<Update> updates;           // for those of several parameters
    bool asks = false;                     // is it time for check_interrupt()?
  };
  Bound bind(const Instruction& code) const;
  Array bind(const Operand& o) const;
  std::unique_ptr<const Blocks> blocks_of(const Instruction& code) const;
  std::unique_ptr<const Blocks> blocks_of(std::span<const Instruction> parts,
                                          const std::vector<Operand>& kept, bool near) const;
  std::vector<Ref<Buffer>> find_written() const;
  void place_asks();
  size_t first_update() const;
  static void run(Bound& b);
  static void make_ready(const Bound& update, Update* ready);
  static void run_then(const Bound& product, const Blocks& blocks);
  static void run_at_once(const Bound& product, const Bound& update);
  static void run_together(Bound& b);

  Program program_;
  Ref<Buffer> arena_;
  std::vector<Bound> code_;
  size_t updates_;  // from here on a replay is not interrupted
  std::vector<Array> inputs_, outputs_;
  std::vector<Ref<Buffer>> written_;
  std::mutex busy_;
};

}  // namespace mg
