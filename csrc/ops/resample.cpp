// Affine maps of images, and the one resampling that follows them.
#include <algorithm>
#include <cmath>

#include "core/threads.h"
#include "kernels/kernels.h"
#include "ops/families.h"
#include "ops/strided.h"

namespace mg {
namespace {

// ---- affine_matrix ------------------------------------------------------------------------------

enum Column { angle, shift_x, shift_y, scale, shear_x, shear_y, mirror_x, mirror_y, columns };

void require_theta(const Call& c, int i, const char* what, int64_t images) {
  if (!c.has(i)) return;
  if (c.in(i).dtype != DType::f64 || !(c.in(i).shape == Dims{images, 2, 3}))
    fail<ValueError>(c.name, ": ", what, " must be float64 of shape (", images,
                     ", 2, 3), a matrix an image, got ", name(c.in(i).dtype), " of shape ",
                     c.in(i).shape);
}
void require_size(const Call& c, int64_t height, int64_t width) {
  if (height < 1 || width < 1)
    fail<ValueError>(c.name, ": height and width must be at least 1, got ", height, " and ", width);
}

void infer_affine_matrix(const Call& c) {
  const Array& params = c.in(0);
  if (params.dtype != DType::f64 || params.rank() != 2 || params.shape[1] != columns)
    fail<ValueError>(c.name, ": params must be float64 of shape (images, 8), got ",
                     name(params.dtype), " of shape ", params.shape);
  require_theta(c, 1, "before", params.shape[0]);
  require_size(c, c.attrs.integer(0), c.attrs.integer(1));
  c.make(DType::f64, {params.shape[0], 2, 3});
}

// Sine and cosine of degrees, exact at multiples of 90; pooled memory, as replays ask for no other.
struct Angles {
  Array memory;
  double *sine, *cosine;

