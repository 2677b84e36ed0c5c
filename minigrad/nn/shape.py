"""Layers that change the shape, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad._check import integer
from minigrad._core import Tensor, flatten
from minigrad.nn.module import Module

__all__ = ["Flatten", "Identity", "Unflatten"]


class Flatten(Module):
    """Joins the axes start_dim to end_dim (both included): (N, C, H, W) -> (N, C·H·W).

    Args:
        start_dim: the first axis to join.
        end_dim: the last one.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.Flatten()(mg.zeros(2, 3, 4, 5)).shape
    (2, 60)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = integer("start_dim", start_dim)
        self.end_dim = integer("end_dim", end_dim)

    def forward(self, x: Tensor) -> Tensor:
        """Any shape that has both axes."""
        return flatten(x, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """The axes."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Cuts axis `dim` into axes of `unflattened_size`; one of them may be -1.

    Args:
        dim: the axis to cut.
        unflattened_size: the lengths of the new axes.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.Unflatten(1, (3, -1))(mg.zeros(2, 12)).shape
    (2, 3, 4)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        self.dim = integer("dim", dim)
        self.unflattened_size = tuple(integer("unflattened_size", n, -1) for n in unflattened_size)

    def forward(self, x: Tensor) -> Tensor:
        """Any shape that has the axis."""
        if not -x.ndim <= self.dim < x.ndim:
            raise IndexError(f"Unflatten: a tensor of shape {x.shape} has no axis {self.dim}")
        dim = self.dim % x.ndim
        return x.reshape((*x.shape[:dim], *self.unflattened_size, *x.shape[dim + 1 :]))

    def extra_repr(self) -> str:
        """The axis and its new sizes."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class Identity(Module):
    """Returns its input; takes any arguments, so that it can stand in for any layer.

    >>> from minigrad import nn
    >>> nn.Identity(54, bias=False)("anything")
    'anything'
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, x: Any) -> Any:
        """Anything."""
        return x
