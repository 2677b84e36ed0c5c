"""What an optimizer keeps: groups of parameters with their options, and a slot for each parameter.

The options of a group live twice: as Python values in the group, and as float64 cells beside each
parameter's state, which the update reads when it runs. Setting an option writes the cells, so that
a compiled step follows a schedule without being compiled again.
"""

from __future__ import annotations

from collections import UserDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigrad._core import Tensor

__all__ = ["ParamGroup", "Slot"]


@dataclass(eq=False, slots=True)
class Slot:
    """A parameter, its cells [step, seven hyper-parameters] and its buffers."""

    param: Tensor
    hyper: Tensor = field(default_factory=lambda: Tensor(np.zeros(8)))
    buffers: dict[str, Tensor] = field(default_factory=dict)

    @property
    def step(self) -> int:
        """How many updates this parameter has had."""
        return int(self.hyper.numpy()[0])

    def set_step(self, step: int) -> None:
        """Go on as if after `step` updates."""
        self.hyper.numpy()[0] = step

    def set_cells(self, values: tuple[float, ...]) -> None:
        """Write the hyper-parameters."""
        self.hyper.numpy()[1:] = values

    def require(self, names: tuple[str, ...]) -> None:
        """Make the buffers that are missing, as zeros, and drop those that are not asked for."""
        like = self.param
        self.buffers = {
            name: self.buffers.get(name, Tensor(np.zeros(like.shape, like.dtype))) for name in names
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
        if "params" in options:
            raise ValueError("a group's params cannot be replaced; use add_param_group")
        before, self.data = self.data, {**self.data, **self._check({**self.data, **options})}
        try:
            self._write(self)
        except ValueError:
            self.data = before
            raise

    def __delitem__(self, key: str) -> None:
        raise ValueError(f"an option of a parameter group cannot be removed: {key!r}")

    @property
    def options(self) -> dict[str, Any]:
        """All but the parameters."""
        return {key: value for key, value in self.data.items() if key != "params"}
