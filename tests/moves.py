"""Draws for ops that move elements: shapes, slices, indices."""

from __future__ import annotations

import numpy as np
from draws import Call, Source, at_least, real


def reshape(s: Source) -> Call:
    x = real(s.rng, s.shape())
    sizes = [n for n in x.shape if n != 1 or s.flag()]
    if len(sizes) > 1 and s.flag():
        at = s.integer(0, len(sizes) - 2)
        sizes[at : at + 2] = [sizes[at] * sizes[at + 1]]
    if sizes and x.size and s.flag():
        sizes[s.integer(0, len(sizes) - 1)] = -1
    return Call((x,), {"shape": tuple(sizes)})


def flatten(s: Source) -> Call:
    x = real(s.rng, s.shape(min_rank=1))
    start = s.integer(0, x.ndim - 1)
    return Call((x,), {"start_dim": start, "end_dim": s.integer(start, x.ndim - 1) - x.ndim})


def squeeze(s: Source) -> Call:
    x = real(s.rng, tuple(1 if s.flag() else n for n in s.shape()))
    return Call((x,), {"dim": None if x.ndim == 0 or s.flag() else s.dim(x.ndim)})


def unsqueeze(s: Source) -> Call:
    x = real(s.rng, s.shape())
    return Call((x,), {"dim": s.dim(x.ndim + 1)})


def transpose(s: Source) -> Call:
    x = real(s.rng, s.shape(min_rank=1))
    return Call((x,), {"dim0": s.dim(x.ndim), "dim1": s.dim(x.ndim)})


def permute(s: Source) -> Call:
    x = real(s.rng, s.shape(min_rank=1))
    order = s.rng.permutation(x.ndim)
    return Call((x,), {"dims": tuple(int(d) - (x.ndim if s.flag() else 0) for d in order)})


def expand(s: Source) -> Call:
    shape = s.shape()
    kept = shape[s.integer(0, len(shape)) if s.flag() else 0 :]
    x = real(s.rng, tuple(1 if s.flag() else n for n in kept))
    wanted = list(shape)
    for i, n in enumerate(x.shape, len(shape) - x.ndim):
        if n == shape[i] and s.flag():
            wanted[i] = -1
    return Call((x,), {"shape": tuple(wanted)})


def copy(s: Source) -> Call:
    shape = s.shape()
    kept = shape[s.integer(0, len(shape)) if s.flag() else 0 :]
    source = real(s.rng, tuple(1 if s.flag() else n for n in kept))
    return Call((real(s.rng, shape), source))


def box(s: Source, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Starts, sizes and steps (not 0) that stay inside shape."""
    starts, sizes, steps = [], [], []
    for n in shape:
        step = s.choice([1, 1, 2, 3, -1, -2])
        start = s.integer(0, n - 1) if n else 0
        most = 0 if n == 0 else (n - 1 - start if step > 0 else start) // abs(step) + 1
        starts.append(start)
        sizes.append(s.integer(0, most))
        steps.append(step)
    return {"starts": tuple(starts), "sizes": tuple(sizes), "steps": tuple(steps)}


def slice_box(s: Source) -> Call:
    x = real(s.rng, s.shape())
    return Call((x,), box(s, x.shape))


def slice_box_backward(s: Source) -> Call:
    shape = s.shape()
    attrs = box(s, shape)
    g = real(s.rng, attrs.pop("sizes"))
    return Call((g,), {"shape": shape, **attrs})


def indices(s: Source, size: int, max_rank: int = 2) -> np.ndarray:
    """Positions in a dimension, some counted from its end, some twice."""
    shape = s.shape(max_rank=max_rank)[-max_rank:] if size else (0,)
    return s.rng.integers(-size, size, shape) if size else np.zeros(shape, np.int64)


def take(s: Source) -> Call:
    x = real(s.rng, s.shape(min_rank=1, max_rank=3))
    dim = s.dim(x.ndim)
    return Call((x, indices(s, x.shape[dim])), {"dim": dim})


def take_backward(s: Source) -> Call:
    shape = s.shape(min_rank=1, max_rank=3)
    dim = s.dim(len(shape))
    at = indices(s, shape[dim])
    where = dim % len(shape)
    g = real(s.rng, (*shape[:where], *at.shape, *shape[where + 1 :]))
    return Call((g, at), {"shape": shape, "dim": dim})


def along(s: Source) -> tuple[tuple[int, ...], int, tuple[int, ...], np.ndarray]:
    """A shape, a dimension of it, the shape of what is chosen, and indices."""
    shape = s.shape(min_rank=1, max_rank=3)
    dim = s.dim(len(shape))
    chosen = list(shape)
    chosen[dim] = s.integer(0, 4) if shape[dim] else 0
    sizes = [n if i == dim % len(shape) or s.flag() else 1 for i, n in enumerate(chosen)]
    at = s.rng.integers(-shape[dim], max(shape[dim], 1), sizes)
    return shape, dim, tuple(chosen), at


def take_along_dim(s: Source) -> Call:
    shape, dim, _, at = along(s)
    return Call((real(s.rng, shape), at), {"dim": dim})


def take_along_dim_backward(s: Source) -> Call:
    shape, dim, chosen, at = along(s)
    return Call((real(s.rng, chosen), at), {"shape": shape, "dim": dim})


def check_indices(s: Source) -> Call:
    size = s.integer(1, 9)
    return Call((indices(s, size),), {"size": size})


def concatenate(s: Source) -> Call:
    shape = list(s.shape(min_rank=1))
    dim = s.dim(len(shape))
    tensors = []
    for _ in range(s.integer(1, 4)):
        shape[dim] = s.size()
        tensors.append(real(s.rng, tuple(shape)))
    return Call(tuple(tensors), {"dim": dim})


def stack(s: Source) -> Call:
    shape = s.shape()
    tensors = tuple(real(s.rng, shape) for _ in range(s.integer(1, 4)))
    return Call(tensors, {"dim": s.dim(len(shape) + 1)})


def pair_along(s: Source) -> Call:
    """Two tensors of one shape, and a dim with elements."""
    shape = s.shape(min_rank=1)
    dim = s.dim(len(shape))
    shape = at_least(1, shape, dim)
    return Call((real(s.rng, shape), real(s.rng, shape)), {"dim": dim})
