"""Copies of a training's state: nested dicts whose tensors become numpy arrays of their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad._core import Tensor
from minigrad.training.learner import Learner


def copied(tree: Any) -> Any:
    """Return ``tree`` with every tensor and array copied, so that training cannot change it.

    Example:
        >>> import numpy as np
        >>> from minigrad.training.snapshot import copied
        >>> state = {"w": np.zeros(2)}
        >>> kept = copied(state)
        >>> state["w"] += 1
        >>> kept["w"].tolist()
        [0.0, 0.0]
    """
    if isinstance(tree, Tensor):
        return np.array(tree.detach().numpy())
    if isinstance(tree, np.ndarray):
        return tree.copy()
    if isinstance(tree, dict):
        return {key: copied(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(copied(value) for value in tree)
    return tree


def take_snapshot(model: Any, optimizer: Any, average: Any = None) -> dict[str, Any]:
    """Return a copy of all parameters, buffers, optimizer state and averages, if there are any."""
    parts = {"model": model, "optimizer": optimizer, "average": average}
    return {name: copied(p.state_dict()) for name, p in parts.items() if p is not None}


def restore_snapshot(
    snapshot: dict[str, Any], model: Any, optimizer: Any, average: Any = None
) -> None:
    """Put back what ``take_snapshot`` saw. The snapshot can be used again."""
    model.load_state_dict(snapshot["model"])
    optimizer.load_state_dict(snapshot["optimizer"])
    if average is not None:
        average.load_state_dict(snapshot["average"])


class Snapshot:
    """The state of a training at some moment, to go back to."""

    def __init__(self, state: dict[str, Any]) -> None:
        self._state = state

    def state(self) -> dict[str, Any]:
        """Parameters, buffers, optimizer state and averages, as `take_snapshot` gave them."""
        return self._state

    def restore(self, learner: Learner) -> None:
        """Put the state back into model, optimizer and averages.

        If nothing had been averaged then, the weights stand for themselves again.
        """
        if "average" not in self._state:
            learner.average = None
        restore_snapshot(self._state, learner.model, learner.optimizer, learner.average)
