#include "kernels/conv.h"

#include "kernels/conv/lanes_weight.h"
#include "kernels/conv/outputs.h"
#include "kernels/conv/weight.h"
#include "kernels/conv/winograd_outputs.h"
#include "kernels/conv/winograd_weight.h"

MG_KERNEL_NAMESPACE_BEGIN

template <class T, bool Backward>
static constexpr ConvPass direct_outputs = {
    outputs_units<T, Backward>,        outputs_panels<T, Backward>,
    outputs_shared_bytes<T, Backward>, outputs_scratch_bytes<T, Backward>,
    prepare_outputs<T, Backward>,      run_outputs<T, Backward>};

template <class T, bool Backward>
static constexpr ConvPass winograd_outputs_pass = {
    winograd_outputs_units<T, Backward>,   winograd_outputs_panels<T, Backward>,
    winograd_outputs_shared<T, Backward>,  winograd_outputs_scratch<T, Backward>,
    prepare_winograd_outputs<T, Backward>, run_winograd_outputs<T, Backward>};

template <class T>
static constexpr ConvWeightPass direct_weight = {
    {weight_units<T>, weight_panels<T>, weight_shared_bytes<T>, weight_scratch_bytes<T>,
     prepare_weight_grad<T>, run_weight_grad<T>},
    weight_sums_bytes<T>,
    join_weight_grad<T>};

template <class T>
static constexpr ConvWeightPass lanes_weight = {
    {weight_units<T>, weight_panels<T>, lanes_weight_shared<T>, lanes_weight_scratch<T>,
     prepare_lanes_weight<T>, run_lanes_weight<T>},
    weight_sums_bytes<T>,
    join_weight_grad<T>};

template <class T>
static constexpr ConvWeightPass winograd_weight = {
    {winograd_weight_units<T>, winograd_weight_panels<T>, winograd_weight_shared<T>,
     winograd_weight_scratch<T>, prepare_winograd_weight<T>, run_winograd_weight<T>},
    winograd_weight_sums<T>,
    join_winograd_weight<T>};

template <class T, bool Backward>
static const ConvPass& outputs_pass(const ConvShape& s) {
  return winograd_suits<Backward>(s) ? winograd_outputs_pass<T, Backward>
                                     : direct_outputs<T, Backward>;
}
template <class T>
static const ConvWeightPass& weight_pass(const ConvShape& s) {
  if (winograd_suits_weight(s)) return winograd_weight<T>;
  return lanes_suit_weight(s) ? lanes_weight<T> : direct_weight<T>;
}

extern constinit const Conv conv = {
    {outputs_pass<float, false>, outputs_pass<double, false>},
    {outputs_pass<float, true>, outputs_pass<double, true>},
    {weight_pass<float>, weight_pass<double>},
};

MG_KERNEL_NAMESPACE_END
