"""The demo's trainings: one problem with one fix, or with all of them."""

from __future__ import annotations

import time
from dataclasses import dataclass

from minigrad import nn, optim, random
from minigrad.callbacks import Callback, EarlyStopping
from minigrad.demo.problems import Problem
from minigrad.history import History
from minigrad.trainer import Trainer


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
