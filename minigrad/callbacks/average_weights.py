"""End a training with the average of its last epochs' weights: SWA, or EMA."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minigrad._check import integer, number
from minigrad.callbacks.callback import Callback
from minigrad.callbacks.early_stopping import EarlyStopping
from minigrad.optim.averaging import EMA, SWA
from minigrad.optim.statistics import update_bn

if TYPE_CHECKING:
    from minigrad.history import Row
    from minigrad.trainer import Trainer


class AverageWeights(Callback):
    """Average the weights after each epoch, and leave the model with the average at the end.

    Without ``decay`` it is the plain mean (SWA, Izmailov et al., 2018), with it the exponential
    one, ``decay * average + (1 - decay) * weights`` once an epoch, beginning with the first weights
    averaged. Batch-norm statistics are then taken anew over the training rows. The history is of
    the weights as trained: ``trainer.evaluate`` afterwards is of the average.

    Args:
        decay: None for the plain mean, or the share in [0, 1) that is kept with each epoch.
        start: the first epoch whose weights are averaged.

    Attributes:
        n_averaged: how many epochs the average is of. If there was none, the weights stay.

    Example:
        >>> from minigrad.callbacks import AverageWeights
        >>> AverageWeights(start=75).n_averaged
        0
    """

    def __init__(self, decay: float | None = None, start: int = 0) -> None:
        """Check the arguments."""
        if decay is not None and number("decay", decay, 0.0) >= 1:
            raise ValueError(f"decay must be in [0, 1), got {decay}")
        self.decay = decay
        self.start = integer("start", start, 0)
        self._average: EMA | SWA | None = None
        self._kept: dict[str, Any] | None = None

    @property
    def n_averaged(self) -> int:
        """How many epochs the average is of."""
        return 0 if self._average is None else self._average.n_averaged

    def on_fit_begin(self, trainer: Trainer) -> None:
        """Forget an earlier training.

        Raises:
            ValueError: no epoch would be averaged, or EarlyStopping would undo it.
        """
        if self.start >= trainer.epochs:
            raise ValueError(f"start = {self.start} comes after all {trainer.epochs} epochs")
        if any(isinstance(c, EarlyStopping) and c.restore_best for c in trainer.callbacks):
            raise ValueError(
                "EarlyStopping puts the best epoch's weights back and AverageWeights the average: "
                "use EarlyStopping(restore_best=False)"
            )
        self._average = self._kept = None

    def on_epoch_end(self, trainer: Trainer, row: Row) -> None:
        """Take in the weights."""
        if self._average is None and (self._kept is not None or trainer.epoch >= self.start):
            parameters = list(trainer.model.parameters())
            self._average = SWA(parameters) if self.decay is None else EMA(parameters, self.decay)
            if self._kept is not None:
                self._average.load_state_dict(self._kept)
        if self._average is not None:
            self._average.update()

    def on_fit_end(self, trainer: Trainer) -> None:
        """Put the average into the model."""
        if self._average is not None:
            self._average.copy_to()
            update_bn(trainer.training_batches(), trainer.model)

    def state_dict(self) -> dict[str, Any]:
        """Return the average so far."""
        return {"average": None if self._average is None else self._average.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from ``state_dict``."""
        self._kept = state["average"]
