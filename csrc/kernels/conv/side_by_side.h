// Where the planes of a few images lie side by side, so that lanes are filled however narrow the
// planes are: a row of the source holds the same row of all of them, with zeros between, which the
// last columns of one and the first of the next share; so does a row of sums. Columns that a stride
// of 2 parts lie apart.
#pragma once
#include "kernels/conv/source.h"

namespace mg {
namespace MG_ISA {

// Where registers cannot hold a kernel, two vectors share what is loaded of it.
constexpr int strips_together(int64_t kernel) { return kernel > 5 ? 2 : 1; }

// Elements [skip, skip + count) of an axis, the first of them at `at`; zeros around them.
struct Inside {
  int64_t skip, count, at;
};
static inline Inside inside(int64_t size, int64_t before, int64_t room) {
  const int64_t skip = max_of(0, -before), at = max_of(0, before);
  return {skip, max_of(0, min_of(size - skip, room - at)), at};
}

struct SideBySide {
  bool backward;
  int64_t height, width, out_height, out_width;  // of a plane of the source and of the output
  int64_t kernel, dilation_h, dilation_w;
  int64_t stride, back;          // of the source, of the sums: 1 or 2, not both 2
  int64_t pad_h, pad_w;          // rows and columns of the sums before the outputs
  Inside rows, cols;             // of the source
  int64_t high;                  // rows of the source with its zeros
  int64_t lanes, pitch;          // of the sums of an image; from image to image
  int64_t images, vectors;       // side by side; of a row of sums
  int64_t row, odds;             // in the source, from row to row and from even to odd columns
  int64_t sums_row, sums_odds;   // likewise
  int64_t channels, columns;     // of a group: of the source, of the output
  int64_t source_channel, sums;  // elements
  int64_t units;
};

// An axis: how many rows or columns are looked at, `before` of them ahead of the first.
struct Look {
  int64_t before, reach, outputs, pad;
};
static inline Look look(bool backward, int64_t input, int64_t output, int64_t kernel,
                        int64_t stride, int64_t pad, int64_t dilation) {
  const int64_t reach = (kernel - 1) * dilation;
  if (!backward) return {pad, reach, output, 0};
  if (stride == 1) return {reach - pad, reach, input, 0};
  return {reach / 2, reach / 2, ceil_div(pad + input, 2), pad};
}

// The elements of both buffers for so many images.
static inline int64_t lay_out(SideBySide& o, int64_t images, int64_t reach, int64_t w) {
  const int64_t needed = ceil_div((images - 1) * o.pitch + o.lanes, w);
  o.images = images;
  o.vectors = round_up(needed, strips_together(o.kernel));
  o.odds = max_of(o.vectors * w, images * o.pitch) + reach + w;  // a vector is stored past an end
  o.row = o.odds * o.stride;
  o.source_channel = o.high * o.row;
  o.sums_odds = o.vectors * w;
  o.sums_row = o.sums_odds * o.back;
  o.sums = o.out_height * o.sums_row + 2 * w;  // vectors are read past an end
  return o.source_channel + o.sums;
}

template <class T>
MG_SMALL static SideBySide side_by_side(const ConvShape& s, bool backward) {
  constexpr int64_t w = Vec<T>::width, size = sizeof(T);
  constexpr int64_t near = (int64_t{24} << 10) / size;  // elements that leave room in L1
  SideBySide o{};
  o.backward = backward;
  o.height = backward ? s.out_h : s.height;
  o.width = backward ? s.out_w : s.width;
  o.out_height = backward ? s.height : s.out_h;
  o.out_width = backward ? s.width : s.out_w;
  o.kernel = s.kernel_h;
  o.dilation_h = s.dilation_h;
  o.dilation_w = s.dilation_w;
  o.stride = backward ? 1 : s.stride_h;
  o.back = backward ? s.stride_h : 1;
  o.channels = (backward ? s.filters : s.channels) / s.groups;
  o.columns = (backward ? s.channels : s.filters) / s.groups;
  const Look h = look(backward, s.height, s.out_h, s.kernel_h, s.stride_h, s.pad_h, s.dilation_h);
  const Look v = look(backward, s.width, s.out_w, s.kernel_w, s.stride_w, s.pad_w, s.dilation_w);
  o.pad_h = h.pad;
  o.pad_w = v.pad;
  o.high = o.stride * h.outputs + h.reach;
  o.rows = inside(o.height, h.before, o.high);
  o.lanes = v.outputs;
  const int64_t wide = o.stride * (o.lanes - 1) + v.reach + 1;
  o.cols = inside(o.width, v.before, wide);
  o.pitch = max_of(o.lanes, ceil_div(max_of(wide - o.cols.at, o.cols.at + o.cols.count), o.stride));
  int64_t best = 1, least = INT64_MAX;
  for (int64_t m = 1; m <= s.images; ++m) {
    if ((lay_out(o, m, v.reach, w) > near || o.vectors > 12) && m > 1) break;
    const int64_t each = 1024 * o.vectors / m;
    if (each < least) best = m;
    least = min_of(each, least);
  }
  const int64_t chunks = ceil_div(s.images, best);
  lay_out(o, chunks ? ceil_div(s.images, chunks) : best, v.reach, w);
  o.units = chunks * s.groups * o.columns;
  return o;
}

// Every other column of a row from the first, and from the second, on; zeros are stored up to a
// vector past the end.
template <class T>
MG_INLINE void lay_halves(const T* from, int64_t n, T* firsts, T* seconds) {
  constexpr int64_t w = Vec<T>::width;
  for (int64_t j = 0; j < n; j += 2 * w) {
    Vec<T> a, b;
    if (n - j >= 2 * w) {
      a = load(from + j);
      b = load(from + j + w);
    } else {
      a = load_n(from + j, static_cast<int>(min_of(n - j, w)));
      b = n - j > w ? load_n(from + j + w, static_cast<int>(n - j - w)) : Vec<T>::zero();
    }
    store(firsts + j / 2, evens(a, b));
    store(seconds + j / 2, odds(a, b));
  }
}

// One channel of `images` images, at distances of `image`, from the first to the last, so that the
// zeros past an end are written over. What is behind each row in the next channel is fetched.
template <class T>
static void lay_planes(const SideBySide& o, const T* x, int64_t image, int64_t images, T* source) {
  const int64_t at = o.cols.at, first = at % 2 * o.odds + at / 2;
  const int64_t second = (at + 1) % 2 * o.odds + (at + 1) / 2;
  for (int64_t n = 0; n < images; ++n) {
    const T* from = x + n * image + o.rows.skip * o.width + o.cols.skip;
    T* to = source + o.rows.at * o.row + n * o.pitch;
    for (int64_t r = 0; r < o.rows.count; ++r, from += o.width, to += o.row) {
      __builtin_prefetch(from + o.height * o.width, 0, 2);
      if (o.stride == 1)
        copy_whole(from, to + at, o.cols.count);
      else
        lay_halves(from, o.cols.count, to + first, to + second);
    }
  }
}

// The sums of one image to where they belong.
template <class T, class Finish>
static void take_plane(const SideBySide& o, const T* sums, const Finish& finish, T* out) {
  constexpr int64_t w = Vec<T>::width;
  const int64_t first = o.pad_w % 2 * o.sums_odds + o.pad_w / 2;
  const int64_t second = (o.pad_w + 1) % 2 * o.sums_odds + (o.pad_w + 1) / 2;
  for (int64_t r = 0; r < o.out_height; ++r, sums += o.sums_row)
    for (int64_t j = 0; j < o.out_width; j += w) {
      Vec<T> v;
      if (o.back == 1) {
        v = load(sums + j);
      } else {
        const int64_t pair = j / (2 * w) * w;
        const Vec<T> a = load(sums + first + pair), b = load(sums + second + pair);
        v = j % (2 * w) ? zip_high(a, b) : zip_low(a, b);
      }
      const int64_t at = r * o.out_width + j;
      const int n = static_cast<int>(min_of(o.out_width - j, w));
      v = finish(v, 0, at, n);
      n == w ? store(out + at, v) : store_n(out + at, v, n);
    }
}

}  // namespace MG_ISA
}  // namespace mg
