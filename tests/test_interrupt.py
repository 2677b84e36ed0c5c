"""Ctrl-C, as a signal from the system, ends work in C++ soon and leaves a model that goes on."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim

pytestmark = pytest.mark.usefixtures("ctrl_c")

X = np.random.default_rng(0).standard_normal((256, 64)).astype("float32")
Y = X[:, :1]


@pytest.fixture
def model() -> nn.Sequential:
    mg.seed(0)
    return nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.Linear(256, 1))


def interrupted(work: Callable[[], object], after: float = 0.3) -> None:
    """Runs work, which would take minutes, until Ctrl-C ends it; pressed again, it is too late."""
    pressed: list[float] = []

    def press() -> None:
        pressed.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    timers = [threading.Timer(after, press), threading.Timer(after + 10, press)]

    def run() -> None:
        for timer in timers:
            timer.start()
        work()

    try:
        with pytest.raises(KeyboardInterrupt):
            run()
    finally:
        for timer in timers:
            timer.cancel()
    assert time.monotonic() - pressed[0] < 5


def check_it_goes_on(model: nn.Sequential) -> None:
    weights = [p.numpy() for p in model.parameters()]
    assert all(np.isfinite(w).all() for w in weights)
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    trainer = mg.Trainer(model, nn.MSELoss(), optimizer, batch_size=32, progress=False)
    losses = trainer.fit((X, Y), epochs=20)["loss"]
    assert losses[-1] < 0.1


def test_a_plan_over_batches(model: nn.Sequential) -> None:
    optimizer = optim.SGD(model.parameters(), lr=1e-3)

    @mg.compile
    def step(x: mg.Tensor, y: mg.Tensor) -> mg.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    order = np.arange(5_000_000) % 256
    interrupted(lambda: step.over_batches([X, Y], order, 64))
    assert step.over_batches([X, Y], order[:256], 64)[0] > 0, "the plan still replays"
    check_it_goes_on(model)


@pytest.mark.parametrize("validation", [None, (X, Y)], ids=["plain", "validation"])
def test_a_fit(model: nn.Sequential, validation: tuple[np.ndarray, np.ndarray] | None) -> None:
    optimizer = optim.SGD(model.parameters(), lr=1e-3)
    trainer = mg.Trainer(model, nn.MSELoss(), optimizer, batch_size=32, progress=False)
    for i in range(10):  # a moment between two calls into C++ must not lose it
        after = 0.3 if i == 9 else 0.01 * i
        interrupted(lambda: trainer.fit((X, Y), val=validation, epochs=1_000_000), after)
    assert "interrupt" in trainer.history.stop_reason.lower()
    epochs = len(trainer.history)
    assert epochs < 1_000_000
    trainer.fit((X, Y), val=validation, epochs=1)
    check_it_goes_on(model)
