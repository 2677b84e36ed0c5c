// Division that rounds down, and what it leaves: x = (x // y) * y + x % y, as in Python and numpy.
#include <cmath>

#include "core/threads.h"
#include "ops/elementwise.h"
#include "ops/families.h"
#include "ops/strided.h"

namespace mg {
namespace {

template <class T>
struct Divided {
  T quotient, remainder;
};

Divided<int64_t> divided(int64_t x, int64_t y, const char* what) {
  if (y == 0) fail<ValueError>(what, ": an integer is divided by 0");
  if (y == -1) return {static_cast<int64_t>(-static_cast<uint64_t>(x)), 0};
  const int64_t quotient = x / y, remainder = x % y;
  if (remainder != 0 && (remainder < 0) != (y < 0)) return {quotient - 1, remainder + y};
  return {quotient, remainder};
}

// From fmod, which is exact: of 1 by 0.1 nine times and 0.1 less a bit, not ten times and 0.
template <class T>
Divided<T> divided(T x, T y, const char*) {
  if (y == 0) return {x / y, std::fmod(x, y)};
  T remainder = std::fmod(x, y);
  T quotient = (x - remainder) / y;
  if (remainder == 0)
    remainder = std::copysign(T(0), y);
  else if ((remainder < 0) != (y < 0)) {
    remainder += y;
    quotient -= 1;
  }
  const T whole = std::floor(quotient);  // of nearly a whole number, that number
  return {quotient - whole > T(0.5) ? whole + 1 : whole, remainder};
}

void infer(const Call& c) {
  c.make(c.in(0).dtype, broadcast(c.in(0).shape, c.in(1).shape, c.name));
}

template <bool Quotient>
void run(const Call& c) {
  const Array& out = c.out();
  const Array x = dense(c.in(0).broadcast_to(out.shape)),
              y = dense(c.in(1).broadcast_to(out.shape));
  const auto each = [&](auto zero) {
    using T = decltype(zero);
    const T *a = x.data<T>(), *b = y.data<T>();
    T* to = out.data<T>();
    for (int64_t i = 0, n = out.numel(); i < n; ++i) {
      const Divided<T> d = divided(a[i], b[i], c.name);
      to[i] = Quotient ? d.quotient : d.remainder;
    }
  };
  if (out.dtype == DType::i64)
    each(int64_t{});
  else
    with_float(out.dtype, each);
}

const Row rows[] = {
    {"floor_divide(x, y)", infer, run<true>, nullptr,
     "The quotient rounded down, `x // y`; it has no gradient. Of integers by 0 a ValueError.\n\n"
     ">>> (mg.tensor([7, -7]) // 2).tolist()\n"
     "[3, -4]",
     Promote::number},

    {"remainder(x, y)", infer, run<false>,
     [](Vjp& v) {
       set_summed(v, 0, v.grad());
       if (v.needs(1)) set_summed(v, 1, -(v.grad() * call<"floor_divide">(v.in(0), v.in(1))));
     },
     "What the division leaves, `x % y`, with the sign of y, as in Python.\n\n"
     ">>> (mg.tensor([7, -7]) % 3).tolist()\n"
     "[1, 2]",
     Promote::number},
};

}  // namespace

const Family division_family(rows);

}  // namespace mg
