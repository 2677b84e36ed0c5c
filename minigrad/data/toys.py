"""Toy problems with a known truth, where overfitting can be seen with the eye."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from minigrad._names import hinting
from minigrad.data.random import generator

Array = npt.NDArray[Any]


@hinting
def make_moons(
    n_samples: int = 100, *, noise: float = 0.0, shuffle: bool = True, seed: int = 0
) -> tuple[Array, Array]:
    """Two half circles that interlock: class 0 above, class 1 below.

    Equal in distribution to ``sklearn.datasets.make_moons``.

    Args:
        n_samples: the number of points, at least 2; class 0 gets half, rounded down.
        noise: standard deviation of the normal noise added to both coordinates.
        shuffle: whether the rows come in random order.
        seed: the seed of shuffle and noise.

    Returns:
        x (n, 2) float64 and y (n,) int64.

    Example:
        >>> from minigrad.data import make_moons
        >>> x, y = make_moons(100, noise=0.2)
        >>> x.shape, int(y.sum())
        ((100, 2), 50)
    """
    first = _half(n_samples, noise)
    upper = np.linspace(0.0, math.pi, first)
    lower = np.linspace(0.0, math.pi, n_samples - first)
    points = np.concatenate(
        [
            np.stack([np.cos(upper), np.sin(upper)], axis=1),
            np.stack([1.0 - np.cos(lower), 0.5 - np.sin(lower)], axis=1),
        ]
    )
    return _finish(points, first, noise, shuffle, seed)


@hinting
def make_circles(
    n_samples: int = 100,
    *,
    noise: float = 0.0,
    factor: float = 0.8,
    shuffle: bool = True,
    seed: int = 0,
) -> tuple[Array, Array]:
    """A circle of radius 1 (class 0) around one of radius ``factor`` (class 1).

    Equal in distribution to ``sklearn.datasets.make_circles``; arguments as in ``make_moons``.

    Example:
        >>> import numpy as np
        >>> from minigrad.data import make_circles
        >>> x, y = make_circles(10, factor=0.5)
        >>> bool(np.allclose(np.hypot(*x[y == 1].T), 0.5))
        True
    """
    if not 0.0 <= factor < 1.0:
        raise ValueError(f"factor = {factor} must be in [0, 1): it is the inner circle's radius")
    first = _half(n_samples, noise)
    outer = np.linspace(0.0, 2.0 * math.pi, first, endpoint=False)
    inner = np.linspace(0.0, 2.0 * math.pi, n_samples - first, endpoint=False)
    points = np.concatenate(
        [
            np.stack([np.cos(outer), np.sin(outer)], axis=1),
            factor * np.stack([np.cos(inner), np.sin(inner)], axis=1),
        ]
    )
    return _finish(points, first, noise, shuffle, seed)


def make_polynomial(
    n_samples: int = 30, *, degree: int = 1, noise: float = 0.3, seed: int = 0
) -> tuple[Array, Array]:
    """The sine with noise: ``y = sin(2 pi t) + normal(0, noise)``, ``t`` uniform in [0, 1].

    The curve-fitting example of Bishop's "Pattern Recognition and Machine Learning", chapter 1.

    Args:
        n_samples: the number of points, at least 1.
        degree: the features are ``t, t^2, ..., t^degree``.
        noise: standard deviation of the noise on y.
        seed: the seed of points and noise.

    Returns:
        x (n, degree) float64 and y (n,) float64.

    Example:
        >>> from minigrad.data import make_polynomial
        >>> x, y = make_polynomial(20, degree=9)
        >>> x.shape, y.shape
        ((20, 9), (20,))
    """
    if n_samples < 1 or degree < 1:
        raise ValueError(f"n_samples and degree must be >= 1, got {n_samples} and {degree}")
    if noise < 0:
        raise ValueError(f"noise = {noise} must be >= 0: it is a standard deviation")
    random = generator(seed)
    t = random.uniform(size=n_samples)
    y = np.sin(2.0 * math.pi * t) + random.normal(scale=noise, size=n_samples)
    return t[:, None] ** np.arange(1, degree + 1), y


def _half(n_samples: int, noise: float) -> int:
    if n_samples < 2:
        raise ValueError(f"n_samples = {n_samples}: two classes need at least 2 points")
    if noise < 0:
        raise ValueError(f"noise = {noise} must be >= 0: it is a standard deviation")
    return n_samples // 2


def _finish(
    points: Array, first: int, noise: float, shuffle: bool, seed: int
) -> tuple[Array, Array]:
    """Label, shuffle and add noise, in this order."""
    random = generator(seed)
    labels = (np.arange(len(points)) >= first).astype(np.int64)
    if shuffle:
        order = random.permutation(len(points))
        points, labels = points[order], labels[order]
    return points + random.normal(scale=noise, size=points.shape), labels
