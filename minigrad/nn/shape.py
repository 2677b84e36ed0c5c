"""Layers that change the shape, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad._check import integer, one_of, pair
from minigrad._core import Tensor, flatten
from minigrad.nn.module import Module

__all__ = ["Flatten", "Identity", "Unflatten", "Upsample"]


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


class Upsample(Module):
    """Each pixel of (N, C, H, W) as a block of its copies: (N, C, H·scale, W·scale).

    Args:
        scale_factor: whole numbers for height and width; one stands for both.
        mode: "nearest", the only one.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.Upsample(scale_factor=2)(mg.tensor([[[[1.0, 2.0]]]])).tolist()
    [[[[1.0, 1.0, 2.0, 2.0], [1.0, 1.0, 2.0, 2.0]]]]
    """

    def __init__(self, *, scale_factor: int | Sequence[int], mode: str = "nearest") -> None:
        super().__init__()
        self.scale_factor = pair("scale_factor", scale_factor, 1)
        self.mode = one_of("mode", mode, ("nearest",))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H·scale, W·scale)."""
        if x.ndim != 4:
            raise ValueError(f"Upsample takes images (N, C, H, W), got shape {x.shape}")
        (n, channels, height, width), (tall, wide) = x.shape, self.scale_factor
        blocks = x.reshape(n, channels, height, 1, width, 1)
        blocks = blocks.expand(n, channels, height, tall, width, wide)
        return blocks.reshape(n, channels, height * tall, width * wide)

    def extra_repr(self) -> str:
        """The factors."""
        return f"scale_factor={self.scale_factor}, mode={self.mode!r}"
