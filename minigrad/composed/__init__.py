"""What a line or two of ops does, under the names of torch: functions, and methods of Tensor.

Gradients, second derivatives and plans come from the ops that they are made of.
"""

from minigrad._core import Tensor
from minigrad.composed.arrangement import (
    chunk,
    expand_as,
    flip,
    movedim,
    outer,
    repeat,
    roll,
    split,
    tile,
    tril,
    triu,
    unbind,
)
from minigrad.composed.choice import (
    Sorted,
    all,
    any,
    gather,
    masked_fill,
    sort,
    topk,
)
from minigrad.composed.numbers import allclose, isinf, log2, log10, rsqrt, square, tan
from minigrad.composed.products import einsum, norm

_METHODS = (
    *(all, allclose, any, chunk, expand_as, flip, gather, isinf, log2, log10, masked_fill),
    *(movedim, norm, outer, repeat, roll, rsqrt, sort, split, square, tan, tile, topk, tril, triu),
    unbind,
)
for _method in _METHODS:
    setattr(Tensor, _method.__name__, _method)

__all__ = [
    "Sorted",
    "all",
    "allclose",
    "any",
    "chunk",
    "einsum",
    "expand_as",
    "flip",
    "gather",
    "isinf",
    "log2",
    "log10",
    "masked_fill",
    "movedim",
    "norm",
    "outer",
    "repeat",
    "roll",
    "rsqrt",
    "sort",
    "split",
    "square",
    "tan",
    "tile",
    "topk",
    "tril",
    "triu",
    "unbind",
]
