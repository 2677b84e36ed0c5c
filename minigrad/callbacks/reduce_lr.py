"""Lower the learning rate when a metric no longer improves."""

from typing import Any

from minigrad.callbacks.callback import Callback
from minigrad.callbacks.monitor import ModeName, Monitor
from minigrad.rows import Row
from minigrad.training.training import Training


class ReduceLROnPlateau(Callback):
    """Multiply every learning rate by ``factor`` after ``patience`` epochs without improvement.

    Args:
        monitor: a column of the history.
        factor: in (0, 1).
        patience: epochs in a row without improvement (0 and 1: at the first).
        min_delta: the least absolute improvement that counts.
        mode: ``"min"``, ``"max"`` or ``"auto"``, as in EarlyStopping.
        cooldown: epochs after a reduction that do not count.
        min_lr: the learning rate never goes below this.

    Example:
        >>> from minigrad.callbacks import ReduceLROnPlateau
        >>> ReduceLROnPlateau(factor=0.5, patience=3).factor
        0.5
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        min_delta: float = 1e-4,
        mode: ModeName = "auto",
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        """Check the arguments."""
        if not 0.0 < factor < 1.0:
            raise ValueError(f"factor = {factor} must be in (0, 1): it multiplies the rate")
        if patience < 0 or cooldown < 0 or min_lr < 0:
            raise ValueError(
                f"patience, cooldown and min_lr must be >= 0, got {patience}, {cooldown}, {min_lr}"
            )
        self.monitor = Monitor(monitor, mode, min_delta)
        self.factor = factor
        self.patience = patience
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._reset()

    def _reset(self) -> None:
        self._best: float | None = None
        self._waited = 0
        self._resting = 0

    def on_fit_begin(self, trainer: Training) -> None:
        """Start afresh."""
        self.monitor.begin(trainer)
        self._reset()

    def on_epoch_end(self, trainer: Training, row: Row) -> None:
        """Count, and reduce when it is time."""
        value = self.monitor.read(row)
        if self.monitor.better(value, self._best):
            self._best = value
            self._waited = 0
            self._resting = max(self._resting - 1, 0)
            return
        if self._resting > 0:
            self._resting -= 1
            return
        self._waited += 1
        if self._waited >= max(self.patience, 1):
            for group in trainer.optimizer.param_groups:
                group["lr"] = max(group["lr"] * self.factor, min(group["lr"], self.min_lr))
            self._waited = 0
            self._resting = self.cooldown

    def state_dict(self) -> dict[str, Any]:
        """Return the counters."""
        return {"best": self._best, "waited": self._waited, "resting": self._resting}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from ``state_dict``."""
        self._best, self._waited = state["best"], state["waited"]
        self._resting = state["resting"]
