"""The fixes, and the problems that they are tried on.

Strengths are those of the papers or usual defaults, chosen once: nothing was tuned to look right.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from minigrad import augment, callbacks, data, nn, optim

MNIST = "MINIGRAD_MNIST"  # names a folder with MNIST's two t10k files


@dataclass(frozen=True)
class Fix:
    """What differs from the plain training; the callables make fresh objects for every run."""

    name: str
    network: Callable[[], dict[str, Any]] = dict
    training: Callable[[], dict[str, Any]] = dict
    weight_decay: float = 0.0
    smoothing: float = 0.0
    more: int = 1  # times the training rows
    beside: str = "plain"  # the fix that it is compared with


def adamw(model: nn.Module, fix: Fix, epochs: int) -> dict[str, Any]:
    """The usual optimizer of today."""
    decay = fix.weight_decay
    return {"optimizer": optim.AdamW(model.parameters(), lr=1e-3, weight_decay=decay)}


def fast_sgd(model: nn.Module, fix: Fix, epochs: int) -> dict[str, Any]:
    """As the paper of dropout has it (Srivastava et al., 2014, appendix A): ten times the usual
    learning rate of 0.01, momentum 0.95, and a rate that decays. Only so do weights grow as large
    as max-norm allows."""
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.95)
    return {
        "optimizer": optimizer,
        "scheduler": optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs),
    }


@dataclass(frozen=True)
class Problem:
    """Rows, sizes of the layers, and how to train and how long."""

    name: str
    x: Any
    y: Any
    test: int  # the last rows, or 0: all that are left over
    train: int
    val: int
    sizes: tuple[int, ...]
    epochs: int
    batch_size: int
    recipe: Callable[[nn.Module, Fix, int], dict[str, Any]] = adamw


def moved() -> list[nn.Module]:
    """Images of 8 x 8 pixels, each moved a little in train mode."""
    move = augment.RandomAffine(10, translate=(1 / 8, 1 / 8))
    return [nn.Unflatten(1, (1, 8, 8)), move, nn.Flatten()]


DIGITS_FIXES = (
    Fix("plain"),
    Fix("L1 1e-4", training=lambda: {"penalty": nn.L1(1e-4)}),
    Fix("L2 1e-3", training=lambda: {"penalty": nn.L2(1e-3)}),
    Fix("decoupled decay 0.01", weight_decay=0.01),
    Fix("decoupled decay 0.1", weight_decay=0.1),
    Fix("dropout 0.5", lambda: {"dropout": 0.5}),
    Fix("dropout + max-norm 3", lambda: {"dropout": 0.5}, lambda: {"constraint": nn.MaxNorm(3.0)}),
    Fix("dropout + max-norm 1", lambda: {"dropout": 0.5}, lambda: {"constraint": nn.MaxNorm(1.0)}),
    Fix(
        "early stopping",
        training=lambda: {"callbacks": [callbacks.EarlyStopping(patience=20)]},
    ),
    Fix("EMA 0.99", training=lambda: {"callbacks": [callbacks.AverageWeights(0.99)]}),
    Fix(
        "SWA, last 50 epochs",
        training=lambda: {"callbacks": [callbacks.AverageWeights(start=150)]},
    ),
    Fix("batch norm", lambda: {"norm": True}),
    Fix("label smoothing 0.1", smoothing=0.1),
    Fix("gaussian noise 0.1", lambda: {"first": [nn.GaussianNoise(0.1)]}),
    Fix("shift 1 pixel, turn 10°", lambda: {"first": moved()}),
    Fix("MixUp 0.2", training=lambda: {"mix": augment.MixUp(0.2)}),
    Fix("twice the data", more=2),
)

MNIST_FIXES = (
    Fix("plain"),
    Fix("dropout 0.5", lambda: {"dropout": 0.5}),
    Fix("dropout + max-norm 3", lambda: {"dropout": 0.5}, lambda: {"constraint": nn.MaxNorm(3.0)}),
    Fix("dropout + max-norm 1", lambda: {"dropout": 0.5}, lambda: {"constraint": nn.MaxNorm(1.0)}),
)


def dropped() -> dict[str, Any]:
    """A fifth of the inputs and half of the hidden units, as in the paper."""
    return {"first": [nn.Dropout(0.2)], "dropout": 0.5}


# The paper has c from 3 to 4, and 2 for MNIST. Beside dropout, so that the effect is max-norm's.
PAPER_FIXES = (
    Fix("plain"),
    Fix("dropout 0.2, 0.5", dropped),
    *[
        Fix(
            f"+ max-norm {c}",
            dropped,
            partial(lambda c: {"constraint": nn.MaxNorm(c)}, float(c)),
            beside="dropout 0.2, 0.5",
        )
        for c in (4, 3, 2)
    ],
)


def problems() -> list[tuple[Problem, tuple[Fix, ...]]]:
    """The digits of scikit-learn, and 1000 images of MNIST if there are any."""
    x, y = data.load_digits()
    digits = Problem("digits, 120 to train", x, y, 0, 120, 150, (64, 256, 256, 10), 200, 32)
    fast = replace(digits, name="digits, high rate and momentum", recipe=fast_sgd)
    found = [(digits, DIGITS_FIXES), (fast, PAPER_FIXES)]
    if folder := os.environ.get(MNIST):
        x, y = data.load_mnist(folder, train=False)
        sizes = (784, 512, 512, 10)
        mnist = Problem("MNIST, 1000 to train", x, y, 2000, 1000, 0, sizes, 50, 64)
        fast = replace(mnist, name="MNIST, high rate and momentum", recipe=fast_sgd)
        found += [(mnist, MNIST_FIXES), (fast, PAPER_FIXES)]
    else:
        print(f"MNIST is left out: let {MNIST} name a folder with its t10k files")
    return found
