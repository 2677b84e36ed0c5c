// One axis of a convolution: which elements of the source an output meets through the kernel.
#pragma once
#include "kernels/conv/source.h"

namespace mg {
namespace MG_ISA {

// Outputs of one kind meet the same elements of the kernel, at the same distances from at(i).
// Those whose kernel reaches beyond the source are each of a kind of its own if the axis is
// `trimmed`; otherwise zeros lie there.
template <bool Backward>
struct Axis {
  int64_t size, read;  // of the outputs and of the source
  int64_t kernel, stride, pad, dilation;
  bool trimmed;
  int64_t border;  // zeros before the source

  // The inner outputs [first, last), and how many kinds the stride makes of them.
  int64_t first, last, phases;

  MG_SMALL void find_kinds() {
    first = 0;
    last = size;
    const int64_t reach = (kernel - 1) * dilation;
    if (trimmed) {
      const int64_t low = Backward ? reach - pad : ceil_div(pad, stride);
      const int64_t high =
          Backward ? read * stride - pad : floor_div(read - 1 + pad - reach, stride) + 1;
      first = min_of(max_of(low, 0), size);
      last = max_of(first, min_of(high, size));
    }
    phases = min_of(Backward ? stride : 1, last - first);
  }
  int64_t kinds() const { return first + phases + size - last; }
  int64_t kind(int64_t i) const {
    return i < first ? i : i < last ? first + (i - first) % phases : i - last + first + phases;
  }
  // The first output of a kind.
  int64_t example(int64_t kind) const {
    return kind < first + phases ? kind : kind - phases - first + last;
  }

  // Where output i meets kernel element k: perhaps beyond the source.
  bool strikes(int64_t i, int64_t k) const {
    return !Backward || (i + pad - k * dilation) % stride == 0;
  }
  int64_t place(int64_t i, int64_t k) const {
    return Backward ? floor_div(i + pad - k * dilation, stride) : i * stride - pad + k * dilation;
  }
  bool beyond(int64_t i, int64_t k) const { return place(i, k) < 0 || place(i, k) >= read; }
  bool meets(int64_t i, int64_t k) const { return strikes(i, k) && !(trimmed && beyond(i, k)); }

  int64_t at(int64_t i) const { return place(i, 0) + border; }
  int64_t link(int64_t i, int64_t k) const { return place(i, k) - place(i, 0); }

  MG_SMALL int64_t links(int64_t i) const {
    int64_t n = 0;
    for (int64_t k = 0; k < kernel; ++k) n += meets(i, k);
    return n;
  }
  // Links of one output of each kind.
  MG_SMALL int64_t links_of_kinds() const {
    int64_t n = 0;
    for (int64_t k = 0; k < kinds(); ++k) n += links(example(k));
    return n;
  }
  // Links of an output on average, those of the inner ones taken as alike.
  MG_SMALL double mean_links() const {
    double n = static_cast<double>((last - first) * kernel) / (Backward ? stride : 1);
    for (int64_t i = 0; i < first; ++i) n += static_cast<double>(links(i));
    for (int64_t i = last; i < size; ++i) n += static_cast<double>(links(i));
    return n / static_cast<double>(size);
  }
};

template <bool Backward>
MG_SMALL static Axis<Backward> axis(int64_t input, int64_t output, int64_t kernel, int64_t stride,
                                    int64_t pad, int64_t dilation, bool trimmed, int64_t border) {
  Axis<Backward> a{Backward ? input : output,
                   Backward ? output : input,
                   kernel,
                   stride,
                   pad,
                   dilation,
                   trimmed,
                   border,
                   0,
                   0,
                   0};
  a.find_kinds();
  return a;
}
template <bool Backward>
static Axis<Backward> height_axis(const ConvShape& s, bool trimmed, int64_t border) {
  return axis<Backward>(s.height, s.out_h, s.kernel_h, s.stride_h, s.pad_h, s.dilation_h, trimmed,
                        border);
}
template <bool Backward>
static Axis<Backward> width_axis(const ConvShape& s, bool trimmed, int64_t border) {
  return axis<Backward>(s.width, s.out_w, s.kernel_w, s.stride_w, s.pad_w, s.dilation_w, trimmed,
                        border);
}

}  // namespace MG_ISA
}  // namespace mg
