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
    test<&E::eq>("eq(x, y)", "x == y, as bool; NaN equals nothing."),
    test<&E::ne>("ne(x, y)", "x != y, as bool."),
    test<&E::lt>("lt(x, y)", "x < y, as bool."),
    test<&E::le>("le(x, y)", "x <= y, as bool."),
    test<&E::gt>("gt(x, y)", "x > y, as bool."),
    test<&E::ge>("ge(x, y)", "x >= y, as bool."),
    test<&E::logical_not>("logical_not(x)", "True where x is 0."),
    test<&E::logical_and>("logical_and(x, y)", "True where neither x nor y is 0."),
    test<&E::logical_or>("logical_or(x, y)", "True where x or y is not 0."),
    test<&E::isfinite>("isfinite(x)", "True where x is neither infinite nor NaN."),
    test<&E::isnan>("isnan(x)", "True where x is NaN."),
};

}  // namespace

const Family comparison_family(rows);

}  // namespace mg
