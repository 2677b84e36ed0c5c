"""Ctrl-C, as a signal from the system, ends work in C++ soon and leaves a model that goes on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from presses import CtrlC

import minigrad as mg
from minigrad import _core, nn, optim

pytestmark = pytest.mark.usefixtures("ctrl_c")

X = np.random.default_rng(0).standard_normal((256, 64)).astype("float32")
Y = X[:, :1]


@pytest.fixture
def model() -> nn.Sequential:
    mg.seed(0)
    return nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.Linear(256, 1))


@pytest.fixture
def asked() -> Iterator[_core.Interrupt]:
    """An interrupt that this thread watches: what it does comes at a place that one can foresee."""
    interrupt = _core.Interrupt()
    before = _core.watch(interrupt)
    yield interrupt
    _core.watch(before)


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
    ctrl_c = CtrlC(0.3)

    def work() -> None:
        ctrl_c.begin()
        step.over_batches([X, Y], order, 64)

    ctrl_c.ends(work)
    assert step.over_batches([X, Y], order[:256], 64)[0] > 0, "the plan still replays"
    check_it_goes_on(model)


@pytest.mark.parametrize("validation", [None, (X, Y)], ids=["plain", "validation"])
def test_a_fit(model: nn.Sequential, validation: tuple[np.ndarray, np.ndarray] | None) -> None:
    optimizer = optim.SGD(model.parameters(), lr=1e-3)
    for i in range(10):  # a moment between two calls into C++ must not lose it
        ctrl_c = CtrlC(0.3 if i == 9 else 0.01 * i)
        trainer = mg.Trainer(
            model, nn.MSELoss(), optimizer, batch_size=32, progress=False, callbacks=[ctrl_c]
        )
        ctrl_c.ends(lambda t=trainer: t.fit((X, Y), val=validation, epochs=1_000_000))
        history = trainer.history
        assert history.stop_reason == f"interrupted in epoch {len(history)}"
        assert len(history) < 1_000_000
    trainer.callbacks.remove(ctrl_c)
    trainer.fit((X, Y), val=validation, epochs=1)
    check_it_goes_on(model)


def test_a_step_is_not_cut_in_its_updates(asked: _core.Interrupt) -> None:
    weight = mg.tensor(np.ones(4, "float32"))
    big = np.ones(1 << 20, "float32")

    @mg.compile
    def step(x: mg.Tensor) -> mg.Tensor:
        before = weight.sum()
        weight.copy_(weight * 2)
        return before + (x.sigmoid() @ x)  # would be a place to stop, were there no update before

    harmless = mg.compile(lambda x: x.sigmoid() @ x)
    for function in (step, harmless):
        function(big)
    asked.request()
    step(big)
    assert weight.tolist() == [4, 4, 4, 4]
    with pytest.raises(KeyboardInterrupt):
        harmless(big)


def test_a_step_ends_before_its_updates(asked: _core.Interrupt) -> None:
    mg.seed(0)
    model = nn.Sequential(nn.Linear(64, 1024), nn.ReLU(), nn.Linear(1024, 1))
    optimizer = optim.SGD(model.parameters(), lr=0.001, momentum=0.9)
    x, y = np.tile(X, (4, 1)), np.tile(Y, (4, 1))

    @mg.compile
    def step(x: mg.Tensor, y: mg.Tensor) -> mg.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    losses = [step(x, y).item()]
    weights = [p.numpy().copy() for p in model.parameters()]
    asked.request()
    with pytest.raises(KeyboardInterrupt):
        step(x, y)
    for before, now in zip(weights, model.parameters(), strict=True):
        assert before.tobytes() == now.numpy().tobytes()
    losses += [step(x, y).item() for _ in range(5)]
    assert losses == sorted(losses, reverse=True)


def test_backward_ends_between_two_gradients(asked: _core.Interrupt) -> None:
    x = mg.tensor(np.ones(1 << 19, "float32"), requires_grad=True)
    y = ((x * 2).exp() * x).sum()
    asked.request()
    with pytest.raises(KeyboardInterrupt):
        y.backward()
    x.grad = None
    (x * 3).sum().backward()
    assert x.grad is not None
    assert x.grad[0].item() == 3


def test_a_long_convolution_ends_between_two_rounds(asked: _core.Interrupt) -> None:
    rng = np.random.default_rng(0)
    x = mg.tensor(rng.standard_normal((17, 64, 44, 44), "float32"))
    w = mg.tensor(rng.standard_normal((64, 64, 3, 3), "float32"))
    whole = nn.functional.conv2d(x, w).numpy()
    parts = [nn.functional.conv2d(x[i : i + 1], w).numpy() for i in (0, 8, 9, 16)]
    assert whole[[0, 8, 9, 16]].tobytes() == np.concatenate(parts).tobytes()
    asked.request()
    with pytest.raises(KeyboardInterrupt):
        nn.functional.conv2d(x, w)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((1310, 1290), (1290, 1310)),
        ((9000, 500), (500, 500)),
        ((500, 500), (500, 9000)),
        ((40, 380, 380), (40, 380, 380)),
    ],
    ids=str,
)
def test_a_long_product_ends_unfinished(
    asked: _core.Interrupt, left: tuple[int, ...], right: tuple[int, ...], threads: int
) -> None:
    before = _core.get_num_threads()
    _core.set_num_threads(threads)
    try:
        rng = np.random.default_rng(0)
        x = mg.tensor(rng.standard_normal(left, "float32"))
        y = mg.tensor(rng.standard_normal(right, "float32"))
        asked.request()
        with pytest.raises(KeyboardInterrupt):
            x @ y
        whole = (x @ y).numpy()  # asked once, answered once
    finally:
        _core.set_num_threads(before)
    for i in (0, left[-2] // 2, left[-2] - 2):
        rows = (x[..., i : i + 2, :] @ y).numpy()
        assert whole[..., i : i + 2, :].tobytes() == rows.tobytes()
