"""Metrics: functions of a model's outputs and the targets of all rows, to one number.

``METRICS`` is the one table of names. A classifier's outputs are logits: one column (or none) for
two classes, where above 0 means class 1, or one column a class, where the largest wins. Targets are
class numbers, or one column a class, of which the largest is taken.

Those that are made of tensor ops become part of a training's plan. Given arrays, they return a
float all the same.
"""

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, overload

import numpy as np
import numpy.typing as npt

from minigrad import _core
from minigrad._core import Tensor
from minigrad.tensor import tensor

Array = npt.NDArray[Any]
Mode = Literal["min", "max"]


class _OfTensors(Protocol):
    """Made of tensor ops: of tensors a tensor, of arrays a float."""

    @overload
    def __call__(self, output: Tensor, target: Tensor) -> Tensor: ...
    @overload
    def __call__(self, output: Array, target: Array) -> float: ...


def _of_tensors(function: Callable[[Tensor, Tensor], Tensor]) -> _OfTensors:
    @functools.wraps(function)
    def metric(output: Any, target: Any) -> Any:
        if isinstance(output, Tensor) and isinstance(target, Tensor):
            return function(output, target)
        return function(tensor(output), tensor(target)).item()

    return metric


@_of_tensors
def accuracy(output: Tensor, target: Tensor) -> Tensor:
    """Share of rows whose class is right, in [0, 1].

    Args:
        output: logits, (n,) or (n, 1) for two classes, (n, classes) for more.
        target: (n,) or (n, 1) class numbers; (n, classes) one-hot or probabilities.

    Example:
        >>> import numpy as np
        >>> from minigrad.metrics import accuracy
        >>> accuracy(np.array([[-1.0], [2.0]]), np.array([0, 0]))
        0.5
    """
    return (_classes(output) == _labels(output, target)).to(np.float64).mean()


@_of_tensors
def f1(output: Tensor, target: Tensor) -> Tensor:
    """F1: the harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN).

    Of class 1 for two classes; else the mean over the classes that occur (macro). A class that
    is neither predicted nor present counts 0, as in scikit-learn with ``zero_division=0``.

    Example:
        >>> import numpy as np
        >>> from minigrad.metrics import f1
        >>> f1(np.array([1.0, 1.0, -1.0]), np.array([1, 0, 0]))
        0.6666666666666666
    """
    hits, guessed, true, occurring = _tallies(output, target)
    return (2 * hits / (guessed + true).maximum(1.0)).sum() / occurring


@_of_tensors
def precision(output: Tensor, target: Tensor) -> Tensor:
    """Share of the rows taken for a class that are of it: TP / (TP + FP), averaged as in ``f1``.

    Example:
        >>> import numpy as np
        >>> from minigrad.metrics import precision
        >>> precision(np.array([1.0, 1.0, -1.0]), np.array([1, 0, 1]))
        0.5
    """
    hits, guessed, _, occurring = _tallies(output, target)
    return (hits / guessed.maximum(1.0)).sum() / occurring


@_of_tensors
def recall(output: Tensor, target: Tensor) -> Tensor:
    """Share of the rows of a class that are found: TP / (TP + FN), averaged as in ``f1``.

    Example:
        >>> import numpy as np
        >>> from minigrad.metrics import recall
        >>> recall(np.array([1.0, -1.0, -1.0]), np.array([1, 0, 1]))
        0.5
    """
    hits, _, true, occurring = _tallies(output, target)
    return (hits / true.maximum(1.0)).sum() / occurring


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
        scores, truth = output.reshape(-1), target.reshape(-1)
        if len(scores) != len(output) or len(truth) != len(output):
            raise ValueError(
                "auc is of two classes: it takes one score or two logits a row and one target, "
                f"not output {output.shape} and target {target.shape}; for more classes write a "
                "Metric that takes one column against the others"
            )
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


@_of_tensors
def r2(output: Tensor, target: Tensor) -> Tensor:
    """Coefficient of determination: 1 - sum (y - p)^2 / sum (y - mean y)^2.

    1 is perfect, 0 is as good as the mean; the mean over columns; NaN for a constant target.

    Example:
        >>> import numpy as np
        >>> from minigrad.metrics import r2
        >>> r2(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]))
        1.0
    """
    guess, truth = _columns(output, target)
    residual = ((truth - guess) ** 2).sum(0)
    spread = ((truth - truth.mean(0)) ** 2).sum(0)
    return _core.where(spread > 0, 1.0 - residual / spread, float("nan")).mean()


@_of_tensors
def mae(output: Tensor, target: Tensor) -> Tensor:
    """Mean absolute error, in the unit of the target.

    Example:
        >>> import numpy as np
        >>> from minigrad.metrics import mae
        >>> mae(np.array([[1.0], [4.0]]), np.array([1.0, 2.0]))
        1.0
    """
    guess, truth = _columns(output, target)
    return (guess - truth).abs().mean()


