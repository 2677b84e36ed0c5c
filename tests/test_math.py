"""The vector math against references of twice the precision: at most 1 ulp, everywhere.

float32 is compared with scipy in float64, float64 with numpy's long double (64 bits of mantissa on
x86). `--slow` runs every float32 there is through every function.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import special

from minigrad import _core

Array = np.ndarray
LIMIT = 1.5 if _core.isa() == "baseline" else 1.0  # without a true fma: erf 1.21, the rest below 1
EXTENDED = np.finfo(np.longdouble).nmant >= 63
SPECIAL = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan]


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def erf(x: Array) -> Array:
    """scipy's; for long double 2 / sqrt(pi) e^(-x^2) sum 2^n x^(2n+1) / (2n+1)!!, all positive."""
    if x.dtype != np.longdouble:
        return special.erf(x)
    a = np.minimum(np.abs(x), 6.5)  # from 6 on erf is 1 for a float64
    square = a * a
    term, total, n = a.copy(), a.copy(), 1
    while np.any(term > total * np.longdouble(2) ** -66):
        term *= 2 * square / (2 * n + 1)
        total += term
        n += 1
    return np.copysign(2 / np.sqrt(4 * np.arctan(np.longdouble(1))) * np.exp(-square) * total, x)


# Reference in twice the precision, and the finite range where the function is neither constant
# nor out of range (drawn more densely).
FUNCTIONS: dict[str, tuple[Callable[[Array], Array], float, float]] = {
    "exp": (np.exp, -750, 750),
    "expm1": (np.expm1, -50, 750),
    "log": (np.log, 0, 10),
    "log1p": (np.log1p, -1, 10),
    "tanh": (np.tanh, -25, 25),
    "sigmoid": (sigmoid, -750, 50),
    "sin": (np.sin, -100, 100),
    "cos": (np.cos, -100, 100),
    "erf": (erf, -7, 7),
    "sqrt": (np.sqrt, 0, 10),
}


def ulps(got: Array, want: Array) -> Array:
    """The distance in units of the last place of `want`; NaN and infinities count as values."""
    dtype = got.dtype
    info = np.finfo(dtype)
    wide = want.astype(want.dtype)
    with np.errstate(all="ignore"):
        rounded = want.astype(dtype)
        same = (got == rounded) | (np.isnan(got) & np.isnan(rounded))
        exponent = np.maximum(np.frexp(np.where(np.isfinite(wide), wide, 1))[1] - 1, info.minexp)
        unit = np.ldexp(np.ones_like(wide), exponent - info.nmant)
        # An overflow is as far from the largest number as the next power of two.
        top = np.ldexp(np.ones_like(wide), info.maxexp)
        near = np.where(np.isinf(got), np.copysign(top, got), got.astype(want.dtype))
        error = np.abs(near - wide) / unit
    return np.where(same & ~np.isfinite(rounded), 0, np.where(np.isnan(error), np.inf, error))


def worst(name: str, x: Array, wide: type) -> tuple[float, float]:
    """The largest error over x, 0.5 if every result is the nearest number, and where it is."""
    with np.errstate(all="ignore"):
        want = FUNCTIONS[name][0](x.astype(wide))
        nearest = want.astype(x.dtype)
    got = getattr(_core, name)(_core.from_numpy(x)).numpy()
    assert got.dtype == x.dtype
    bits = {4: np.uint32, 8: np.uint64}[x.itemsize]
    differ = np.flatnonzero(got.view(bits) != nearest.view(bits))  # few: the rest needs no looking
    if differ.size == 0:
        return 0.5, float("nan")
    x, got, want = x[differ], got[differ], want[differ]
    error = ulps(got, want)
    zero = want == 0
    assert (np.signbit(got[zero]) == np.signbit(want[zero])).all(), f"{name}: a zero's sign"
    at = int(np.argmax(error))
    return max(0.5, float(error[at])), float(x[at])


def check(name: str, x: Array, wide: type) -> float:
    """Asserts that no result is more than LIMIT off; the largest error."""
    error, at = worst(name, x, wide)
    assert error <= LIMIT, f"{name}({at!r}) is {error:.3f} ulp off in {x.dtype}"
    return error


def bit_patterns(start: int, stop: int, step: int) -> Iterator[Array]:
    """float32 numbers by their bits, as many at a time as stay in the cache."""
    piece = step << 16
    for first in range(start, stop, piece):
        bits = np.arange(first, min(first + piece, stop), step, dtype=np.uint64)
        yield bits.astype(np.uint32).view(np.float32)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float32_sampled(name: str) -> None:
    for x in bit_patterns(0, 1 << 32, 4099):
        check(name, x, np.float64)


