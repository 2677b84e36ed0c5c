"""What an optimizer keeps: groups of parameters with their options, and a slot for each parameter.

The options of a group live twice: as Python values in the group, and as float64 cells beside each
parameter's state, which the update reads when it runs. Setting an option writes the cells, so that
a compiled step follows a schedule without being compiled again.
"""

from __future__ import annotations

from collections import UserDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minigrad._check import number
from minigrad._core import Tensor, note_change

__all__ = ["ParamGroup", "Slot"]


class Slot:
    """A parameter, its cells [step, seven hyper-parameters] and its buffers."""

    __slots__ = ("buffers", "cells", "hyper", "param")

    def __init__(self, param: Tensor) -> None:
        self.param = param
        self.hyper = Tensor(np.zeros(8))
        self.cells: np.ndarray[Any, np.dtype[np.float64]] = self.hyper.numpy()
        self.buffers: dict[str, Tensor] = {}

    @property
    def step(self) -> int:
        """How many updates this parameter has had."""
        return int(self.cells[0])

    def require(self, names: tuple[str, ...]) -> None:
        """Make the buffers that are missing, as zeros, and drop those that are not asked for."""
        if self.buffers.keys() != set(names):
            shape, dtype = self.param.shape, self.param.dtype
            self.buffers = {
                name: self.buffers.get(name, Tensor(np.zeros(shape, dtype))) for name in names
            }


class ParamGroup(UserDict[str, Any]):
    """The options of some parameters, as a dict that checks what it is given.

    `group["lr"] = 0.1` takes effect with the next update. Keys that the optimizer does not know are
    kept and ignored. A value that makes no sense raises ValueError and changes nothing.
    """

    def __init__(
        self,
        slots: list[Slot],
        options: Mapping[str, Any],
        check: Callable[[Mapping[str, Any]], dict[str, Any]],
        write: Callable[[ParamGroup], None],
    ) -> None:
        super().__init__()
        self.slots = slots
        self._check = check
        self._write = write
        self.data = {"params": [slot.param for slot in slots], **check(options)}
        write(self)

    def __setitem__(self, key: str, value: Any) -> None:
        self.change({key: value})

    def change(self, options: Mapping[str, Any]) -> None:
        """Set several options at once: all of them, or none if one is wrong."""
        if options.keys() == {"lr"}:  # what schedules do, after every batch if need be
            self.data["lr"] = rate = number("lr", options["lr"], 0.0)
            for slot in self.slots:
                slot.cells[1] = rate
            return
        if "params" in options:
            raise ValueError("a group's params cannot be replaced; use add_param_group")
        before, self.data = self.data, {**self.data, **self._check({**self.data, **options})}
        buffers = [slot.buffers for slot in self.slots]
        try:
            self._write(self)
        except (TypeError, ValueError):
            self.data = before
            raise
        if any(slot.buffers is not had for slot, had in zip(self.slots, buffers, strict=True)):
            note_change()  # updates are other ones now

    def __delitem__(self, key: str) -> None:
        raise ValueError(f"an option of a parameter group cannot be removed: {key!r}")

    @property
    def options(self) -> dict[str, Any]:
        """All but the parameters."""
        return {key: value for key, value in self.data.items() if key != "params"}
