"""Cross-validation: a fresh training on every fold, and what its scores say together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

import numpy as np
import numpy.typing as npt

from minigrad import random
from minigrad._check import integer
from minigrad.callbacks import ProgressBar
from minigrad.callbacks.progress import counting
from minigrad.data.dataset import Dataset
from minigrad.data.split import Stratify, k_fold
from minigrad.history import History
from minigrad.intervals import Interval, mean_interval
from minigrad.metrics import METRICS
from minigrad.nn import Module
from minigrad.trainer import Trainer

__all__ = ["CrossValidation", "Fold", "cross_validate"]

Prepare = Callable[[Dataset, Dataset], tuple[Any, Any]]

# The models of all folds so far, in this process.
_trained: WeakSet[Module] = WeakSet()


@dataclass(frozen=True)
class Fold:
    """One fold: its history, and the figures of the weights that its training ended with.

    Attributes:
        number: from 0.
        rows: how many rows trained and how many validated.
        history: of the fold's training.
        train: loss and metrics of its training rows, in eval mode.
        val: those of its validation rows.
    """

    number: int
    rows: tuple[int, int]
    history: History
    train: dict[str, float]
    val: dict[str, float]


@dataclass(frozen=True)
class CrossValidation:
    """What :func:`cross_validate` found; ``print`` shows the table."""

    folds: list[Fold]
    confidence: float = 0.95

    @property
    def histories(self) -> list[History]:
        """The history of every fold."""
        return [fold.history for fold in self.folds]

    @property
    def columns(self) -> list[str]:
        """``val_loss``, the ``val_`` metrics, then the same of the training rows."""
        names = list(self.folds[0].val)
        return [f"val_{name}" for name in names] + names

    def __getitem__(self, column: str) -> npt.NDArray[np.float64]:
        """The figures of one column, (k,)."""
        if column not in self.columns:
            raise KeyError(f"no column {column!r} in {self.columns}")
        name = column.removeprefix("val_")
        parts = [fold.val if column.startswith("val_") else fold.train for fold in self.folds]
        return np.array([part[name] for part in parts], np.float64)

    def interval(self, column: str) -> Interval:
        """Mean and confidence interval of one column, widened as folds share training rows.

        The correction is that of Nadeau and Bengio (2003); see ``minigrad.intervals``. It ends
        where the metric of that name does, such as an accuracy at 1.
        """
        train, val = np.sum([fold.rows for fold in self.folds], axis=0)
        found = mean_interval(self[column].tolist(), self.confidence, test_share=val / train)
        metric = METRICS.get(column.removeprefix("val_"))
        return found if metric is None else found.within(*metric.bounds)

    def __str__(self) -> str:
        """A table: one row a fold, then mean and interval of every column."""
        width = {name: max(9, len(name)) for name in self.columns}
        lines = ["fold  " + "  ".join(f"{name:>{width[name]}}" for name in self.columns)]
        for i, fold in enumerate(self.folds):
            cells = (f"{self[name][i]:{width[name]}.4g}" for name in self.columns)
            lines.append(f"{fold.number:4}  " + "  ".join(cells))
        for label in ("mean", "low", "high"):
            cells = (
                f"{getattr(self.interval(name), label):{width[name]}.4g}" for name in self.columns
            )
            lines.append(f"{label:4}  " + "  ".join(cells))
        rows = f"{len(self.folds)} folds, {self.confidence:.0%} intervals of the mean"
        rows += " (Student's t, widened after Nadeau and Bengio)"
        return "\n".join([*lines, rows])


def cross_validate(
    build: Callable[[], Trainer],
    data: Any,
    k: int = 5,
    *,
    epochs: int,
    prepare: Prepare | None = None,
    seed: int = 0,
    stratify: Stratify = "auto",
    groups: npt.ArrayLike | None = None,
    executor: Executor | None = None,
    confidence: float = 0.95,
    progress: bool | None = None,
) -> CrossValidation:
    """Train ``k`` times, each time without one fold, which then validates.

    The same seed gives the same bits, one after another or with any executor. Where callbacks
    choose the epoch by the validation rows (EarlyStopping), the scores are a little flattered.

    Args:
        build: makes a fresh Trainer with a fresh model; called once a fold, with random numbers
            that follow from ``seed`` and the fold. For a ProcessPoolExecutor it must be a function
            at the top of a module.
        data: ``(x, y)`` or a Dataset.
        k: folds, see ``data.k_fold``.
        epochs: of each training, unless a callback stops it earlier.
        prepare: ``prepare(train, val) -> (train, val)``, for what must be learned from the training
            rows alone, such as mean and spread.
        seed: of the folds and of ``build``.
        stratify: keep the shares of the classes, as in ``data.split``.
        groups: (n,) labels; rows with one label stay in one fold.
        executor: where the folds are trained: any ``concurrent.futures.Executor``; None: here, one
            after another.
        confidence: of the intervals.
        progress: show a bar of folds on stderr; None: on a terminal.

    Returns:
        CrossValidation: ``folds``, ``histories``, ``result["val_loss"]``, ``interval("val_loss")``.

    Raises:
        TypeError: ``build`` is no function, or returned no Trainer.
        ValueError: ``build`` returned a model that another fold has trained.
        Exception: what a fold raised, with its number added; folds not yet begun are cancelled.

    Example:
        >>> import minigrad as mg
        >>> from minigrad import data, nn, optim
        >>> def build():
        ...     model = nn.Sequential(nn.Linear(2, 20), nn.Tanh(), nn.Linear(20, 1))
        ...     optimizer = optim.Adam(model.parameters(), lr=0.05)
        ...     return mg.Trainer(model, nn.BCEWithLogitsLoss(), optimizer, metrics=["accuracy"])
        >>> found = mg.cross_validate(build, data.make_moons(100, noise=0.1), k=4, epochs=20)
        >>> len(found.folds), found["val_accuracy"].shape, found.interval("val_accuracy").mean > 0.8
        (4, (4,), True)
    """
    if not callable(build):
        raise TypeError(
            "build must be a function that makes a fresh Trainer, called once a fold; got "
            f"{type(build).__name__}"
        )
    integer("epochs", epochs, 1)
    mean_interval([0.0, 0.0], confidence)  # a wrong one is named before hours of training
    pairs = k_fold(data, k, seed=seed, stratify=stratify, groups=groups)
    jobs = [(build, prepare, train, val, i, seed, epochs) for i, (train, val) in enumerate(pairs)]
    with counting(k, "fold", progress) as advance:
        folds = []
        for fold in _in_turn(jobs) if executor is None else _spread(executor, jobs):
            folds.append(fold)
            advance(f"val loss {fold.val['loss']:.4g}")
    return CrossValidation(sorted(folds, key=lambda fold: fold.number), confidence)


def _train_fold(
    build: Callable[[], Trainer],
    prepare: Prepare | None,
    train: Any,
    val: Any,
    number: int,
    seed: int,
    epochs: int,
) -> Fold:
    rows = len(train), len(val)
    kept = random.default_generator.get_state()
    try:
        random.default_generator.set_state((seed, number << 32))  # folds never meet
        trainer = build()
        if not isinstance(trainer, Trainer):
            raise TypeError(f"build must return a Trainer, got {type(trainer).__name__}")
        if trainer.model in _trained:
            raise ValueError(
                "build returned a model that another fold has trained, which has seen the rows of "
                "this one: make the model inside build"
            )
        _trained.add(trainer.model)
        for callback in trainer.callbacks:
            if isinstance(callback, ProgressBar) and callback.show is None:
                callback.show = False  # the folds have a bar of their own
        if prepare is not None:
            train, val = prepare(train, val)
        history = trainer.fit(train, val=val, epochs=epochs)
        return Fold(number, rows, history, trainer.evaluate(train), trainer.evaluate(val))
    except Exception as error:
        error.add_note(f"in fold {number} of the cross-validation")
        raise
    finally:
        random.default_generator.set_state(kept)


def _in_turn(jobs: Sequence[tuple[Any, ...]]) -> Iterator[Fold]:
    """Train the folds here, one after another."""
    for job in jobs:
        yield _train_fold(*job)


def _spread(executor: Executor, jobs: Sequence[tuple[Any, ...]]) -> Iterator[Fold]:
    """Train the folds on an executor; yield them as they are done."""
    futures: list[Future[Fold]] = [executor.submit(_train_fold, *job) for job in jobs]
    try:
        for future in as_completed(futures):
            yield future.result()
    finally:  # also where the caller is interrupted
        for future in futures:
            future.cancel()
