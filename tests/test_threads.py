"""Python threads that train at once, each eagerly, by a plan or by a trainer; forked children."""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim


def problem(seed: int) -> tuple[np.ndarray, np.ndarray, nn.Sequential]:
    """Data, and a network whose larger products are shared out to the pool."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((128, 8)).astype("float32")
    mg.seed(seed)
    model = nn.Sequential(
        nn.Linear(8, 256), nn.Tanh(), nn.Dropout(0.3), nn.Linear(256, 256), nn.Linear(256, 1)
    )
    return x, x[:, :1], model


def steps(seed: int, compiled: bool) -> nn.Module:
    x, y, model = problem(seed)
    optimizer = optim.AdamW(model.parameters(), lr=0.01)

    def step(x: mg.Tensor, y: mg.Tensor) -> mg.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    run = mg.compile(step) if compiled else step
    for _ in range(20):
        run(mg.tensor(x), mg.tensor(y))
    return model


def fit(seed: int) -> nn.Module:
    x, y, model = problem(seed)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    trainer = mg.Trainer(model, nn.MSELoss(), optimizer, batch_size=32, seed=seed, progress=False)
    trainer.fit((x, y), val=(x, y), epochs=5)
    return model


WAYS: dict[str, Callable[[int], nn.Module]] = {
    "eager": lambda seed: steps(seed, False),
    "plan": lambda seed: steps(seed, True),
    "trainer": fit,
}


@pytest.mark.parametrize("way", WAYS)
def test_python_threads_train_side_by_side(way: str) -> None:
    def train(seed: int, results: dict[int, bytes]) -> None:
        weights = WAYS[way](seed).parameters()
        results[seed] = b"".join(p.numpy().tobytes() for p in weights)

    alone: dict[int, bytes] = {}
    for seed in range(4):
        train(seed, alone)
    together: dict[int, bytes] = {}
    threads = [threading.Thread(target=train, args=(seed, together)) for seed in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert together == alone


def meet(*works: Callable[[], object]) -> None:
    """A thread for each work, changing places as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        workers = [threading.Thread(target=work) for work in works]
        for w in workers:
            w.start()
        for w in workers:
            w.join()
    finally:
        sys.setswitchinterval(before)


def test_gradients_of_several_threads_add_up() -> None:
    w = mg.ones(100, requires_grad=True)

    def work() -> None:
        for _ in range(500):
            (w * 2).sum().backward()
            assert w.grad is not None

    meet(*[work] * 4)
    assert w.grad is not None
    assert w.grad.tolist() == [4 * 500 * 2.0] * 100


def test_a_graph_serves_one_of_several_threads() -> None:
    refused: list[str] = []
    for _ in range(300):
        w = mg.ones(10, requires_grad=True)
        y = (w * 2).exp().sum()

        def work(y: mg.Tensor = y) -> None:
            try:
                y.backward()
            except RuntimeError as error:
                refused.append(str(error))

        meet(work, work)
    assert len(refused) == 300
    assert all("retain_graph=True" in text for text in refused)


def test_threads_that_keep_a_graph_see_it_whole_or_not_at_all() -> None:
    """While one of them uses it up."""
    outcomes: list[float | str] = []

    def grad(y: mg.Tensor, x: mg.Tensor, keep: bool) -> None:
        try:
            outcomes.append(mg.grad(y, x, retain_graph=keep)[0].item())
        except RuntimeError as error:
            outcomes.append(str(error))

    rounds = 150
    for _ in range(rounds):
        x = mg.ones(1, requires_grad=True)
        y = x
        for _ in range(100):
            y = -y
        ways = (functools.partial(grad, y, x, keep) for keep in (True, False, True, False))
        meet(*ways)
    assert len(outcomes) == 4 * rounds
    assert outcomes.count(1.0) >= rounds
    assert all(o == 1.0 or "pass retain_graph=True there" in str(o) for o in outcomes)


def test_the_thread_count_may_change_while_others_compute() -> None:
    before = mg.get_num_threads()
    x = mg.tensor(np.ones((300, 300), "float32"))
    sums: list[float] = []
    worker = threading.Thread(target=lambda: sums.extend((x @ x).sum().item() for _ in range(100)))
    try:
        worker.start()
        for i in range(100):
            mg.set_num_threads(1 + i % 3)
    finally:
        worker.join()
        mg.set_num_threads(before)
    assert sums == [300.0**3] * 100


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_computes() -> None:
    big = mg.tensor(np.arange(300_000, dtype="float32"))
    expected = (big * 2).sum().item()  # the pool is running
    child = os.fork()
    if child == 0:
        os._exit(0 if (big * 2).sum().item() == expected else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_thread_count_is_checked() -> None:
    before = mg.get_num_threads()
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        mg.set_num_threads(0)
    assert mg.get_num_threads() == before
