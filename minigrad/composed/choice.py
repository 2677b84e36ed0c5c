"""Elements chosen by index, size or a mask."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minigrad import _core
from minigrad._check import integer
from minigrad._core import Tensor
from minigrad.composed.arrangement import _dim, _part


class Sorted(NamedTuple):
    """Values in order, and the indices where they were."""

    values: Tensor
    indices: Tensor


def gather(x: Tensor, dim: int, index: Tensor) -> Tensor:
    """`out[i, j] = x[i, index[i, j]]` for dim 1, and likewise for others; -1 is the last.

    Args:
        x: of any shape.
        dim: the dimension that the indices are of.
        index: int64 with the sizes of x, but for `dim`. Sizes of 1 broadcast, unlike in torch.

    >>> import minigrad as mg
    >>> scores = mg.tensor([[0.1, 0.9], [0.7, 0.3]])
    >>> scores.gather(1, mg.tensor([[1], [0]])).tolist() == [[scores[0, 1].item()], [scores[1, 0].item()]]
    True
    """  # noqa: E501
    return _core.take_along_dim(x, index, dim)


def sort(x: Tensor, dim: int = -1, descending: bool = False) -> Sorted:
    """Values in order along a dimension, and where they were; NaN counts as largest.

    >>> import minigrad as mg
    >>> values, indices = mg.tensor([3.0, 1.0, 2.0]).sort()
    >>> values.tolist(), indices.tolist()
    ([1.0, 2.0, 3.0], [1, 2, 0])
    """
    indices = _core.argsort(x, dim, descending)
    return Sorted(gather(x, dim, indices), indices)


def topk(x: Tensor, k: int, dim: int = -1, largest: bool = True) -> Sorted:
    """The k largest elements along a dimension, or the smallest, in order; and where they were.

    >>> import minigrad as mg
    >>> mg.tensor([3, 1, 2]).topk(2).values.tolist()
    [3, 2]
    """
    d = _dim("topk", x, dim)
    if not 0 <= integer("k", k) <= x.shape[d]:
        raise ValueError(f"topk: k = {k} of {x.shape[d]} elements along dimension {d}")
    indices = _part(_core.argsort(x, d, largest), d, 0, k)
    return Sorted(gather(x, d, indices), indices)


def masked_fill(x: Tensor, mask: Tensor, value: float) -> Tensor:
    """x with `value` where the mask is true; they broadcast.

    >>> import minigrad as mg
    >>> mg.ones(3).masked_fill(mg.tensor([True, False, False]), float("-inf")).tolist()
    [-inf, 1.0, 1.0]
    """
    if mask.dtype != np.bool_:
        raise TypeError(f"masked_fill: the mask must be bool, got {mask.dtype}; such as mask == 0")
    return _core.where(mask, value, x)


def any(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Whether any element is not 0: of all, or along a dimension; NaN is not 0.

    >>> import minigrad as mg
    >>> (mg.arange(4).reshape(2, 2) > 2).any(dim=1).tolist()
    [False, True]
    """
    flags = x if x.dtype == bool else x != 0
    return flags.max(dim, keepdim) if x.numel() else flags.sum(dim, keepdim) > 0


def all(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Whether all elements are other than 0: of all, or along a dimension.

    >>> import minigrad as mg
    >>> (mg.arange(4).reshape(2, 2) > 1).all(dim=1).tolist()
    [False, True]
    """
    flags = x if x.dtype == bool else x != 0
    return flags.min(dim, keepdim) if x.numel() else (x == 0).sum(dim, keepdim) == 0
