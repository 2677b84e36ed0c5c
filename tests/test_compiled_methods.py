"""@mg.compile on methods in a class body, and on functions that another compiled one calls."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref

import numpy as np

import minigrad as mg
from minigrad import nn, optim

X = np.random.default_rng(0).standard_normal((8, 4)).astype("float32")
Y = np.zeros((8, 1), "float32")


class Learner:
    def __init__(self, seed: int, scale: float = 1.0) -> None:
        mg.seed(seed)
        self.model = nn.Linear(4, 1)
        self.optimizer = optim.Adam(self.model.parameters(), lr=0.1)
        self.scale = scale

    def run(self, x, y):
        """One step."""
        self.optimizer.zero_grad()
        loss = nn.functional.mse_loss(self.model(x) * self.scale, y)
        loss.backward()
        self.optimizer.step()
        return loss

    step = mg.compile(run)


class Negative(Learner):
    @mg.compile
    def step(self, x, y):
        return -super().step(x, y)


def losses(learner, count=3):
    return [learner.step(X, Y).item() for _ in range(count)]


def eager(seed, scale=1.0, count=3):
    learner = Learner(seed, scale)
    return [learner.run(mg.tensor(X), mg.tensor(Y)).item() for _ in range(count)]


def test_each_object_has_its_plans():
    one, two = Learner(1), Learner(2, 3.0)
    taken = [(one.step(X, Y).item(), two.step(X, Y).item()) for _ in range(3)]
    assert [pair[0] for pair in taken] == eager(1)
    assert [pair[1] for pair in taken] == eager(2, 3.0)
    assert len(one.step.plans) == len(two.step.plans) == 1
    assert one.step is one.step is not two.step
    assert Learner.step.plans == []
    assert one.step.__doc__ == "One step."


def test_a_changed_attribute_is_seen_by_the_object_that_has_it():
    one, two = Learner(1), Learner(1)
    losses(one, 1), losses(two, 1)
    one.scale = 5.0
    assert losses(one, 1) != losses(two, 1)
    assert losses(one, 1) != losses(two, 1)


def test_a_method_of_a_subclass_may_call_that_of_its_base():
    assert losses(Negative(1)) == [-loss for loss in eager(1)]


def test_forward_of_a_module():
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 2)

        @mg.compile
        def forward(self, x):
            return self.layer(x).relu()

    net, other = Net(), Net()
    for each in (net, other):
        for _ in range(2):
            assert np.array_equal(each(X).numpy(), each.layer(mg.tensor(X)).relu().numpy())
    assert list(net.state_dict()) == ["layer.weight", "layer.bias"]
    assert [name for name, _ in net.named_modules()] == ["", "layer"]


def test_copies_begin_without_plans():
    learner = Learner(1)
    losses(learner, 2)
    for made in (copy.deepcopy(learner), pickle.loads(pickle.dumps(learner))):
        assert made.step.plans == []
        assert made.step is not learner.step
        assert np.isfinite(losses(made)).all()


def test_objects_with_plans_are_freed():
    learner = Learner(1)
    losses(learner)
    gone = weakref.ref(learner)
    del learner
    gc.collect()
    assert gone() is None


def test_slots_and_static_methods():
    class Slotted:
        __slots__ = ("weight",)

        def __init__(self, weight: float) -> None:
            self.weight = weight

        @mg.compile
        def scaled(self, x):
            return x * self.weight

        @staticmethod
        @mg.compile
        def twice(x):
            return x * 2

        @classmethod
        @mg.compile
        def named(cls, x):
            return x * len(cls.__name__)

    for weight in (2.0, 3.0):
        assert np.array_equal(Slotted(weight).scaled(X).numpy(), X * np.float32(weight))
    for _ in range(2):
        assert np.array_equal(Slotted(1.0).twice(X).numpy(), X * 2)
        assert np.array_equal(Slotted.named(X).numpy(), X * 7)


def test_a_compiled_function_is_a_part_of_the_one_that_calls_it():
    model = nn.Linear(4, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    factor = 2.0

    @mg.compile
    def loss_of(x, y):
        return ((model(x) - y) ** 2).mean() * factor

    @mg.compile
    def step(x, y):
        optimizer.zero_grad()
        loss = loss_of(x, y)
        loss.backward()
        optimizer.step()
        return loss

    taken = [step(X, Y).item() for _ in range(4)]
    assert taken == sorted(taken, reverse=True)
    assert len(step.plans) == 1
    assert step(X, Y).item() < taken[-1]
    assert loss_of.plans == []
    before = loss_of(X, Y).item()
    factor = 20.0  # only the inner function names it
    assert abs(step(X, Y).item() - 10 * before) < 1e-5 * before


def test_a_compiled_loss_in_the_trainer():
    def loss(output, target):
        return ((output - target) ** 2).mean()

    found = []
    for each in (loss, mg.compile(loss)):
        mg.seed(0)
        model = nn.Linear(4, 1)
        trainer = mg.Trainer(model, each, optim.SGD(model.parameters(), lr=0.1))
        found.append(list(trainer.fit((X, Y), epochs=4)["loss"]))
    assert found[0] == found[1]


def test_without_plans_it_is_given_tensors_all_the_same(monkeypatch):
    scaled = mg.compile(lambda x, pair: x.relu() * pair["factor"].sum())
    planned = scaled(X, {"factor": X})
    monkeypatch.setenv("MINIGRAD_EAGER", "1")
    eager = mg.compile(lambda x, pair: x.relu() * pair["factor"].sum())(X, {"factor": X})
    assert np.array_equal(planned.numpy(), eager.numpy())
