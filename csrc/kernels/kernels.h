// Every kernel family of one ISA, and the choice of the ISA.
#pragma once
#include "kernels/augment.h"
#include "kernels/conv.h"
#include "kernels/elementwise.h"
#include "kernels/embedding.h"
#include "kernels/hidden.h"
#include "kernels/loss.h"
#include "kernels/matmul.h"
#include "kernels/norm.h"
#include "kernels/optim.h"
#include "kernels/pool.h"
#include "kernels/random.h"
#include "kernels/reduce.h"
#include "kernels/softmax.h"

namespace mg {

// One member a family; kernels/isa.cpp fills it in the same order.
struct Kernels {
  const char* isa;
  const Elementwise& elementwise;
  const Loss& loss;
  const Norm& norm;
  const Reduce& reduce;
  const Softmax& softmax;
  const Optim& optim;
  const Random& random;
  const Conv& conv;
  const Pool& pool;
  const Embedding& embedding;
  const Matmul& matmul;
  const Hidden& hidden;
  const Augment& augment;
};

// The table chosen once, by CPUID or by MINIGRAD_ISA=baseline|reference|avx2|avx512|neon. An ISA
// that this build or this machine lacks is a ValueError, never a silent fallback.
const Kernels& kernels();

}  // namespace mg
