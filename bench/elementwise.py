"""Functions and activations in L1 and L2 beside numpy and torch, then what memory allows."""

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
    return torch


NUMPY: dict[str, Callable[..., Array]] = {
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "sin": np.sin,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, np.float32(0)),
}


def functions(bench: Bench, torch: Any, dtype: type, elements: int) -> None:
    """Each function of one array."""
    bench.title(f"{elements} elements of {np.dtype(dtype).name}; ns an element below each line")
    real = np.random.default_rng(0).normal(0, 2, elements).astype(dtype)
    results = []
    for name, plain in NUMPY.items():
        a = np.exp(real) if name == "log" else real
        x, ours = mg.tensor(a), getattr(_core, name)
        calls: dict[str, Call] = {OURS: lambda f=ours, x=x: f(x)}
        check(name, calls[OURS]().numpy(), plain(a.astype(np.float64)), 1e-6)
        calls["numpy"] = lambda f=plain, a=a: f(a)
        if torch:
            theirs, t = getattr(torch, name), torch.from_numpy(a)
            calls["torch"] = lambda f=theirs, t=t: f(t)
        group = f"{np.dtype(dtype).name}, {elements}"
        results.append(bench.compare(name, calls, group=group))
        print(f"    {results[-1].seconds[OURS] / elements * 1e9:.3f} ns an element")
    bench.summary("together", results)


def bound_by_memory(bench: Bench, elements: int) -> None:
    """Arrays that outgrow the cache; with 3 streams, 0.67x a copy is the speed of memory."""
    bench.title(f"{elements} float32 elements, beside a copy within this library")
    a = np.random.default_rng(0).standard_normal(elements).astype(np.float32)
    x, y = mg.tensor(a), mg.tensor(a[::-1].copy())
    check("relu", _core.relu(x).numpy(), np.maximum(a, 0), 0)
    check("add", _core.add(x, y).numpy(), a + a[::-1], 0)
    copy: Call = lambda: x.clone()  # noqa: E731
    bench.compare("relu, beside a copy", {OURS: lambda: _core.relu(x), "copy": copy})
    bench.compare(
        "relu_backward (3 streams)", {OURS: lambda: _core.relu_backward(x, y), "copy": copy}
    )
    bench.compare("add (3 streams)", {OURS: lambda: _core.add(x, y), "copy": copy})


def run(bench: Bench) -> None:
    """Both widths in L1 and L2, then memory."""
    torch = torch_or_none(bench.threads)
    for dtype in (np.float32, np.float64):
        for elements in (4096, 65536):
            functions(bench, torch, dtype, elements)
    bound_by_memory(bench, 1 << 24)
