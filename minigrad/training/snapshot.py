"""Copies of a training's state: nested dicts whose tensors become numpy arrays of their own."""

from typing import Any

import numpy as np

from minigrad._core import Tensor


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


def take_snapshot(model: Any, optimizer: Any) -> dict[str, Any]:
    """Return a copy of all parameters, buffers and optimizer state."""
    return {
        "model": copied(model.state_dict()),
        "optimizer": copied(optimizer.state_dict()),
    }


def restore_snapshot(snapshot: dict[str, Any], model: Any, optimizer: Any) -> None:
    """Put back what ``take_snapshot`` saw. The snapshot can be used again."""
    model.load_state_dict(snapshot["model"])
    optimizer.load_state_dict(snapshot["optimizer"])


class Snapshot:
    """The state of a training at some moment, to go back to."""

    def __init__(self, state: dict[str, Any]) -> None:
        self._state = state

    def state(self) -> dict[str, Any]:
        """Parameters, buffers and optimizer state, as `take_snapshot` gave them."""
        return self._state

    def restore(self, model: Any, optimizer: Any) -> None:
        """Put the state back."""
        restore_snapshot(self._state, model, optimizer)
