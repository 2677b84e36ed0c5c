// Images blended with their grey values, and examples with one another.
#include "core/threads.h"
#include "kernels/kernels.h"
#include "ops/families.h"
#include "ops/strided.h"

namespace mg {
namespace {

constexpr int64_t grain = 1 << 15;

// ---- color_jitter -------------------------------------------------------------------------------

void infer_color_jitter(const Call& c) {
  const Array &x = c.in(0), &factors = c.in(1);
  if (!is_float(x.dtype) || x.rank() != 4 || (x.shape[1] != 1 && x.shape[1] != 3))
    fail<ValueError>(c.name, ": x must be floats of shape (N, 1, H, W) or (N, 3, H, W), got ",
                     name(x.dtype), " of shape ", x.shape);
  if (factors.dtype != DType::f64 || !(factors.shape == Dims{x.shape[0], 3}))
    fail<ValueError>(c.name, ": factors must be float64 of shape (", x.shape[0],
                     ", 3): brightness, contrast and saturation an image, got ",
                     name(factors.dtype), " of shape ", factors.shape);
  c.make(x.dtype, x.shape);
}

// What a channel weighs in the grey value (ITU-R BT.601).
constexpr double one[] = {1, 1, 1};
constexpr double luma[] = {0.2989, 0.587, 0.114};

// With brightness b, contrast k, saturation s, and g the grey value of a pixel, m its mean over
// the image:  y = b (s k x + (1 - s) k g + (1 - k) m).  What is grey already stays, but for the
// rounding of the weights, which sum to 0.9999.
template <class T>
void jitter_image(const void* x, int64_t channels, int64_t pixels, const double* factor,
                  bool transposed, void* y) {
  const double b = factor[0], k = factor[1], s = factor[2];
  const double* grey = channels == 3 ? luma : one;
  const double *in = transposed ? one : grey, *out = transposed ? grey : one;
  const int d = sizeof(T) == 8;
  double mean = 0;
  if (k != 1) {
    T sums[3];
    kernels().reduce.sum_rows[d](x, pixels, channels, pixels, sums);
    for (int64_t c = 0; c < channels; ++c) mean += in[c] * static_cast<double>(sums[c]);
    mean /= static_cast<double>(pixels);
  }
  // A single channel is its own grey value.
  const bool mixes = channels == 3 && s != 1;
  const double a = mixes ? s : 1, of_grey = mixes ? 1 - s : 0;
  const double of_mean = a + of_grey * (luma[0] + luma[1] + luma[2]);
  kernels().augment.blend[d](x, channels, pixels, b * k * a, b * k * of_grey,
                             b * (1 - k) * of_mean * mean, in, out == one ? nullptr : out, y);
}

void run_color_jitter(const Call& c) {
  const Array x = dense(c.in(0)), factors = dense(c.in(1));
  const int64_t channels = x.shape[1], pixels = x.shape[2] * x.shape[3], size = channels * pixels;
  if (size == 0) return;
  with_float(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    parallel_for(x.shape[0], 1 + grain / size, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        jitter_image<T>(x.data<T>() + i * size, channels, pixels, factors.data<double>() + 3 * i,
                        c.attrs.flag(0), c.out().data<T>() + i * size);
    });
  });
}

// ---- mix_rows -----------------------------------------------------------------------------------

void infer_mix_rows(const Call& c) {
  const Array &x = c.in(0), &weights = c.in(1);
  if (!is_float(x.dtype) || x.rank() < 1)
    fail<ValueError>(c.name, ": x must be floats of shape (N, ...), got ", name(x.dtype),
                     " of shape ", x.shape);
  if (weights.dtype != DType::f64 || !(weights.shape == Dims{x.shape[0]}))
    fail<ValueError>(c.name, ": weights must be float64 of shape (", x.shape[0],
                     ",), one an example, got ", name(weights.dtype), " of shape ", weights.shape);
  c.make(x.dtype, x.shape);
}
void run_mix_rows(const Call& c) {
  const Array x = dense(c.in(0)), weights = dense(c.in(1));
  const int64_t n = x.shape[0];
  if (x.numel() == 0) return;
  const int64_t size = x.numel() / n, bytes = size * item_size(x.dtype);
  const double* w = weights.data<double>();
  parallel_for(n, 1 + grain / size, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t before = (i + n - 1) % n, after = (i + 1) % n;
      const int64_t other = c.attrs.flag(0) ? after : before;
      const double share = 1 - w[c.attrs.flag(0) ? after : i];
      kernels().augment.mix[index(x.dtype)](x.data<char>() + i * bytes,
                                            x.data<char>() + other * bytes, size, w[i], share,
                                            c.out().data<char>() + i * bytes);
    }
  });
}

// Both ops are linear in x, and know the transposed map themselves.
template <OpName N>
void vjp_transposed(Vjp& v) {
  if (v.needs(1)) fail<StateError>(N.text, ": its second argument has no gradient; detach() it");
  if (v.needs(0)) v.set(0, call<N>(v.grad(), v.in(1), !v.attrs.flag(0)));
}

const Row rows[] = {
    inner({
        .signature = "color_jitter(x, factors, transposed: bool = False)",
        .infer = infer_color_jitter,
        .run = run_color_jitter,
        .vjp = vjp_transposed<"color_jitter">,
        .doc =
            "Images x (N, 1 or 3, H, W) times float64 factors (N, 3) of brightness, contrast and "
            "saturation: x is multiplied by the first, blended with the mean of its grey values by "
            "the second, with its grey values by the third. `transposed` is the transpose of this "
            "linear map.\n\n"
            ">>> _core.color_jitter(mg.tensor([[[[0.25, 0.5]]]]), mg.tensor([[2, 1, 1]], "
            "'float64')).tolist()\n"
            "[[[[0.5, 1.0]]]]",
    }),
    inner({
        .signature = "mix_rows(x, weights, transposed: bool = False)",
        .infer = infer_mix_rows,
        .run = run_mix_rows,
        .vjp = vjp_transposed<"mix_rows">,
        .doc =
            "Row i of x (N, ...) becomes w x[i] + (1 - w) x[i - 1], w being number i of the "
            "float64 weights (N,); row 0 is mixed with the last one. `transposed` is the transpose "
            "of this linear map.\n\n"
            ">>> _core.mix_rows(mg.tensor([[0.0], [8.0]]), mg.tensor([0.75, 0.5], "
            "'float64')).tolist()\n"
            "[[2.0], [4.0]]",
    }),
};

}  // namespace

const Family blend_family(rows);

}  // namespace mg
