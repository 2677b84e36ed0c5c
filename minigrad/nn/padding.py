"""Padding as a function."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minigrad import _core
from minigrad._check import integer, one_of
from minigrad._core import Tensor, from_numpy
from minigrad.tensor import full

__all__ = ["pad"]

# How numpy calls torch's modes.
_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(x: Tensor, pad: Sequence[int], mode: str = "constant", value: float = 0.0) -> Tensor:
    """More elements at the ends of the last dimensions.

    Args:
        x: of any shape.
        pad: (before, after) of the last dimension, then of the one before it, and so on: for
            images (left, right, top, bottom).
        mode: "constant", "reflect" (without the edge itself), "replicate" or "circular".
        value: of the constant ones.

    >>> import minigrad as mg
    >>> from minigrad.nn import functional as F
    >>> F.pad(mg.ones(1, 2), (1, 0, 0, 1)).tolist()
    [[0.0, 1.0, 1.0], [0.0, 0.0, 0.0]]
    """
    one_of("mode", mode, ("constant", *_MODES))
    sizes = [integer("a size of pad", size, 0) for size in pad]
    if len(sizes) % 2 or len(sizes) > 2 * x.ndim:
        raise ValueError(f"pad: {tuple(sizes)} must be pairs, at most {x.ndim} for shape {x.shape}")
    for i in range(0, len(sizes), 2):
        before, after = sizes[i : i + 2]
        dim = x.ndim - 1 - i // 2
        n = x.shape[dim]
        if before == after == 0:
            continue
        if mode == "constant":
            ends = [
                full((*x.shape[:dim], k, *x.shape[dim + 1 :]), value, x.dtype)
                for k in sizes[i : i + 2]
            ]
            x = _core.concatenate((ends[0], x, ends[1]), dim=dim)
            continue
        most = n - 1 if mode == "reflect" else n if mode == "circular" else n and 2**31
        if max(before, after) > most:
            raise ValueError(f"pad: {(before, after)} is too much for size {n} with mode {mode!r}")
        places = np.pad(np.arange(n), (before, after), mode=_MODES[mode])  # type: ignore[call-overload]
        x = _core.take(x, from_numpy(places), dim)
    return x
