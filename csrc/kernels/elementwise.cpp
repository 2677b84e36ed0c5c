#include "kernels/elementwise.h"

#include "kernels/activation.h"
#include "kernels/arithmetic.h"
#include "kernels/chain.h"
#include "kernels/map.h"
#include "kernels/move.h"

namespace mg {
namespace MG_ISA {

// One row a kernel, in the order of elementwise.h.
#define MG_FLOATS(Op, ...) {map<Op, float, __VA_ARGS__>, map<Op, double, __VA_ARGS__>}
#define MG_NUMBERS(Op, ...) \
  {map<Op, float, __VA_ARGS__>, map<Op, double, __VA_ARGS__>, map<Op, int64_t, __VA_ARGS__>}
#define MG_TESTS(Op, inputs)                                                     \
  {test<Op, float, inputs>, test<Op, double, inputs>, test<Op, int64_t, inputs>, \
   test<Op, uint8_t, inputs>}
#define MG_PAST_CACHE(Op, ...)                                             \
  {map<Op, float, __VA_ARGS__>, map_past_cache<Op, float, __VA_ARGS__>}, { \
    map<Op, double, __VA_ARGS__>, map_past_cache<Op, double, __VA_ARGS__>  \
  }
#define MG_CHAIN_OF(T, First, Then, Both, inputs, commutes) \
  {First(T), Then(T), chain<Both, T, inputs>, inputs, commutes}
#define MG_CHAIN(...) MG_CHAIN_OF(float, __VA_ARGS__), MG_CHAIN_OF(double, __VA_ARGS__)
#define MG_ADD(T) map<Add, T, 2>
#define MG_SUB(T) map<Sub, T, 2>
#define MG_MUL(T) map<Mul, T, 2>
#define MG_RELU(T) map<Relu, T, 1>
#define MG_ADD_ADD(T) chain<AddAdd, T, 3>
#define MG_MUL_ADD(T) chain<MulAdd, T, 3>

extern const Elementwise elementwise;
const Elementwise elementwise = {
    .add = MG_NUMBERS(Add, 2),
    .sub = MG_NUMBERS(Sub, 2),
    .mul = MG_NUMBERS(Mul, 2),
    .div = MG_FLOATS(Div, 2),
    .pow = MG_NUMBERS(Pow, 2),
    .neg = MG_NUMBERS(Neg, 1),
    .abs = MG_NUMBERS(Abs, 1),
    .sign = MG_NUMBERS(Sign, 1),
    .reciprocal = MG_FLOATS(Reciprocal, 1),
    .sqrt = MG_FLOATS(Sqrt, 1),
    .floor = MG_NUMBERS(Floor, 1),
    .round = MG_NUMBERS(Round, 1),
    .minimum = MG_NUMBERS(Minimum, 2),
    .maximum = MG_NUMBERS(Maximum, 2),
    .clip = MG_NUMBERS(Clip, 1, 2),
    .where = {where<uint32_t>, where<uint64_t>, where<uint64_t>, where<uint8_t>},
    .eq = MG_TESTS(Equal, 2),
    .ne = MG_TESTS(NotEqual, 2),
    .lt = MG_TESTS(Less, 2),
    .le = MG_TESTS(LessEqual, 2),
    .gt = MG_TESTS(Greater, 2),
    .ge = MG_TESTS(GreaterEqual, 2),
    .logical_not = MG_TESTS(Not, 1),
    .logical_and = MG_TESTS(And, 2),
    .logical_or = MG_TESTS(Or, 2),
    .isfinite = MG_TESTS(IsFinite, 1),
    .isnan = MG_TESTS(IsNan, 1),
    .exp = MG_FLOATS(Exp, 1),
    .expm1 = MG_FLOATS(Expm1, 1),
    .log = MG_FLOATS(Log, 1),
    .log1p = MG_FLOATS(Log1p, 1),
    .sin = MG_FLOATS(Sin, 1),
    .cos = MG_FLOATS(Cos, 1),
    .tanh = MG_FLOATS(Tanh, 1),
    .sigmoid = MG_FLOATS(Sigmoid, 1),
    .erf = MG_FLOATS(Erf, 1),
    .relu = MG_NUMBERS(Relu, 1),
    .leaky_relu = MG_FLOATS(LeakyRelu, 1, 1),
    .gelu = MG_FLOATS(Gelu, 1),
    .gelu_tanh = MG_FLOATS(GeluTanh, 1),
    .silu = MG_FLOATS(Silu, 1),
    .softplus = MG_FLOATS(Softplus, 1),
    .elu = MG_FLOATS(Elu, 1, 1),
    .selu = MG_FLOATS(Selu, 1),
    .relu_backward = MG_FLOATS(ReluBackward, 2),
    .relu_dropout_backward = MG_FLOATS(ReluDropoutBackward, 2, 1),
    .leaky_relu_backward = MG_FLOATS(LeakyReluBackward, 2, 1),
    .gelu_backward = MG_FLOATS(GeluBackward, 2),
    .gelu_tanh_backward = MG_FLOATS(GeluTanhBackward, 2),
    .silu_backward = MG_FLOATS(SiluBackward, 2),
    .softplus_backward = MG_FLOATS(SoftplusBackward, 2),
    .elu_backward = MG_FLOATS(EluBackward, 2, 1),
    .selu_backward = MG_FLOATS(SeluBackward, 2),
    .sigmoid_backward = MG_FLOATS(SigmoidBackward, 2),
    .tanh_backward = MG_FLOATS(TanhBackward, 2),
    .clip_backward = MG_FLOATS(ClipBackward, 2, 2),
    .past_cache = {MG_PAST_CACHE(Add, 2), MG_PAST_CACHE(Mul, 2), MG_PAST_CACHE(Relu, 1),
                   MG_PAST_CACHE(ReluBackward, 2), MG_PAST_CACHE(ReluDropoutBackward, 2, 1)},
    .chains = {MG_CHAIN(MG_ADD, MG_RELU, AddRelu, 2, false),
               MG_CHAIN(MG_ADD, MG_ADD, AddAdd, 3, true),
               MG_CHAIN(MG_ADD_ADD, MG_RELU, AddAddRelu, 3, false),
               MG_CHAIN(MG_SUB, MG_MUL, SubMul, 3, true), MG_CHAIN(MG_MUL, MG_ADD, MulAdd, 3, true),
               MG_CHAIN(MG_MUL_ADD, MG_RELU, MulAddRelu, 3, false)},
    .copy_strided = {copy_strided<uint32_t>, copy_strided<uint64_t>, copy_strided<uint64_t>,
                     copy_strided<uint8_t>},
    .copy_plane = {copy_plane<uint32_t>, copy_plane<uint64_t>, copy_plane<uint64_t>,
                   copy_plane<uint8_t>},
    .cast = {{cast<float, float>, cast<float, double>, cast<float, int64_t>, cast<float, bool>},
             {cast<double, float>, cast<double, double>, cast<double, int64_t>, cast<double, bool>},
             {cast<int64_t, float>, cast<int64_t, double>, cast<int64_t, int64_t>,
              cast<int64_t, bool>},
             // A bool is the byte 0 or 1, which compilers make vectors of.
             {cast<uint8_t, float>, cast<uint8_t, double>, cast<uint8_t, int64_t>,
              cast<uint8_t, bool>}},
    .fill = {fill<uint32_t>, fill<uint64_t>, fill<uint64_t>, fill<uint8_t>},
};

}  // namespace MG_ISA
}  // namespace mg
