"""Random layers as functions. Each draws one key from the generator when it is active."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from minigrad import _core
from minigrad._check import number, one_of, probability
from minigrad._core import Tensor
from minigrad.random import next_key, rand, randn
from minigrad.tensor import ones

if TYPE_CHECKING:
    from minigrad.random import Generator

__all__ = ["alpha_dropout", "dropout", "dropout2d", "gaussian_noise", "stochastic_depth"]

_SELU_MINIMUM = -1.7580993408473766  # the limit of selu(x) for x -> -inf


def dropout(
    x: Tensor, p: float = 0.5, training: bool = True, generator: Generator | None = None
) -> Tensor:
    """Zero each element with probability p and scale the rest by 1 / (1 - p), if `training`.

    >>> import minigrad as mg
    >>> from minigrad.nn import functional as F
    >>> sorted(set(F.dropout(mg.ones(100), 0.5).tolist()))
    [0.0, 2.0]
    """
    if training and p != 0:
        return _core.dropout(x, next_key(generator), p)
    probability("p", p)
    return x


def dropout2d(
    x: Tensor, p: float = 0.5, training: bool = True, generator: Generator | None = None
) -> Tensor:
    """Zero each channel of (N, C, ...) with probability p, scale the rest by 1 / (1 - p).

    >>> import minigrad as mg
    >>> from minigrad.nn import functional as F
    >>> set(F.dropout2d(mg.ones(4, 8, 2, 2)).sum((2, 3)).reshape(-1).tolist()) <= {0.0, 8.0}
    True
    """
    if training and p != 0:
        return _core.dropout2d(x, next_key(generator), p)
    probability("p", p)
    return x


def alpha_dropout(
    x: Tensor, p: float = 0.5, training: bool = False, generator: Generator | None = None
) -> Tensor:
    """Set elements to SELU's minimum with probability p, then restore mean 0 and variance 1.

    Klambauer et al. (2017), for inputs of mean 0 and variance 1.

    >>> import minigrad as mg
    >>> from minigrad.nn import functional as F
    >>> y = F.alpha_dropout(mg.randn(10000), 0.2, training=True).numpy()
    >>> bool(abs(y.mean()) < 0.05 and abs(y.std() - 1) < 0.05)
    True
    """
    probability("p", p)
    if not training or p == 0:
        return x
    if p == 1:
        return x * 0.0
    scale = 1 / math.sqrt((1 - p) * (1 + p * _SELU_MINIMUM**2))
    keep = rand(x.shape, generator=generator) >= p
    return _core.where(keep, x, _SELU_MINIMUM) * scale - scale * _SELU_MINIMUM * p


def gaussian_noise(
    x: Tensor, std: float, training: bool = True, generator: Generator | None = None
) -> Tensor:
    """`x` + std · (standard normal noise), if `training`.

    >>> import minigrad as mg
    >>> from minigrad.nn import functional as F
    >>> round(F.gaussian_noise(mg.zeros(10000), 0.5).numpy().std().item(), 1)
    0.5
    """
    number("std", std, 0.0)
    if not training or std == 0:
        return x
    return x + randn(x.shape, generator=generator, dtype=x.dtype) * std


def stochastic_depth(
    x: Tensor,
    p: float,
    mode: str = "row",
    training: bool = True,
    generator: Generator | None = None,
) -> Tensor:
    """Zero whole examples ("row") or the whole batch ("batch") with probability p.

    What is kept is scaled by 1 / (1 - p) (Huang et al., 2016).

    >>> import minigrad as mg
    >>> from minigrad.nn import functional as F
    >>> set(F.stochastic_depth(mg.ones(50, 3), 0.5).sum(1).tolist()) <= {0.0, 6.0}
    True
    """
    probability("p", p)
    one_of("mode", mode, ("row", "batch"))
    if not training or p == 0:
        return x
    lead = x.shape[0] if mode == "row" and x.ndim else 1
    unit = ones((lead, *[1] * (x.ndim - 1)), dtype=x.dtype)
    return x * _core.dropout(unit, next_key(generator), p)
