"""Confidence intervals of means of few values: Student's t, without scipy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from minigrad._check import integer, number

__all__ = ["Interval", "mean_interval", "t_quantile"]


@dataclass(frozen=True)
class Interval:
    """A mean with the bounds of its confidence interval; NaN where there is none.

    Example:
        >>> from minigrad.intervals import Interval
        >>> print(Interval(0.5, 0.25, 0.75))
        0.5 [0.25, 0.75]
    """

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        """Mean and bounds."""
        return f"{self.mean:.4g} [{self.low:.4g}, {self.high:.4g}]"

    @property
    def excludes_zero(self) -> bool:
        """Whether 0 lies outside: a difference that is not chance alone."""
        return self.low > 0 or self.high < 0

    def within(self, low: float, high: float) -> Interval:
        """The interval with its bounds clipped to what is possible.

        Example:
            >>> from minigrad.intervals import Interval
            >>> print(Interval(0.75, 0.25, 1.25).within(0, 1))
            0.75 [0.25, 1]
        """
        return Interval(self.mean, max(self.low, low), min(self.high, high))


def mean_interval(
    values: Sequence[float], confidence: float = 0.95, *, test_share: float = 0.0
) -> Interval:
    """The mean of ``values`` and its confidence interval ``mean +- t * s * sqrt(1 / n + r)``.

    ``r`` is 0 for independent values (Student, 1908). The scores of cross-validation are not
    independent, as the folds share training rows: Nadeau and Bengio (2003) widen the interval by
    ``r = validation rows / training rows``.

    Args:
        values: at least one; of a single one the bounds are NaN, as of values with NaN.
        confidence: in (0, 1), how often such an interval holds the true mean.
        test_share: ``r``.

    Example:
        >>> from minigrad.intervals import mean_interval
        >>> print(mean_interval([1.0, 2.0, 3.0]))
        2 [-0.4841, 4.484]
    """
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or len(array) == 0:
        raise ValueError(f"values must be a list of numbers, got shape {array.shape}")
    spread = number("test_share", test_share, 0.0)
    mean = float(array.mean())
    if len(array) == 1:
        return Interval(mean, math.nan, math.nan)
    error = float(array.std(ddof=1)) * math.sqrt(1.0 / len(array) + spread)
    reach = t_quantile(confidence, len(array) - 1) * error
    return Interval(mean, mean - reach, mean + reach)


def t_quantile(confidence: float, freedom: int) -> float:
    """The t for which Student's distribution has ``confidence`` within [-t, t].

    By bisection on the finite sums for whole degrees of freedom (Abramowitz and Stegun, 26.7.3
    and 26.7.4).

    Args:
        confidence: in (0, 1).
        freedom: degrees of freedom, at least 1.

    Example:
        >>> from minigrad.intervals import t_quantile
        >>> round(t_quantile(0.95, 9), 4)
        2.2622
    """
    integer("freedom", freedom, 1)
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence = {confidence} must be in (0, 1), such as 0.95")
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < confidence else (low, middle)
    return math.sqrt(freedom) * math.tan(low)


def _within(angle: float, freedom: int) -> float:
    """The probability of |T| <= sqrt(freedom) * tan(angle)."""
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term = cosine if odd else 1.0
    total = 0.0
    for i in range(2 + odd, freedom + 1, 2):
        total += term
        term *= cosine * cosine * (i - 1) / i
    return 2 / math.pi * (angle + sine * total) if odd else sine * total
