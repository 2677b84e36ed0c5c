"""Functions and activations in L1 and L2 beside numpy and torch, then what memory allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from harness import OURS, Bench, Peers, check

import minigrad as mg
from minigrad import _core
from minigrad.nn import functional

COLUMNS = 1024  # of the matrix that a bias is added to

Array = np.ndarray[Any, Any]
Call = Callable[[], Any]

NUMPY: dict[str, Callable[..., Array]] = {
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "sin": np.sin,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, np.float32(0)),
}
NAMES = (*NUMPY, "erf", "gelu")


def values(name: str, dtype: str, elements: int) -> Array:
    """What the function is defined on."""
    real = np.random.default_rng(0).normal(0, 2, elements).astype(dtype)
    return np.exp(real) if name == "log" else real


def ours(name: str, dtype: str, elements: int) -> Call:
    x, f = mg.tensor(values(name, dtype, elements)), getattr(_core, name)
    return lambda: f(x)


def by_numpy(name: str, dtype: str, elements: int) -> Call:
    a, f = values(name, dtype, elements), NUMPY[name]
    return lambda: f(a)


def by_torch(name: str, dtype: str, elements: int) -> Call:
    import torch

    f = torch.nn.functional.gelu if name == "gelu" else getattr(torch, name)
    x = torch.from_numpy(values(name, dtype, elements))
    return lambda: f(x)


def functions(bench: Bench, dtype: str, elements: int) -> None:
    """Each function of one array."""
    bench.title(f"{elements} elements of {dtype}", "ns an element below each line")
    results = []
    for name in NAMES:
        peers: Peers = {OURS: ours, "torch": by_torch}
        if name in NUMPY:
            peers["numpy"] = by_numpy
        results.append(bench.compare(name, peers, (name, dtype, elements), tolerance=1e-6))
        bench.per_element(results[-1], elements)
    bench.summary("together", results)
    bench.summary("together", results, "torch")


def pair(elements: int) -> tuple[Array, Array]:
    a = np.random.default_rng(0).standard_normal(elements).astype(np.float32)
    return a, a[::-1].copy()


def our_stream(kind: str, elements: int) -> Call:
    x, y = (mg.tensor(a) for a in pair(elements))
    return {
        "relu": lambda: _core.relu(x),
        "relu_backward": lambda: _core.relu_backward(x, y),
        "add": lambda: _core.add(x, y),
    }[kind]


def our_plan(kind: str, elements: int) -> Call:
    """One replay on what the plan holds already, as in a step: nothing is copied in or out."""
    a, b = pair(elements)
    wide, bias = a.reshape(-1, COLUMNS), b[:COLUMNS]
    if kind == "bias_relu":
        run, args = mg.compile(lambda x, b: (x + b).relu()), (mg.tensor(wide), mg.tensor(bias))
        check(kind, run(*args).numpy(), np.maximum(wide + bias, 0), 0)
    else:
        run, args = mg.compile(lambda x: functional.dropout(x.relu(), 0.5)), (mg.tensor(a),)
        got, positive = run(*args).numpy(), np.maximum(a, 0)
        check(kind, got, np.where(got == 0, 0, 2 * positive), 0)
        check(kind, (got > 0).sum() / (positive > 0).sum(), np.array(0.5), 0.01)
    plan = run.plan_of(*args)
    return lambda: plan.profile(1)


def our_copy(kind: str, elements: int) -> Call:
    x, _ = (mg.tensor(a) for a in pair(elements))
    return lambda: x.clone()


def numpy_stream(kind: str, elements: int) -> Call:
    a, b = pair(elements)
    out = np.empty_like(a)
    return {
        "relu": lambda: np.maximum(a, np.float32(0), out=out),
        "relu_backward": lambda: np.multiply(a, b > 0, out=out),
        "add": lambda: np.add(a, b, out=out),
    }[kind]


def bound_by_memory(bench: Bench, elements: int) -> None:
    """Arrays that outgrow the cache; with 3 streams, 0.67x a copy is the speed of memory."""
    bench.title(f"{elements} float32 elements, beside numpy and a copy within this library")
    for kind, case in {
        "relu": "relu",
        "relu_backward": "relu_backward (3 streams)",
        "add": "add (3 streams)",
    }.items():
        peers: Peers = {OURS: our_stream, "numpy": numpy_stream}
        bench.agree(case, peers, (kind, elements), 0)
        bench.compare(case, {**peers, "copy": our_copy}, (kind, elements))
    for kind, case in {
        "bias_relu": "bias + relu in a plan",
        "dropout": "relu + dropout in a plan",
    }.items():
        bench.compare(case, {OURS: our_plan, "copy": our_copy}, (kind, elements))


def run(bench: Bench) -> None:
    """Both widths in L1 and L2, then memory."""
    for dtype in ("float32", "float64"):
        for elements in (4096, 65536):
            functions(bench, dtype, elements)
    bound_by_memory(bench, 1 << 24)
