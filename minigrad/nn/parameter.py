"""Parameter: a tensor that a module learns."""

from __future__ import annotations

import copyreg
from typing import Any

from minigrad._core import Tensor

__all__ = ["Parameter"]


class Parameter(Tensor):
    """A tensor that counts as a module's parameter once it is an attribute of it.

    Args:
        data: a tensor or array; floats of Python become float32. It is copied.
        requires_grad: False freezes it: it stays in the state dict but is not trained.

    Raises:
        TypeError: if the data is not float32 or float64.

    >>> from minigrad import nn
    >>> weight = nn.Parameter([[1.0, 2.0]])
    >>> weight.shape, weight.requires_grad
    ((1, 2), True)
    """

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(data)
        if self.dtype.kind != "f":
            raise TypeError(f"a Parameter must be float32 or float64, got {self.dtype}")
        self.requires_grad = requires_grad

    def __repr__(self) -> str:
        """The tensor's own text under a heading, as torch prints it."""
        return f"Parameter containing:\n{super().__repr__()}"


def _reduce(p: Parameter) -> tuple[Any, ...]:
    return Parameter, (p.detach().numpy().copy(), p.requires_grad)


copyreg.pickle(Parameter, _reduce)
