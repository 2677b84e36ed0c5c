"""Metrics: functions of a model's outputs and the targets, as numpy arrays, to one number.

``METRICS`` is the one table of names. A classifier's outputs are logits: one column (or none) for
two classes, where above 0 means class 1, or one column a class, where the largest wins.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Mode = Literal["min", "max"]


def accuracy(output: Array, target: Array) -> float:
    """Share of rows whose class is right, in [0, 1].

    Args:
        output: logits, (n,) or (n, 1) for two classes, (n, classes) for more.
        target: (n,) or (n, 1) class numbers.

    Example:
        >>> import numpy as np
        >>> from minigrad.metrics import accuracy
        >>> accuracy(np.array([[-1.0], [2.0]]), np.array([0, 0]))
        0.5
    """
    hits = int(np.count_nonzero(_classes(output) == _labels(output, target)))
    return hits / len(output)


def f1(output: Array, target: Array) -> float:
    """F1: the harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN).

    Of class 1 for two classes; else the mean over the classes that occur (macro). A class that
    is neither predicted nor present counts 0, as in scikit-learn with ``zero_division=0``.

    Example:
        >>> import numpy as np
        >>> from minigrad.metrics import f1
        >>> f1(np.array([1.0, 1.0, -1.0]), np.array([1, 0, 0]))
        0.6666666666666666
    """
    guess, truth = _classes(output), _labels(output, target)
    binary = output.ndim == 1 or output.shape[1] == 1
    names = np.array([1]) if binary else np.union1d(guess, truth)
    hits = np.array([np.sum((guess == name) & (truth == name)) for name in names])
    total = np.array([np.sum(guess == name) + np.sum(truth == name) for name in names])
    return float(np.mean(np.where(total > 0, 2 * hits / np.maximum(total, 1), 0.0)))


def auc(output: Array, target: Array) -> float:
    """Area under the ROC curve of two classes: the chance that a 1 ranks above a 0.

    Ties count one half (the Mann-Whitney statistic). NaN when only one class is present.

    Args:
        output: (n,) or (n, 1) scores, or (n, 2) logits, of which the difference is taken.
        target: (n,) or (n, 1), 0 or 1.

    Example:
        >>> import numpy as np
        >>> from minigrad.metrics import auc
        >>> auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1]))
        0.75
    """
    if output.ndim == 2 and output.shape[1] == 2:
        scores, truth = output[:, 1] - output[:, 0], target.reshape(-1)
    else:
        scores, truth = _pair(output, target)
    if not np.isin(truth, (0, 1)).all():
        raise ValueError("auc needs two classes with the targets 0 and 1")
    if np.isnan(scores).any():
        return float("nan")
    positives = int(np.sum(truth == 1))
    negatives = len(truth) - positives
    if positives == 0 or negatives == 0:
        return float("nan")
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    rank = np.cumsum(count) - (count - 1) / 2  # the mean rank of each group of ties
    wins = rank[place][truth == 1].sum() - positives * (positives + 1) / 2
    return float(wins / (positives * negatives))


def r2(output: Array, target: Array) -> float:
    """Coefficient of determination: 1 - sum (y - p)^2 / sum (y - mean y)^2.

    1 is perfect, 0 is as good as the mean; the mean over columns; NaN for a constant target.

    Example:
        >>> import numpy as np
        >>> from minigrad.metrics import r2
        >>> r2(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]))
        1.0
    """
    guess, truth = _columns(output, target)
    residual = np.sum((truth - guess) ** 2, axis=0)
    spread = np.sum((truth - truth.mean(axis=0)) ** 2, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.mean(np.where(spread > 0, 1.0 - residual / spread, np.nan)))


def mae(output: Array, target: Array) -> float:
    """Mean absolute error, in the unit of the target.

    Example:
        >>> import numpy as np
        >>> from minigrad.metrics import mae
        >>> mae(np.array([[1.0], [4.0]]), np.array([1.0, 2.0]))
        1.0
    """
    guess, truth = _columns(output, target)
    return float(np.mean(np.abs(guess - truth)))


def rmse(output: Array, target: Array) -> float:
    """Root of the mean squared error, in the unit of the target.

    Example:
        >>> import numpy as np
        >>> from minigrad.metrics import rmse
        >>> rmse(np.array([3.0, 0.0]), np.array([0.0, 4.0]))
        3.5355339059327378
    """
    guess, truth = _columns(output, target)
    return float(np.sqrt(np.mean((guess - truth) ** 2)))


@dataclass(frozen=True)
class Metric:
    """A named metric.

    Attributes:
        name: its column in the history; ``val_`` is put before it for validation data.
        function: ``function(output, target) -> float`` on numpy arrays of all rows.
        mode: whether lower (``"min"``) or higher (``"max"``) is better; None if not known, and
            then EarlyStopping wants to be told.
    """

    name: str
    function: Callable[[Array, Array], Any]
    mode: Mode | None = None

    def __call__(self, output: Array, target: Array) -> float:
        """Return the metric as a Python float."""
        value = self.function(output, target)
        try:
            return float(value)
        except (TypeError, ValueError) as error:
            raise TypeError(f"metric {self.name!r} returned {value!r}, not one number") from error


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", accuracy, "max"),
        Metric("f1", f1, "max"),
        Metric("auc", auc, "max"),
        Metric("r2", r2, "max"),
        Metric("mae", mae, "min"),
        Metric("rmse", rmse, "min"),
    )
}


def resolve(metrics: Sequence[str | Metric | Callable[[Array, Array], Any]]) -> list[Metric]:
    """Return the metrics by name, as they are, or made of a function (its name is the column).

    Raises:
        ValueError: an unknown or repeated name.
        TypeError: neither a name nor something to call.
    """
    found = [_metric(entry) for entry in metrics]
    names = [metric.name for metric in found]
    if len(set(names)) < len(names):
        raise ValueError(f"metrics {names} repeat a name: wrap one as Metric(name, function)")
    return found


def _metric(entry: str | Metric | Callable[[Array, Array], Any]) -> Metric:
    if isinstance(entry, Metric):
        return entry
    if isinstance(entry, str):
        if entry not in METRICS:
            raise ValueError(f"no metric {entry!r}: there are {', '.join(METRICS)}, or a function")
        return METRICS[entry]
    if not callable(entry):
        raise TypeError(f"a metric is a name or a function (output, target) -> float, not {entry}")
    for metric in METRICS.values():
        if metric.function is entry:
            return metric
    return Metric(getattr(entry, "__name__", type(entry).__name__), entry)


def _classes(output: Array) -> Array:
    if output.ndim == 1:
        return output > 0
    if output.ndim != 2:
        raise ValueError(f"logits must have 1 or 2 axes, got shape {output.shape}")
    return output[:, 0] > 0 if output.shape[1] == 1 else output.argmax(axis=1)


def _labels(output: Array, target: Array) -> Array:
    if target.shape not in ((len(output),), (len(output), 1)):
        raise ValueError(
            f"targets of shape {target.shape} are not one class for each of {len(output)} rows"
        )
    return target.reshape(-1)


def _pair(output: Array, target: Array) -> tuple[Array, Array]:
    """Return both as (n,)."""
    guess, truth = _columns(output, target)
    if guess.shape[1] != 1:
        raise ValueError(f"expected one score a row, got output of shape {output.shape}")
    return guess[:, 0], truth[:, 0]


def _columns(output: Array, target: Array) -> tuple[Array, Array]:
    """Return both as (n, columns), never broadcast."""
    guess = output.reshape(len(output), -1)
    truth = target.reshape(len(target), -1)
    if guess.shape != truth.shape:
        raise ValueError(f"output {output.shape} and target {target.shape} do not match")
    return guess, truth
