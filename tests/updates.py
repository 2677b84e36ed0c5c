"""Optimizer updates in plain numpy, after the formulas of PyTorch's documentation."""

from __future__ import annotations

from typing import Any

import numpy as np
from draws import Call, Source, positive, real

Array = np.ndarray


def hyper(s: Source, *own: float) -> Array:
    """step, lr, weight_decay, l1, the optimizer's own three, decoupled."""
    decay, l1 = s.choice([0, 0.1]), s.choice([0, 0.05])
    return np.array([s.integer(0, 5), 0.01, decay, l1, *own, s.integer(0, 1)], np.float64)


def states(s: Source, *kinds: Any) -> list[Array | None]:
    """Arrays of one shape: kinds are domains, or (domain,) where None may stand in its place."""
    shape = s.shape(max_rank=3)
    return [
        None if isinstance(kind, tuple) and s.flag() else np.array(domain(s.rng, shape))
        for kind in kinds
        for domain in [kind[0] if isinstance(kind, tuple) else kind]
    ]


def grad_scale(s: Source) -> Array | None:
    return np.array([0.5]) if s.flag() else None


def decayed(p: Array, g: Array, h: Array, scale: Array | None) -> tuple[Array, Array]:
    """The parameter and the gradient after decay, both kinds."""
    lr, decay, l1, decoupled = h[1], h[2], h[3], h[7]
    g = g * (1 if scale is None else scale[0])
    g = g + l1 * np.sign(p) + (0 if decoupled else decay * p)
    return p * (1 - lr * decay if decoupled else 1), g


def stepped(h: Array) -> Array:
    return h + np.eye(8)[0]


def given(*arrays: Array | None) -> tuple[Array, ...]:
    return tuple(a for a in arrays if a is not None)


def draw_sgd(s: Source) -> Call:
    p, g, buffer = states(s, real, real, (real,))
    nesterov = s.integer(0, 1)
    h = hyper(s, 0.9 if buffer is not None else 0, 0 if nesterov else s.choice([0, 0.1]), nesterov)
    return Call((p, g, h, buffer, grad_scale(s)))


def sgd(p: Array, g: Array, h: Array, buffer: Array | None, scale: Array | None) -> Any:
    momentum, dampening, nesterov = h[4], h[5], h[6]
    p, g = decayed(p, g, h, scale)
    if buffer is not None:
        buffer = g if h[0] == 0 else momentum * buffer + (1 - dampening) * g
        g = g + momentum * buffer if nesterov else buffer
    return given(p - h[1] * g, stepped(h), buffer)


def draw_adam(s: Source) -> Call:
    p, g, m, v, top = states(s, real, real, real, positive, (positive,))
    return Call((p, g, m, v, hyper(s, 0.9, 0.99, 1e-8), top, grad_scale(s)))


def adam(p: Array, g: Array, m: Array, v: Array, h: Array, top: Any, scale: Any) -> Any:
    t, lr, beta1, beta2, eps = h[0] + 1, h[1], h[4], h[5], h[6]
    p, g = decayed(p, g, h, scale)
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    top = None if top is None else np.maximum(top, v)
    root = np.sqrt((v if top is None else top) / (1 - beta2**t)) + eps
    return given(p - lr * m / (1 - beta1**t) / root, m, v, stepped(h), top)


def draw_rmsprop(s: Source) -> Call:
    p, g, v, average, buffer = states(s, real, real, positive, (real,), (real,))
    if average is not None and v is not None:
        v = v + average**2 + 2  # a variance is never negative
    h = hyper(s, 0.99, 1e-8, 0.9 if buffer is not None else 0)
    return Call((p, g, v, h, average, buffer, grad_scale(s)))


def rmsprop(p: Array, g: Array, v: Array, h: Array, average: Any, buffer: Any, scale: Any) -> Any:
    lr, alpha, eps, momentum = h[1], h[4], h[5], h[6]
    p, g = decayed(p, g, h, scale)
    v = alpha * v + (1 - alpha) * g * g
    average = None if average is None else alpha * average + (1 - alpha) * g
    step = g / (np.sqrt(v - (0 if average is None else average**2)) + eps)
    if buffer is not None:
        step = buffer = momentum * buffer + step
    return given(p - lr * step, v, stepped(h), average, buffer)


def draw_total_norm(s: Source) -> Call:
    tensors = tuple(real(s.rng, s.shape(max_rank=3)) for _ in range(s.integer(1, 3)))
    return Call(tensors, {"largest": s.flag()})


def total_norm(*tensors: Array, largest: bool) -> Array:
    flat = np.concatenate([t.ravel() for t in tensors])
    return np.array(np.linalg.norm(flat, np.inf if largest and flat.size else None))


def draw_scale(s: Source) -> Call:
    return Call((real(s.rng, s.shape()), np.array(s.choice([1.0, 0.5, -2.0]))))


def draw_lerp(s: Source) -> Call:
    x, end = states(s, real, real)
    return Call((x, end, np.array(s.choice([0.0, 0.1, 1.0]))))


def draw_max_norm(s: Source) -> Call:
    return Call((real(s.rng, s.shape(min_rank=2)),), {"max_norm": s.choice([0.5, 1.0, 3.0])})


def max_norm(x: Array, max_norm: float) -> Array:
    norm = np.sqrt((x * x).sum(tuple(range(1, x.ndim)), keepdims=True))
    return x * np.where(norm > max_norm, max_norm / np.where(norm > 0, norm, 1), 1)
