"""Epochs in the core: steps, evaluations and figures of many epochs in one call."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from minigrad import _core
from minigrad._core import Epoch, EpochPart, EpochState, Plan, Tensor
from minigrad.metrics import Metric
from minigrad.training.contract import EVALUATION_ROWS
from minigrad.training.feed import Feed
from minigrad.training.learner import Learner
from minigrad.training.running import total_weight

Array = npt.NDArray[Any]


class PlannedEpochs:
    """An epoch of one training, put together from the plans of its learner.

    Args:
        learner: has stepped and evaluated on every batch shape, so that there are plans.
        train: the rows to train on, in memory.
        validation: the rows to validate on, in memory, or None.
        spans: ``(start, stop)`` of each batch in the epoch's order.
        seed: of the orders.
        figures: the names of the figures wanted, as in the history.
        running: whether those of the training rows are taken from the steps.

    Raises:
        LookupError: a part of the epoch has no plan.
    """

    def __init__(
        self,
        learner: Learner,
        train: Feed,
        validation: Feed | None,
        spans: list[tuple[int, int]],
        seed: int,
        figures: list[str],
        running: bool,
    ) -> None:
        self._learner = learner
        self._figures = figures
        self._parts: list[EpochPart] = []
        self._rows = [1.0] * len(figures)
        # What is measured with numpy after the call: prefix, metrics, outputs, targets in the order
        # of an epoch.
        self._to_measure: list[tuple[str, list[Metric], Tensor, Callable[[int], Array]]] = []
        # Order within one batch has no meaning, unless neighbours are mixed.
        self._shuffled = len(spans) > 1 or learner.mix is not None
        self._orders = seed, train.rows if self._shuffled else 0
        self._steps(train, spans, running)
        if learner.averages_epochs:
            self._add(learner.plan("_take_in"), [], (0, 0), [], [])
        if not running:
            self._evaluation(train, "")
        if validation is not None:
            self._evaluation(validation, "val_")
        if learner.penalty is not None and "penalty" in figures:
            self._add(learner.plan("_penalize"), [], (0, 0), [figures.index("penalty")], [None])
        self._epoch = Epoch(self._parts, self._rows)

    @property
    def one_at_a_time(self) -> bool:
        """Whether something is measured with numpy, after every epoch."""
        return bool(self._to_measure)

    def run(self, first: int, epochs: int, seconds: float) -> tuple[Array, bool]:
        """Run epochs from number ``first`` on, until time is over or Ctrl-C comes.

        Returns:
            A row for each whole epoch: its figures, then the seconds since the call began; and
            whether it was interrupted.
        """
        table = self._table(epochs)
        interrupted = False
        try:
            whole = self._run(first, table, seconds, interruptible=True)
        except KeyboardInterrupt:  # it may come just before the call or after the last epoch, too
            whole = int(np.count_nonzero(table[:, -1]))  # the seconds are written last
            interrupted = True
        if whole < epochs:
            table = table[:whole].copy()  # a history keeps what it is given
        for prefix, metrics, outputs, targets in self._to_measure if whole else []:
            measured = self._learner.measure(outputs.numpy(), targets(first), metrics)
            for name, value in measured.items():
                table[-1, self._figures.index(prefix + name)] = value
        return table, interrupted

    def save(self) -> EpochState:
        """Return a copy of everything that an epoch changes."""
        return self._epoch.save()

    def restore(self, state: EpochState) -> None:
        """Go back to what ``save`` gave."""
        self._epoch.restore(state)

    def repeat(self, state: EpochState, first: int, epochs: int) -> None:
        """Go back to ``state`` and run these epochs, which have been run before, to their end.

        An interruption would leave weights that nobody asked for: Ctrl-C is raised afterwards.
        """
        self.restore(state)
        self._run(first, self._table(epochs), math.inf, interruptible=False)

    def _table(self, epochs: int) -> Array:
        return np.zeros((epochs, len(self._figures) + 1))

    def _run(self, first: int, table: Array, seconds: float, interruptible: bool) -> int:
        seed, rows = self._orders
        return self._epoch.run_drawn(seed, first, rows, table, seconds, interruptible)

    def _in_order(self, y: Tensor, epoch: int) -> Array:
        seed, rows = self._orders
        return y.numpy()[_core.orders(seed, epoch, 1, rows)[0]] if rows else y.numpy()

    def _steps(self, feed: Feed, spans: list[tuple[int, int]], running: bool) -> None:
        data = feed.whole()
        x, y = data[:2]
        figures = [-1] * len(data)  # as many as a step has outputs
        if running:
            figures[2 if feed.weights else 0] = loss = self._figures.index("loss")
            weights = [weight.numpy() for weight in feed.weights]
            self._rows[loss] = total_weight(*weights) if weights else float(len(x))
        kept = None
        for size, group in groupby(spans, lambda span: span[1] - span[0]):
            batches = list(group)
            plan = self._learner.plan("_update", *[(size, *rows.shape[1:]) for rows in data])
            if running and self._learner.metrics and kept is None:
                kept = _rows_of(plan, 1, len(x))
                ordered = partial(self._in_order, y)
                self._to_measure.append(("", self._learner.metrics, kept, ordered))
            span = batches[0][0], batches[-1][1]
            outputs = [None, kept, None][: len(data)]
            self._add(plan, [*data], span, figures, outputs, self._shuffled, float(size))

    def _evaluation(self, feed: Feed, prefix: str) -> None:
        x, y, *weights = feed.whole()
        names = ["loss", *[metric.name for metric in self._learner.planned_metrics]]
        figures = [self._figures.index(prefix + name) for name in names]
        nowhere: list[Tensor | None] = [None] * len(figures)
        if len(x) <= EVALUATION_ROWS:
            given = [x, y, *weights]
            plan = self._learner.plan("_evaluate", *[rows.shape for rows in given])
            outputs = _rows_of(plan, 0, len(x))
            self._add(plan, given, (0, len(x)), [-1, *figures], [outputs, *nowhere])
        else:
            outputs = self._forward(x)
            measured = [outputs, y, *weights]
            plan = self._learner.plan("_measure", *[rows.shape for rows in measured])
            self._add(plan, measured, (0, len(x)), figures, nowhere)
        if metrics := self._learner.numpy_metrics:
            self._to_measure.append((prefix, metrics, outputs, lambda epoch: y.numpy()))

    def _forward(self, x: Tensor) -> Tensor:
        """The outputs for all rows, once the epoch has run."""
        full = len(x) // EVALUATION_ROWS * EVALUATION_ROWS
        outputs = None
        for first, last in ((0, full), (full, len(x))):
            if first == last:
                continue
            size = min(EVALUATION_ROWS, last - first)
            plan = self._learner.plan("_forward", (size, *x.shape[1:]))
            if outputs is None:
                outputs = _rows_of(plan, 0, len(x))
            self._add(plan, [x], (first, last), [-1], [outputs])
        assert outputs is not None
        return outputs

    def _add(
        self,
        plan: Plan,
        data: list[Tensor],
        span: tuple[int, int],
        figures: list[int],
        kept: list[Tensor | None],
        shuffled: bool = False,
        weight: float = 1.0,
    ) -> None:
        self._parts.append(EpochPart(plan, data, *span, shuffled, figures, weight, kept))


def _rows_of(plan: Plan, output: int, rows: int) -> Tensor:
    """An array for an output of all rows."""
    shape, dtype = plan.outputs[output]
    return Tensor(np.empty((rows, *shape[1:]), dtype))
