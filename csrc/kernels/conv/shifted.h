// Planes of the source laid out once for each column of the kernel, shifted so that what an output
// meets there lies where the output does, with zeros above and below: the pixels of a plane are one
// row, whose vectors are filled however narrow the plane is. For outputs of the source's size.
#pragma once
#include "kernels/conv/indirect.h"
#include "kernels/conv/source.h"
#include "kernels/conv/taken.h"

namespace mg {
namespace MG_ISA {

struct Shifted {
  bool backward;
  int64_t channels;              // of a group of the source
  int64_t height, width, plane;  // of the source and of the outputs
  int64_t kernel_h, kernel_w, dilation_h, dilation_w, pad_h, pad_w;
  int64_t images;                // at a time
  int64_t gap;                   // at least the zeros above a plane, and below the last
  int64_t pitch, channel, copy;  // distances between images, channels, columns of the kernel
  int64_t elements;              // of all

  int64_t links() const { return channels * kernel_h * kernel_w; }
};

static inline bool shifted_fits(const ConvShape& s) {
  return s.stride_h == 1 && s.stride_w == 1 && 2 * s.pad_h == (s.kernel_h - 1) * s.dilation_h &&
         2 * s.pad_w == (s.kernel_w - 1) * s.dilation_w;
}

template <class T>
MG_SMALL static Shifted shifted(const ConvShape& s, bool backward, int64_t images) {
  Shifted o{};
  o.backward = backward;
  o.channels = (backward ? s.filters : s.channels) / s.groups;
  o.height = s.height;
  o.width = s.width;
  o.plane = s.height * s.width;
  o.kernel_h = s.kernel_h;
  o.kernel_w = s.kernel_w;
  o.dilation_h = s.dilation_h;
  o.dilation_w = s.dilation_w;
  o.pad_h = s.pad_h;
  o.pad_w = s.pad_w;
  o.images = images;
  o.gap = round_up(o.pad_h * o.width, 16);
  o.pitch = round_up(o.plane, 16) + o.gap;
  o.channel = images * o.pitch;
  // Whole vectors are stored, and read, past the end.
  o.copy = round_up(o.channels * o.channel + o.gap + Vec<T>::width, 16);
  o.elements = o.kernel_w * o.copy;
  return o;
}

// Where the first pixel meets each link (channel, kh, kw).
template <class F>
static void each_link(const Shifted& o, F f) {
  for (int64_t c = 0; c < o.channels; ++c)
    for (int64_t kh = 0; kh < o.kernel_h; ++kh)
      for (int64_t kw = 0; kw < o.kernel_w; ++kw) {
        const int64_t h = o.backward ? o.kernel_h - 1 - kh : kh;
        const int64_t w = o.backward ? o.kernel_w - 1 - kw : kw;
        f(w * o.copy + c * o.channel + o.gap + (h * o.dilation_h - o.pad_h) * o.width);
      }
}

// For each column of the kernel, which columns of the source are met: all bits, or none, of an
// element; a row and as many as a vector takes.
template <class T>
using MaskOf = typename Int<T>::Lane;
template <class T>
static int64_t mask_elements(const Shifted& o) {
  return o.width + Vec<T>::width;
}
template <class T>
MG_SMALL static void list_masks(const Shifted& o, MaskOf<T>* mask) {
  for (int64_t k = 0; k < o.kernel_w; ++k) {
    const int64_t shift = k * o.dilation_w - o.pad_w;
    const int64_t met = o.width - (shift < 0 ? -shift : shift);
    for (int64_t i = 0; i < mask_elements<T>(o); ++i) *mask++ = i % o.width < met ? -1 : 0;
  }
}

template <class T>
MG_INLINE void fetch(const T* p, int64_t n) {
  constexpr int64_t line = 64 / sizeof(T);
  for (int64_t i = 0; i < n; i += line) __builtin_prefetch(p + i);
}

// One channel of `images` images, at distances of `image`. Zeros are stored past the end of each
// plane, before the next one is laid there. The next channel is fetched.
template <class T>
static void lay_shifted(const Shifted& o, const MaskOf<T>* masks, const T* x, int64_t image,
                        int64_t images, T* to) {
  constexpr int w = Vec<T>::width;
  const int64_t width = o.width, step = w % width;
  for (int64_t n = 0; n < images; ++n, x += image, to += o.pitch) {
    fetch(x + o.plane, o.plane);
    const MaskOf<T>* mask = masks;
    int64_t shift = -o.pad_w;
    T* copy = to + o.gap;
    for (int64_t k = 0; k < o.kernel_w; ++k) {
      const int64_t count = o.plane - (shift < 0 ? -shift : shift);
      const T* from = x + (shift > 0 ? shift : 0);
      T* at = copy - (shift < 0 ? shift : 0);
      int64_t col = 0, i = 0;
      for (; i + w <= count; i += w) {
        store(at + i, as_vec(as_int(load(from + i)) & load_int(mask + col)));
        col += step;
        col -= col >= width ? width : 0;
      }
      if (i < count) {
        const Vec<T> last = load_n(from + i, static_cast<int>(count - i));
        store(at + i, as_vec(as_int(last) & load_int(mask + col)));
      }
      mask += mask_elements<T>(o);
      shift += o.dilation_w;
      copy += o.copy;
    }
  }
}

}  // namespace MG_ISA
}  // namespace mg
