"""Matrix products beside numpy (and torch): squares, the shapes of training, transposes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from harness import OURS, Bench, Result
from machine import fma_peak

import minigrad as mg

SQUARES = (64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048)
# (m, k, n): one row or a batch through a layer, its weight gradient, convolutions as products.
SMALL = (
    (1, 784, 256),
    (30, 2, 500),
    (30, 500, 128),
    (32, 32, 32),
    (64, 784, 256),
    (784, 64, 256),
    (36864, 9, 32),
    (36864, 288, 64),
)
LAYERS = ((30, 500, 128), (64, 784, 256), (128, 1024, 1024))

Array = np.ndarray[Any, Any]
Call = Callable[[], Any]


def operands(m: int, k: int, n: int, kind: str, dtype: str) -> tuple[Array, Array]:
    """Two matrices; kind names which of them lie transposed, as BLAS does."""
    rng = np.random.default_rng(0)
    a = rng.standard_normal((m, k) if kind[0] == "N" else (k, m)).astype(dtype)
    b = rng.standard_normal((k, n) if kind[1] == "N" else (n, k)).astype(dtype)
    return (a if kind[0] == "N" else a.T), (b if kind[1] == "N" else b.T)


def ours(*case: Any) -> Call:
    x, y = (mg.tensor(a) if a.flags.c_contiguous else mg.tensor(a.T).T for a in operands(*case))
    return lambda: mg.matmul(x, y)


def by_numpy(*case: Any) -> Call:
    a, b = operands(*case)
    out = np.empty((len(a), b.shape[1]), a.dtype)
    return lambda: np.matmul(a, b, out=out)


def by_torch(*case: Any) -> Call:
    import torch

    x, y = (torch.from_numpy(a) for a in operands(*case))
    return lambda: torch.matmul(x, y)


PEERS = {OURS: ours, "numpy": by_numpy, "torch": by_torch}


def product(
    bench: Bench, m: int, k: int, n: int, kind: str, dtype: str, limit: float, sized: bool = False
) -> Result:
    """Checks and times one product."""
    return bench.compare(
        f"{kind} ({m}, {k}, {n}) {dtype}",
        PEERS,
        (m, k, n, kind, dtype),
        tolerance=(1e-6 if dtype == "float32" else 1e-14) * max(k, 16) ** 0.5,
        work=2.0 * m * n * k,
        limit=limit,
        x=float(m) if sized else 0.0,
    )


def run(bench: Bench) -> None:
    """Every group of shapes."""
    for dtype in ("float32", "float64"):
        if dtype == "float64" and bench.quick:
            break
        peak = fma_peak(dtype, bench.threads)
        bench.title(f"squares, {dtype}")
        sizes = SQUARES if not bench.quick else (64, 128, 256, 512, 1024, 2048)
        squares = [product(bench, s, s, s, "NN", dtype, peak, sized=True) for s in sizes]
        bench.summary("squares", squares)
        bench.title(f"small and skinny (m, k, n), {dtype}")
        small = [product(bench, m, k, n, "NN", dtype, peak) for m, k, n in SMALL]
        bench.summary("small and skinny", small)
        bench.title(f"transposes, {dtype}")
        layers = LAYERS if not bench.quick else LAYERS[1:2]
        turned = [
            product(bench, m, k, n, kind, dtype, peak)
            for m, k, n in layers
            for kind in ("NT", "TN", "TT")
        ]
        bench.summary("transposes", turned)
