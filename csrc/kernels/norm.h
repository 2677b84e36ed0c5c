// Normalisation: over the rows of a matrix (layer norm), and over the channels of a batch (batch
// norm). Sums are in the order of kernels/fold.h; over images, row sums are added in order.
#pragma once
#include <stdint.h>

namespace mg {

// Channels [begin, end) of a dense batch (images, channels, size): size is height * width, or 1
// for a plain matrix of features.
struct ChannelRange {
  int64_t images, channels, size, begin, end;
};

// Arrays of pointers are indexed by dtype: float, double. Everything is dense; nothing overlaps.
// xhat = (x - mean) * rstd.
struct Norm {
  // Per row: mean, rstd = 1 / sqrt(mean((x - mean)^2) + eps), y = xhat * weight + bias.
  void (*layer_norm[2])(const void* x, int64_t rows, int64_t n, const void* weight,
                        const void* bias, double eps, void* y, void* mean, void* rstd);
  // With h = grad * weight: dx = rstd * (h - mean(h) - xhat * mean(h * xhat)).
  void (*layer_norm_backward[2])(const void* grad, const void* x, const void* mean,
                                 const void* rstd, const void* weight, int64_t rows, int64_t n,
                                 void* dx);
  // Over columns [begin, end) of n: dweight = sum_rows grad * xhat, dbias = sum_rows grad.
  void (*layer_norm_weights[2])(const void* grad, const void* x, const void* mean, const void* rstd,
                                int64_t rows, int64_t n, int64_t begin, int64_t end, void* dweight,
                                void* dbias);

  // Everything of a channel stands at its index in these arrays of `channels` elements.
  // The mean, and the mean of (x - mean)^2.
  void (*statistics[2])(const void* x, const ChannelRange& r, void* mean, void* variance);
  // y = (x - mean) * (rstd * weight) + bias, or relu of it
  void (*batch_norm[2])(const void* x, const ChannelRange& r, const void* mean, const void* rstd,
                        const void* weight, const void* bias, bool relu, void* y);
  // dweight = sum grad * xhat, dbias = sum grad
  void (*batch_norm_weights[2])(const void* grad, const void* x, const ChannelRange& r,
                                const void* mean, const void* rstd, void* dweight, void* dbias);
  // From those two sums: dx = (rstd * weight) * (grad - (dbias + xhat * dweight) / count), or
  // without the statistics' own part when count is 0: dx = (rstd * weight) * grad.
  void (*batch_norm_backward[2])(const void* grad, const void* x, const ChannelRange& r,
                                 const void* mean, const void* rstd, const void* weight,
                                 const void* dweight, const void* dbias, int64_t count, void* dx);
};

}  // namespace mg
