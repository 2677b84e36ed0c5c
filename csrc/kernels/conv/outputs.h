// forward and input_grad: the run of what pixels.h lays out.
#pragma once
#include "kernels/conv/completed.h"
#include "kernels/conv/pixel_rows.h"
#include "kernels/conv/pixels.h"

namespace mg {
namespace MG_ISA {

template <class T, bool Backward>
static ConvSizes outputs_sizes(const ConvShape& s) {
  const Outputs o = outputs<T, Backward>(s);
  const int64_t block = o.by_rows ? 0 : o.block * panel_columns<T>;
  // Vectors of narrow rows read beyond the last one.
  const int64_t scratch =
      panel_columns<T> + block + source_elements(o.source, o.images) + Vec<T>::width;
  return {o.units, panel_count<T>((Backward ? s.channels : s.filters) / s.groups),
          tables<T>(s, o, nullptr).bytes, scratch * int64_t{sizeof(T)}};
}

// What the chains of a kind begin with where links were left out: 0 * their weights.
template <class T, bool Backward>
static void poisoned_start(const ConvShape& s, int64_t kind, const T* weight, int64_t wide,
                           T* start) {
  const auto h = height_axis<Backward>(s, true, 0);
  const auto w = width_axis<Backward>(s, true, 0);
  const int64_t i = h.example(kind / w.kinds()), j = w.example(kind % w.kinds());
  const int64_t channels = (Backward ? s.filters : s.channels) / s.groups;
  for (int64_t c = 0; c < wide; ++c) start[c] = 0;
  for (int64_t k = 0; k < channels * s.kernel_h * s.kernel_w; ++k, weight += wide) {
    const int64_t kh = k / s.kernel_w % s.kernel_h, kw = k % s.kernel_w;
    if (!h.strikes(i, kh) || !w.strikes(j, kw) || (h.meets(i, kh) && w.meets(j, kw))) continue;
    for (int64_t c = 0; c < wide; ++c) start[c] += 0 * weight[c];
  }
}

// A panel of columns of some images.
template <class T>
struct Panel {
  const T *source, *weight;
  int vectors;
  int64_t images, wide, used;
  T* out;
  Completed<T> finish;
};

// Block by block: the chains, then turned over to where they belong. `next` is fetched meanwhile.
template <class T, bool Backward>
static void run_blocks(const ConvShape& s, const Outputs& o, const Tables<T>& t, const Panel<T>& p,
                       Ahead next, T* start, T* block) {
  const int64_t *row = t.row, *place = t.place, *count = t.count;
  const int64_t image = o.channels * o.plane;  // of the output
  for (int64_t b = 0; b < o.blocks; ++b) {
    const int64_t first = b * o.block;
    const int64_t n = min_of(o.block, p.images * o.plane - first);
    const int64_t each = min_of(n, o.plane - first % o.plane);  // of an image
    const auto written = [&](const T* at) {
      constexpr int64_t size = sizeof(T);
      return p.images > 1
                 ? Ahead(at, p.images, image * size, p.used * o.plane * size, n / tile_rows)
                 : Ahead(at + first, p.used, o.plane * size, n * size, n / tile_rows);
    };
    Ahead ahead[] = {next, written(p.out), p.finish.kept ? written(p.finish.kept) : Ahead()};
    for (int64_t k = 0; k < o.kinds; ++k, ++count) {
      // All images have as many of a kind, one image after the other.
      const int64_t rows = *count / o.images * p.images;
      Chain<T> chain{p.source, t.kind[k].link, t.kind[k].links, p.weight, zeros<T>};
      if (rows && *t.poisoned) {
        poisoned_start<T, Backward>(s, k, p.weight, p.wide, start);
        chain.start = start;
      }
      indirect_product(chain, rows, p.vectors, row, place, block, ahead, 3);
      row += *count;
      place += *count;
    }
    next = ahead[0];
    for (int64_t done = 0; done < n; done += each) {
      const int64_t at = (first + done) / o.plane * image + (first + done) % o.plane;
      turn<false>(block + done * p.wide, p.wide, each, p.used, p.out + at, o.plane,
                  p.finish.at(at));
    }
  }
}

template <class T, bool Backward>
static void run_rows(const ConvShape& s, const Outputs& o, const Tables<T>& t, const Panel<T>& p) {
  const int64_t out_w = Backward ? s.width : s.out_w;
  const int lanes = static_cast<int>(min_of(out_w, Vec<T>::width));
  const Rows<T, Completed<T>> rows{p.source, t.link, o.elements, p.weight, p.wide,
                                   p.finish, p.out,  o.plane,    lanes};
  pixel_rows(rows, p.used, o.plane / out_w * o.vectors, t.row, t.place);
}

template <class T, bool Backward>
static void run_outputs(const ConvShape& s, const void* x, const void* b, void* out,
                        const ConvFinish& finish, int64_t begin, int64_t end, const void* shared,
                        void* scratch) {
  const Outputs o = outputs<T, Backward>(s);
  const Tables<T> t = tables<T>(s, o, const_cast<void*>(shared));
  const T *from = static_cast<const T*>(x), *bias = Backward ? nullptr : static_cast<const T*>(b);
  T* start = static_cast<T*>(scratch);
  T* block = start + panel_columns<T>;
  T* copy = block + (o.by_rows ? 0 : o.block * panel_columns<T>);
  __builtin_memset(copy, 0, source_elements(o.source, o.images) * sizeof(T));

  const T* source = nullptr;
  for (int64_t unit = begin; unit < end; ++unit) {
    const int64_t panel = unit % o.panels, group = unit / o.panels % s.groups;
    const int64_t image = unit / o.panels / s.groups * o.images;
    Panel<T> p{};
    p.images = min_of(o.images, s.images - image);
    if (unit == begin || panel == 0)
      source = read_source(o.source, from, image, p.images, group, copy);
    p.source = source;
    p.vectors = panel_vectors<T>(o.columns, panel);
    p.wide = p.vectors * Vec<T>::width;
    const int64_t first = panel * panel_columns<T>, channel = group * o.columns + first;
    p.used = min_of(p.wide, o.columns - first);
    p.weight = t.weight + (group * padded_columns<T>(o.columns) + first) * o.elements;
    const int64_t at = (image * o.channels + channel) * o.plane;
    p.out = static_cast<T*>(out) + at;
    p.finish = completed(finish, bias, channel, at, o.plane);
    bool by_rows = false;
    if constexpr (!plain_vectors) by_rows = o.by_rows;
    // The source of the next unit, if it is another.
    Ahead next;
    if (!by_rows && panel == o.panels - 1 && unit + 1 < end) {
      const int64_t then = (unit + 1) / o.panels, other = then / s.groups * o.images;
      next = fetch_source(o.source, from, other, min_of(o.images, s.images - other),
                          then % s.groups, p.images * o.plane / tile_rows);
    }
    if constexpr (!plain_vectors)
      if (by_rows) run_rows<T, Backward>(s, o, t, p);
    if (!by_rows) run_blocks<T, Backward>(s, o, t, p, next, start, block);
    for (int64_t i = 0; i < p.images; ++i)
      hand_over(finish, static_cast<const T*>(out), at + i * o.channels * o.plane,
                p.used * o.plane);
  }
}

}  // namespace MG_ISA
}  // namespace mg
