// Comparison and logic: bool out, no gradients.
#include "ops/elementwise.h"
#include "ops/families.h"

namespace mg {
namespace {

using E = Elementwise;

template <auto Kernel>
constexpr Row test(const char* signature, const char* doc) {
  return elementwise<Kernel, Result::boolean>(signature, nullptr, doc, Promote::any);
}

const Row rows[] = {
    test<&E::eq>("eq(x, y)",
                 "x == y, as bool; NaN equals nothing. Shapes broadcast as in numpy.\n\n"
                 ">>> mg.eq(mg.tensor([1.0, 2.0, 3.0]), 2.0).tolist()\n"
                 "[False, True, False]"),
    test<&E::ne>("ne(x, y)",
                 "x != y, as bool. Shapes broadcast as in numpy.\n\n"
                 ">>> mg.ne(mg.tensor([1.0, 2.0, 3.0]), 2.0).tolist()\n"
                 "[True, False, True]"),
    test<&E::lt>("lt(x, y)",
                 "x < y, as bool. Shapes broadcast as in numpy.\n\n"
                 ">>> mg.lt(mg.tensor([1.0, 2.0, 3.0]), 2.0).tolist()\n"
                 "[True, False, False]"),
    test<&E::le>("le(x, y)",
                 "x <= y, as bool. Shapes broadcast as in numpy.\n\n"
                 ">>> mg.le(mg.tensor([1.0, 2.0, 3.0]), 2.0).tolist()\n"
                 "[True, True, False]"),
    test<&E::gt>("gt(x, y)",
                 "x > y, as bool. Shapes broadcast as in numpy.\n\n"
                 ">>> mg.gt(mg.tensor([1.0, 2.0, 3.0]), 2.0).tolist()\n"
                 "[False, False, True]"),
    test<&E::ge>("ge(x, y)",
                 "x >= y, as bool. Shapes broadcast as in numpy.\n\n"
                 ">>> mg.ge(mg.tensor([1.0, 2.0, 3.0]), 2.0).tolist()\n"
                 "[False, True, True]"),
    test<&E::logical_not>("logical_not(x)",
                          "True where x is 0.\n\n"
                          ">>> mg.logical_not(mg.tensor([0.0, 2.0])).tolist()\n"
                          "[True, False]"),
    test<&E::logical_and>(
        "logical_and(x, y)",
        "True where neither x nor y is 0. Shapes broadcast as in numpy.\n\n"
        ">>> mg.logical_and(mg.tensor([True, True]), mg.tensor([True, False])).tolist()\n"
        "[True, False]"),
    test<&E::logical_or>(
        "logical_or(x, y)",
        "True where x or y is not 0. Shapes broadcast as in numpy.\n\n"
        ">>> mg.logical_or(mg.tensor([True, False]), mg.tensor([False, False])).tolist()\n"
        "[True, False]"),
    test<&E::isfinite>(
        "isfinite(x)",
        "True where x is neither infinite nor NaN.\n\n"
        ">>> mg.isfinite(mg.tensor([1.0, float(\"inf\"), float(\"nan\")])).tolist()\n"
        "[True, False, False]"),
    test<&E::isnan>("isnan(x)",
                    "True where x is NaN.\n\n"
                    ">>> mg.isnan(mg.tensor([1.0, float(\"inf\"), float(\"nan\")])).tolist()\n"
                    "[False, False, True]"),
};

}  // namespace

const Family comparison_family(rows);

}  // namespace mg
