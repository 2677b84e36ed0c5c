#include "kernels/conv.h"

#include "kernels/conv_outputs.h"
#include "kernels/conv_weight.h"

MG_KERNEL_NAMESPACE_BEGIN

template <class T, bool Backward>
static int64_t outputs_units(const ConvShape& s) {
  return outputs<T, Backward>(s).units;
}
template <class T, bool Backward>
static constexpr ConvPass outputs_pass() {
  return {outputs_units<T, Backward>, outputs_shared_bytes<T, Backward>,
          outputs_scratch_bytes<T, Backward>, prepare_outputs<T, Backward>,
          run_outputs<T, Backward>};
}

template <class T>
static int64_t weight_units(const ConvShape& s) {
  return weights<T>(s).units;
}
template <class T>
static int64_t weight_sums_bytes(const ConvShape& s) {
  const Weights w = weights<T>(s);
  return w.units * w.sums * int64_t{sizeof(T)};
}
template <class T>
static int64_t filter_panels(const ConvShape& s) {
  return panel_count<T>(s.filters / s.groups);
}
template <class T>
static int64_t channel_panels(const ConvShape& s) {
  return panel_count<T>(s.channels / s.groups);
}

template <class T>
static constexpr ConvPass weight_pass() {
  return {weight_units<T>, weight_shared_bytes<T>, weight_scratch_bytes<T>, prepare_weight_grad<T>,
          run_weight_grad<T>};
}

extern constinit const Conv conv = {
    {outputs_pass<float, false>(), outputs_pass<double, false>()},
    {outputs_pass<float, true>(), outputs_pass<double, true>()},
    {weight_pass<float>(), weight_pass<double>()},
    {weight_sums_bytes<float>, weight_sums_bytes<double>},
    {filter_panels<float>, filter_panels<double>},
    {channel_panels<float>, channel_panels<double>},
    {join_weight_grad<float>, join_weight_grad<double>},
};

MG_KERNEL_NAMESPACE_END
