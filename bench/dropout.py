"""Dropout and random numbers in L2: nanoseconds an element, beside numpy and torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from harness import OURS, Bench, Peers, check

import minigrad as mg
from minigrad import _core
from minigrad.random import Generator, next_key

ELEMENTS = 1 << 14  # in and out: 128 KiB of float32

Call = Callable[[], Any]


def our_dropout(p: float) -> Call:
    x, key = mg.ones(ELEMENTS), next_key(Generator(0))
    y = _core.dropout(x, key, p).numpy()
    check(f"p = {p}", y, np.where(y == 0, 0, 1 / (1 - p)), 1e-6)
    check(f"rate of p = {p}", (y == 0).mean(), np.array(p), 0.02)
    return lambda: _core.dropout(x, key, p)


def torch_dropout(p: float) -> Call:
    import torch

    x = torch.ones(ELEMENTS)
    return lambda: torch.nn.functional.dropout(x, p)


def our_draw(kind: str) -> Call:
    key, draw = next_key(Generator(0)), getattr(_core, kind)
    deviation = 12**-0.5 if kind == "uniform" else 1.0
    check(kind, draw(key, (ELEMENTS,)).numpy().std(), np.array(deviation), 0.05)
    return lambda: draw(key, (ELEMENTS,))


def numpy_draw(kind: str) -> Call:
    rng = np.random.default_rng(0)
    draw: Any = rng.random if kind == "uniform" else rng.standard_normal
    return lambda: draw(ELEMENTS, np.float32)


def torch_draw(kind: str) -> Call:
    import torch

    x = torch.empty(ELEMENTS)
    return x.uniform_ if kind == "uniform" else x.normal_


def run(bench: Bench) -> None:
    """Dropout at usual rates, then plain numbers."""
    bench.title(f"{ELEMENTS} float32 elements", "ns an element below each line")
    dropouts: Peers = {OURS: our_dropout, "torch": torch_dropout}
    draws: Peers = {OURS: our_draw, "numpy": numpy_draw, "torch": torch_draw}
    for p in (0.5, 0.25, 0.125, 0.1, 0.3):
        bench.per_element(bench.compare(f"dropout p = {p}", dropouts, (p,)), ELEMENTS)
    for kind in ("uniform", "normal"):
        bench.per_element(bench.compare(kind, draws, (kind,)), ELEMENTS)
