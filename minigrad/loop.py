"""The loop of a training: epochs one by one, or many in one call where nobody looks in between."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from minigrad import _core
from minigrad._core import EpochState, Tensor
from minigrad.callbacks.callback import Callback, overrides, says
from minigrad.nn import BatchNorm1d, BatchNorm2d
from minigrad.optim.lr_scheduler import ReduceLROnPlateau
from minigrad.rows import Row, dicts
from minigrad.training.feed import Feed, batch_spans
from minigrad.training.modes import set_training
from minigrad.training.planned import PlannedEpochs
from minigrad.training.replayed import Replayed
from minigrad.training.running import RunningAverage
from minigrad.training.snapshot import Snapshot, take_snapshot
from minigrad.training.stream import Stream
from minigrad.training.training import Training

Array = npt.NDArray[Any]

# Orders of rows come from a stream of their own.
_ORDER_STREAM = 0x6F72_6465_7200_0000
# Epochs run in one call for so long, as a stop in between has them run again; if nobody may ask for
# one, they do longer. A call has room for so many.
_SECONDS_A_CALL = 0.005
_SECONDS_UNWATCHED = 0.05
_EPOCHS_A_CALL = 5_000


class Loop:
    """The epochs of one call of ``fit``.

    At first every step and evaluation is a call, recorded as a plan where that is possible. Once
    all have plans, an epoch is one call into the core; several are, if no callback looks at the
    model. All ways give the same bits.
    """

    def __init__(
        self,
        trainer: Training,
        callbacks: Sequence[Callback],
        train: Feed | Stream,
        validation: Feed | Stream | None,
    ) -> None:
        self.trainer = trainer
        self.train = train
        self.validation = validation
        self._order_seed = (trainer.seed ^ _ORDER_STREAM) % 2**63
        norms = (m for m in trainer.model.modules() if isinstance(m, BatchNorm1d | BatchNorm2d))
        self._normed = any(norms)
        self.spans = batch_spans(train.rows, trainer.batch_size, lone_row_allowed=not self._normed)
        _check_length(trainer, len(self.spans))
        self.watchers = [c for c in callbacks if overrides(c, "on_batch_end")]
        self.unseen = trainer.scheduler is None and not any(
            says(callback, "reads_model") for callback in callbacks
        )
        self._beginners = [c for c in callbacks if overrides(c, "on_epoch_begin")]
        self._enders = [c for c in callbacks if overrides(c, "on_epoch_end")]
        self._unwatched = self.unseen and not self._beginners
        self._unwatched &= not any(says(callback, "every_epoch") for callback in self._enders)
        self._planned: PlannedEpochs | None = None
        # While the rows of a call are told: where it began, the number of its first epoch, how many
        # it has; and how many were told.
        self._moment: tuple[EpochState, int, int] | None = None
        self._seen = 0
        self._changes = -1
        self._lr = 0.0  # of the last step

    def run(self) -> None:
        """Train until all epochs are run or a callback stops."""
        trainer = self.trainer
        earlier = trainer.history[-1]["seconds"] if len(trainer.history) else 0.0
        self._start = time.perf_counter() - earlier
        while trainer.epoch < trainer.epochs and not trainer.stop_reason:
            self._check_interrupt()
            if not self.unseen:
                self._begin_epoch()
            planned = self._plans()
            if planned is None:
                self._one_by_one()
            else:
                self._in_one_call(planned)

    def record_anew(self) -> None:
        """Forget all plans, as the step has become another one."""
        self._changes = -1

    def _check_interrupt(self) -> None:
        if self.trainer.interrupted:
            raise KeyboardInterrupt

    def snapshot(self) -> Snapshot:
        """The state of the training after the current epoch, to be put back later."""
        if self._moment is None or self._planned is None:
            trainer = self.trainer
            return Snapshot(take_snapshot(trainer.model, trainer.optimizer, trainer.average))
        state, first, epochs = self._moment
        if self._seen == epochs:  # it is the state of now
            return Replayed(self.trainer, self._planned, self._planned.save(), first, 0)
        return Replayed(self.trainer, self._planned, state, first, self._seen)

    def _plans(self) -> PlannedEpochs | None:
        """All of an epoch as one call, once every part of it has a plan."""
        trainer = self.trainer
        # A layer, a setting, a frozen parameter; or, where a callback may, a variable of a loss.
        if self._changes != _core.changes() or (not self.unseen and trainer.outdated()):
            self._changes = _core.changes()
            self._planned = None
            trainer.begin(planned=not self.watchers)
        train, validation = self.train, self.validation
        if self._planned or not trainer.planned:
            return self._planned
        if isinstance(train, Stream) or isinstance(validation, Stream):
            return None
        if trainer.average is not None and self._normed:  # statistics are taken anew each epoch
            return None
        if not (train.in_memory and (validation is None or validation.in_memory)):
            return None
        if trainer.scheduler is not None and trainer.scheduler_every == "batch":
            return None
        figures = [c for c in trainer.columns if c not in ("epoch", "lr", "seconds")]
        running = trainer.curves == "running"
        try:
            self._planned = PlannedEpochs(
                trainer, train, validation, self.spans, self._order_seed, figures, running
            )
        except LookupError:
            return None
        return self._planned

    def _in_one_call(self, planned: PlannedEpochs) -> None:
        trainer = self.trainer
        epochs = 1
        if self.unseen and not planned.one_at_a_time:
            epochs = min(_EPOCHS_A_CALL, trainer.epochs - trainer.epoch)
        watched = self.unseen and not self._unwatched
        state = planned.save() if watched else None
        first, start = trainer.epochs_trained, time.perf_counter() - self._start
        seconds = _SECONDS_A_CALL if watched else _SECONDS_UNWATCHED
        table, interrupted = planned.run(first, epochs, seconds)
        self._moment = None if state is None else (state, first, len(table))
        if len(table):
            self._tell(planned, self._columns(table, start))
        if interrupted:
            raise KeyboardInterrupt

    def _columns(self, table: Array, start: float) -> dict[str, Array]:
        """The columns of the history, from those of a call that began at `start`."""
        *figures, seconds = table.T
        numbers = self.trainer.epoch + np.arange(len(table))
        lr = np.full(len(table), self.trainer.optimizer.param_groups[0]["lr"])
        return dict(
            zip(self.trainer.columns, [numbers, *figures, lr, start + seconds], strict=True)
        )

    def _tell(self, planned: PlannedEpochs, columns: dict[str, Array]) -> None:
        """Take epochs that have run in one call into the history, and tell the callbacks."""
        trainer = self.trainer
        count = len(columns["epoch"])
        if self._unwatched and count > 1:
            trainer.history.extend({name: column[:-1] for name, column in columns.items()})
            trainer.epochs_trained += count - 1
            trainer.epoch += count - 1
            columns = {name: column[-1:] for name, column in columns.items()}
        self._seen = 0
        unasked = not trainer.interrupted
        try:
            for row in dicts(columns):
                self._seen += 1
                trainer.epochs_trained += 1
                self._end_epoch(row)
                if trainer.stop_reason or (unasked and trainer.interrupted):
                    break
        finally:
            moment, self._moment = self._moment, None
            if moment is not None and self._seen < count:  # further than anyone wanted to go
                planned.repeat(*moment[:2], self._seen)

    def _one_by_one(self) -> None:
        trainer = self.trainer
        modules = list(trainer.model.modules())
        set_training(modules)
        running = self._steps()
        trainer.epochs_trained += 1
        if trainer.averages_epochs:
            trainer.take_in()
        with trainer.evaluated(), self._statistics():
            figures = running or trainer.evaluate_batches(self.train)
            if self.validation is not None:
                of_val = trainer.evaluate_batches(self.validation)
                figures |= {f"val_{name}": value for name, value in of_val.items()}
            if "penalty" in trainer.columns:
                figures["penalty"] = trainer.evaluate_penalty()
        figures["epoch"] = trainer.epoch
        figures["lr"] = self._lr
        figures["seconds"] = time.perf_counter() - self._start
        self._end_epoch({name: figures[name] for name in trainer.columns})

    def _steps(self) -> dict[str, float]:
        """Train once on all rows; return running averages, if they are wanted."""
        trainer = self.trainer
        running = RunningAverage() if trainer.history.curves == "running" else None
        for batch in self.batches():
            self._lr = trainer.optimizer.param_groups[0]["lr"]
            loss, output, *shares = trainer.step(*batch)
            if trainer.scheduler is not None and trainer.scheduler_every == "batch":
                trainer.scheduler.step()
            if running is not None:
                running.add(*(shares or [loss]), output, *batch[1:])
            for callback in self.watchers:
                callback.on_batch_end(trainer, loss)
            if trainer.stop_reason:
                break
            self._check_interrupt()
        if running is None:
            return {}
        return {"loss": running.loss(), **trainer.measure(*running.arrays(), trainer.metrics)}

    @contextmanager
    def _statistics(self) -> Iterator[None]:
        """Inside: batch-norm statistics are those of the average, if there is one."""
        trainer = self.trainer
        if trainer.average is None or not self._normed:
            yield
            return
        norms = [m for m in trainer.model.modules() if isinstance(m, BatchNorm1d | BatchNorm2d)]
        buffers = [buffer for norm in norms for buffer in norm.buffers()]
        own = [buffer.numpy().copy() for buffer in buffers]
        try:
            trainer.update_statistics()
            yield
        finally:
            for buffer, values in zip(buffers, own, strict=True):
                buffer.numpy()[...] = values

    def batches(self, epoch: int | None = None) -> Iterator[tuple[Tensor, ...]]:
        """Yield the training rows in batches, in the order of an epoch; None: of this one."""
        if isinstance(self.train, Stream):
            yield from self.train.batches()
            return
        # Unless neighbours are mixed, order within a batch has no meaning, and no copy is needed.
        if len(self.spans) == 1 and self.trainer.mix is None:
            yield self.train.whole()
            return
        number = self.trainer.epochs_trained if epoch is None else epoch
        [order] = _core.orders(self._order_seed, number, 1, self.train.rows)
        for start, stop in self.spans:
            yield self.train.take(order[start:stop])

    def _begin_epoch(self) -> None:
        for callback in self._beginners:
            callback.on_epoch_begin(self.trainer)

    def _end_epoch(self, row: Row) -> None:
        trainer = self.trainer
        if self.unseen:
            self._begin_epoch()
        if trainer.scheduler is not None and trainer.scheduler_every == "epoch":
            if isinstance(trainer.scheduler, ReduceLROnPlateau):
                trainer.scheduler.step(row.get("val_loss", row["loss"]))
            else:
                trainer.scheduler.step()
        trainer.history.append(row)
        for callback in self._enders:
            callback.on_epoch_end(trainer, row)
        trainer.epoch += 1


def _check_length(trainer: Training, steps: int) -> None:
    """Warn of a cycle as long as the steps to come that is called once an epoch only."""
    length = getattr(trainer.scheduler, "total_steps", None)
    if trainer.scheduler_every == "epoch" and steps > 1 and length == steps * trainer.epochs:
        warnings.warn(
            f"the scheduler is made for {length} steps and is called after each of "
            f"{trainer.epochs} epochs: give the trainer scheduler_every='batch'",
            stacklevel=4,
        )
