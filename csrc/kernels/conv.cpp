#include "kernels/conv.h"

#include "kernels/conv/lanes_weight.h"
#include "kernels/conv/outputs.h"
#include "kernels/conv/shifted_outputs.h"
#include "kernels/conv/shifted_weight.h"
#include "kernels/conv/strips_outputs.h"
#include "kernels/conv/weight.h"
#include "kernels/conv/winograd_outputs.h"
#include "kernels/conv/winograd_weight.h"

MG_KERNEL_NAMESPACE_BEGIN

template <class T, bool Backward>
static constexpr ConvPass direct_outputs = {outputs_sizes<T, Backward>,
                                            prepare_outputs<T, Backward>, run_outputs<T, Backward>};

template <class T, bool Backward>
static constexpr ConvPass strips = {strips_sizes<T, Backward>, prepare_strips<T>,
                                    run_strips<T, Backward>};

template <class T, bool Backward>
static constexpr ConvPass shifted_outputs_pass = {
    shifted_sizes<T, Backward>, prepare_shifted<T, Backward>, run_shifted<T, Backward>};

template <class T, bool Backward>
static constexpr ConvPass winograd_outputs_pass = {winograd_outputs_sizes<T, Backward>,
                                                   prepare_winograd_outputs<T, Backward>,
                                                   run_winograd_outputs<T, Backward>};

template <class T>
static constexpr ConvWeightPass direct_weight = {
    {weight_sizes<T>, prepare_weight_grad<T>, run_weight_grad<T>}, join_weight_grad<T>};

template <class T>
static constexpr ConvWeightPass lanes_weight = {
    {lanes_weight_sizes<T>, prepare_lanes_weight<T>, run_lanes_weight<T>}, join_lanes_weight<T>};

template <class T>
static constexpr ConvWeightPass shifted_weight = {
    {shifted_weight_sizes<T>, prepare_shifted_weight<T>, run_shifted_weight<T>},
    join_lanes_weight<T>};

template <class T>
static constexpr ConvWeightPass winograd_weight = {
    {winograd_weight_sizes<T>, prepare_winograd_weight<T>, run_winograd_weight<T>},
    join_winograd_weight<T>};

template <class T, bool Backward>
static const ConvPass& outputs_pass(const ConvShape& s) {
  // The same bits either way, so that the plain ISAs may do without.
  if constexpr (!plain_vectors) {
    if (shifted_suits<Backward>(s)) return shifted_outputs_pass<T, Backward>;
    if (strips_suit<Backward>(s)) return strips<T, Backward>;
  }
  return winograd_suits<Backward>(s) ? winograd_outputs_pass<T, Backward>
                                     : direct_outputs<T, Backward>;
}
template <class T>
static const ConvWeightPass& weight_pass(const ConvShape& s) {
  if (winograd_suits_weight(s)) return winograd_weight<T>;
  if (!lanes_suit_weight(s)) return direct_weight<T>;
  return shifted_suits_weight(s) ? shifted_weight<T> : lanes_weight<T>;
}

extern constinit const Conv conv = {
    {outputs_pass<float, false>, outputs_pass<double, false>},
    {outputs_pass<float, true>, outputs_pass<double, true>},
    {weight_pass<float>, weight_pass<double>},
};

MG_KERNEL_NAMESPACE_END
