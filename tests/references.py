"""What ops give, in plain numpy: short and slow, so that one sees that it is right."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

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


def take_along_dim(x: Array, indices: Array, dim: int) -> Array:
    dim %= x.ndim
    wanted = (*x.shape[:dim], indices.shape[dim], *x.shape[dim + 1 :])
    return np.take_along_axis(x, np.broadcast_to(indices, wanted), dim)


def take_along_dim_backward(g: Array, indices: Array, shape: Any, dim: int) -> Array:
    out = np.zeros(shape)
    at = list(np.indices(g.shape))
    at[dim] = np.broadcast_to(indices, g.shape)
    np.add.at(out, tuple(at), g)
    return out


# ---- activations ------------------------------------------------------------------------------

SELU = (1.0507009873554805, 1.6732632423543772)


def clip(x: Array, min: float | None, max: float | None) -> Array:
    return np.clip(x, -np.inf if min is None else min, np.inf if max is None else max)


def slope_of_relu(g: Array, x: Array) -> Array:
    return np.where(x > 0, g, 0)


def slope_of_relu_dropout(g: Array, y: Array, scale: float) -> Array:
    return np.where(y > 0, g * scale, 0)


def leaky_relu(x: Array, negative_slope: float) -> Array:
    return np.where(x > 0, x, negative_slope * x)


def gelu(x: Array, approximate: bool) -> Array:
    if approximate:
        return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return x * special.ndtr(x)


def elu(x: Array, alpha: float) -> Array:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def selu(x: Array) -> Array:
    return SELU[0] * elu(x, SELU[1])


def derivative(f: Callable[[Array], Array], x: Array, h: float = 1e-3) -> Array:
    """By central differences of fourth order."""
    return (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h)


# ---- reductions -------------------------------------------------------------------------------


def reduced(f: Callable[..., Any]) -> Callable[..., Array]:
    """A numpy reduction under torch's names."""
    return lambda x, dim, keepdim: f(x, axis=dim, keepdims=keepdim)


def mean(x: Array, axis: Any, keepdims: bool) -> Array:
    with warnings.catch_warnings(action="ignore"):  # numpy warns of the mean of nothing, NaN
        return np.mean(x, axis=axis, keepdims=keepdims)


def var(x: Array, dim: Any, keepdim: bool, correction: int) -> Array:
    with warnings.catch_warnings(action="ignore"):
        return np.var(x, axis=dim, keepdims=keepdim, ddof=correction)


def std(x: Array, dim: Any, keepdim: bool, correction: int) -> Array:
    return np.sqrt(var(x, dim, keepdim, correction))


def logsumexp(x: Array, dim: Any, keepdim: bool) -> Array:
    return np.log(np.exp(x).sum(dim, keepdims=keepdim))


def softmax_backward(grad: Array, y: Array, dim: int) -> Array:
    return y * (grad - (grad * y).sum(dim, keepdims=True))


def log_softmax_backward(grad: Array, y: Array, dim: int) -> Array:
    return grad - np.exp(y) * grad.sum(dim, keepdims=True)


# ---- products ---------------------------------------------------------------------------------


def linear(x: Array, weight: Array, bias: Array | None) -> Array:
    return x @ weight.T + (0 if bias is None else bias)


def argsort(x: Array, dim: int, descending: bool) -> Array:
    if not descending:
        return np.argsort(x, dim, kind="stable")
    # Backwards twice, so that equal elements keep their order.
    return x.shape[dim] - 1 - np.flip(np.argsort(np.flip(x, dim), dim, kind="stable"), dim)
