"""Feed: a data set made ready for one model and one loss, checked before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from minigrad import nn
from minigrad._core import Tensor
from minigrad.data import Dataset
from minigrad.metrics import Metric

Array = npt.NDArray[Any]
LossKind = Literal["classes", "binary", "values", "own"]


@dataclass(frozen=True)
class TargetForm:
    """How targets are handed to the loss: dtype, and shape of one row's target.

    ``classes`` is the number of classes if the targets are class numbers.
    """

    dtype: np.dtype[Any]
    row: tuple[int, ...]
    classes: int | None = None

    @property
    def labels(self) -> int | None:
        """How many classes there are, if the target of a row is one class number."""
        return None if self.row else self.classes

    def of(self, y: Array) -> Array:
        """Return targets in this form."""
        return np.ascontiguousarray(y, dtype=self.dtype).reshape(len(y), *self.row)


class Feed:
    """Rows of a data set as tensors: inputs in batches, targets, or all of any rows.

    A batch is ``(x, y)``, or ``(x, y, weight)`` if the rows have weights; ``weights`` are then a
    tuple of one tensor, else an empty one.

    Arrays in memory are cast once; memory-mapped ones are read and cast batch by batch.
    """

    once = False  # it can be gone through any number of times

    def __init__(self, data: Dataset, dtype: np.dtype[Any], form: TargetForm | None) -> None:
        """Cast and keep the arrays; ``form`` is None when targets are not asked for."""
        self.rows = len(data)
        self._data = data
        self._dtype = dtype
        self._form = form
        self._inputs = None if data.on_disk else self._input(data.x)
        self._targets = None if data.on_disk or form is None else self._target(data.y)
        self.weights: tuple[Tensor, ...] = ()
        if form is not None and data.weight is not None:
            self.weights = (Tensor(np.ascontiguousarray(data.weight, dtype=dtype)),)
        self._batches: dict[int, list[Tensor]] = {}

    @property
    def targets(self) -> Tensor:
        """The targets of all rows."""
        return self._target(self._data.y) if self._targets is None else self._targets

    @property
    def in_memory(self) -> bool:
        """Whether all rows are tensors already."""
        return self._inputs is not None and self._targets is not None

    @property
    def classes(self) -> int | None:
        """How many classes there are, if the target of a row is one class number."""
        return None if self._form is None else self._form.labels

    def whole(self) -> tuple[Tensor, ...]:
        """Return all rows as one batch."""
        x = self._input(self._data.x) if self._inputs is None else self._inputs
        return x, self.targets, *self.weights

    def take(self, index: Array) -> tuple[Tensor, ...]:
        """Return the rows ``index`` as one batch."""
        weights = [_taken(weight, index) for weight in self.weights]
        if self._inputs is None or self._targets is None:
            x, y = self._data.rows(index)
            return self._input(x), self._target(y), *weights
        return _taken(self._inputs, index), _taken(self._targets, index), *weights

    def inputs(self, size: int) -> Iterator[Tensor]:
        """Yield the inputs of all rows in order; batches in memory are made once and kept."""
        if size not in self._batches:
            spans = [(start, start + size) for start in range(0, self.rows, size)]
            if self._inputs is None:
                for start, stop in spans:
                    yield self._input(self._data.rows(slice(start, stop))[0])
                return
            x = self._inputs
            self._batches[size] = [x] if len(spans) == 1 else [x[i:j] for i, j in spans]
        yield from self._batches[size]

    def _input(self, x: Array) -> Tensor:
        return Tensor(features(x, self._dtype))

    def _target(self, y: Array | None) -> Tensor:
        if self._form is None or y is None:
            raise ValueError("the data has no targets: give (x, y)")
        return Tensor(self._form.of(y))


def _taken(rows: Tensor, index: Array) -> Tensor:
    return Tensor(rows.numpy().take(index, axis=0))


def features(x: Array, dtype: np.dtype[Any]) -> Array:
    """Return ``x`` with floating numbers cast to the model's dtype; whole numbers stay whole."""
    wanted = dtype if x.dtype.kind == "f" else None
    return np.ascontiguousarray(x, dtype=wanted)


def batch_spans(rows: int, size: int, lone_row_allowed: bool) -> list[tuple[int, int]]:
    """Return ``(start, stop)`` of each batch; the last one may be smaller.

    A batch norm cannot train on one row: if ``lone_row_allowed`` is off, a last batch of one row
    joins the batch before it.

    Example:
        >>> from minigrad.training.feed import batch_spans
        >>> batch_spans(7, 3, True), batch_spans(7, 3, False)
        ([(0, 3), (3, 6), (6, 7)], [(0, 3), (3, 7)])
    """
    spans = [(start, min(start + size, rows)) for start in range(0, rows, size)]
    if not lone_row_allowed and len(spans) > 1 and rows % size == 1:
        spans[-2:] = [(spans[-2][0], rows)]
    return spans


