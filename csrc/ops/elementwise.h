// Elementwise ops: one inner kernel, run over broadcast and strided inputs into a dense output.
#pragma once
#include "ops/pointwise.h"

namespace mg {

enum class Result : uint8_t { same, boolean };

// The output has the broadcast shape; its dtype is the (promoted) inputs', or bool.
void infer_elementwise(const Call& c, const ElementwiseFn* kernel_by_dtype, Result result);
// Over all elements, on several threads where that pays.
void run_elementwise(const Call& c, const Pointwise& p);

template <auto Kernel, Result R = Result::same>
void infer_elementwise(const Call& c) {
  infer_elementwise(c, kernels().elementwise.*Kernel, R);
}
template <bool (*Ready)(const Call&, Pointwise*)>
void run_elementwise(const Call& c) {
  Pointwise p;
  Ready(c, &p);
  run_elementwise(c, p);
}

template <bool (*Ready)(const Call&, Pointwise*), int Work>
bool ready_for_work(const Call& c, Pointwise* p) {
  p->work = Work;
  return Ready(c, p);
}
// A row whose calls are made ready by `Ready`, eager and in plans. `Work` as Pointwise::work.
template <bool (*Ready)(const Call&, Pointwise*), int Work = 1>
constexpr Row computed(Row row) {
  row.run = run_elementwise<ready_for_work<Ready, Work>>;
  row.pointwise = ready_for_work<Ready, Work>;
  return row;
}
// A row that is one kernel: elementwise<&Elementwise::exp>(...).
template <auto Kernel, Result R = Result::same, int Work = 1>
constexpr Row elementwise(const char* signature, void (*vjp)(Vjp&), const char* doc,
                          Promote promote = Promote::none) {
  return computed<ready_elementwise<Kernel>, Work>(
      {signature, infer_elementwise<Kernel, R>, nullptr, vjp, doc, promote});
}

// A gradient in the broadcast shape, brought back to the shape of input i.
inline void set_summed(Vjp& v, int i, const Var& g) { v.set(i, sum_to(g, v.in(i).shape())); }

// 0 in the dtype of the gradient.
inline Var zero_like(const Var& g) { return constant(g.dtype(), 0); }

}  // namespace mg
