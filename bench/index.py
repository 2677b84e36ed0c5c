"""Rows by index, forwards and backwards, and masks, beside numpy and torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from harness import OURS, Bench, Peers

import minigrad as mg
from minigrad import _core

Array = np.ndarray[Any, Any]
Call = Callable[[], Any]

# Rows of the table, elements of a row, indices.
TABLES = (
    (100_000, 1, 100_000),
    (100_000, 2, 100_000),
    (100_000, 10, 100_000),
    (100_000, 28, 100_000),
    (1000, 32, 4096),
    (10_000, 64, 8192),
    (50_000, 128, 8192),
)


def drawn(rows: int, size: int, count: int) -> tuple[Array, Array]:
    """A table, and indices: of a shuffled epoch if there are as many as rows."""
    rng = np.random.default_rng(0)
    table = rng.standard_normal((rows, size)).astype(np.float32)
    return table, rng.permutation(rows) if count == rows else rng.integers(0, rows, count)


def ours(kind: str, *sizes: int) -> Call:
    table, index = drawn(*sizes)
    x, at, g = mg.tensor(table), mg.tensor(index), mg.tensor(table[index])
    return {
        "x[index]": lambda: x[at],
        "embedding": lambda: _core.embedding(at, x),
        "its gradient": lambda: _core.embedding_backward(g, at, len(table)),
        "x[x > 0]": lambda: x[x > 0],
    }[kind]


def by_numpy(kind: str, *sizes: int) -> Call:
    table, index = drawn(*sizes)
    return {
        "x[index]": lambda: np.take(table, index, 0),
        "embedding": lambda: np.take(table, index, 0),
        "x[x > 0]": lambda: table[table > 0],
    }[kind]


def by_torch(kind: str, *sizes: int) -> Call:
    import torch

    table, index = drawn(*sizes)
    t, at = torch.from_numpy(table), torch.from_numpy(index)
    g = t[at]
    return {
        "x[index]": lambda: t[at],
        "embedding": lambda: torch.nn.functional.embedding(at, t),
        "its gradient": lambda: torch.ops.aten.embedding_dense_backward(g, at, len(t), -1, False),
        "x[x > 0]": lambda: t[t > 0],
    }[kind]


def run(bench: Bench) -> None:
    """All of them."""
    bench.title("Rows of float32 by index")
    for kind in ("x[index]", "embedding", "its gradient", "x[x > 0]"):
        results = []
        for rows, size, count in TABLES:
            if kind == "x[x > 0]" and count != rows:
                continue
            peers: Peers = {OURS: ours, "torch": by_torch}
            if kind != "its gradient":
                peers["numpy"] = by_numpy
            title = f"{kind} {count} of ({rows}, {size})"
            results.append(bench.compare(title, peers, (kind, rows, size, count), tolerance=1e-5))
        bench.summary(kind, results, "torch")