def target_form(
    y: Array, output: tuple[int, ...], dtype: np.dtype[Any], kind: LossKind
) -> TargetForm:
    """Find how targets ``y`` go with a model whose output for some rows has shape ``output``.

    Targets (n,) for outputs (n, 1), and the reverse, are matched; nothing is ever broadcast.
    A loss of the user's own may take targets of any shape and keeps whole numbers whole.

    Raises:
        ValueError: the shapes do not go together; the message says how to mend the call.
    """
    row, target = output[1:], y.shape[1:]
    if kind == "classes" and row and target != row:
        if target not in (row[1:], (1, *row[1:])):
            raise ValueError(
                f"cross-entropy over {row[0]} classes takes y of shape (n,) with class numbers, or "
                f"(n, {row[0]}) with probabilities; y has shape {y.shape}"
            )
        return TargetForm(np.dtype(np.int64), row[1:], row[0])
    if kind == "own" and y.dtype.kind != "f":
        dtype = np.dtype(bool if y.dtype.kind == "b" else np.int64)
    if row in ((), (1,)) and target in ((), (1,)):
        return TargetForm(dtype, row)
    if kind != "own" and target != row:
        raise ValueError(
            f"the model gives {row} numbers a row and y has {target} a row (shape {y.shape}): they "
            "must match; reshape y, or give the last layer as many outputs as y has columns"
        )
    return TargetForm(dtype, target)


_KNOWN_LOSSES: dict[LossKind, tuple[Any, ...]] = {
    "classes": (nn.CrossEntropyLoss, nn.functional.cross_entropy),
    "binary": (nn.BCEWithLogitsLoss, nn.functional.binary_cross_entropy_with_logits),
    "values": (
        *(nn.MSELoss, nn.functional.mse_loss),
        *(nn.L1Loss, nn.functional.l1_loss),
        *(nn.HuberLoss, nn.functional.huber_loss),
    ),
}


def loss_kind(loss: Any) -> LossKind:
    """Return what kind of targets a loss takes; ``"own"`` if it is a function of the user's."""
    for kind, losses in _KNOWN_LOSSES.items():
        if loss in losses or type(loss) in losses:
            return kind
    return "own"


def check_classes(y: Array, classes: int, what: str) -> None:
    """Raise ValueError naming the first label that is not a whole number in ``[0, classes)``."""
    if y.dtype.kind == "b":
        return
    bad = (y < 0) | (y >= classes) | (y != np.floor(y))
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        label = f"label {y[place]} in row {place[0]} of {what}"
        if classes == 1:
            raise ValueError(
                f"{label}: cross-entropy needs one output a class, and the model has one in all; "
                "for two classes give it 2, or use BCEWithLogitsLoss"
            )
        raise ValueError(
            f"{label} is not one of the {classes} classes 0 to {classes - 1} that the model has "
            "outputs for"
        )


def check_probabilities(y: Array, what: str) -> None:
    """Raise ValueError naming the first binary target outside [0, 1]."""
    bad = (y < 0) | (y > 1)
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(
            f"target {y[place]} in row {place[0]} of {what} is not in [0, 1], as binary "
            "cross-entropy needs"
        )


def check_class_numbers(y: Array, what: str, metric: str) -> None:
    """Raise ValueError naming the first target that is no class number, as a metric needs."""
    bad = (y < 0) | (y != np.floor(y)) if y.dtype.kind == "f" else y < 0
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(
            f"metric {metric!r} needs class numbers (0, 1, ...) as targets: {y[place]} in row "
            f"{place[0]} of {what} is none; number the classes, or use 'r2', 'mae' or 'rmse'"
        )


def check_logits(model: nn.Module, output: Tensor, kind: LossKind, metrics: list[Metric]) -> None:
    """Raise ValueError if the last layer makes probabilities where logits are wanted."""
    last = model
    while isinstance(last, nn.Sequential) and len(last):
        last = last[-1]
    if not isinstance(last, nn.Sigmoid | nn.Softmax):
        return
    name = type(last).__name__
    if kind in ("binary", "classes"):
        raise ValueError(
            f"the model ends in {name} and the loss applies one itself: leave the {name} out, so "
            "that the model returns logits"
        )
    for metric in metrics:
        if metric.of_classes and output.numel() == output.shape[0]:
            raise ValueError(
                f"metric {metric.name!r} takes logits, of which those above 0 are class 1, and "
                f"the model ends in {name}: leave it out and use BCEWithLogitsLoss, or give a "
                "metric of your own, such as lambda p, y: ((p > 0.5) == y).mean()"
            )
