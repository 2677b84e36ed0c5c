"""Dropout and random numbers in L2: nanoseconds an element, beside numpy and torch."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from harness import OURS, Bench, Result, check

import minigrad as mg
from minigrad import _core
from minigrad.random import Generator, next_key

ELEMENTS = 1 << 14  # in and out: 128 KiB of float32


def torch_calls(p: float, threads: int) -> dict[str, Callable[[], Any]]:
    """The same of torch, if it is installed and wanted."""
    if os.environ.get("MINIGRAD_BENCH_TORCH") == "0":
        return {}
    try:
        import torch
    except ImportError:
        return {}
    torch.set_num_threads(threads)
    x = torch.ones(ELEMENTS)
    return {"torch": lambda: torch.nn.functional.dropout(x, p)}


def dropout(bench: Bench, p: float) -> Result:
    """One probability: 1, 2, 4, 8 or 16 random bits an element, as few as p needs."""
    x, key = mg.ones(ELEMENTS), next_key(Generator(0))
    y = _core.dropout(x, key, p).numpy()
    check(f"p = {p}", y, np.where(y == 0, 0, 1 / (1 - p)), 1e-6)
    check(f"rate of p = {p}", (y == 0).mean(), np.array(p), 0.02)
    calls: dict[str, Callable[[], Any]] = {OURS: lambda: _core.dropout(x, key, p)}
    return bench.compare(f"dropout p = {p}", {**calls, **torch_calls(p, bench.threads)})


def run(bench: Bench) -> None:
    """Dropout at usual rates, then plain numbers."""
    bench.title(f"{ELEMENTS} float32 elements; ns an element below each line")
    for p in (0.5, 0.25, 0.125, 0.1, 0.3):
        result = dropout(bench, p)
        print(f"    {result.seconds[OURS] / ELEMENTS * 1e9:.3f} ns an element")
    rng, key = np.random.default_rng(0), next_key(Generator(0))
    drawn: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "uniform": (
            lambda: _core.uniform(key, (ELEMENTS,)),
            lambda: rng.random(ELEMENTS, np.float32),
        ),
        "normal": (
            lambda: _core.normal(key, (ELEMENTS,)),
            lambda: rng.standard_normal(ELEMENTS, np.float32),
        ),
    }
    for name, (ours, numpy) in drawn.items():
        check(name, ours().numpy().std(), np.array(12**-0.5 if name == "uniform" else 1.0), 0.05)
        bench.compare(name, {OURS: ours, "numpy": numpy})
