#include "ops/over_dims.h"

#include "ops/walk.h"

namespace mg {

Array moved_last(const Array& x, const DimSet& last) {
  Dims shape, strides;
  for (const bool wanted : {false, true})
    for (int i = 0; i < x.rank(); ++i)
      if (last[i] == wanted) {
        shape.push_back(x.shape[i]);
        strides.push_back(x.strides[i]);
      }
  return x.view(shape, strides);
}

Dims reduced_shape(const Dims& shape, const DimSet& over, bool keepdim) {
  Dims out;
  for (int i = 0; i < shape.size(); ++i) {
    if (!over[i])
      out.push_back(shape[i]);
    else if (keepdim)
      out.push_back(1);
  }
  return out;
}

int64_t reduced_count(const Dims& shape, const DimSet& over) {
  int64_t n = 1;
  for (int i = 0; i < shape.size(); ++i)
    if (over[i]) n *= shape[i];
  return n;
}

RowView::RowView(const Array& x, const DimSet& last, bool gapless)
    : array(x),
      rows(product(reduced_shape(x.shape, last, false))),
      n(reduced_count(x.shape, last)) {
  const Split s(x, last);
  const bool even = s.reduced.rank <= 1 && s.kept.rank <= 1 && s.reduced.inner_step() == 1;
  stride = s.kept.rank ? s.kept.inner_step() : n;
  if (even && (stride == n || !gapless)) return;
  array = dense(moved_last(x, last));
  stride = n;
}

PlaneView::PlaneView(const Array& x, const DimSet& over) : fits(x.contiguous()) {
  bool before = true, inside = false;
  for (int i = 0; i < x.rank(); ++i) {
    if (x.shape[i] == 1) continue;
    fits = fits && (!over[i] || before || inside);
    inside = over[i];
    before = before && !over[i];
    (over[i] ? n : before ? planes : columns) *= x.shape[i];
  }
  fits = fits && columns >= 8;
}

}  // namespace mg
