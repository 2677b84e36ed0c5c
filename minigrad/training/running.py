"""Running averages of an epoch's batches, for ``curves="running"``."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from minigrad._core import Tensor

Array = npt.NDArray[Any]


class RunningAverage:
    """Collects losses, outputs and targets of batches, as they were before each update."""

    def __init__(self) -> None:
        """Start an epoch."""
        self._rows: list[int] = []
        self._losses: list[float] = []
        self._outputs: list[Array] = []
        self._targets: list[Array] = []

    def add(self, loss: Tensor, output: Tensor, target: Tensor) -> None:
        """Add a batch."""
        self._rows.append(output.shape[0])
        self._losses.append(loss.item())
        self._outputs.append(output.detach().numpy())
        self._targets.append(target.numpy())

    def loss(self) -> float:
        """Return the mean of the batches' losses, each weighted by its rows."""
        weighted = (loss * rows for loss, rows in zip(self._losses, self._rows, strict=True))
        return sum(weighted) / sum(self._rows)

    def arrays(self) -> tuple[Array, Array]:
        """Return all outputs and targets."""
        return np.concatenate(self._outputs), np.concatenate(self._targets)
