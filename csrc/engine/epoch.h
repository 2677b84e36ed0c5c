// An epoch: plans replayed over the rows of arrays, one part after the other, in one call.
#pragma once
#include <atomic>

#include "engine/plan.h"

namespace mg {

// What a replay of a part's plan takes and gives.
struct EpochPart {
  std::shared_ptr<Plan> plan;
  // Whole arrays, one for each input of the plan; replay b takes the next rows of each. Without
  // any the plan runs once.
  std::vector<Array> data;
  int64_t first = 0, last = 0;  // positions in the epoch's order of rows
  bool shuffled = false;        // by that order; else position i is row i
  // For each output of the plan: the figure to which its value, times the weight, is added (-1:
  // none), and the array whose rows it fills (without a buffer: none).
  std::vector<int> figures;
  double weight = 1;
  std::vector<Array> kept;
};

// A copy of what an epoch's plans change and what outlives them: parameters, buffers, optimizer and
// random state. Putting it back takes a training to where it was.
struct EpochState {
  std::vector<std::vector<char>> bytes;
};

// The orders of `rows` rows in `epochs` epochs from number `first` on, one after the other.
void draw_orders(int64_t seed, int64_t first, int64_t epochs, int64_t rows, int64_t* orders);

// One thread at a time may run, save or restore it: a StateError in all others.
class Epoch {
 public:
  // `rows[f]` is what figure f is divided by at the end of an epoch.
  Epoch(std::vector<EpochPart> parts, std::vector<double> rows);

  // Runs `epochs` epochs. `orders` has `width` row numbers for each (width 0: no part is shuffled).
  // Each has a row of `table`: its figures are added to what is there and divided by their rows,
  // and the seconds since the call began come last. Where check_interrupt() throws, completed()
  // tells how many epochs were whole.
  void run(int64_t epochs, const int64_t* orders, int64_t width, double* table);
  // The same in the orders of draw_orders(seed, first, ...). No epoch begins once `seconds` are
  // over, but for the first: completed() tells how many there were.
  void run_drawn(int64_t epochs, int64_t seed, int64_t first, int64_t rows, double* table,
                 double seconds);
  int64_t completed() const { return completed_; }
  int figures() const { return static_cast<int>(rows_.size()); }

  EpochState save() const;
  void restore(const EpochState& state);

 private:
  struct Gather {
    const char* from;
    char* to;
    int64_t bytes;  // of a row
  };
  struct Keep {
    const char* from;
    char* to;
    int64_t bytes;  // of a replay
  };
  struct Ready {
    EpochPart part;
    int64_t batch = 0;  // rows of a replay; 0: the plan has no inputs and runs once
    std::vector<Gather> gathers;
    std::vector<Keep> keeps;
    int64_t rows_needed = 0;  // a row number must be below it
  };
  std::vector<std::unique_lock<std::mutex>> take() const;
  void check_width(int64_t width) const;
  // `order_of(i)` gives the row numbers of the i-th epoch.
  template <class OrderOf>
  void run_each(int64_t epochs, const OrderOf& order_of, double* table, double seconds);
  static Ready prepare(EpochPart part, int figures);
  static void run(Ready& r, const int64_t* order, double* figures);
  static void bring(const Gather& rows, const int64_t* order, int64_t first, int64_t count);
  static void add(const Ready& r, double* figures);

  std::vector<Ready> parts_;
  std::vector<double> rows_;
  std::vector<Ref<Buffer>> written_;
  std::atomic<int64_t> completed_ = 0;
};

}  // namespace mg
