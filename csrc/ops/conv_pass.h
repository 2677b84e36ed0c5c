// How the passes of a convolution (kernels/conv.h) are shared between threads.
#pragma once
#include "kernels/conv.h"

namespace mg {

// A multiply and an add for every weight that an output meets.
double conv_flops(const ConvShape& s);

// All units of a pass, which writes `out`.
void run_pass(const ConvPass& pass, const ConvShape& s, const void* a, const void* b,
              const void* weight, void* out, const ConvFinish& finish = {});

}  // namespace mg
