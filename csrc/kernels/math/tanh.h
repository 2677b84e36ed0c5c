// tanh: of float32 a polynomial chosen by the size of x, of float64 from e^x.
#pragma once
#include "kernels/math/exp.h"
#include "kernels/simd/lookup.h"

namespace mg {
namespace MG_ISA {

// Half a power of two of |x| is one piece, where the bits are first moved down by `tanh_moved`, so
// that the pieces end at 1.17 and 1.67 times a power of two: then none bends too much for degree 6.
// All below 1.17 / 16 are one piece, in which tanh is x + x^3 (...). A piece's number is that of
// its exponent and highest fraction bit, modulo 16.
constexpr int32_t tanh_moved = 0x15c000;
constexpr float tanh_small = 0x1.2b8p-4f;
// From here on tanh is 1.
constexpr float tanh_one = 9.02f;
// By piece: a point within, and the polynomial in the distance to it. tanh of that point is close
// to a float, so that the constant has an error of 2^-12 ulp.
alignas(64) static constexpr float tanh_centre[16] = {
    0x1.6b749ep1f,  0x1.00ad5p2f,  0x1.6b99c6p2f,  0x1.cc4bb2p2f,  0x1.154246p3f,  0,
    0x1.6b7f9ep-4f, 0x1.0082fp-3f, 0x1.6b79eap-3f, 0x1.008b7ap-2f, 0x1.6b8744p-2f, 0x1.009cc4p-1f,
    0x1.6b6128p-1f, 0x1.00909cp0f, 0x1.6b6dbcp0f,  0x1.00a8e4p1f};
alignas(64) static constexpr float tanh_coefficients[7][16] = {
    {0x1.fc834ep-1f, 0x1.ffa9eep-1f, 0x1.fffcf4p-1f, 0x1.ffffdap-1f, 0x1.fffffep-1f, 0,
     0x1.6a8c18p-4f, 0x1.fe5b64p-4f, 0x1.67b516p-3f, 0x1.f69e1ap-3f, 0x1.5cfd2ep-2f, 0x1.da2baep-2f,
     0x1.389414p-1f, 0x1.8668eep-1f, 0x1.c76fcp-1f, 0x1.edc484p-1f},
    {0x1.bcd54ap-7f, 0x1.58356ap-10f, 0x1.868a8ep-15f, 0x1.2fbc74p-19f, 0x1.fffedap-24f, 0,
     0x1.fbfd1ep-1f, 0x1.f80d2p-1f, 0x1.f03494p-1f, 0x1.e1297cp-1f, 0x1.c487d6p-1f, 0x1.923748p-1f,
     0x1.412b5ep-1f, 0x1.ac9c2p-2f, 0x1.ab8316p-3f, 0x1.1e85fap-4f},
    {-0x1.b9cc8ap-7f, -0x1.57f9p-10f, -0x1.866c62p-15f, -0x1.30bd5ap-19f, -0x1.ffe67ap-24f, 0,
     -0x1.67b4fp-4f, -0x1.f66e3ep-4f, -0x1.5c9c6p-3f, -0x1.d85872p-3f, -0x1.34741ap-2f,
     -0x1.747f7cp-2f, -0x1.88269ep-2f, -0x1.46d2c6p-2f, -0x1.7c4856p-3f, -0x1.1451ep-4f},
    {0x1.2255fap-7f, 0x1.c87e48p-11f, 0x1.feccp-16f, 0x1.9bc93ap-20f, 0x1.548942p-24f,
     -0x1.555528p-2f, -0x1.4a33a2p-2f, -0x1.408778p-2f, -0x1.2c1426p-2f, -0x1.06c726p-2f,
     -0x1.891f42p-3f, -0x1.7eb47ap-4f, 0x1.948c82p-6f, 0x1.a959ecp-4f, 0x1.87985ap-4f,
     0x1.5600e8p-5f},
    {-0x1.1a7ffcp-8f, -0x1.c77bfcp-12f, -0x1.ff8d04p-17f, -0x1.925fd4p-21f, -0x1.4ebcdap-25f, 0,
     0x1.d852f8p-5f, 0x1.30e9b6p-4f, 0x1.bb6ad2p-4f, 0x1.1fc83cp-3f, 0x1.53a162p-3f, 0x1.50d43ep-3f,
     0x1.cd15cap-4f, 0x1.bdcfa4p-6f, -0x1.7b1468p-6f, -0x1.233e98p-6f},
    {0x1.b64bc8p-10f, 0x1.865434p-13f, 0x1.e93604p-18f, 0x1.fcb33ep-23f, 0x1.e46d96p-27f,
     0x1.103ce2p-3f, -0x1.77ddc4p0f, 0x1.80c7b6p-2f, 0x1.8cd9fp-7f, 0x1.cc4a98p-5f, 0x1.b5ca64p-6f,
     -0x1.99978ap-6f, -0x1.fb9088p-5f, -0x1.78694cp-5f, -0x1.d3acecp-8f, 0x1.30a13cp-8f},
    {-0x1.faeabp-12f, -0x1.00477ap-14f, -0x1.445558p-19f, -0x1.278e8ep-25f, -0x1.96a5p-29f, 0,
     0x1.ccc86p-2f, 0x1.12d2f4p3f, -0x1.22a3p-4f, -0x1.520044p-2f, -0x1.2760fap-4f, -0x1.63b398p-5f,
     -0x1.f7140ap-8f, 0x1.2ff926p-6f, 0x1.3a09dep-7f, -0x1.40c5ap-14f}};

MG_ONCE Vec<float> tanh(Vec<float> x) {
  const Vec<float> a = min(Vec<float>(tanh_one), abs(x));  // keeps NaN
  const Vec<float> inside = max(a, Vec<float>(0.875f * tanh_small));
  const Int<float> piece = shr<22>(as_int(inside) - Int<float>(tanh_moved));
  const auto c = [&](int k)
                     __attribute__((always_inline)) { return lookup(tanh_coefficients[k], piece); };
  const Vec<float> r = a - lookup(tanh_centre, piece), square = r * r;
  const Vec<float> high = fma(square, fma(c(6), r, c(5)), fma(c(4), r, c(3)));
  const Vec<float> slope = fma(square, high, fma(c(2), r, c(1)));
  const Vec<float> base = select(a < Vec<float>(tanh_small), a, c(0));
  return with_sign(fma(slope, r, base), x);
}

// (e^2x - 1) / (e^2x + 1)
MG_ONCE Vec<double> tanh(Vec<double> x) {
  const ExpParts<double> e = exp_parts(min(Vec<double>(40.0), abs(x) + abs(x)));
  const Vec<double> s = power_of_two(e.n);
  return with_sign(quotient(exp_plus(s, e, -1.0), exp_plus(s, e, 1.0)), x);
}

}  // namespace MG_ISA
}  // namespace mg
