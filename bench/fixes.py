"""What each fix against overfitting is worth on real data, beside the plain network.

Ten seeds; each draws its own split and first weights, which all fixes share, so that differences to
the plain network are paired. Strengths are those of the papers or usual defaults, chosen once:
nothing was tuned to look right. The test rows choose nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from machine import cores

import minigrad as mg
from minigrad import _core, augment, callbacks, data, metrics, nn, optim
from minigrad.intervals import Interval, mean_interval

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


@dataclass(frozen=True)
class Run:
    """Figures of one training's last weights, on training and test rows."""

    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    seconds: float

    def same_as(self, other: Run) -> bool:
        """Whether all figures but the time are equal."""
        return replace(self, seconds=0.0) == replace(other, seconds=0.0)


def moved() -> list[nn.Module]:
    """Images of 8 x 8 pixels, each moved a little in train mode."""
    move = augment.RandomAffine(10, translate=(1 / 8, 1 / 8))
    return [nn.Unflatten(1, (1, 8, 8)), move, nn.Flatten()]


@dataclass
class Study:
    """All runs: problem -> fix -> one run a seed."""

    runs: dict[str, dict[str, list[Run]]] = field(default_factory=dict)
    beside: dict[tuple[str, str], str] = field(default_factory=dict)  # what a fix is compared with

    def difference(self, problem: str, fix: str, figure: str) -> Interval:
        """The paired difference to what the fix is compared with, with its 95% interval."""
        pairs = self._pairs(problem, fix)
        return mean_interval([getattr(a, figure) - getattr(b, figure) for a, b in pairs])

    def _pairs(self, problem: str, fix: str) -> list[tuple[Run, Run]]:
        runs, other = self.runs[problem], self.beside.get((problem, fix), "plain")
        return list(zip(runs[fix], runs[other], strict=True))

    def verdict(self, problem: str, fix: str) -> str:
        """Which of the two figures the fix surely changes, and whether for the better."""
        if all(a.same_as(b) for a, b in self._pairs(problem, fix)):
            return "did nothing: the same bits"
        loss = self.difference(problem, fix, "test_loss")
        accuracy = self.difference(problem, fix, "test_accuracy")
        words = [
            f"{name} {'better' if (interval.mean > 0) == up else 'worse'}"
            for name, interval, up in (("loss", loss, False), ("accuracy", accuracy, True))
            if interval.excludes_zero
        ]
        return ", ".join(words) or "no clear effect"

    def as_json(self) -> dict[str, Any]:
        """The runs as plain data."""
        return {
            problem: {fix: [asdict(run) for run in runs] for fix, runs in fixes.items()}
            for problem, fixes in self.runs.items()
        }

    def draw(self, path: Path) -> None:
        """Differences as dots with intervals: a row of panels a problem."""
        from minigrad.plots import INK, TRAIN, VALIDATION, figure, style

        heights = [len(fixes) for fixes in self.runs.values()]
        picture = figure(10, 1.4 + 0.3 * sum(heights))
        grid = picture.subplots(len(heights), 2, squeeze=False, sharex="col", height_ratios=heights)
        for axes, problem in zip(grid, self.runs, strict=True):
            names = [name for name in self.runs[problem] if name != "plain"]
            columns = (("test_loss", "test loss", 1), ("test_accuracy", "accuracy, points", 100))
            for axis, (column, label, scale) in zip(axes, columns, strict=True):
                for place, name in enumerate(names):
                    found = self.difference(problem, name, column)
                    good = (found.mean > 0) == (column == "test_accuracy")
                    color = (TRAIN if good else VALIDATION) if found.excludes_zero else "#a0aec0"
                    bounds = [scale * found.low, scale * found.high]
                    axis.plot(bounds, [place, place], color=color, lw=2.4, solid_capstyle="round")
                    axis.plot(scale * found.mean, place, "o", color=color, ms=6)
                axis.axvline(0, color=INK, lw=0.8)
                others = [self.beside.get((problem, name), "plain") for name in names]
                labels = [
                    name if other == "plain" else f"{name}, to {other}"
                    for name, other in zip(names, others, strict=True)
                ]
                axis.set_yticks(range(len(names)), labels)
                axis.set_ylim(len(names) - 0.5, -0.5)
                style(axis)
                if problem == list(self.runs)[-1]:
                    axis.set_xlabel(f"difference in {label}: fix - plain, or as named")
            axes[1].tick_params(labelleft=False)
            axes[0].set_title(problem, fontsize=10, color=INK, loc="left")
        picture.suptitle(
            "paired differences with 95% intervals: blue better, orange worse, grey not sure",
            fontsize=9,
            color=INK,
        )
        picture.savefig(path)


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