  Angles(const double* params, int64_t n, Column column)
      : memory(Array::dense(DType::f64, {4, n})), sine(memory.data<double>()), cosine(sine + n) {
    double *rest = cosine + n, *quarter = rest + n;
    for (int64_t i = 0; i < n; ++i) {
      double degrees = params[i * columns + column];
      if (!(std::abs(degrees) < 1e6)) degrees = std::fmod(degrees, 360.0);
      quarter[i] = std::nearbyint(degrees / 90);
      rest[i] = (degrees - 90 * quarter[i]) * 0x1.1df46a2529d39p-6;  // pi / 180
    }
    const void* in[] = {rest};
    const int64_t step = 1;
    const Elementwise& k = kernels().elementwise;
    k.sin[index(DType::f64)](in, &step, sine, n, nullptr);
    k.cos[index(DType::f64)](in, &step, cosine, n, nullptr);
    for (int64_t i = 0; i < n; ++i) {
      const double s = sine[i], c = cosine[i];
      switch (std::isfinite(quarter[i]) ? static_cast<int64_t>(quarter[i]) & 3 : 0) {
        case 1:
          sine[i] = c, cosine[i] = -s;
          break;
        case 2:
          sine[i] = -s, cosine[i] = -c;
          break;
        case 3:
          sine[i] = -c, cosine[i] = s;
          break;
      }
    }
  }
};

// first then second, in the order in which a position is mapped: out = first(second(position)).
void compose(const double* first, const double* second, double* out) {
  for (int r = 0; r < 2; ++r) {
    const double *f = first + 3 * r, *s = second;
    double* o = out + 3 * r;
    const double x = f[0] * s[0] + f[1] * s[3], y = f[0] * s[1] + f[1] * s[4];
    o[2] = f[0] * s[2] + f[1] * s[5] + f[2];
    o[0] = x, o[1] = y;
  }
}

void run_affine_matrix(const Call& c) {
  const Array params = dense(c.in(0));
  const int64_t n = params.shape[0];
  const double* p = params.data<double>();
  const double centre_x = 0.5 * static_cast<double>(c.attrs.integer(1) - 1);
  const double centre_y = 0.5 * static_cast<double>(c.attrs.integer(0) - 1);
  const Angles turn(p, n, angle), lean_x(p, n, shear_x), lean_y(p, n, shear_y);
  const Array before = c.has(1) ? dense(c.in(1)) : Array{};
  double* theta = c.out().data<double>();
  for (int64_t i = 0; i < n; ++i, p += columns, theta += 6) {
    const double s = turn.sine[i], k = turn.cosine[i];
    const double tx = lean_x.sine[i] / lean_x.cosine[i], ty = lean_y.sine[i] / lean_y.cosine[i];
    // Mirror · (1 tx; 0 1) · (1 0; ty 1) · (k s; -s k) / scale
    const double lower[2] = {ty * k - s, ty * s + k};
    double m[4] = {k + tx * lower[0], s + tx * lower[1], lower[0], lower[1]};
    for (int j = 0; j < 4; ++j) {
      m[j] /= p[scale];
      if (p[j < 2 ? mirror_x : mirror_y] < 0) m[j] = 0 - m[j];
    }
    const double x = centre_x + std::floor(p[shift_x]), y = centre_y + std::floor(p[shift_y]);
    const double own[6] = {m[0], m[1], centre_x - (m[0] * x + m[1] * y),
                           m[2], m[3], centre_y - (m[2] * x + m[3] * y)};
    if (c.has(1))
      compose(before.data<double>() + 6 * i, own, theta);
    else
      std::copy(own, own + 6, theta);
  }
}

// ---- resample -----------------------------------------------------------------------------------

// Images of one size become images of another; x has the first, g and the result of resample the
// second.
Resampling sizes_of(const Dims& images, int64_t out_height, int64_t out_width) {
  return {images[1], images[2], images[3], out_height, out_width};
}

void require_images(const Call& c, const char* what) {
  const Array& x = c.in(0);
  if (!is_float(x.dtype) || x.rank() != 4)
    fail<ValueError>(c.name, ": ", what, " must be floats of shape (N, C, H, W), got ",
                     name(x.dtype), " of shape ", x.shape);
}
void require_plane(const Call& c, int64_t height, int64_t width) {
  require_size(c, height, width);
  constexpr int64_t limit = 1 << 24;
  if (height >= limit || width >= limit || (height + 3) * (width + 3) >= limit)
    fail<ValueError>(c.name, ": images of ", height, " x ", width,
                     " pixels are too large, the limit is 2^24 pixels");
}

void infer_resample(const Call& c) {
  require_images(c, "x");
  const Dims& x = c.in(0).shape;
  require_theta(c, 1, "theta", x[0]);
  require_plane(c, x[2], x[3]);
  require_size(c, c.attrs.integer(0), c.attrs.integer(1));
  if (!std::isfinite(c.attrs.real(2)))
    fail<ValueError>(c.name, ": fill must be finite, got ", c.attrs.real(2));
  c.make(c.in(0).dtype, {x[0], x[1], c.attrs.integer(0), c.attrs.integer(1)});
}

void infer_resample_backward(const Call& c) {
  require_images(c, "g");
  const Dims& g = c.in(0).shape;
  require_theta(c, 1, "theta", g[0]);
  require_plane(c, c.attrs.integer(0), c.attrs.integer(1));
  c.make(c.in(0).dtype, {g[0], g[1], c.attrs.integer(0), c.attrs.integer(1)});
}

// f(first image, count, scratch) over all images, in parts that threads share out; `scratch` holds
// so many elements for each pixel of a frame.
template <class F>
void each_part(const Resampling& s, int64_t images, DType dtype, int64_t per_pixel, F&& f) {
  const int64_t pixels = s.channels * (s.height * s.width + s.out_height * s.out_width);
  const int64_t grain = 1 + (1 << 15) / (pixels + 1);
  const int64_t bytes = per_pixel * (s.height + 3) * (s.width + 3) * item_size(dtype);
  parallel_for(images, grain, [&](int64_t begin, int64_t end) {
    const Buffer scratch(static_cast<size_t>(bytes));
    f(begin, end - begin, scratch.data());
  });
}

void run_resample(const Call& c) {
  const Array x = dense(c.in(0)), theta = dense(c.in(1));
  const Resampling s = sizes_of(x.shape, c.attrs.integer(0), c.attrs.integer(1));
  const int64_t item = item_size(x.dtype), in = s.channels * s.height * s.width * item,
                out = s.channels * s.out_height * s.out_width * item;
  each_part(s, x.shape[0], x.dtype, 2, [&](int64_t first, int64_t count, void* scratch) {
    kernels().augment.resample[index(x.dtype)](
        x.data<char>() + first * in, theta.data<double>() + first * 6, count, s, c.attrs.real(2),
        scratch, c.out().data<char>() + first * out);
  });
}

void run_resample_backward(const Call& c) {
  const Array g = dense(c.in(0)), theta = dense(c.in(1));
  const Resampling s = sizes_of(c.out().shape, g.shape[2], g.shape[3]);
  const int64_t item = item_size(g.dtype), in = s.channels * s.height * s.width * item,
                out = s.channels * s.out_height * s.out_width * item;
  each_part(s, g.shape[0], g.dtype, 1, [&](int64_t first, int64_t count, void* scratch) {
    kernels().augment.resample_backward[index(g.dtype)](g.data<char>() + first * out,
                                                        theta.data<double>() + first * 6, count, s,
                                                        scratch, c.out().data<char>() + first * in);
  });
}

void no_gradient_of_theta(const Vjp& v, const char* name) {
  if (v.needs(1)) fail<StateError>(name, ": theta has no gradient; give theta.detach()");
}

const Row rows[] = {
    inner({
        .signature = "affine_matrix(params, before?, height: int, width: int)",
        .infer = infer_affine_matrix,
        .run = run_affine_matrix,
        .doc =
            "theta (N, 2, 3) for resample, from float64 params (N, 8) of images of height x width: "
            "clockwise angle in degrees, shift to the right and down in pixels (rounded down to "
            "whole ones), scale, shear along x and y in degrees, and two numbers that mirror left "
            "and right, or top and bottom, where they are negative. The image is mirrored, then "
            "sheared, turned and scaled about its centre, then shifted. With `before`, another "
            "theta, all that happens to what that one gives.\n\n"
            ">>> shift = mg.tensor([[0, 1, 0, 1, 0, 0, 1, 1]], 'float64')\n"
            ">>> _core.affine_matrix(shift, None, 4, 4).tolist()\n"
            "[[[1.0, 0.0, -1.0], [0.0, 1.0, 0.0]]]",
    }),
    inner({
        .signature = "resample(x, theta, height: int, width: int, fill: float = 0.0)",
        .infer = infer_resample,
        .run = run_resample,
        .vjp =
            [](Vjp& v) {
              no_gradient_of_theta(v, "resample");
              const Dims& x = v.in(0).shape();
              if (v.needs(0)) v.set(0, call<"resample_backward">(v.grad(), v.in(1), x[2], x[3]));
            },
        .doc =
            "Images x (N, C, H, W) seen through float64 matrices theta (N, 2, 3): pixel (i, j) of "
            "the (N, C, height, width) result is at theta · (j, i, 1) of x, interpolated between "
            "its four neighbours, of which those outside of x are `fill`. Mirrors and shifts by "
            "whole pixels are copies.\n\n"
            ">>> theta = mg.tensor([[[1, 0, -1], [0, 1, 0]]], 'float64')\n"
            ">>> _core.resample(mg.tensor([[[[1.0, 2.0, 3.0]]]]), theta, 1, 3).tolist()\n"
            "[[[[0.0, 1.0, 2.0]]]]",
    }),
    inner({
        .signature = "resample_backward(g, theta, height: int, width: int)",
        .infer = infer_resample_backward,
        .run = run_resample_backward,
        .vjp =
            [](Vjp& v) {
              no_gradient_of_theta(v, "resample_backward");
              const Dims& g = v.in(0).shape();
              if (v.needs(0)) v.set(0, call<"resample">(v.grad(), v.in(1), g[2], g[3], 0.0));
            },
        .doc =
            "The gradient of resample by its images, which are of height x width.\n\n"
            ">>> theta = mg.tensor([[[1, 0, -1], [0, 1, 0]]], 'float64')\n"
            ">>> _core.resample_backward(mg.tensor([[[[1.0, 2.0, 3.0]]]]), theta, 1, 3).tolist()\n"
            "[[[[2.0, 3.0, 0.0]]]]",
    }),
};

}  // namespace

const Family resample_family(rows);

}  // namespace mg
