"""Optimizer updates beside loops of the same traffic, and whole steps beside torch's fused ones."""

from __future__ import annotations

import os
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


def same_traffic(name: str, n: int) -> Callable[[], None]:
    """Numpy loops that read and write as many bytes as the update: p and each state, and read g."""
    states = {"SGD": 0, "AdamW": 2, "RMSprop": 1}[name]
    p, g = np.ones(n, np.float32), np.ones(n, np.float32)
    others = [np.ones(n, np.float32) for _ in range(states)]

    def loop() -> None:
        np.add(p, g, out=p)
        for state in others:
            np.multiply(state, np.float32(0.999), out=state)

    return loop


def trained(name: str, shapes: list[tuple[int, ...]]) -> Any:
    """An optimizer whose parameters have gradients; its first step is checked."""
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
    return optimizer


def torch_step(name: str, shapes: list[tuple[int, ...]], threads: int) -> Callable[[], Any] | None:
    """The step of torch's optimizer (fused where it has one), if torch is installed and wanted."""
    if os.environ.get("MINIGRAD_BENCH_TORCH") == "0":
        return None
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(threads)
    params = [torch.ones(s, requires_grad=True) for s in shapes]
    for p in params:
        p.grad = torch.ones_like(p)
    make: Any = getattr(torch.optim, name)
    fused = {} if name == "RMSprop" else {"fused": True}
    step: Callable[[], Any] = make(params, lr=1e-3, weight_decay=0.01, **fused).step
    return step


def run(bench: Bench) -> None:
    """Arrays beyond the cache, then whole networks."""
    bench.title(f"{HUGE} float32 elements, beside numpy loops of the same traffic")
    for name in MAKERS:
        calls = {
            OURS: trained(name, [(HUGE // 1024, 1024)]).step,
            "traffic": same_traffic(name, HUGE),
        }
        bench.compare(name, calls, group="huge")
    for network, shapes in NETWORKS.items():
        bench.title(f"one step of all parameters, {network}")
        for name in MAKERS:
            calls = {OURS: trained(name, shapes).step}
            peer = torch_step(name, shapes, bench.threads)
            if peer:
                calls["torch"] = peer
            bench.compare(f"{name} {network}", calls, group=network)
