// Compiled once per ISA, as all kernels are: the table of that ISA.
#include "kernels/kernels.h"

#include "kernels/simd.h"

#define MG_TEXT_(x) #x
#define MG_TEXT(x) MG_TEXT_(x)

MG_KERNEL_NAMESPACE_BEGIN

extern const Elementwise elementwise;
extern const Loss loss;
extern const Norm norm;
extern const Reduce reduce;
extern const Softmax softmax;
extern const Optim optim;
extern const Random random;
extern const Conv conv;
extern const Pool pool;
extern const Embedding embedding;
extern const Matmul matmul;
extern const Hidden hidden;
extern const Augment augment;

extern constinit const Kernels table{MG_TEXT(MG_ISA), elementwise, loss,   norm,   reduce,
                                     softmax,         optim,       random, conv,   pool,
                                     embedding,       matmul,      hidden, augment};

MG_KERNEL_NAMESPACE_END
