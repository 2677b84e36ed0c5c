"""Optimizer updates beside loops of the same traffic, and whole steps beside torch's fused ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from harness import OURS, Bench, check

import minigrad as mg
from minigrad import optim

HUGE = 1 << 24  # elements: four arrays outgrow any cache
# The parameters of moons (2-500-1), moons-d and mlp of the README.
NETWORKS = {
    "moons": [(500, 2), (500,), (1, 500), (1,)],
    "moons-d": [(500, 2), (500,), (128, 500), (128,), (1, 128), (1,)],
    "mlp": [(256, 784), (256,), (128, 256), (128,), (10, 128), (10,)],
}
MAKERS = {"SGD": optim.SGD, "AdamW": optim.AdamW, "RMSprop": optim.RMSprop}

Shapes = list[tuple[int, ...]]
Call = Callable[[], Any]


def same_traffic(name: str, shapes: Shapes) -> Call:
    """Numpy loops that read and write as many bytes as the update: p and each state, and read g."""
    states = {"SGD": 0, "AdamW": 2, "RMSprop": 1}[name]
    n = sum(int(np.prod(s)) for s in shapes)
    p, g = np.ones(n, np.float32), np.ones(n, np.float32)
    others = [np.ones(n, np.float32) for _ in range(states)]

    def loop() -> None:
        np.add(p, g, out=p)
        for state in others:
            np.multiply(state, np.float32(0.999), out=state)

    return loop


def ours(name: str, shapes: Shapes) -> Call:
    """The step of an optimizer whose parameters have gradients; its first one is checked."""
    rng = np.random.default_rng(0)
    params = [mg.tensor(rng.normal(size=s).astype(np.float32), requires_grad=True) for s in shapes]
    starts = [p.detach().numpy().astype(np.float64) for p in params]
    for p in params:
        p.grad = mg.tensor(rng.normal(size=p.shape).astype(np.float32))
    optimizer = MAKERS[name](params, lr=1e-3, weight_decay=0.01)
    optimizer.step()
    for p, start in zip(params, starts, strict=True):
        decay = 0.01 if p.ndim >= 2 else 0.0
        g = p.grad.numpy().astype(np.float64) + (0 if name == "AdamW" else decay * start)
        root = {"SGD": 1.0, "AdamW": abs(g) + 1e-8, "RMSprop": 0.1 * abs(g) + 1e-8}[name]
        kept = start * (1 - 1e-3 * decay) if name == "AdamW" else start
        check(name, p.detach().numpy(), kept - 1e-3 * g / root, 1e-4)
    step: Call = optimizer.step
    return step


def by_torch(name: str, shapes: Shapes) -> Call:
    """The step of torch's optimizer, fused where it has one."""
    import torch

    params = [torch.ones(s, requires_grad=True) for s in shapes]
    for p in params:
        p.grad = torch.ones_like(p)
    make: Any = getattr(torch.optim, name)
    fused = {} if name == "RMSprop" else {"fused": True}
    step: Call = make(params, lr=1e-3, weight_decay=0.01, **fused).step
    return step


def run(bench: Bench) -> None:
    """Arrays beyond the cache, then whole networks."""
    bench.title(f"{HUGE} float32 elements, beside numpy loops of the same traffic")
    for name in MAKERS:
        peers = {OURS: ours, "traffic": same_traffic}
        bench.compare(name, peers, (name, [(HUGE // 1024, 1024)]))
    for network, shapes in NETWORKS.items():
        bench.title(f"one step of all parameters, {network}")
        for name in MAKERS:
            peers = {OURS: ours, "torch": by_torch}
            bench.compare(name, peers, (name, shapes))
