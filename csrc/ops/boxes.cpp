// Boxes of images: where to erase or to cut, and what to paste there. A box is four int64 numbers,
// (top, left, height, width).
#include <algorithm>
#include <cmath>

#include "core/threads.h"
#include "kernels/kernels.h"
#include "ops/families.h"
#include "ops/strided.h"

namespace mg {
namespace {

void require_draws(const Call& c, int i, const char* what, bool fits, const char* shape) {
  if (c.in(i).dtype != DType::f64 || !fits)
    fail<ValueError>(c.name, ": ", what, " must be float64 of shape ", shape, ", got ",
                     name(c.in(i).dtype), " of shape ", c.in(i).shape);
}
void require_size(const Call& c) {
  if (c.attrs.integer(0) < 1 || c.attrs.integer(1) < 1)
    fail<ValueError>(c.name, ": height and width must be at least 1, got ", c.attrs.integer(0),
                     " and ", c.attrs.integer(1));
}

// One of the places 0 .. n - 1, from u in [0, 1).
int64_t place(double u, int64_t n) {
  return std::clamp<int64_t>(static_cast<int64_t>(u * static_cast<double>(n)), 0, n - 1);
}

// ---- erase_boxes --------------------------------------------------------------------------------

void infer_erase_boxes(const Call& c) {
  const Array& draws = c.in(0);
  const bool fits = draws.rank() == 2 && draws.shape[1] >= 5 && draws.shape[1] % 2 == 1;
  require_draws(c, 0, "draws", fits, "(images, 3 + 2 attempts)");
  require_size(c);
  c.make(DType::i64, {draws.shape[0], 4});
}
void run_erase_boxes(const Call& c) {
  const Array draws = dense(c.in(0));
  const int64_t n = draws.shape[0], columns = draws.shape[1], attempts = (columns - 3) / 2;
  const int64_t height = c.attrs.integer(0), width = c.attrs.integer(1);
  const double pixels = static_cast<double>(height) * static_cast<double>(width);
  const Array memory = Array::dense(DType::f64, {n, attempts});
  double* ratio = memory.data<double>();
  const double* d = draws.data<double>();
  for (int64_t i = 0; i < n; ++i)
    for (int64_t k = 0; k < attempts; ++k) ratio[i * attempts + k] = d[i * columns + 2 * k + 2];
  const void* in[] = {ratio};
  const int64_t step = 1;
  kernels().elementwise.exp[index(DType::f64)](in, &step, ratio, n * attempts, nullptr);

  int64_t* box = c.out().data<int64_t>();
  for (int64_t i = 0; i < n; ++i, d += columns, box += 4) {
    std::fill(box, box + 4, 0);
    for (int64_t k = 0; d[0] < 0 && k < attempts; ++k) {
      const double area = pixels * d[2 * k + 1], r = ratio[i * attempts + k];
      const double h = std::nearbyint(std::sqrt(area * r)), w = std::nearbyint(std::sqrt(area / r));
      if (!(h < static_cast<double>(height) && w < static_cast<double>(width))) continue;
      box[2] = static_cast<int64_t>(h), box[3] = static_cast<int64_t>(w);
      box[0] = place(d[columns - 2], height - box[2] + 1);
      box[1] = place(d[columns - 1], width - box[3] + 1);
      break;
    }
  }
}

// ---- cut_boxes ----------------------------------------------------------------------------------

void infer_cut_boxes(const Call& c) {
  const Array &weights = c.in(0), &centres = c.in(1);
  require_draws(c, 0, "weights", weights.rank() == 1, "(images,)");
  require_draws(c, 1, "centres", centres.shape == Dims{weights.shape[0], 2}, "(images, 2)");
  require_size(c);
  c.make(0, DType::i64, {weights.shape[0], 4});
  c.make(1, DType::f64, weights.shape);
}

struct Span {
  int64_t begin, size;
};
// What a span of `share` of the size, centred at place u, has in common with the image.
Span cut(double u, double share, int64_t size) {
  const int64_t middle = place(u, size);
  const int64_t half = static_cast<int64_t>(0.5 * share * static_cast<double>(size));
  const int64_t begin = std::max<int64_t>(middle - half, 0);
  return {begin, std::min(middle + half, size) - begin};
}

void run_cut_boxes(const Call& c) {
  const Array weights = dense(c.in(0)), centres = dense(c.in(1));
  const int64_t height = c.attrs.integer(0), width = c.attrs.integer(1);
  const double pixels = static_cast<double>(height) * static_cast<double>(width);
  int64_t* box = c.out(0).data<int64_t>();
  double* kept = c.out(1).data<double>();
  const double *w = weights.data<double>(), *u = centres.data<double>();
  for (int64_t i = 0; i < weights.shape[0]; ++i, box += 4, u += 2) {
    const double share = std::sqrt(std::clamp(1 - w[i], 0.0, 1.0));
    const Span y = cut(u[0], share, height), x = cut(u[1], share, width);
    box[0] = y.begin, box[1] = x.begin, box[2] = y.size, box[3] = x.size;
    kept[i] = 1 - static_cast<double>(y.size * x.size) / pixels;
  }
}

// ---- paste --------------------------------------------------------------------------------------

void infer_paste(const Call& c) {
  const Array &x = c.in(0), &y = c.in(1), &boxes = c.in(2);
  if (!is_float(x.dtype) || x.rank() != 4)
    fail<ValueError>(c.name, ": x must be floats of shape (N, C, H, W), got ", name(x.dtype),
                     " of shape ", x.shape);
  if (y.dtype != x.dtype)
    fail<TypeError>(c.name, ": x is ", name(x.dtype), " and y is ", name(y.dtype),
                    "; convert one with .to()");
  bool fits = y.rank() <= 4;
  for (int i = 1; fits && i <= y.rank(); ++i)
    fits = y.shape[y.rank() - i] == 1 || y.shape[y.rank() - i] == x.shape[4 - i];
  if (!fits) fail<ValueError>(c.name, ": y of shape ", y.shape, " does not repeat to ", x.shape);
  if (boxes.dtype != DType::i64 || !(boxes.shape == Dims{x.shape[0], 4}))
    fail<ValueError>(c.name, ": boxes must be int64 of shape (", x.shape[0],
                     ", 4): top, left, height and width an image, got ", name(boxes.dtype),
                     " of shape ", boxes.shape);
  c.make(x.dtype, x.shape);
}

void require_inside(const Call& c, const int64_t* box, int64_t i, const Dims& x) {
  for (int d = 0; d < 2; ++d)
    if (box[d] < 0 || box[d + 2] < 0 || box[d + 2] > x[d + 2] || box[d] > x[d + 2] - box[d + 2])
      fail<ValueError>(c.name, ": box ", i, ", ", Dims{box[0], box[1], box[2], box[3]},
                       " as (top, left, height, width), leaves an image of ", x[2], " x ", x[3]);
}

// What a box shows of image i.
Array boxed(const Array& images, int64_t i, const int64_t* box) {
  const Dims& s = images.strides;
  return images.view({images.shape[1], box[2], box[3]}, {s[1], s[2], s[3]},
                     i * s[0] + box[0] * s[2] + box[1] * s[3]);
}

void run_paste(const Call& c) {
  const Array &x = c.in(0), &to = c.out(), y = c.in(1).broadcast_to(x.shape), all = dense(c.in(2));
  const int64_t* boxes = all.data<int64_t>();
  const int64_t n = x.shape[0], size = n ? x.numel() / n : 0;
  for (int64_t i = 0; i < n; ++i) require_inside(c, boxes + 4 * i, i, x.shape);
  const int64_t whole[] = {0, 0, x.shape[2], x.shape[3]};
  parallel_for(n, 1 + (1 << 15) / (size + 1), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t* box = boxes + 4 * i;
      copy(boxed(x, i, whole), boxed(to, i, whole));
      if (box[2] > 0 && box[3] > 0) copy(boxed(y, i, box), boxed(to, i, box));
    }
  });
}

