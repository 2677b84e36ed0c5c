"""Functions of numbers, element by element."""

from __future__ import annotations

import math

import numpy as np

from minigrad._core import Tensor


def square(x: Tensor) -> Tensor:
    """x · x.

    >>> import minigrad as mg
    >>> mg.tensor([1.0, -3.0]).square().tolist()
    [1.0, 9.0]
    """
    return x * x


def rsqrt(x: Tensor) -> Tensor:
    """1 / sqrt(x).

    >>> import minigrad as mg
    >>> mg.tensor([4.0]).rsqrt().tolist()
    [0.5]
    """
    return x.sqrt().reciprocal()


def tan(x: Tensor) -> Tensor:
    """sin(x) / cos(x).

    >>> import minigrad as mg
    >>> mg.zeros(1).tan().tolist()
    [0.0]
    """
    return x.sin() / x.cos()


def log2(x: Tensor) -> Tensor:
    """The logarithm to base 2: log(x) / log(2), 1 ulp or so off.

    >>> import minigrad as mg
    >>> mg.tensor([8.0]).log2().round().tolist()
    [3.0]
    """
    return x.log() / math.log(2)


def log10(x: Tensor) -> Tensor:
    """The logarithm to base 10: log(x) / log(10), 1 ulp or so off.

    >>> import minigrad as mg
    >>> mg.tensor([1000.0]).log10().round().tolist()
    [3.0]
    """
    return x.log() / math.log(10)


def isinf(x: Tensor) -> Tensor:
    """Whether elements are inf or -inf.

    >>> import minigrad as mg
    >>> mg.tensor([1.0, float("-inf"), float("nan")]).isinf().tolist()
    [False, True, False]
    """
    return abs(x) == math.inf


def allclose(
    x: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Whether all of |x - other| <= atol + rtol |other|; a bool, as it is for tests.

    >>> import minigrad as mg
    >>> mg.tensor([1.0]).allclose(mg.tensor([1.0 + 1e-6]))
    True
    """
    return bool(np.allclose(x.detach().numpy(), _numpy(other), rtol, atol, equal_nan))


def _numpy(x: Tensor | float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return x.detach().numpy() if isinstance(x, Tensor) else np.asarray(x)
