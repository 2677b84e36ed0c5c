"""Losses and normalisations for the table of cases: how a call is drawn, and what numpy gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import references as ref
from draws import Call, Domain, Draw, Source, at_least, away_from, probability, real

Array = np.ndarray


def reduced(each: Array, reduction: int) -> Array:
    """0 none, 1 mean, 2 sum."""
    if reduction == 0:
        return each
    return each.sum() / (np.float64(each.size) if reduction == 1 else 1)


def share(shape: tuple[int, ...], reduction: int) -> float:
    """What each element counts in the reduced loss."""
    size = np.float64(np.prod(shape))
    return float(1 / size) if reduction == 1 and size else 1.0


# ---- Pairs of equal shape ---------------------------------------------------------------------


def bce(x: Array, t: Array) -> Array:
    return np.logaddexp(0, x) - x * t


def bce_slope(x: Array, t: Array) -> Array:
    return 1 / (1 + np.exp(-x)) - t


def huber(x: Array, t: Array, delta: float) -> Array:
    d = np.abs(x - t)
    return np.where(d <= delta, d * d / 2, delta * (d - delta / 2))


def huber_slope(x: Array, t: Array, delta: float) -> Array:
    return np.clip(x - t, -delta, delta)


def pair(each: Callable[..., Array]) -> Callable[..., Array]:
    return lambda x, t, *, reduction, **attrs: reduced(each(x, t, **attrs), reduction)


def pair_backward(slope: Callable[..., Array]) -> Callable[..., Array]:
    def backward(g: Array, x: Array, t: Array, *, reduction: int, **attrs: float) -> Array:
        return g * slope(x, t, **attrs) * share(x.shape, reduction)

    return backward


def draw_pair(
    difference: Domain = real, target: Domain = real, backward: bool = False, **fixed: float
) -> Draw:
    """x, target with x - target from a domain (or x and target, where the target has its own)."""

    def draw(s: Source) -> Call:
        reduction = s.integer(0, 2)
        shape = s.shape()
        t = target(s.rng, shape)
        x = difference(s.rng, shape) + (0 if target is probability else t)
        attrs = {**fixed, "reduction": reduction}
        grad = real(s.rng, () if reduction else shape)
        return Call((grad, x, t) if backward else (x, t), attrs)

    return draw


KINKS = {"l1": away_from(0), "huber": away_from(-0.7, 0.7)}


# ---- Cross-entropy ----------------------------------------------------------------------------


def log_softmax(x: Array, axis: int) -> Array:
    x = x - x.max(axis, keepdims=True)
    return x - np.log(np.exp(x).sum(axis, keepdims=True))


def smoothed(x: Array, target: Array, label_smoothing: float) -> tuple[Array, int]:
    """The target as probabilities, and the axis of the classes."""
    axis = 0 if x.ndim == 1 else 1
    n = x.shape[axis]
    if target.dtype.kind == "i":
        target = np.moveaxis(np.eye(n)[target], -1, axis)
    return (1 - label_smoothing) * target + label_smoothing / n, axis


def cross_entropy(x: Array, target: Array, label_smoothing: float, reduction: int) -> Array:
    q, axis = smoothed(x, target, label_smoothing)
    return reduced(-(q * log_softmax(x, axis)).sum(axis), reduction)


def cross_entropy_backward(
    g: Array, x: Array, target: Array, label_smoothing: float, reduction: int
) -> Array:
    q, axis = smoothed(x, target, label_smoothing)
    slope = np.exp(log_softmax(x, axis)) * q.sum(axis, keepdims=True) - q
    g = g if reduction else np.expand_dims(g, axis)
    return slope * g * share(np.delete(x.shape, axis), reduction)


def draw_cross_entropy(backward: bool = False) -> Draw:
    """Logits, and class indices or probabilities."""

    def draw(s: Source) -> Call:
        shape = s.shape(min_rank=1, max_rank=3)
        axis = 0 if len(shape) == 1 else 1
        shape = at_least(1, shape, axis)
        examples = tuple(np.delete(shape, axis))
        x, reduction = real(s.rng, shape), s.integer(0, 2)
        if s.flag():
            target = np.asarray(s.rng.integers(0, shape[axis], examples))
        else:
            target = probability(s.rng, shape)
        grad = real(s.rng, () if reduction else examples)
        attrs = {"label_smoothing": s.choice([0.0, 0.1, 1.0]), "reduction": reduction}
        return Call((grad, x, target) if backward else (x, target), attrs)

    return draw


# ---- Normalisation ----------------------------------------------------------------------------


def _over(x: Array) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes of a channel's statistics, and the shape in which its parameters meet x."""
    return (0, *range(2, x.ndim)), (1, -1, *[1] * (x.ndim - 2))


