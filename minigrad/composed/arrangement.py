"""Tensors taken apart, turned round and repeated."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from minigrad import _core
from minigrad._check import integer
from minigrad._core import Tensor, from_numpy


def split(x: Tensor, split_size: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of `split_size` along a dimension, the last perhaps smaller; or of these sizes. Views.

    >>> import minigrad as mg
    >>> [part.tolist() for part in mg.arange(5).split(2)]
    [[0, 1], [2, 3], [4]]
    >>> [part.tolist() for part in mg.arange(5).split([1, 4])]
    [[0], [1, 2, 3, 4]]
    """
    dim = _dim("split", x, dim)
    n = x.shape[dim]
    if isinstance(split_size, Sequence):
        sizes = [integer("a size of split", size, 0) for size in split_size]
        if sum(sizes) != n:
            raise ValueError(f"split: sizes {sizes} add up to {sum(sizes)}, dimension {dim} is {n}")
    else:
        size = integer("split_size", split_size, 1)
        sizes = [min(size, n - start) for start in range(0, n, size)] or [0]
    starts = accumulate(sizes, initial=0)
    return tuple(_part(x, dim, start, size) for start, size in zip(starts, sizes, strict=False))


def chunk(x: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most so many parts of one size along a dimension, the last perhaps smaller. Views.

    >>> import minigrad as mg
    >>> [part.tolist() for part in mg.arange(5).chunk(2)]
    [[0, 1, 2], [3, 4]]
    """
    n = x.shape[_dim("chunk", x, dim)]
    return split(x, max(1, -(-n // integer("chunks", chunks, 1))), dim)


def unbind(x: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along a dimension, which they lack. Views.

    >>> import minigrad as mg
    >>> [row.tolist() for row in mg.tensor([[1, 2], [3, 4]]).unbind(1)]
    [[1, 3], [2, 4]]
    """
    dim = _dim("unbind", x, dim)
    return tuple(_part(x, dim, i, 1).squeeze(dim) for i in range(x.shape[dim]))


def flip(x: Tensor, *dims: int | Sequence[int]) -> Tensor:
    """The elements in reverse order along these dimensions; a view.

    >>> import minigrad as mg
    >>> mg.tensor([[1, 2], [3, 4]]).flip(1).tolist()
    [[2, 1], [4, 3]]
    """
    turned = {_dim("flip", x, dim) for dim in _ints("flip", dims)}
    starts = [max(0, n - 1) if i in turned else 0 for i, n in enumerate(x.shape)]
    return _core.slice(x, starts, x.shape, [-1 if i in turned else 1 for i in range(x.ndim)])


def roll(x: Tensor, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Tensor:
    """The elements moved on along dimensions, those at the end to the front.

    Without `dims` the tensor is rolled as if it were flat.

    >>> import minigrad as mg
    >>> mg.arange(4).roll(1).tolist()
    [3, 0, 1, 2]
    """
    by = _ints("roll", (shifts,))
    if dims is None:
        if len(by) != 1:
            raise ValueError(f"roll: {len(by)} shifts need dims")
        return roll(x.reshape(-1), by[0], 0).reshape(x.shape)
    along = _ints("roll", (dims,))
    if len(along) != len(by):
        raise ValueError(f"roll: {len(by)} shifts for {len(along)} dims")
    for shift, d in zip(by, along, strict=True):
        dim = _dim("roll", x, d)
        n = x.shape[dim]
        if n and (k := shift % n):
            parts = _part(x, dim, n - k, k), _part(x, dim, 0, n - k)
            x = _core.concatenate(parts, dim=dim)
    return x


def repeat(x: Tensor, *repeats: int | Sequence[int]) -> Tensor:
    """Copies side by side, so many along each dimension; more numbers than dimensions add leading
    ones (torch's repeat; numpy's is another).

    >>> import minigrad as mg
    >>> mg.tensor([1, 2]).repeat(2, 2).tolist()
    [[1, 2, 1, 2], [1, 2, 1, 2]]
    """
    counts = [integer("a number of repeats", n, 0) for n in _ints("repeat", repeats)]
    if len(counts) < x.ndim:
        raise ValueError(f"repeat: {len(counts)} numbers for {x.ndim} dimensions; tile takes fewer")
    shape = (1,) * (len(counts) - x.ndim) + x.shape
    apart = [size for n in shape for size in (1, n)]
    wide = [size for k, n in zip(counts, shape, strict=True) for size in (k, n)]
    whole = [k * n for k, n in zip(counts, shape, strict=True)]
    return x.reshape(apart).expand(wide).reshape(whole)


def tile(x: Tensor, *dims: int | Sequence[int]) -> Tensor:
    """As `repeat`; of missing leading numbers each is 1 (numpy's and torch's tile).

    >>> import minigrad as mg
    >>> mg.tensor([[1], [2]]).tile(2).tolist()
    [[1, 1], [2, 2]]
    """
    counts = _ints("tile", dims)
    return repeat(x, [1] * (x.ndim - len(counts)) + counts)


def movedim(x: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Dimensions moved to other places, the others in their order; a view.

    >>> import minigrad as mg
    >>> mg.zeros(8, 28, 28, 3).movedim(-1, 1).shape
    (8, 3, 28, 28)
    """
    start = [_dim("movedim", x, d) for d in _ints("movedim", (source,))]
    end = [_dim("movedim", x, d) for d in _ints("movedim", (destination,))]
    if len(start) != len(end) or len(set(start)) < len(start) or len(set(end)) < len(end):
        raise ValueError(f"movedim: {source} to {destination}: each dimension once")
    rest = iter(d for d in range(x.ndim) if d not in start)
    goes = dict(zip(end, start, strict=True))
    return x.permute([goes[i] if i in goes else next(rest) for i in range(x.ndim)])


def expand_as(x: Tensor, other: Tensor) -> Tensor:
    """Broadcast to the shape of another tensor; a view.

    >>> import minigrad as mg
    >>> mg.tensor([1, 2]).expand_as(mg.zeros(3, 2)).shape
    (3, 2)
    """
    return x.expand(other.shape)


def outer(x: Tensor, y: Tensor) -> Tensor:
    """All products of two vectors: (n,) and (m,) give (n, m).

    >>> import minigrad as mg
    >>> mg.tensor([1, 2]).outer(mg.tensor([3, 4])).tolist()
    [[3, 4], [6, 8]]
    """
    if x.ndim != 1 or y.ndim != 1:
        raise ValueError(f"outer takes two vectors, got shapes {x.shape} and {y.shape}")
    return x.unsqueeze(1) * y


def tril(x: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of matrices, 0 above the diagonal; -1 leaves out the diagonal itself.

    >>> import minigrad as mg
    >>> mg.ones(2, 2).tril().tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    return _triangle("tril", x, diagonal, np.tri)


def triu(x: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of matrices, 0 below the diagonal; 1 leaves out the diagonal itself.

    >>> import minigrad as mg
    >>> mg.ones(2, 2).triu(1).tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    return _triangle("triu", x, diagonal, lambda n, m, k: 1 - np.tri(n, m, k - 1))


def _triangle(name: str, x: Tensor, diagonal: int, of: object) -> Tensor:
    if x.ndim < 2:
        raise ValueError(f"{name} takes matrices, got shape {x.shape}")
    kept = of(*x.shape[-2:], integer("diagonal", diagonal)).astype(bool)  # type: ignore[operator]
    return _core.where(from_numpy(kept), x, False if x.dtype == bool else 0)


def _part(x: Tensor, dim: int, start: int, size: int) -> Tensor:
    starts, sizes = [0] * x.ndim, list(x.shape)
    starts[dim], sizes[dim] = start, size
    return _core.slice(x, starts, sizes, [1] * x.ndim)


def _dim(name: str, x: Tensor, dim: int) -> int:
    d = integer("dim", dim)
    if not -x.ndim <= d < x.ndim:
        raise IndexError(f"{name}: dim {d} is out of range for a tensor with {x.ndim} dimensions")
    return d % x.ndim


def _ints(name: str, given: tuple[int | Sequence[int], ...]) -> list[int]:
    """Numbers one by one, or one list of them."""
    one = given[0] if len(given) == 1 else None
    numbers: Sequence[Any] = one if isinstance(one, Sequence) else given
    return [integer(f"a number of {name}", n) for n in numbers]