void vjp_paste(Vjp& v) {
  const Var zero = constant(v.grad().dtype(), 0);
  if (v.needs(0)) v.set(0, call<"paste">(v.grad(), zero, v.in(2)));
  if (!v.needs(1)) return;
  const Var inside = call<"paste">(expand_to(zero, v.grad().shape()), v.grad(), v.in(2));
  v.set(1, sum_to(inside, v.in(1).shape()));
}

const Row rows[] = {
    inner({
        .signature = "erase_boxes(draws, height: int, width: int)",
        .infer = infer_erase_boxes,
        .run = run_erase_boxes,
        .doc =
            "Boxes (N, 4) of images of height x width, from float64 draws (N, 3 + 2 attempts). A "
            "box is empty unless number 0 is negative. Then come an area, as a share of the image, "
            "and the logarithm of height / width, for each attempt: the first box that is smaller "
            "than the image both ways is taken. The last two numbers, in [0, 1), are its place "
            "down and to the right.\n\n"
            ">>> draws = mg.tensor([[-1, 0.25, 0, 0, 0], [1, 0.25, 0, 0, 0]], 'float64')\n"
            ">>> _core.erase_boxes(draws, 8, 8).tolist()\n"
            "[[0, 0, 4, 4], [0, 0, 0, 0]]",
    }),
    inner({
        .signature = "cut_boxes(weights, centres, height: int, width: int)",
        .infer = infer_cut_boxes,
        .run = run_cut_boxes,
        .doc =
            "Boxes (N, 4) that leave the share `weights` (N,) of images of height x width outside, "
            "around centres (N, 2), which are in [0, 1), down and to the right. What would leave "
            "the image is cut off; the second result is the share that is left.\n\n"
            ">>> weight, centre = mg.tensor([0.75], 'float64'), mg.tensor([[0.5, 0.5]], "
            "'float64')\n"
            ">>> boxes, left = _core.cut_boxes(weight, centre, 8, 8)\n"
            ">>> boxes.tolist(), left.tolist()\n"
            "([[2, 2, 4, 4]], [0.75])",
        .outputs = 2,
    }),
    inner({
        .signature = "paste(x, y, boxes)",
        .infer = infer_paste,
        .run = run_paste,
        .vjp = vjp_paste,
        .doc = "Images x (N, C, H, W), but y inside of int64 boxes (N, 4), which are (top, left, "
               "height, width). y is repeated to the shape of x.\n\n"
               ">>> _core.paste(mg.zeros(1, 1, 2, 2), mg.ones(1, 1, 1, 1), mg.tensor([[0, 1, 2, "
               "1]])).tolist()\n"
               "[[[[0.0, 1.0], [0.0, 1.0]]]]",
    }),
};

}  // namespace

const Family boxes_family(rows);

}  // namespace mg
