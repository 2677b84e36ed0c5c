"""Watching one column of the history: what is better, and by how much."""

import math
from typing import Literal

from minigrad.metrics import METRICS
from minigrad.rows import Row
from minigrad.training.training import Training

ModeName = Literal["auto", "min", "max"]

# Columns that are no metrics; every metric brings its own mode.
_LOWER_IS_BETTER = {"loss", "penalty"}


class Monitor:
    """A column, whether lower or higher is better, and the least difference that counts.

    Args:
        column: the name in the history, such as ``"val_loss"``.
        mode: ``"min"``, ``"max"``, or ``"auto"``: lower for losses and errors, higher for scores.
        min_delta: an improvement must be larger than this, absolutely.
    """

    def __init__(self, column: str, mode: ModeName = "auto", min_delta: float = 0.0) -> None:
        """Check the arguments; the mode is found when a training begins."""
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"mode must be 'auto', 'min' or 'max', got {mode!r}")
        if not (math.isfinite(min_delta) and min_delta >= 0):
            raise ValueError(f"min_delta = {min_delta} must be >= 0: it is an absolute difference")
        self.column = column
        self.mode = mode
        self.min_delta = min_delta
        self._sign = 0.0 if mode == "auto" else 1.0 if mode == "min" else -1.0

    def begin(self, trainer: Training) -> None:
        """Check that the training will have the column, and find the mode if it is automatic.

        Raises:
            ValueError: there will be no such column, or its mode is not known.
        """
        if self.column not in trainer.columns:
            hint = ""
            if self.column.startswith("val_") and "val_loss" not in trainer.columns:
                hint = ": give fit validation data, fit(..., val=(x, y))"
            elif (name := self.column.removeprefix("val_")) in METRICS:
                hint = f": give the trainer metrics=[{name!r}]"
            raise ValueError(
                f"cannot monitor {self.column!r}, the columns are {trainer.columns}{hint}"
            )
        if self.mode != "auto":
            return
        name = self.column.removeprefix("val_")
        modes = {metric.name: metric.mode for metric in trainer.metrics}
        mode = "min" if name in _LOWER_IS_BETTER else modes.get(name)
        if mode is None:
            raise ValueError(
                f"is a lower or a higher {self.column!r} better? Give mode='min' or 'max'"
            )
        self._sign = 1.0 if mode == "min" else -1.0

    def read(self, row: Row) -> float:
        """Return the column's value of one epoch."""
        return row[self.column]

    def better(self, value: float, than: float | None) -> bool:
        """Whether ``value`` improves on ``than`` (None: on nothing). NaN and infinity never do."""
        if not math.isfinite(value):
            return False
        return than is None or self._sign * (than - value) > self.min_delta
