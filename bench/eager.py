"""What an op costs before it computes anything: small arrays, op by op, beside numpy and torch.

Numpy differentiates by hand, with the derivative written out: what an engine's tape adds to that is
its overhead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from harness import OURS, Bench, Peers

import minigrad as mg

Array = np.ndarray[Any, Any]
Call = Callable[[], Any]

# Case: what it does with z, and whether z asks for gradients.
CASES = {
    "z + z": False,
    "z * 2": False,
    "z.sum()": False,
    "z @ w": False,
    "z.T": False,
    "z[1]": False,
    "z * z, tracked": True,
    "(z * z).sum().backward()": True,
    "relu(z @ w).sum().backward()": True,
}
SIDE = 4


def operands() -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    z, w = (rng.standard_normal((SIDE, SIDE)).astype(np.float32) for _ in range(2))
    return z, w


def graphs(z: Any, w: Any, case: str) -> Call:
    """The case in a library with PyTorch's names; gradients are what backward leaves in z.grad."""

    def squares() -> Any:
        z.grad = None
        (z * z).sum().backward()
        return z.grad

    def layer() -> Any:
        z.grad = None
        (z @ w).relu().sum().backward()
        return z.grad

    return {
        "z + z": lambda: z + z,
        "z * 2": lambda: z * 2,
        "z.sum()": lambda: z.sum(),
        "z @ w": lambda: z @ w,
        "z.T": lambda: z.T,
        "z[1]": lambda: z[1],
        "z * z, tracked": lambda: (z * z).detach(),
        "(z * z).sum().backward()": squares,
        "relu(z @ w).sum().backward()": layer,
    }[case]


def ours(case: str) -> Call:
    z, w = operands()
    return graphs(mg.tensor(z, requires_grad=CASES[case]), mg.tensor(w), case)


def by_torch(case: str) -> Call:
    import torch

    z, w = (torch.from_numpy(a) for a in operands())
    return graphs(z.requires_grad_(CASES[case]), w, case)


def by_numpy(case: str) -> Call:
    z, w = operands()

    def squares() -> Any:
        (z * z).sum()
        return 2 * z

    def layer() -> Any:
        y = z @ w
        np.maximum(y, 0).sum()
        return (y > 0).astype(np.float32) @ w.T

    return {
        "z + z": lambda: z + z,
        "z * 2": lambda: z * 2,
        "z.sum()": lambda: z.sum(),
        "z @ w": lambda: z @ w,
        "z.T": lambda: z.T,
        "z[1]": lambda: z[1],
        "z * z, tracked": lambda: z * z,
        "(z * z).sum().backward()": squares,
        "relu(z @ w).sum().backward()": layer,
    }[case]


PEERS: Peers = {OURS: ours, "numpy": by_numpy, "torch": by_torch}


def run(bench: Bench) -> None:
    """Every case."""
    bench.title(f"{SIDE} by {SIDE} float32")
    results = [bench.compare(case, PEERS, (case,), tolerance=1e-6) for case in CASES]
    bench.summary("together", results)
    bench.summary("together", results, "torch")
