"""Reductions, softmax, losses and normalisation beside numpy (plain expressions) and torch."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from harness import OURS, Bench, check

import minigrad as mg
from minigrad import _core

Array = np.ndarray[Any, Any]
Call = Callable[[], Any]


def torch_or_none(threads: int) -> Any:
    """The module, told its threads; None if it is not installed or not wanted."""
    if os.environ.get("MINIGRAD_BENCH_TORCH") == "0":
        return None
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    return torch


def compare(
    bench: Bench, group: str, case: str, ours: Call, numpy: Call, torch: Call | None
) -> Any:
    """Checks our answer against numpy's, then times all of them."""
    check(case, ours().numpy(), np.asarray(numpy()), 1e-4)
    calls = {OURS: ours, "numpy": numpy} | ({"torch": torch} if torch else {})
    return bench.compare(case, calls, group=group)


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


def reductions(bench: Bench, torch: Any, shape: tuple[int, ...], dim: Any) -> list[Any]:
    """sum, max, var and argmax of one shape."""
    a = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    x, t = mg.tensor(a), torch and torch.from_numpy(a)
    every = tuple(range(a.ndim)) if dim is None else dim
    kinds: dict[str, tuple[Call, Call, Call]] = {
        "sum": (lambda: x.sum(dim), lambda: a.sum(dim), lambda: t.sum(every)),
        "max": (lambda: x.max(dim), lambda: a.max(dim), lambda: t.amax(every)),
        "var": (
            lambda: x.var(dim, correction=0),
            lambda: a.var(dim),
            lambda: t.var(every, correction=0),
        ),
    }
    if isinstance(dim, int):
        kinds["argmax"] = (lambda: x.argmax(dim), lambda: a.argmax(dim), lambda: t.argmax(dim))
    where = f"{shape} {'all' if dim is None else dim}"
    return [
        compare(bench, "reductions", f"{kind} {where}", ours, plain, theirs if torch else None)
        for kind, (ours, plain, theirs) in kinds.items()
    ]


def by_rows(bench: Bench, torch: Any, rows: int, n: int) -> None:
    """Softmax, cross-entropy and layer norm of a matrix."""
    rng = np.random.default_rng(0)
    a = rng.standard_normal((rows, n)).astype(np.float32)
    labels = rng.integers(0, n, rows)
    x, target = mg.tensor(a), mg.tensor(labels)
    functional = torch and torch.nn.functional
    t, tt = (torch.from_numpy(a), torch.from_numpy(labels)) if torch else (None, None)

    def softmax() -> Array:
        e = np.exp(a - a.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)

    def cross_entropy() -> Any:
        shifted = a - a.max(1, keepdims=True)
        chosen = shifted[np.arange(rows), labels]
        return (np.log(np.exp(shifted).sum(1)) - chosen).mean()

    def layer_norm() -> Array:
        return (a - a.mean(1, keepdims=True)) / np.sqrt(a.var(1, keepdims=True) + 1e-5)

    cases: dict[str, tuple[Call, Call, Call]] = {
        "softmax": (lambda: x.softmax(1), softmax, lambda: functional.softmax(t, 1)),
        "cross_entropy": (
            lambda: _core.cross_entropy(x, target),
            cross_entropy,
            lambda: functional.cross_entropy(t, tt),
        ),
        "layer_norm": (
            lambda: _core.layer_norm(x, (n,)),
            layer_norm,
            lambda: functional.layer_norm(t, (n,)),
        ),
    }
    for kind, (ours, plain, theirs) in cases.items():
        title = f"{kind} ({rows}, {n})"
        compare(bench, "rows", title, ours, plain, theirs if torch else None)


def batch_norm(bench: Bench, torch: Any, shape: tuple[int, ...]) -> None:
    """Batch norm in training."""
    a = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    axes = (0, *range(2, len(shape)))
    x, t = mg.tensor(a), torch and torch.from_numpy(a)

    def plain() -> Array:
        mean, var = a.mean(axes, keepdims=True), a.var(axes, keepdims=True)
        return (a - mean) / np.sqrt(var + 1e-5)

    compare(
        bench,
        "batch norm",
        f"batch_norm {shape}",
        lambda: _core.batch_norm(x, training=True),
        plain,
        (lambda: torch.nn.functional.batch_norm(t, None, None, training=True)) if torch else None,
    )


def run(bench: Bench) -> None:
    """All of them."""
    torch = torch_or_none(bench.threads)
    bench.title("Reductions")
    results = [r for shape, dim in REDUCED for r in reductions(bench, torch, shape, dim)]
    bench.summary("reductions", results)
    bench.summary("reductions", results, "torch")
    bench.title("By rows")
    for rows, n in ((64, 10), (128, 1000), (1024, 1024)):
        by_rows(bench, torch, rows, n)
    bench.title("Batch norm, training")
    for shape in ((64, 256), (128, 1024), (64, 32, 28, 28)):
        batch_norm(bench, torch, shape)
