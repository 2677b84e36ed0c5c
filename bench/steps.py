"""A whole training step (forward, loss, backward, AdamW) of five networks, beside other libraries.

Microseconds a step in an epoch of shuffled batches, whose rows each library gathers itself. First
all of them train a few steps without dropout, from the same weights, and must end with the same
loss and the same weights.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from harness import OURS, Bench, Peers
from machine import fma_peak
from step.workload import WORKLOADS, Task, Training, Workload

# Where each contender's training is written: module and name.
WRITTEN = {
    OURS: "ours.plan",
    "eager": "ours.eager",
    "numpy": "in_numpy.InNumpy",
    "torch": "in_torch.eager",
    "torch.compile": "in_torch.compiled",
    "jax scan, rbg": "in_jax.scan_rbg",
    "jax scan": "in_jax.scan_threefry",
    "jax jit, rbg": "in_jax.jit_rbg",
}
# Float32, five steps; a ReLU seen on different sides of zero moves a weight so far.
TOLERANCE = 2e-4


def made(written: str, task: Task) -> Training:
    """The training, made in the process that imports its library."""
    module, name = written.split(".")
    training: Training = getattr(importlib.import_module(f"step.{module}"), name)(task)
    return training


def timed(written: str, task: Task) -> Callable[[], Any]:
    return made(written, task).epoch


def trained(written: str, task: Task) -> Callable[[], Any]:
    """The loss of one epoch and the weights after it."""
    training = made(written, task)

    def answer() -> Any:
        return np.concatenate([[training.epoch()], *(w.ravel() for w in training.weights())])

    return answer


def suited(name: str, workload: Workload, quick: bool) -> bool:
    """Whether the contender can do it, and is worth the wait."""
    return not (
        (name == "numpy" and workload.convs)
        or (name == "torch.compile" and quick)  # half a minute of compiling each
        or (name == "jax scan" and not any(workload.drops))  # no dropout: the same as with rbg
        or (name.startswith("jax scan") and workload.convs)  # plain loops: 10 times jit's time
    )


def run(bench: Bench) -> None:
    """Every network."""
    peak = fma_peak("float32", bench.threads)
    bench.title("one training step", "share of the FMA peak, convolutions counted as plain sums")
    for name, workload in WORKLOADS.items():
        names = [n for n in WRITTEN if suited(n, workload, bench.quick)]
        checks: Peers = {n: partial(trained, WRITTEN[n]) for n in names}
        bench.agree(name, checks, (Task(name, checking=True),), TOLERANCE)
        calls: Peers = {n: partial(timed, WRITTEN[n]) for n in names}
        bench.compare(
            name,
            calls,
            (Task(name, checking=False),),
            repeats=workload.batches,
            work=workload.flops(),
            limit=peak,
        )
