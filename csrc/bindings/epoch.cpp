// Epochs of plans; minigrad/training/ puts them together.
#include "engine/epoch.h"

#include <pybind11/stl.h>

#include "bindings/convert.h"
#include "bindings/interrupt.h"
#include "bindings/module.h"

namespace mg {
namespace {

std::vector<Array> arrays_of(const py::sequence& tensors) {
  std::vector<Array> out;
  for (const Var& v : vars_of(tensors, "epoch", true)) out.push_back(v ? v.array() : Array{});
  return out;
}

EpochPart part(std::shared_ptr<Plan> plan, const py::sequence& data, int64_t first, int64_t last,
               bool shuffled, std::vector<int> figures, double weight, const py::sequence& kept) {
  return {std::move(plan), arrays_of(data),    first,  last,
          shuffled,        std::move(figures), weight, arrays_of(kept)};
}

using Orders = py::array_t<int64_t, py::array::c_style>;
using Table = py::array_t<double, py::array::c_style>;

void check_table(const Epoch& epoch, const Table& table) {
  if (table.ndim() != 2 || table.shape(1) != epoch.figures() + 1)
    fail<ValueError>("epoch: a table (epochs, ", epoch.figures() + 1, ") expected");
}

void run(Epoch& epoch, const Orders& orders, Table& table) {
  check_table(epoch, table);
  if (orders.ndim() != 2 || orders.shape(0) != table.shape(0))
    fail<ValueError>("epoch: orders (", table.shape(0), " epochs, rows) expected");
  const int64_t epochs = orders.shape(0), width = orders.shape(1);
  const int64_t* rows = orders.data();
  double* figures = table.mutable_data();
  const LongWork work;
  epoch.run(epochs, rows, width, figures);
}

int64_t run_drawn(Epoch& epoch, int64_t seed, int64_t first, int64_t rows, Table& table,
                  double seconds, bool interruptible) {
  check_table(epoch, table);
  if (rows < 0) fail<ValueError>("epoch: orders of ", rows, " rows");
  const int64_t epochs = table.shape(0);
  double* figures = table.mutable_data();
  const LongWork work(interruptible);
  epoch.run_drawn(epochs, seed, first, rows, figures, seconds);
  return epoch.completed();
}

Orders orders(int64_t seed, int64_t first, int64_t epochs, int64_t rows) {
  if (epochs < 0 || rows < 0) fail<ValueError>("orders: ", epochs, " epochs of ", rows, " rows");
  Orders drawn({epochs, rows});
  int64_t* to = drawn.mutable_data();
  const LongWork work(false);
  draw_orders(seed, first, epochs, rows, to);
  return drawn;
}

}  // namespace

void register_epoch(py::module_& m) {
  py::class_<EpochPart>(m, "EpochPart", "A plan and the rows that it is replayed over.")
      .def(py::init(&part), py::arg("plan"), py::arg("data"), py::arg("first"), py::arg("last"),
           py::arg("shuffled"), py::arg("figures"), py::arg("weight"), py::arg("kept"));
  m.def("orders", &orders, py::arg("seed"), py::arg("first"), py::arg("epochs"), py::arg("rows"),
        "int64 (epochs, rows): in row i the permutation of the key [seed, first + i].");
  py::class_<EpochState>(m, "EpochState", "What an Epoch's plans change, as it was once.");
  py::class_<Epoch>(m, "Epoch", "Plans replayed over rows, one after the other, in one call.")
      .def(py::init<std::vector<EpochPart>, std::vector<double>>(), py::arg("parts"),
           py::arg("rows"))
      .def("run", &run, py::arg("orders"), py::arg("table").noconvert(),
           "One epoch for each row of `orders`. In that row of `table` its figures are added to "
           "what is there and divided by their rows; the seconds since the call began come last.")
      .def("run_drawn", &run_drawn, py::arg("seed"), py::arg("first"), py::arg("rows"),
           py::arg("table").noconvert(), py::arg("seconds"), py::arg("interruptible") = true,
           "The same for each row of `table`, in the orders that orders() draws. None begins once "
           "`seconds` are over, but for the first; returns how many there were.")
      .def_property_readonly("completed", &Epoch::completed, "Whole epochs of the last run.")
      .def("save", &Epoch::save, "A copy of all that the plans change.")
      .def("restore", &Epoch::restore, py::arg("state"), "Puts back what save() gave.");
}

}  // namespace mg
