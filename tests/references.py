"""What ops give, in plain numpy: short and slow, so that one sees that it is right."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray


def relu(x: Array) -> Array:
    return np.where(np.isnan(x), x, np.maximum(x, 0))


def flatten(x: Array, start_dim: int, end_dim: int) -> Array:
    end = end_dim % x.ndim
    size = int(np.prod(x.shape[start_dim : end + 1]))
    return x.reshape(*x.shape[:start_dim], size, *x.shape[end + 1 :])


def squeeze(x: Array, dim: int | None) -> Array:
    if dim is not None and x.shape[dim] != 1:
        return x
    return x.squeeze(dim)


def expand(x: Array, shape: tuple[int, ...]) -> Array:
    skip = len(shape) - x.ndim
    full = tuple(x.shape[i - skip] if n == -1 else n for i, n in enumerate(shape))
    return np.broadcast_to(x, full)


def cast(x: Array, dtype: int) -> Array:
    return x.astype([np.float32, np.float64, np.int64, np.bool_][dtype])


def _box(starts: Any, sizes: Any, steps: Any) -> tuple[Array, ...]:
    ranges = zip(starts, sizes, steps, strict=True)
    return np.ix_(*[start + step * np.arange(size) for start, size, step in ranges])


def slice_box(x: Array, starts: Any, sizes: Any, steps: Any) -> Array:
    return x[_box(starts, sizes, steps)]


def slice_box_backward(g: Array, shape: Any, starts: Any, steps: Any) -> Array:
    out = np.zeros(shape)
    out[_box(starts, g.shape, steps)] = g
    return out


def take_backward(g: Array, indices: Array, shape: Any, dim: int) -> Array:
    out = np.zeros(shape)
    dim %= len(shape)
    np.add.at(out, (slice(None),) * dim + (indices,), g)
    return out
