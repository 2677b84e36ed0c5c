"""How far chance may move figures of few rows: 95 % intervals, sound for small test sets, too."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from minigrad.data.random import generator
from minigrad.intervals import t_quantile

Array = npt.NDArray[Any]

_CONFIDENCE, _NORMAL = 0.95, 1.959964  # and the quantile of the normal distribution
_RESAMPLES = 2000
_MOST_UNITS = 4096  # more rows are resampled in piles
_DRAWS_AT_ONCE = 200_000


@dataclass(frozen=True)
class Difference:
    """A difference of two means, and how far chance may move it.

    Attributes:
        value: on these rows.
        low: of the 95 % interval.
        high: of the 95 % interval.
        rows: the rows, or the groups, that it is of; of the smaller part, if there are two.
    """

    value: float
    low: float
    high: float
    rows: int


def paired(first: Array, second: Array, groups: Array | None, *, root: bool = False) -> Difference:
    """Return mean(first) - mean(second) of the same rows with its bootstrap interval.

    Rows are resampled with replacement, both columns together (Efron, 1979); whole groups where
    rows come in groups, as rows of a group say the same thing twice. The percentiles are widened
    for few rows as Hesterberg (2015) does, as a plain bootstrap is too sure of itself there.

    Args:
        first: (n,) a value a row.
        second: (n,) of the same rows.
        groups: (n,) labels, or None.
        root: compare the roots of the means, as for squared errors.

    Example:
        >>> import numpy as np
        >>> from minigrad.table.chance import paired
        >>> paired(np.full(50, 1.0), np.full(50, 0.75), None)
        Difference(value=0.25, low=0.25, high=0.25, rows=50)
    """
    units = _units(groups, first, second)
    mean = _mean(root)
    return _bootstrap([units], lambda total: mean(total[0], 0) - mean(total[0], 1))


def gap(
    test: Array,
    train: Array,
    test_groups: Array | None = None,
    train_groups: Array | None = None,
    *,
    root: bool = False,
) -> Difference:
    """Return mean(test) - mean(train) of different rows with its bootstrap interval.

    As ``paired``, but the two parts are resampled each by itself.

    Example:
        >>> import numpy as np
        >>> from minigrad.table.chance import gap
        >>> found = gap(np.linspace(0, 2, 50), np.linspace(0, 1, 90))
        >>> found.value, found.low > 0, found.rows
        (0.5, True, 50)
    """
    units = [_units(test_groups, test), _units(train_groups, train)]
    mean = _mean(root)
    return _bootstrap(units, lambda total: mean(total[0], 0) - mean(total[1], 0))


def paired_shares(first: Array, second: Array) -> Difference:
    """Return the difference of two shares of the same rows, with an interval.

    That of Bonett and Price (2012): Wald's after half a row is added to each of the four kinds of
    rows. It does not collapse where two models are right on the same rows, as a bootstrap does.

    Args:
        first: (n,) whether it holds, a row.
        second: (n,) of the same rows.

    Example:
        >>> import numpy as np
        >>> from minigrad.table.chance import paired_shares
        >>> found = paired_shares(np.ones(20), np.ones(20))
        >>> found.value, round(found.low, 3), round(found.high, 3)
        (0.0, -0.126, 0.126)
    """
    n = len(first)
    a, b = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    gained, lost = ((c.sum() + 1.0) / (n + 2.0) for c in (a & ~b, b & ~a))
    reach = _NORMAL * math.sqrt((gained + lost - (gained - lost) ** 2) / (n + 2.0))
    middle = float(gained - lost)
    value = float(a.mean() - b.mean())
    return Difference(value, max(middle - reach, -1.0), min(middle + reach, 1.0), n)


def share(count: int, n: int) -> tuple[float, float]:
    """Return Wilson's (1927) 95 % interval of a share, ``count`` of ``n`` rows.

    Example:
        >>> from minigrad.table.chance import share
        >>> [round(bound, 3) for bound in share(20, 20)]
        [0.839, 1.0]
    """
    z2 = _NORMAL * _NORMAL
    middle = (count + z2 / 2) / (n + z2)
    reach = _NORMAL * math.sqrt(count * (n - count) / n + z2 / 4) / (n + z2)
    return max(middle - reach, 0.0), min(middle + reach, 1.0)


def _units(groups: Array | None, *values: Array) -> Array:
    """Sums of the values and counts of rows, (values + 1, units): of rows, groups or piles."""
    sums = np.stack([*values, np.ones(len(values[0]))]).astype(np.float64)
    if groups is not None:
        place = np.unique(groups, return_inverse=True)[1]
        sums = np.stack([np.bincount(place, weights=row) for row in sums])
    if sums.shape[1] > _MOST_UNITS:
        order = generator(1).permutation(sums.shape[1])
        starts = np.linspace(0, len(order), _MOST_UNITS, endpoint=False).astype(np.int64)
        sums = np.add.reduceat(sums[:, order], starts, axis=1)
    return sums


def _mean(root: bool) -> Callable[[Array, int], Array]:
    def mean(total: Array, which: int) -> Array:
        found = total[which] / total[-1]
        return np.asarray(np.sqrt(found) if root else found)

    return mean


def _bootstrap(parts: list[Array], contrast: Callable[[list[Array]], Array]) -> Difference:
    """The interval of a function of the parts' sums."""
    fewest = min(units.shape[1] for units in parts)
    value = float(contrast([units.sum(axis=1) for units in parts]))
    if fewest < 2:
        return Difference(value, -math.inf, math.inf, fewest)
    draw = generator(0)
    piece = max(1, _DRAWS_AT_ONCE // max(units.shape[1] for units in parts))
    values = []
    for start in range(0, _RESAMPLES, piece):
        times = min(piece, _RESAMPLES - start)
        totals = [
            units[:, draw.integers(units.shape[1], size=(times, units.shape[1]))].sum(axis=2)
            for units in parts
        ]
        values.append(contrast(totals))
    t = t_quantile(_CONFIDENCE, min(fewest - 1, 1000)) * math.sqrt(fewest / (fewest - 1))
    tail = math.erfc(t / math.sqrt(2)) / 2
    low, high = np.quantile(np.concatenate(values), (tail, 1 - tail))
    return Difference(value, float(low), float(high), fewest)