@_of_tensors
def rmse(output: Tensor, target: Tensor) -> Tensor:
    """Root of the mean squared error, in the unit of the target.

    Example:
        >>> import numpy as np
        >>> from minigrad.metrics import rmse
        >>> rmse(np.array([3.0, 0.0]), np.array([0.0, 4.0]))
        3.5355339059327378
    """
    guess, truth = _columns(output, target)
    return ((guess - truth) ** 2).mean().sqrt()


@dataclass(frozen=True)
class Metric:
    """A named metric.

    Attributes:
        name: its column in the history; ``val_`` is put before it for validation data.
        function: ``function(output, target) -> float`` on numpy arrays of all rows.
        mode: whether lower (``"min"``) or higher (``"max"``) is better; None if not known, and
            then EarlyStopping wants to be told.
        of_tensors: the function takes tensors and gives a tensor of one number, so that a plan
            can hold it: that costs microseconds less an epoch.
        of_classes: it compares classes: outputs must be logits and targets class numbers.
        bounds: the least and the largest value it may have.
    """

    name: str
    function: Callable[[Any, Any], Any]
    mode: Mode | None = None
    of_tensors: bool = False
    of_classes: bool = False
    bounds: tuple[float, float] = (-math.inf, math.inf)

    def __call__(self, output: Array | Tensor, target: Array | Tensor) -> float:
        """Return the metric as a Python float."""
        kind = _as_tensor if self.of_tensors else np.asarray
        value = self.function(kind(output), kind(target))
        try:
            return float(value)
        except (TypeError, ValueError) as error:
            raise TypeError(f"metric {self.name!r} returned {value!r}, not one number") from error


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", accuracy, "max", of_tensors=True, of_classes=True, bounds=(0, 1)),
        Metric("f1", f1, "max", of_tensors=True, of_classes=True, bounds=(0, 1)),
        Metric("precision", precision, "max", of_tensors=True, of_classes=True, bounds=(0, 1)),
        Metric("recall", recall, "max", of_tensors=True, of_classes=True, bounds=(0, 1)),
        Metric("auc", auc, "max", bounds=(0, 1)),
        Metric("r2", r2, "max", of_tensors=True, bounds=(-math.inf, 1)),
        Metric("mae", mae, "min", of_tensors=True, bounds=(0, math.inf)),
        Metric("rmse", rmse, "min", of_tensors=True, bounds=(0, math.inf)),
    )
}


def resolve(metrics: Sequence[str | Metric | Callable[[Array, Array], Any]]) -> list[Metric]:
    """Return the metrics by name, as they are, or made of a function (its name is the column).

    Raises:
        ValueError: an unknown or repeated name.
        TypeError: neither a name nor something to call, or a name that is in no list.
    """
    if isinstance(metrics, str):
        raise TypeError(f"metrics is a list of them: [{metrics!r}]")
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


def _as_tensor(value: Any) -> Tensor:
    return value if isinstance(value, Tensor) else tensor(value)


def _classes(output: Tensor) -> Tensor:
    if output.ndim not in (1, 2):
        raise ValueError(f"logits must have 1 or 2 axes, got shape {output.shape}")
    binary = output.ndim == 1 or output.shape[1] == 1
    return output.reshape(-1) > 0 if binary else output.argmax(1)


def _tallies(output: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor | int]:
    """Per class: right guesses, guesses and rows; and how many classes the mean is over."""
    guess, truth = _classes(output), _labels(output, target)
    binary = output.ndim == 1 or output.shape[1] == 1
    names = tensor(np.arange(1, 2) if binary else np.arange(output.shape[1]))
    guessed, true = guess.reshape(-1, 1) == names, truth.reshape(-1, 1) == names
    hits, guesses, rows = (
        found.to(np.float64).sum(0) for found in (_core.logical_and(guessed, true), guessed, true)
    )
    return hits, guesses, rows, 1 if binary else (guesses + rows > 0).to(np.float64).sum()


def _labels(output: Tensor, target: Tensor) -> Tensor:
    if target.shape == output.shape and target.ndim == 2 and target.shape[1] > 1:
        return target.argmax(1)
    if target.shape not in ((len(output),), (len(output), 1)):
        raise ValueError(
            f"targets of shape {target.shape} are not one class for each of {len(output)} rows"
        )
    return target.reshape(-1)


def _columns(output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return both as float64 of shape (n, columns), never broadcast."""
    guess, truth = (x.reshape(len(x), -1).to(np.float64) for x in (output, target))
    if guess.shape != truth.shape:
        raise ValueError(f"output {output.shape} and target {target.shape} do not match")
    return guess, truth
