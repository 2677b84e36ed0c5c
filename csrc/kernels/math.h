// Functions on vectors of float and double: within 1 ulp everywhere and the same bits on every ISA
// with a true fma (within 1.5 in `baseline`), special values as in C. Each is one file of math/.
#pragma once
#include "kernels/math/erf.h"
#include "kernels/math/exp.h"
#include "kernels/math/log.h"
#include "kernels/math/pow.h"
#include "kernels/math/tanh.h"
#include "kernels/math/trig.h"
