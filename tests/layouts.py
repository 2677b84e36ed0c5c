"""The same values in memory of another shape."""

from __future__ import annotations

from typing import Any

import numpy as np
from draws import Source

from minigrad import _core


def _garbage(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """What must never be read: NaN, or a number that is no index."""
    kind = np.dtype(dtype).kind
    return np.full(shape, np.nan if kind == "f" else True if kind == "b" else 10**9, dtype)


def transposed(s: Source, a: np.ndarray) -> Any:
    order = [int(i) for i in s.rng.permutation(a.ndim)]
    back = tuple(int(i) for i in np.argsort(order))
    return _core.from_numpy(np.array(a.transpose(order), order="C")).permute(back)


def stepped(s: Source, a: np.ndarray) -> Any:
    """Every step-th element of larger memory, some dimensions backwards."""
    steps = [s.choice([1, 2, 3, -1, -2]) for _ in a.shape]
    memory = _garbage(tuple(n * abs(k) + 1 for n, k in zip(a.shape, steps, strict=True)), a.dtype)
    at = tuple(
        slice(n * k, 0, -k) if n and (k := -step) > 0 else slice(0, n * abs(step), abs(step))
        for n, step in zip(a.shape, steps, strict=True)
    )
    memory[at] = a
    if s.flag():
        return _core.from_numpy(memory[at])
    return _core.from_numpy(memory)[at]


def shifted(s: Source, a: np.ndarray) -> Any:
    """Dense, but at an address that suits no vector."""
    skip = s.integer(1, 9)
    memory = _garbage((a.size + skip,), a.dtype)
    memory[skip:] = a.ravel()
    return _core.from_numpy(memory[skip:].reshape(a.shape))


def repeated(s: Source, a: np.ndarray) -> Any:
    """Stride 0 along dimensions where all values are equal, if there are any."""
    at = tuple(
        slice(0, 1) if n > 1 and np.array_equal(a, np.repeat(a.take([0], d), n, d)) else slice(None)
        for d, n in enumerate(a.shape)
    )
    return _core.from_numpy(np.array(a[at])).expand(a.shape)


def any_layout(s: Source, a: np.ndarray, writable: bool = False) -> Any:
    """The values of a, laid out in one of these ways."""
    kinds = [transposed, stepped, shifted] if writable else [transposed, stepped, shifted, repeated]
    return s.choice(kinds)(s, a).detach()


def made_equal_along(s: Source, a: np.ndarray) -> np.ndarray:
    """Now and then the first slice along a dimension repeated, so that stride 0 can hold it."""
    if a.ndim == 0 or a.size == 0 or s.flag():
        return a
    dim = s.integer(0, a.ndim - 1)
    return np.repeat(a.take([0], dim), a.shape[dim], dim)
