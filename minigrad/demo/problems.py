"""The demo's problems: a few rows to train on, and networks large enough to learn their noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from minigrad import nn
from minigrad.data import Dataset, load_digits, load_mnist, make_moons, split


@dataclass(frozen=True)
class Problem:
    """Data, networks and strengths of the fixes."""

    name: str
    train: Dataset
    val: Dataset
    plain: Callable[[], nn.Module]
    with_dropout: Callable[[], nn.Module]
    loss: nn.Module
    epochs: int
    patience: int
    l2: float = 1e-3
    note: str = ""


def moons(seed: int, quick: bool) -> Problem:
    """30 points to learn from and 500 hidden units: more than enough to learn the noise."""
    train, val = split(make_moons(100, noise=0.2, seed=seed), val=70, seed=seed)
    return Problem(
        "moons: 30 points to train on, 70 to validate; 2-500-1, with dropout 2-500-128-1",
        train,
        val,
        plain=lambda: nn.Sequential(nn.Linear(2, 500), nn.ReLU(), nn.Linear(500, 1)),
        with_dropout=lambda: _dropout_network(2, 500, 128, 1),
        loss=nn.BCEWithLogitsLoss(),
        epochs=200 if quick else 4000,
        patience=20 if quick else 200,
        note="\n  (The dropout runs use the larger network: there is more to overfit with.)",
    )


def digits(seed: int, quick: bool, mnist: Path | None) -> Problem:
    """A tenth of the real handwritten digits to learn from; of MNIST, 1000 images."""
    if mnist is None:
        train, val = split(load_digits(), val=0.9, seed=seed)
        name, pixels, hidden, epochs = "handwritten digits 8 x 8", 64, 256, 200
    else:
        images = load_mnist(mnist)
        _, train = split(images, val=min(1000, len(images[0]) // 2), seed=seed)
        images = load_mnist(mnist, train=False)
        _, val = split(images, val=min(2000, len(images[0]) // 2), seed=seed)
        name, pixels, hidden, epochs = "MNIST digits", images[0].shape[1], 256, 60
    return Problem(
        f"{name}: {len(train)} to train on, {len(val)} to validate; {pixels}-{hidden}-128-10",
        train,
        val,
        plain=lambda: nn.Sequential(
            *(nn.Linear(pixels, hidden), nn.ReLU()),
            *(nn.Linear(hidden, 128), nn.ReLU()),
            nn.Linear(128, 10),
        ),
        with_dropout=lambda: _dropout_network(pixels, hidden, 128, 10),
        loss=nn.CrossEntropyLoss(),
        epochs=5 if quick else epochs,
        patience=2 if quick else 15,
    )


def _dropout_network(inputs: int, first: int, second: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        *(nn.Linear(inputs, first), nn.ReLU(), nn.Dropout(0.5)),
        *(nn.Linear(first, second), nn.ReLU(), nn.Dropout(0.25)),
        nn.Linear(second, outputs),
    )
