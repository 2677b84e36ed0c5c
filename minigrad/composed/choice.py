"""Elements chosen by index, size or a mask."""

from __future__ import annotations

import builtins
import math

import numpy as np

from minigrad import _core
from minigrad._core import Tensor, from_numpy
from minigrad.composed.arrangement import _dim


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
    dim = _dim("gather", x, dim)
    wanted = [*x.shape[:dim], index.shape[dim] if index.ndim > dim else 0, *x.shape[dim + 1 :]]
    if index.ndim != x.ndim or not builtins.all(
        n in (1, m) for n, m in zip(index.shape, wanted, strict=True)
    ):
        raise ValueError(
            f"gather: index of shape {index.shape} must have the {x.ndim} dimensions of x, "
            f"{x.shape}, and its sizes but for dimension {dim}"
        )
    size, stride = x.shape[dim], math.prod(x.shape[dim + 1 :])
    # Where each element of x stands, but for its place along dim.
    others = np.arange(math.prod(x.shape)).reshape(x.shape).take([0], dim) if size else 0
    flat = _core.check_indices(index, size) * stride + from_numpy(np.asarray(others))
    return _core.take(x.reshape(-1), flat)


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
    return (x != 0).sum(dim, keepdim) > 0


def all(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Whether all elements are other than 0: of all, or along a dimension.

    >>> import minigrad as mg
    >>> (mg.arange(4).reshape(2, 2) > 1).all(dim=1).tolist()
    [False, True]
    """
    return (x == 0).sum(dim, keepdim) == 0
