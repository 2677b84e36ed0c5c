"""Many trainings side by side: `mg.fit_many` on as many cores as there are, and on one.

Eight trainings of moons.py's network, 4000 epochs each. Ours is with a worker for each core; beside
it the same with one worker, so that its ratio is the speed-up, and the machine's own limit: as many
processes as cores, each with its share of the trainings, which have nothing in common but the
memory and the power of the machine.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from harness import OURS, Bench, Peers
from moons import EPOCHS, LR, points

import minigrad as mg
from minigrad import nn, optim

TRAININGS = 8


def trainers(seeds: range) -> list[mg.Trainer]:
    made = []
    for seed in seeds:
        mg.seed(seed)
        model = nn.Sequential(nn.Linear(2, 500), nn.ReLU(), nn.Linear(500, 1))
        optimizer = optim.Adam(model.parameters(), LR)
        made.append(mg.Trainer(model, nn.BCEWithLogitsLoss(), optimizer, progress=False))
    return made


def fit(seeds: range, workers: int) -> list[float]:
    """The last validation losses."""
    x, y, xv, yv = points()
    many = trainers(seeds)
    histories = mg.fit_many(many, (x, y), (xv, yv), EPOCHS, workers=workers, progress=False)
    return [float(history["val_loss"][-1]) for history in histories]


def by_workers(threads: int, workers: int) -> Callable[[], Any]:
    return partial(fit, range(TRAININGS), workers)


def by_processes(threads: int) -> Callable[[], Any]:
    """Processes that wait for a line, train their share and print the losses."""
    count = min(threads, TRAININGS)
    ends = [i * TRAININGS // count for i in range(count + 1)]
    code = "import many; many.serve({}, {})"
    command = [sys.executable, "-c"]
    processes = [
        subprocess.Popen(
            [*command, code.format(first, last)],
            cwd=Path(__file__).parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for first, last in pairwise(ends)
    ]

    def call() -> list[float]:
        for process in processes:
            print("go", file=process.stdin, flush=True)
        answers = [process.stdout.readline() for process in processes if process.stdout]
        return [float(word) for answer in answers for word in answer.split()]

    return call


def serve(first: int, last: int) -> None:
    """What such a process does, until its input ends."""
    for _ in sys.stdin:
        print(*fit(range(first, last), 1), flush=True)


def run(bench: Bench) -> None:
    """The trainings, once all ways give the same losses."""
    if bench.threads == 1:
        return bench.title("one core: nothing to share out")
    bench.title(f"{TRAININGS} trainings of {EPOCHS} epochs", "the ratios are speed-ups")
    peers: Peers = {
        OURS: partial(by_workers, workers=bench.threads),
        "one worker": partial(by_workers, workers=1),
        "processes": by_processes,
    }
    result = bench.compare(f"{bench.threads} workers", peers, (bench.threads,), tolerance=0.0)
    alone = result.ratio["one worker"]
    limit = alone / result.ratio["processes"]
    print(f"    {alone:.2f}x by threads, {limit:.2f}x by processes of their own", flush=True)
