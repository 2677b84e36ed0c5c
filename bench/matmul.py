"""Matrix products beside numpy (and torch): squares, the shapes of training, transposes."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from harness import OURS, Bench, Result, check, fma_peak

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


def product(
    bench: Bench, m: int, k: int, n: int, kind: str, dtype: str, group: str, limit: float
) -> Result:
    """Checks and times one product; kind names which operands lie transposed, as BLAS does."""
    rng = np.random.default_rng(0)
    a = rng.standard_normal((m, k) if kind[0] == "N" else (k, m)).astype(dtype)
    b = rng.standard_normal((k, n) if kind[1] == "N" else (n, k)).astype(dtype)
    a, b = (a if kind[0] == "N" else a.T), (b if kind[1] == "N" else b.T)
    x, y = mg.tensor(a), mg.tensor(b)
    if kind[0] == "T":
        x = mg.tensor(np.ascontiguousarray(a.T)).T
    if kind[1] == "T":
        y = mg.tensor(np.ascontiguousarray(b.T)).T
    case = f"{kind} ({m}, {k}, {n}) {dtype}"
    tolerance = (1e-6 if dtype == "float32" else 1e-14) * max(k, 16) ** 0.5
    check(case, (x @ y).numpy(), a.astype(np.float64) @ b.astype(np.float64), tolerance)
    out = np.empty((m, n), dtype)
    calls: dict[str, Callable[[], Any]] = {
        OURS: lambda: mg.matmul(x, y),
        "numpy": lambda: np.matmul(a, b, out=out),
    }
    add_torch(calls, a, b, bench.threads)
    return bench.compare(case, calls, 2.0 * m * n * k, limit, group, float(m))


def add_torch(
    calls: dict[str, Callable[[], Any]], a: np.ndarray[Any, Any], b: np.ndarray[Any, Any], n: int
) -> None:
    """Adds torch, if it is installed and wanted."""
    if os.environ.get("MINIGRAD_BENCH_TORCH") == "0":
        return
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(n)
    x, y = torch.from_numpy(a), torch.from_numpy(b)
    calls["torch"] = lambda: torch.matmul(x, y)


def run(bench: Bench) -> None:
    """Every group of shapes."""
    for dtype in ("float32", "float64"):
        peak = fma_peak(dtype, bench.threads)
        if peak:
            print(f"{dtype}: FMA peak {peak / 1e9:.1f} GFLOP/s on {bench.threads} thread(s)")
        if dtype == "float64" and bench.quick:
            break
        bench.title(f"squares, {dtype}")
        sizes = SQUARES if not bench.quick else (64, 128, 256, 512, 1024, 2048)
        squares = [product(bench, s, s, s, "NN", dtype, f"squares {dtype}", peak) for s in sizes]
        bench.summary("squares", squares)
        bench.title(f"small and skinny (m, k, n), {dtype}")
        small = [product(bench, m, k, n, "NN", dtype, "", peak) for m, k, n in SMALL]
        bench.summary("small and skinny", small)
        bench.title(f"transposes, {dtype}")
        layers = LAYERS if not bench.quick else LAYERS[1:2]
        turned = [
            product(bench, m, k, n, kind, dtype, "", peak)
            for m, k, n in layers
            for kind in ("NT", "TN", "TT")
        ]
        bench.summary("transposes", turned)
