"""Reductions, softmax, losses and normalisation beside numpy (plain expressions) and torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from harness import OURS, Bench, Result

import minigrad as mg
from minigrad import _core

Array = np.ndarray[Any, Any]
Call = Callable[[], Any]

REDUCED = (
    ((30,), None),
    ((64, 10), 0),
    ((64, 10), 1),
    ((64, 256), 0),
    ((64, 256), 1),
    ((100_000, 3), 0),
    ((1024, 1024), None),
    ((2048, 2048), 0),
    ((2048, 2048), 1),
    ((64, 32, 28, 28), (0, 2, 3)),
)
TURNED = ((256, 256), (1024, 1024), (1000, 1001))
ROWS = ((64, 10), (128, 1000), (1024, 1024))
NORMALISED = ((64, 256), (128, 1024), (64, 32, 28, 28))


def values(shape: tuple[int, ...]) -> Array:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def labels(shape: tuple[int, ...]) -> Array:
    """A class for each row."""
    return np.random.default_rng(1).integers(0, shape[1], shape[0])


def ours(kind: str, shape: tuple[int, ...], dim: Any = None, turned: bool = False) -> Call:
    x = mg.tensor(values(shape))
    if turned:
        x = x.T
    target = mg.tensor(labels(shape)) if kind == "cross_entropy" else x
    return {
        "sum": lambda: x.sum(dim),
        "max": lambda: x.max(dim),
        "var": lambda: x.var(dim, correction=0),
        "argmax": lambda: x.argmax(dim),
        "softmax": lambda: x.softmax(1),
        "cross_entropy": lambda: _core.cross_entropy(x, target),
        "layer_norm": lambda: _core.layer_norm(x, shape[1:]),
        "batch_norm": lambda: _core.batch_norm(x, training=True),
    }[kind]


def by_numpy(kind: str, shape: tuple[int, ...], dim: Any = None, turned: bool = False) -> Call:
    a = values(shape).T if turned else values(shape)
    target = labels(shape) if kind == "cross_entropy" else a
    axes = (0, *range(2, a.ndim))

    def softmax() -> Array:
        e = np.exp(a - a.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)

    def cross_entropy() -> Any:
        shifted = a - a.max(1, keepdims=True)
        chosen = shifted[np.arange(len(a)), target]
        return (np.log(np.exp(shifted).sum(1)) - chosen).mean()

    def normalised(over: Any) -> Array:
        mean, var = a.mean(over, keepdims=True), a.var(over, keepdims=True)
        return (a - mean) / np.sqrt(var + 1e-5)

    return {
        "sum": lambda: a.sum(dim),
        "max": lambda: a.max(dim),
        "var": lambda: a.var(dim),
        "argmax": lambda: a.argmax(dim),
        "softmax": softmax,
        "cross_entropy": cross_entropy,
        "layer_norm": lambda: normalised(1),
        "batch_norm": lambda: normalised(axes),
    }[kind]


def by_torch(kind: str, shape: tuple[int, ...], dim: Any = None, turned: bool = False) -> Call:
    import torch
    from torch.nn import functional

    torch.set_grad_enabled(False)
    t = torch.from_numpy(values(shape))
    t = t.T if turned else t
    target = torch.from_numpy(labels(shape)) if kind == "cross_entropy" else t
    every = tuple(range(t.ndim)) if dim is None else dim
    return {
        "sum": lambda: t.sum(every),
        "max": lambda: t.amax(every),
        "var": lambda: t.var(every, correction=0),
        "argmax": lambda: t.argmax(dim),
        "softmax": lambda: functional.softmax(t, 1),
        "cross_entropy": lambda: functional.cross_entropy(t, target),
        "layer_norm": lambda: functional.layer_norm(t, shape[1:]),
        "batch_norm": lambda: functional.batch_norm(t, None, None, training=True),
    }[kind]


PEERS = {OURS: ours, "numpy": by_numpy, "torch": by_torch}


def case(bench: Bench, title: str, *args: Any) -> Result:
    return bench.compare(title, PEERS, args, tolerance=1e-4)


def run(bench: Bench) -> None:
    """All of them."""
    bench.title("Reductions")
    results = [
        case(bench, f"{kind} {shape} {'all' if dim is None else dim}", kind, shape, dim)
        for shape, dim in REDUCED
        for kind in ("sum", "max", "var", *["argmax"] * isinstance(dim, int))
    ]
    bench.summary("reductions", results)
    bench.summary("reductions", results, "torch")
    bench.title(
        "Reductions of transposed matrices; their order is that of the shape, not of memory"
    )
    results = [
        case(bench, f"{kind} {shape}.T {'all' if dim is None else dim}", kind, shape, dim, True)
        for shape in TURNED
        for dim in (None, 0, 1)
        for kind in ("sum", "max")
    ]
    bench.summary("of transposed ones", results)
    bench.summary("of transposed ones", results, "torch")
    bench.title("By rows")
    for shape in ROWS:
        for kind in ("softmax", "cross_entropy", "layer_norm"):
            case(bench, f"{kind} {shape}", kind, shape)
    bench.title("Batch norm, training")
    for shape in NORMALISED:
        case(bench, f"batch_norm {shape}", "batch_norm", shape)
