"""A replay asks the system for no memory: a preloaded library counts."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import Tensor, _core, augment, nn, optim

HERE = Path(__file__).parent
COMPILER = shutil.which("cc")
COUNTABLE = COMPILER is not None and platform.libc_ver()[0] == "glibc"

RNG = np.random.default_rng(0)
BATCH = 30
ROWS = {
    "points": RNG.standard_normal((BATCH, 2)).astype("float32"),
    "many points": RNG.standard_normal((3000, 40)).astype("float32"),
    "images": RNG.standard_normal((BATCH, 1, 14, 14)).astype("float32"),
}
Learner = tuple[str, Callable[[], nn.Module], Callable[..., Tensor], Callable[..., optim.Optimizer]]


def cross_entropy(output: Tensor, _: Tensor) -> Tensor:
    return nn.functional.cross_entropy(output, output.argmax(dim=1))


LEARNERS: dict[str, Learner] = {
    "dense": (
        "points",
        lambda: nn.Sequential(nn.Linear(2, 500), nn.ReLU(), nn.Dropout(0.5), nn.Linear(500, 1)),
        nn.BCEWithLogitsLoss(),
        lambda p: optim.AdamW(p, lr=1e-3, weight_decay=0.1),
    ),
    "large": (
        "many points",
        lambda: nn.Sequential(nn.Linear(40, 300), nn.Tanh(), nn.Dropout(0.2), nn.Linear(300, 1)),
        nn.MSELoss(),
        lambda p: optim.SGD(p, lr=1e-3, momentum=0.9),
    ),
    "normed": (
        "points",
        lambda: nn.Sequential(nn.Linear(2, 64), nn.BatchNorm1d(64), nn.GELU(), nn.LayerNorm(64)),
        cross_entropy,
        lambda p: optim.RMSprop(p, lr=1e-3),
    ),
    "convolutional": (
        "images",
        lambda: nn.Sequential(
            *(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 16, 3, padding=1)),
            *(nn.MaxPool2d(2), nn.Dropout2d(0.2), nn.Flatten(), nn.Linear(16 * 36, 1)),
        ),
        nn.HuberLoss(),
        lambda p: optim.Adam(p, lr=1e-3),
    ),
    "augmented": (
        "images",
        lambda: nn.Sequential(
            *(augment.RandomAffine(10, (0.1, 0.1), shear=5), augment.ColorJitter(0.2, 0.2)),
            *(augment.RandomErasing(), nn.Flatten(), nn.Linear(14 * 14, 1)),
        ),
        nn.MSELoss(),
        lambda p: optim.SGD(p, lr=1e-3),
    ),
}


def allocations(name: str, epochs: int, threads: int) -> int:
    """How many a run of so many replays makes, in a process with the counter preloaded."""
    _core.set_num_threads(threads)
    counter = ctypes.CDLL(None).allocation_count
    counter.restype = ctypes.c_long
    rows, make, loss_fn, make_optimizer = LEARNERS[name]
    model = make()
    optimizer = make_optimizer(model.parameters())

    def step(x: Tensor, y: Tensor) -> Tensor:
        optimizer.zero_grad()
        output = model(x)
        penalty = sum((p * p).sum() for p in model.parameters())
        loss = loss_fn(output, y) + penalty * 1e-4
        loss.backward()
        optim.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss

    x = mg.tensor(ROWS[rows])
    y = mg.tensor((RNG.random((len(x), 1)) > 0.5).astype("float32"))
    compiled = mg.compile(step)
    for _ in range(3):
        compiled(x, y)
    part = _core.EpochPart(compiled.plans[0], [x, y], 0, len(x), True, [0], float(len(x)), [None])
    epoch = _core.Epoch([part], [float(len(x))])
    counts = []
    for n in (2, 2, epochs):  # the first fills the pools
        orders = np.tile(np.arange(len(x)), (n, 1))
        table = np.zeros((n, 2))
        before = counter()
        epoch.run(orders, table)
        counts.append(counter() - before)
    assert counter() > 1000, "it counts"
    return counts[2] - counts[1]


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> str:
    library = tmp_path_factory.mktemp("counter") / "count_allocations.so"
    source = HERE / "count_allocations.c"
    subprocess.run([COMPILER, "-shared", "-fPIC", "-O1", source, "-o", library], check=True)
    return str(library)


@pytest.mark.skipif(not COUNTABLE, reason="needs glibc and a C compiler")
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", LEARNERS)
def test_replays_allocate_nothing(counter: str, name: str, threads: int) -> None:
    code = (
        f"import sys; sys.path[:0] = [{str(HERE)!r}]; import test_allocation as t;"
        f"print(t.allocations({name!r}, 12, {threads}))"
    )
    found = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={**os.environ, "LD_PRELOAD": counter},
        check=True,
        capture_output=True,
        text=True,
    )
    assert int(found.stdout) == 0
