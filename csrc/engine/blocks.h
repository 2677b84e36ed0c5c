// Elementwise calls run together: a block of elements goes through all of them while it is in the
// cache, and what only they see is never written to memory. A sum of what they make may end them.
#pragma once
#include <memory>

#include "engine/chains.h"
#include "ops/strided.h"

namespace mg {

class Blocks {
 public:
  // The most calls that may run together: what bounds the scratch on a thread's stack.
  static constexpr int most = 16;

  // One call, over as many elements as all others; the last may fold what one of them makes. Where
  // `from[i]` >= 0, input i is the output of that earlier part, element for element; its array is
  // not read.
  struct Part {
    const Op* op;
    const Attrs* attrs;
    std::vector<Array> in;
    Array out;
    std::vector<int> from;
    bool kept;  // the output has memory, for others to read
  };
  // What is `near` is in the cache when it is gone over, and is not written past it.
  explicit Blocks(std::span<const Part> parts, bool near = false);

  void run() const;
  void run(int64_t begin, int64_t end) const;  // some of the elements, without a fold
  // How long it takes for an element, beside relu.
  int64_t work() const { return work_; }
  // Are there operands that must be brought side by side first?
  bool gathers() const;

 private:
  // Where an operand's elements are: in memory, where element i is at base + i * advance, or in the
  // scratch, or those of a row where `loops` say. Loops that give no rows bring elements side by
  // side into the scratch.
  struct Place {
    char* base = nullptr;
    int64_t advance = 0;
    int64_t at = -1;  // bytes from the begin of the scratch
    std::unique_ptr<const Loops> loops;
    DType dtype = DType::f32;

    bool gathers() const { return loops && at >= 0; }
    char* find(char* scratch, int64_t element) const;
    void see(const Place& made);  // the same elements
  };
  struct Call {
    Pointwise ready;
    Place in[max_operands], out;
    int64_t step[max_operands] = {};
    int inputs = 0;
  };
  // A fold at the end: chunk by chunk into `parts`, which have room for either dtype.
  struct Fold {
    Folding ready;
    Place in;
    void* out;
    mutable std::vector<double> parts;

    void* part(int64_t element) const;
  };
  class Registers;
  static int64_t row_of(std::span<const Member> members);
  void add(const Member& member, std::span<const int> last_use, Registers& registers);
  void add_fold(const Part& part, int from);

  std::vector<Call> calls_;
  std::unique_ptr<const Fold> fold_;
  int64_t n_ = 0, block_ = 0, work_ = 0;
  int64_t grain_ = 0, rousing_grain_ = 0;  // elements worth a thread, awake and asleep
  int64_t row_ = 0;  // if not 0, no piece goes over the end of so many elements
  bool near_;
  bool past_cache_ = false;  // what is kept for others is written past it
};

}  // namespace mg