def study(quick: bool) -> Study:
    """Train everything, and print a table a problem."""
    seeds = range(3 if quick else 10)
    found = Study()
    for problem, fixes in problems():
        start = time.perf_counter()
        runs = {fix.name: side_by_side(partial(train, problem, fix), seeds) for fix in fixes}
        found.runs[problem.name] = runs
        found.beside |= {(problem.name, fix.name): fix.beside for fix in fixes}
        table(found, problem, len(seeds))
        print(f"{time.perf_counter() - start:.0f} s", flush=True)
    return found


def side_by_side(call: Callable[[int], Run], seeds: Sequence[int]) -> list[Run]:
    """One training a core at a time; the bits are those of one after another."""
    with ThreadPoolExecutor(len(cores()), initializer=_core.set_serial, initargs=(True,)) as pool:
        return list(pool.map(call, seeds))


def train(problem: Problem, fix: Fix, seed: int) -> Run:
    """One training; split, first weights and shuffling follow from the seed alone."""
    order = np.random.default_rng(seed).permutation(len(problem.x) - problem.test)
    rows = problem.train * fix.more
    train = problem.x[order[:rows]], problem.y[order[:rows]]
    rest = order[2 * problem.train :]  # also where the fix does not take more: the same rows
    val = problem.x[rest[: problem.val]], problem.y[rest[: problem.val]]
    if problem.test:
        test = problem.x[-problem.test :], problem.y[-problem.test :]
    else:
        test = problem.x[rest[problem.val :]], problem.y[rest[problem.val :]]
    mg.seed(seed)
    model = network(problem.sizes, **fix.network())
    trainer = mg.Trainer(
        model,
        nn.CrossEntropyLoss(label_smoothing=fix.smoothing),
        **problem.recipe(model, fix, problem.epochs),
        batch_size=problem.batch_size,
        seed=seed,
        progress=False,
        **fix.training(),
    )
    start = time.perf_counter()
    trainer.fit(train, val=val if problem.val else None, epochs=problem.epochs)
    seconds = time.perf_counter() - start
    return Run(*figures(trainer, *train), *figures(trainer, *test), seconds)


def network(
    sizes: Sequence[int], first: Sequence[Any] = (), dropout: float = 0.0, norm: bool = False
) -> nn.Module:
    """Linear layers and ReLU; batch norm before it, dropout behind it, where asked for."""
    layers = list(first)
    for inputs, outputs in pairwise(sizes[:-1]):
        layers.append(nn.Linear(inputs, outputs))
        if norm:
            layers.append(nn.BatchNorm1d(outputs))
        layers.append(nn.ReLU())
        if dropout:
            layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.Linear(*sizes[-2:]))


def figures(trainer: mg.Trainer, x: Any, y: Any) -> tuple[float, float]:
    """Cross-entropy (without any smoothing) and accuracy."""
    logits = mg.tensor(trainer.predict(x))
    loss = nn.functional.cross_entropy(logits, mg.tensor(y)).item()
    return loss, metrics.accuracy(logits.numpy(), y)


def table(found: Study, problem: Problem, seeds: int) -> None:
    """Means of every fix, and paired differences with their intervals."""
    runs = found.runs[problem.name]
    print(
        f"\n{problem.name}; {'-'.join(map(str, problem.sizes))}, {problem.epochs} epochs; ", end=""
    )
    others = {name: found.beside.get((problem.name, name), "plain") for name in runs}
    print(f"means of {seeds} seeds, 95% intervals of the paired difference to plain")
    for other in dict.fromkeys(others.values()):
        if other != "plain":
            named = ", ".join(name for name, beside in others.items() if beside == other)
            print(f"({named}: to {other})")
    head = (
        f"{'':23} {'train':>13} {'test':>13}   {'difference in loss':24} {'in accuracy, points':24}"
    )
    print(head)
    for name, of_seeds in runs.items():
        means = np.mean([list(asdict(run).values()) for run in of_seeds], axis=0)
        cells = f"{name:23} {means[0]:6.3f} {means[1]:6.1%} {means[2]:6.3f} {means[3]:6.1%}   "
        if name != "plain":
            loss = found.difference(problem.name, name, "test_loss")
            points = found.difference(problem.name, name, "test_accuracy")
            cells += f"{loss.mean:+.3f} [{loss.low:+.3f}, {loss.high:+.3f}]  "
            cells += (
                f"{100 * points.mean:+.2f} [{100 * points.low:+.2f}, {100 * points.high:+.2f}]  "
            )
            cells += found.verdict(problem.name, name)
        print(cells)
    sure = (len(runs) - 1) * 2 * 0.05
    print(f"Of {2 * (len(runs) - 1)} intervals about {sure:.1f} would exclude 0 by chance alone.")
