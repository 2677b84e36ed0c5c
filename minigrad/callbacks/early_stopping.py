"""Stop when validation no longer improves, and keep the best weights."""

import math
from typing import Any

from minigrad._names import hinting
from minigrad.callbacks.callback import Callback
from minigrad.callbacks.monitor import ModeName, Monitor
from minigrad.rows import Row
from minigrad.training.snapshot import Snapshot
from minigrad.training.training import Training


class EarlyStopping(Callback):
    """Stop after ``patience`` epochs in a row without improvement; restore the best epoch.

    An epoch improves when it is better than the best so far by more than ``min_delta``. NaN and
    infinity are never the best. Parameters, buffers and optimizer state of the best epoch are put
    back however the training ended: by this stop or another, after all epochs, by Ctrl-C or by an
    exception. Reason, best epoch and best value are on the history.

    Args:
        monitor: a column of the history.
        patience: epochs to wait; 0 and 1 both stop at the first epoch without improvement.
        min_delta: the least absolute improvement that counts.
        mode: ``"min"``, ``"max"`` or ``"auto"`` (known for losses and the metrics by name).
        start_from_epoch: earlier epochs neither count nor can be the best.
        baseline: epochs that do not beat this value as well count as without improvement (as in
            Keras); the best weights are kept all the same.
        restore_best: whether the best epoch is put back at the end.
        smoothing: in [0, 1): compare an exponential average with this weight of the past instead
            of the raw value, for noisy metrics. ``history.best_value`` is the raw value.

    Attributes:
        best_epoch: the best epoch so far, or None.
        waited: epochs in a row without improvement.

    Example:
        >>> from minigrad.callbacks import EarlyStopping
        >>> EarlyStopping(patience=50).patience
        50
    """

    reads_model = False  # it asks the trainer for snapshots

    @hinting
    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 10,
        min_delta: float = 0.0,
        mode: ModeName = "auto",
        start_from_epoch: int = 0,
        baseline: float | None = None,
        restore_best: bool = True,
        smoothing: float = 0.0,
    ) -> None:
        """Check the arguments."""
        if patience < 0:
            raise ValueError(f"patience = {patience} must be >= 0 epochs")
        if start_from_epoch < 0:
            raise ValueError(f"start_from_epoch = {start_from_epoch} must be >= 0")
        if not 0.0 <= smoothing < 1.0:
            raise ValueError(f"smoothing = {smoothing} must be in [0, 1): the weight of the past")
        if baseline is not None and not math.isfinite(baseline):
            raise ValueError(f"baseline = {baseline} must be finite")
        self.monitor = Monitor(monitor, mode, min_delta)
        self.patience = patience
        self.start_from_epoch = start_from_epoch
        self.baseline = baseline
        self.restore_best = restore_best
        self.smoothing = smoothing
        self._reset()

    def _reset(self) -> None:
        self.best_epoch: int | None = None
        self.waited = 0
        self._best: float | None = None  # as compared, that is smoothed
        self._best_value = math.nan  # raw
        self._average: float | None = None
        self._snapshot: Snapshot | None = None

    def on_fit_begin(self, trainer: Training) -> None:
        """Forget an earlier training and check that the monitored column will exist."""
        self.monitor.begin(trainer)
        self._reset()

    def on_epoch_end(self, trainer: Training, row: Row) -> None:
        """Compare the epoch with the best."""
        epoch, value = trainer.epoch, self.monitor.read(row)
        if epoch < self.start_from_epoch:
            return
        compared = self._smooth(value)
        self.waited += 1
        if self.monitor.better(compared, self._best):
            if self.restore_best:
                self._snapshot = trainer.snapshot()
            self._best, self._best_value, self.best_epoch = compared, value, epoch
            trainer.history.set_best(self.monitor.column, epoch, value)
            if self.baseline is None or self.monitor.better(compared, self.baseline):
                self.waited = 0
        if self.waited >= max(self.patience, 1):
            trainer.stop(self._reason())

    def on_fit_end(self, trainer: Training) -> None:
        """Put the best epoch back."""
        if self._snapshot is not None:
            self._snapshot.restore(trainer)
            self._snapshot = None

    def _smooth(self, value: float) -> float:
        if not self.smoothing or not math.isfinite(value):
            return value  # NaN must not spoil the average of later epochs
        if self._average is None:
            self._average = value
        self._average += (1.0 - self.smoothing) * (value - self._average)
        return self._average

    def _reason(self) -> str:
        epochs = "1 epoch" if self.waited == 1 else f"{self.waited} epochs"
        text = f"{self.monitor.column} did not improve for {epochs}"
        if self.best_epoch is None:
            return f"{text} and was never finite"
        if self.baseline is not None and not self.monitor.better(self._best_value, self.baseline):
            text += f" over the baseline {self.baseline:g}"
        return f"{text}; best {self._best_value:.4g} at epoch {self.best_epoch}"

    def state_dict(self) -> dict[str, Any]:
        """Return counters and the best epoch's state."""
        return {
            "best_epoch": self.best_epoch,
            "waited": self.waited,
            "best": self._best,
            "best_value": self._best_value,
            "average": self._average,
            "snapshot": None if self._snapshot is None else self._snapshot.state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from ``state_dict``."""
        self.best_epoch, self.waited = state["best_epoch"], state["waited"]
        self._best, self._best_value = state["best"], state["best_value"]
        self._average, kept = state["average"], state["snapshot"]
        self._snapshot = None if kept is None else Snapshot(kept)