@pytest.mark.slow
@pytest.mark.parametrize("name", FUNCTIONS)
def test_float32_every_number(name: str) -> None:
    """A minute or so a function: numpy lets both halves run at once."""

    def worst_from(start: int) -> float:
        part = bit_patterns(start, start + (1 << 30), 1)
        return max(check(name, x, np.float64) for x in part)

    with ThreadPoolExecutor() as pool:
        error = max(pool.map(worst_from, range(0, 1 << 32, 1 << 30)))
    print(f"{name}, float32: {error:.3f} ulp at most")


def drawn_float64(rng: np.random.Generator, n: int, low: float, high: float) -> Array:
    """The function's own range, all magnitudes, all bit patterns, and the special values."""
    with np.errstate(all="ignore"):
        return np.concatenate(
            [
                rng.uniform(low, high, n),
                rng.uniform(-2, 2, n),
                np.exp2(rng.uniform(-60, 60, n)) * rng.choice([-1, 1], n),
                rng.integers(0, 1 << 64, n, dtype=np.uint64).view(np.float64),
                np.array(SPECIAL),
            ]
        )


@pytest.mark.skipif(not EXTENDED, reason="long double is no wider than double here")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_float64_sampled(name: str) -> None:
    _, low, high = FUNCTIONS[name]
    check(name, drawn_float64(np.random.default_rng(0), 20_000, low, high), np.longdouble)


@pytest.mark.slow
@pytest.mark.skipif(not EXTENDED, reason="long double is no wider than double here")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_float64_ten_million(name: str) -> None:
    _, low, high = FUNCTIONS[name]
    draws = (drawn_float64(np.random.default_rng(seed), 250_000, low, high) for seed in range(10))
    error = max(check(name, x, np.longdouble) for x in draws)
    print(f"{name}, float64: {error:.3f} ulp at most")


def test_gelu_keeps_the_tail() -> None:
    # By 1 + erf it would be 0 from -5.5 on, and have no right digit long before.
    x = np.linspace(-12, 12, 100_001).astype(np.float32)
    tensor, wide = _core.from_numpy(x), x.astype(np.float64)
    below = special.ndtr(wide)
    np.testing.assert_allclose(_core.gelu(tensor).numpy(), wide * below, rtol=5e-6)
    slope = _core.gelu_backward(_core.from_numpy(np.ones_like(x)), tensor, False).numpy()
    density = np.exp(-wide * wide / 2) / np.sqrt(2 * np.pi)
    np.testing.assert_allclose(slope, below + wide * density, rtol=1e-5, atol=2e-7)


# Multiples of pi/2 that are closer to a float than any other: the reduction loses 60 bits.
@pytest.mark.parametrize("name", ["sin", "cos"])
def test_angles_closest_to_a_zero(name: str) -> None:
    x = np.array([6381956970095103.0 * 2.0**797, 6411027962775774.0 * 2.0**-47, 22.0, 355.0])
    check(name, np.concatenate([x, -x]), np.longdouble)


@pytest.mark.skipif(not EXTENDED, reason="long double is no wider than double here")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pow(dtype: type) -> None:
    rng, n = np.random.default_rng(0), 50_000
    base = np.exp2(rng.uniform(-30, 30, n))
    limit = 104 if dtype is np.float32 else 750
    x = np.concatenate([base, base, 1 + rng.uniform(-0.01, 0.01, n), -base]).astype(dtype)
    y = np.concatenate(
        [
            rng.uniform(-1, 1, n) * limit / np.log(base),  # up to under- and overflow
            rng.uniform(-8, 8, n),
            rng.uniform(-1e4, 1e4, n),
            rng.integers(-9, 10, n),
        ]
    ).astype(dtype)
    with np.errstate(all="ignore"):
        want = x.astype(np.longdouble) ** y.astype(np.longdouble)
    error = ulps(_core.pow(_core.from_numpy(x), _core.from_numpy(y)).numpy(), want)
    at = int(np.argmax(error))
    assert error[at] <= LIMIT, f"pow({x[at]!r}, {y[at]!r}) is {error[at]:.3f} ulp off"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pow_at_special_values(dtype: type) -> None:
    values = [*SPECIAL, 2.0, -2.0, 0.5, -0.5, 3.0, -3.0, 1e30, -1e30, sys.float_info.min]
    with np.errstate(all="ignore"):
        x, y = (a.ravel().astype(dtype) for a in np.meshgrid(values, values))
        want = np.power(x, y)
    got = _core.pow(_core.from_numpy(x), _core.from_numpy(y)).numpy()
    np.testing.assert_allclose(got, want, rtol=4 * np.finfo(dtype).eps)
    zero = want == 0
    assert (np.signbit(got[zero]) == np.signbit(want[zero])).all()
