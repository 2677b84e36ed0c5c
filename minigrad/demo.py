"""The demo: networks that overfit, the usual fixes, and what each of them was worth.

Two problems, each trained with no fix, with an L2 penalty, with dropout, with early stopping, and
with all three. Nothing is tuned to look right; where a fix does not help, the table says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from minigrad import nn, optim, random
from minigrad.callbacks import Callback, EarlyStopping
from minigrad.data import Dataset, load_digits, load_mnist, make_moons, split
from minigrad.history import History
from minigrad.trainer import Trainer


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


@dataclass(frozen=True)
class Fix:
    """Which remedies a run uses."""

    name: str
    l2: bool = False
    dropout: bool = False
    early_stopping: bool = False


FIXES = (
    Fix("no fix"),
    Fix("L2", l2=True),
    Fix("dropout", dropout=True),
    Fix("early stopping", early_stopping=True),
    Fix("all three", l2=True, dropout=True, early_stopping=True),
)


@dataclass(frozen=True)
class Run:
    """What a run gave: figures of the weights that are left at its end."""

    fix: Fix
    history: History
    train: dict[str, float]
    val: dict[str, float]
    seconds: float

    @property
    def gap(self) -> float:
        """Validation minus training loss."""
        return self.val["loss"] - self.train["loss"]


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


def train(problem: Problem, fix: Fix, seed: int) -> Run:
    """Train one network and evaluate what it ended with."""
    start = time.perf_counter()
    random.seed(seed)
    model = problem.with_dropout() if fix.dropout else problem.plain()
    callbacks: list[Callback] = []
    if fix.early_stopping:
        callbacks.append(EarlyStopping(patience=problem.patience))
    trainer = Trainer(
        model,
        problem.loss,
        optim.Adam(model.parameters(), lr=1e-3),
        metrics=["accuracy"],
        callbacks=callbacks,
        penalty=nn.L2(problem.l2) if fix.l2 else None,
        seed=seed,
    )
    history = trainer.fit(problem.train, val=problem.val, epochs=problem.epochs)
    of_train, of_val = trainer.evaluate(problem.train), trainer.evaluate(problem.val)
    return Run(fix, history, of_train, of_val, time.perf_counter() - start)


def run_demo(
    out: str | PathLike[str], *, seed: int = 0, mnist: Path | None = None, quick: bool = False
) -> list[tuple[Problem, list[Run]]]:
    """Run everything, print tables while it goes, and write the picture to ``out``."""
    from minigrad.demo_plot import draw_demo
    from minigrad.plots import figure

    figure(1, 1)  # a missing extra or folder is told before the work, not after
    if not Path(out).resolve().parent.is_dir():
        raise FileNotFoundError(f"the folder of {out} does not exist")
    start = time.perf_counter()
    results = []
    for problem in (moons(seed, quick), digits(seed, quick, mnist)):
        print(f"\n{problem.name}\n\n{_HEADER}")
        runs = []
        for fix in FIXES:
            runs.append(train(problem, fix, seed))
            print(_line(runs[-1]), flush=True)
        print(f"\n{verdict(runs)}{problem.note}")
        results.append((problem, runs))
    draw_demo([(problem.name, runs) for problem, runs in results], out)
    print(
        "\nLosses are data losses in eval mode, without the penalty. Early stopping chooses its\n"
        "epoch by the validation data, so its validation figures are a little flattered.\n"
        f"\nThe curves are in {out}. {time.perf_counter() - start:.1f} s in all."
    )
    return results


_HEADER = (
    f"{'':14}  {'train':>8}  {'val':>8}  {'gap':>8}  {'train':>6}  {'val':>6}"
    f"  {'best':>5}  {'epochs':>6}  {'':>6}\n"
    f"{'fix':14}  {'loss':>8}  {'loss':>8}  {'':>8}  {'acc.':>6}  {'acc.':>6}"
    f"  {'epoch':>5}  {'run':>6}  {'s':>6}\n" + "-" * 81
)


def _line(run: Run) -> str:
    return (
        f"{run.fix.name:14}  {run.train['loss']:8.4f}  {run.val['loss']:8.4f}  {run.gap:+8.4f}"
        f"  {run.train['accuracy']:6.1%}  {run.val['accuracy']:6.1%}"
        f"  {run.history.best_epoch!s:>5}  {len(run.history):6}  {run.seconds:6.2f}"
    )


def verdict(runs: Sequence[Run]) -> str:
    """Say in words whether the first run overfits, and what the others were worth."""
    plain = runs[0]
    curve = plain.history["val_loss"]
    best = plain.history.best_epoch
    lines = []
    if best is not None and curve[-1] > 1.1 * curve[best]:
        lines.append(
            f"Without a fix it overfits: validation loss is {curve[best]:.3f} at epoch {best} and "
            f"{curve[-1]:.3f} at the end."
        )
    else:
        lines.append("Without a fix it does not overfit: validation loss ends near its best.")
    for run in runs[1:]:
        ratio = run.val["loss"] / plain.val["loss"]
        points = 100 * (run.val["accuracy"] - plain.val["accuracy"])
        effect = "helps" if ratio < 0.95 else "hurts" if ratio > 1.05 else "changes little"
        lines.append(
            f"  {run.fix.name} {effect}: "
            f"validation loss x {ratio:.2f}, accuracy {points:+.1f} points"
        )
    return "\n".join(lines)
