"""What a callback changes during fit is trained with from then on, as between two fits."""

import random

import numpy as np
import pytest
from trainers import X, Y, same, weights

import minigrad as mg
from minigrad import nn, optim
from minigrad.callbacks import Callback
from minigrad.trainer import Trainer

GLOBAL = 1.0


class Loss:
    factor = 1.0

    def __call__(self, output, target):
        return ((output - target) ** 2).mean() * self.factor


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(3, 1)
        self.options = {"k": 1.0}

    def forward(self, x):
        return self.out(x) * self.options["k"]


class At3(Callback):
    def __init__(self, change):
        self.change = change

    def on_epoch_begin(self, trainer):
        if len(trainer.history) == 3:
            self.change(trainer)


def by_global(output, target):
    return ((output - target) ** 2).mean() * GLOBAL


def in_dict(options):
    return lambda output, target: ((output - target) ** 2).mean() * options["k"]


def set_global(trainer):
    globals()["GLOBAL"] = 3.0


# Arguments made anew for each training, and what is changed.
CHANGES = {
    "nothing": (dict, lambda t: None),
    "lr": (dict, lambda t: t.optimizer.param_groups[0].update(lr=0.2)),
    "momentum": (dict, lambda t: t.optimizer.param_groups[0].update(momentum=0.9)),
    "penalty": (dict, lambda t: setattr(t, "penalty", nn.L2(0.1))),
    "another penalty": (
        lambda: {"penalty": nn.L2(1e-3)},
        lambda t: setattr(t, "penalty", nn.L2(0.1)),
    ),
    "no penalty": (lambda: {"penalty": nn.L2(0.5)}, lambda t: setattr(t, "penalty", None)),
    "l2": (lambda: {"penalty": nn.L2(0.0)}, lambda t: setattr(t.penalty, "l2", 0.1)),
    "l2 in a sum": (
        lambda: {"penalty": nn.L1(0.1) + nn.L2(0.0)},
        lambda t: setattr(t.penalty.second, "l2", 0.1),
    ),
    "clip_grad_norm": (dict, lambda t: setattr(t, "clip_grad_norm", 0.01)),
    "constraint": (dict, lambda t: setattr(t, "constraint", nn.MaxNorm(0.1))),
    "max_norm": (
        lambda: {"constraint": nn.MaxNorm(5.0)},
        lambda t: setattr(t.constraint, "max_norm", 0.1),
    ),
    "loss": (dict, lambda t: setattr(t, "loss", nn.L1Loss())),
    "attribute of a loss": (lambda: {"loss": Loss()}, lambda t: setattr(t.loss, "factor", 3.0)),
    "global of a loss": (lambda: {"loss": by_global}, set_global),
    "dict of a loss": (
        lambda: {"loss": in_dict({"k": 1.0})},
        lambda t: t.loss.__closure__[0].cell_contents.update(k=3.0),
    ),
    "dict of a module": (lambda: {"model": Net()}, lambda t: t.model.options.update(k=3.0)),
    "attribute of mix": (
        lambda: {"mix": mg.augment.MixUp(0.1)},
        lambda t: setattr(t.mix, "alpha", 4.0),
    ),
}


def make(arguments, callbacks=()):
    mg.seed(0)
    random.seed(0)
    globals()["GLOBAL"] = 1.0
    arguments = {"loss": nn.MSELoss(), "batch_size": 20, **arguments()}
    model = arguments.pop("model", None) or nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1))
    optimizer = optim.SGD(model.parameters(), lr=0.02)
    loss = arguments.pop("loss")
    return Trainer(model, loss, optimizer, callbacks=callbacks, progress=False, **arguments)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("eager", ["0", "1"])
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_during_fit_is_one_between_fits(name, eager, monkeypatch):
    monkeypatch.setenv("MINIGRAD_EAGER", eager)
    arguments, change = CHANGES[name]
    during = make(arguments, [At3(change)])
    during.fit((X, Y), epochs=7)
    between = make(arguments)
    between.fit((X, Y), epochs=3)
    change(between)
    between.fit((X, Y), epochs=4)
    assert same(weights(during.model), weights(between.model))
    without = make(arguments)
    without.fit((X, Y), epochs=7)
    assert same(weights(during.model), weights(without.model)) == (name == "nothing")
    penalties = during.history["penalty"] if "penalty" in during.history.columns else []
    assert not np.any(penalties[3:]) or name != "no penalty"


def test_an_unchanged_training_is_recorded_once(monkeypatch):
    begun = []
    begin = Trainer.begin
    monkeypatch.setattr(Trainer, "begin", lambda self, **how: begun.append(1) or begin(self, **how))
    trainer = make(lambda: {"penalty": nn.L2(0.1)}, [At3(lambda t: None)])
    begun.clear()
    trainer.fit((X, Y), val=(X, Y), epochs=20)
    assert len(begun) == 1


def test_where_nobody_may_change_anything_nobody_looks(monkeypatch):
    trainer = make(dict)
    monkeypatch.setattr(Trainer, "outdated", lambda self: pytest.fail("looked"))
    trainer.fit((X, Y), epochs=20)


def test_pythons_random_numbers_are_drawn_at_every_step(monkeypatch):
    class Coin(nn.Module):
        def __init__(self):
            super().__init__()
            self.out = nn.Linear(3, 1)

        def forward(self, x):
            return self.out(x) * (random.random() if self.training else 1.0)

    planned = make(lambda: {"model": Coin()})
    with pytest.warns(UserWarning, match="op by op.*random numbers of Python or numpy"):
        planned.fit((X, Y), epochs=5)
    monkeypatch.setenv("MINIGRAD_EAGER", "1")
    eager = make(lambda: {"model": Coin()})
    eager.fit((X, Y), epochs=5)
    assert same(weights(planned.model), weights(eager.model))
