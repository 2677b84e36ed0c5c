"""Running averages of an epoch's batches, for ``curves="running"``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from minigrad._core import Tensor

Array = npt.NDArray[Any]


class RunningAverage:
    """Collects losses, outputs and targets of batches, as they were before each update."""

    def __init__(self) -> None:
        """Start an epoch."""
        self._sum = 0.0
        self._rows = 0
        self._outputs: list[Array] = []
        self._targets: list[Array] = []
        self._weights: list[Array] = []

    def add(self, loss: Tensor, output: Tensor, target: Tensor, *weights: Tensor) -> None:
        """Add a batch; with weights of its rows the loss is times their mean."""
        self._sum += loss.item() * output.shape[0]
        self._rows += output.shape[0]
        self._outputs.append(output.detach().numpy())
        self._targets.append(target.numpy())
        self._weights += [weight.numpy() for weight in weights]

    def loss(self) -> float:
        """Return the mean of the batches' losses, each counting as its rows do."""
        return self._sum / (total_weight(*self._weights) if self._weights else self._rows)

    def arrays(self) -> tuple[Array, Array]:
        """Return all outputs and targets."""
        return np.concatenate(self._outputs), np.concatenate(self._targets)


def total_weight(*weights: Array) -> float:
    """Return the sum of all weights, correctly rounded, so that their order does not matter.

    Example:
        >>> import numpy as np
        >>> from minigrad.training.running import total_weight
        >>> total_weight(np.array([1e16, 1.0]), np.array([-1e16]))
        1.0
    """
    return math.fsum(value for batch in weights for value in batch.tolist())
