"""The column to predict: classes or a number, found out and said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from minigrad.table.cells import as_numbers, blame, is_text, levels
from minigrad.table.columns import all_numbers
from minigrad.table.extra import pandas

Array = npt.NDArray[Any]
Task = Literal["classification", "regression"]
Label = str | int | float | bool

# Whole numbers are classes if there are at most so many, with so many rows each on average.
_MOST_CLASSES = 20
_ROWS_A_CLASS = 5
# A class must be able to be in the training, the validation and the test rows.
_ROWS_NEEDED = 3


@dataclass(frozen=True)
class Target:
    """What is predicted.

    Attributes:
        name: the column.
        task: ``"classification"`` or ``"regression"``.
        labels: the classes, in order; of two, the second is the one that F1 and AUC are about.
        mean: of the training rows, for regression.
        std: of the training rows, for regression: the network predicts (y - mean) / std.
        why: how the task was found.
    """

    name: str
    task: Task
    labels: Sequence[Label] = ()
    mean: float = 0.0
    std: float = 1.0
    why: str = ""

    @property
    def outputs(self) -> int:
        """The outputs of the network: one for two classes or a number, else one a class."""
        return len(self.labels) if len(self.labels) > 2 else 1

    @property
    def described(self) -> str:
        """The task in words."""
        if self.task == "regression":
            return "regression"
        return "binary classification" if len(self.labels) == 2 else "multi-class classification"

    def encode(self, column: Any) -> Array:
        """Return class numbers (int64), or the numbers in their own unit (float64).

        Raises:
            ValueError: a cell is missing, or is not a known class, or not a number.
        """
        check_complete(column)
        if self.task == "regression":
            return as_numbers(column, "mend the cell")
        found = _class_numbers(column, self.labels)
        if (found < 0).any():
            listed = ", ".join(str(label) for label in self.labels)
            blame(column, found < 0, f"is not one of the classes {listed}", "mend the cell")
        return found

    def state(self) -> dict[str, Any]:
        """Return plain values, for a file."""
        return asdict(self)


def check_complete(column: Any) -> None:
    """Raise ValueError naming the first row without a target."""
    missing = gaps(column)
    if missing.any():
        blame(
            column,
            missing,
            "is empty, and it is the target",
            "fill it in or delete the row, or leave such rows out (--skip-missing-targets)",
        )


def gaps(column: Any) -> Array:
    """Return which targets are missing, as a mask."""
    return np.asarray(levels(column)[0] < 0)


def find_target(column: Any, task: Task | None = None) -> Target:
    """Return what the target is; ``task`` overrides what would be found.

    Raises:
        ValueError: a missing target, a constant one, a class of too few rows, or numbers with
            cells that are none.

    Example:
        >>> import pandas
        >>> from minigrad.table.target import find_target
        >>> find_target(pandas.Series([0.5, 1.25, 3.0] * 5, name="price")).task
        'regression'
        >>> find_target(pandas.Series([3, 1, 2, 2] * 5, name="grade")).labels
        [1, 2, 3]
    """
    name = str(column.name)
    if getattr(column.dtype, "kind", "O") in "cmM":
        raise ValueError(
            f"target {name!r} is of type {column.dtype}: turn it into a number, such as days"
        )
    check_complete(column)
    codes, texts = levels(column)
    boolean = pandas().api.types.is_bool_dtype(column.dtype)
    words = boolean or (is_text(column) and not all_numbers(column, codes, texts))
    if len(texts) == 1:
        raise ValueError(f"target {name!r} is constant, always {texts[0]!r}: nothing to learn")
    if task == "regression" and words:
        as_numbers(column, "a number is needed for regression; try --task classification")
    if words:
        why = f"{len(texts)} different texts" if not boolean else "true and false"
        return _classes(column, why, [*texts] if not boolean else [False, True])
    values = as_numbers(column, "mend the cell, or leave such rows out")
    distinct = np.unique(values)
    whole = bool((distinct == np.floor(distinct)).all())
    few = len(distinct) <= min(_MOST_CLASSES, len(values) / _ROWS_A_CLASS)
    if task == "regression" or (task is None and not (whole and few)):
        numbers = "whole numbers" if whole else "numbers"
        span = f"{len(distinct)} different {numbers}, {distinct[0]:g} to {distinct[-1]:g}"
        return Target(name, "regression", why=span)
    labels: list[Label] = [int(v) if whole else float(v) for v in distinct]
    return _classes(column, f"{len(distinct)} different {'whole ' * whole}numbers", labels)


def _classes(column: Any, why: str, labels: list[Any]) -> Target:
    labels = sorted(labels)
    if len(labels) > 2 and len(labels) > len(column) / _ROWS_NEEDED:
        raise ValueError(
            f"target {column.name!r} has {len(labels)} classes in {len(column)} rows: too many to "
            "learn; if it is a number, mend its cells or say --task regression"
        )
    counts = np.bincount(_class_numbers(column, labels), minlength=len(labels)).tolist()
    for label, rows in zip(labels, counts, strict=True):
        if rows < _ROWS_NEEDED:
            raise ValueError(
                f"class {label!r} of target {column.name!r} has {rows} row{'s' * (rows > 1)}: at "
                f"least {_ROWS_NEEDED} are needed, for training, validation and test; join it "
                "with another class or leave its rows out"
            )
    return Target(str(column.name), "classification", labels, why=why)


def _class_numbers(column: Any, labels: Sequence[Label]) -> Array:
    """Return the place of each cell among the labels, -1 if it has none."""
    if isinstance(labels[0], str | bool):
        codes, texts = levels(column)
        number = {str(label): place for place, label in enumerate(labels)}
        return np.array([number.get(text, -1) for text in texts])[codes]
    values, known = as_numbers(column, "mend the cell"), np.array(labels, dtype=np.float64)
    nearest = np.searchsorted(known, values).clip(max=len(known) - 1)
    return np.where(known[nearest] == values, nearest, -1)