def batch_norm(
    x: Array,
    weight: Any,
    bias: Any,
    mean: Any,
    var: Any,
    training: bool,
    momentum: float,
    eps: float,
) -> list[Array]:
    axes, wide = _over(x)
    used_mean, used_var = (x.mean(axes), x.var(axes)) if training else (mean, var)
    y = (x - used_mean.reshape(wide)) / np.sqrt(used_var.reshape(wide) + eps)
    if weight is not None:
        y = y * weight.reshape(wide)
    if bias is not None:
        y = y + bias.reshape(wide)
    if mean is None:
        return [y]
    if training:
        mean = (1 - momentum) * mean + momentum * used_mean
        var = (1 - momentum) * var + momentum * x.var(axes, ddof=1)
    return [y, mean, var]


def draw_batch_norm(s: Source) -> Call:
    shape = (s.integer(3, 5), *s.shape(min_rank=1, max_rank=3, low=1))
    c, training = shape[1], s.flag()
    weight, bias = (real(s.rng, (c,)) if s.flag() else None for _ in range(2))
    running: tuple[Any, Any] = (None, None)
    if not training or s.flag():
        running = (real(s.rng, (c,)), s.rng.uniform(0.5, 2, c))
    attrs = {"training": training, "momentum": 0.1, "eps": s.choice([0.1, 0.5])}
    return Call((real(s.rng, shape), weight, bias, *running), attrs)


def batch_norm_relu(x: Array, *rest: Any, **attrs: Any) -> list[Array]:
    y, *running = batch_norm(x, *rest, **attrs)
    return [ref.relu(y), *running]


def draw_batch_norm_relu(s: Source) -> Call:
    """Nowhere near the kink: the bias moves until nothing is."""
    call = draw_batch_norm(s)
    x, weight, bias, *running = call.inputs
    assert x is not None
    bias = np.zeros(x.shape[1]) if bias is None else bias
    while np.abs(batch_norm(x, weight, bias, *running, **call.attrs)[0]).min() < 1e-3:
        bias = bias + 0.0137
    return Call((x, weight, bias, *running), call.attrs)


def _backward(g: Array, hat: Array, rstd: Array, weight: Any, axes: Any, fixed: bool) -> Array:
    h = g if weight is None else g * weight
    if not fixed:
        h = h - h.mean(axes, keepdims=True) - hat * (h * hat).mean(axes, keepdims=True)
    return h * rstd


def batch_norm_backward(
    g: Array, x: Array, weight: Any, mean: Array, rstd: Array, training: bool, eps: float
) -> list[Array]:
    axes, wide = _over(x)
    hat = (x - mean.reshape(wide)) * rstd.reshape(wide)
    w = None if weight is None else weight.reshape(wide)
    dx = _backward(g, hat, rstd.reshape(wide), w, axes, not training)
    return [dx, (g * hat).sum(axes), g.sum(axes)]


def draw_batch_norm_backward(s: Source) -> Call:
    call = draw_batch_norm(s)
    x, eps = call.inputs[0], call.attrs["eps"]
    assert x is not None
    axes, _ = _over(x)
    rstd = 1 / np.sqrt(x.var(axes) + eps)
    attrs = {"training": call.attrs["training"], "eps": eps}
    return Call((real(s.rng, x.shape), x, call.inputs[1], x.mean(axes), rstd), attrs)


def _tail(x: Array, normalized_shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(range(x.ndim - len(normalized_shape), x.ndim))


def layer_norm(
    x: Array, weight: Any, bias: Any, normalized_shape: tuple[int, ...], eps: float
) -> Array:
    axes = _tail(x, normalized_shape)
    y = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)
    return y * (1 if weight is None else weight) + (0 if bias is None else bias)


def layer_norm_backward(
    g: Array, x: Array, weight: Any, mean: Array, rstd: Array, normalized_shape: Any, eps: float
) -> list[Array]:
    axes = _tail(x, normalized_shape)
    rows = (*x.shape[: axes[0]], *[1] * len(axes))
    hat = (x - mean.reshape(rows)) * rstd.reshape(rows)
    lead = tuple(range(axes[0]))
    dx = _backward(g, hat, rstd.reshape(rows), weight, axes, False)
    return [dx, (g * hat).sum(lead), g.sum(lead)]


def draw_layer_norm(backward: bool = False) -> Draw:
    def draw(s: Source) -> Call:
        shape = s.shape(min_rank=1, max_rank=3)
        first = s.integer(0, len(shape) - 1)
        x = real(s.rng, at_least(1, shape, tuple(range(first, len(shape)))))
        tail = x.shape[first:]
        weight, bias = (real(s.rng, tail) if s.flag() else None for _ in range(2))
        attrs: dict[str, Any] = {"normalized_shape": tail, "eps": s.choice([0.1, 0.5])}
        if not backward:
            return Call((x, weight, bias), attrs)
        axes = _tail(x, tail)
        rstd = 1 / np.sqrt(x.var(axes).ravel() + attrs["eps"])
        return Call((real(s.rng, x.shape), x, weight, x.mean(axes).ravel(), rstd), attrs)

    return draw
