"""End a training with an average of its weights: EMA over the steps, or SWA over the epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from minigrad._check import integer, number, one_of
from minigrad.callbacks.callback import Callback
from minigrad.callbacks.early_stopping import EarlyStopping
from minigrad.optim.averaging import EMA, SWA
from minigrad.optim.statistics import update_bn

if TYPE_CHECKING:
    from minigrad.rows import Row
    from minigrad.trainer import Trainer


class AverageWeights(Callback):
    """Average the weights during training, and leave the model with the average at the end.

    With ``decay`` it is the exponential moving average over the steps (``optim.EMA``, with its
    warm-up), without it the plain mean over the epochs (SWA, Izmailov et al., 2018). Steps take the
    average in as a part of them, so that plans have it, too. Batch-norm statistics are taken anew
    at the end, over the training rows. The history is of the weights as trained:
    ``trainer.evaluate`` afterwards is of the average.

    Args:
        decay: None for the plain mean, or the share in [0, 1) that is kept with each update: 0.999
            remembers about 1000.
        start: the first epoch whose weights are averaged.
        every: average after each ``"step"`` or ``"epoch"``; None: steps with ``decay``, else
            epochs.

    Attributes:
        n_averaged: how many updates the average has had. If there was none, the weights stay.

    Raises:
        ValueError: decay or start is out of its range.

    Example:
        >>> import minigrad as mg
        >>> from minigrad import nn, optim
        >>> from minigrad.callbacks import AverageWeights
        >>> model = nn.Linear(2, 1)
        >>> average = AverageWeights(decay=0.99)
        >>> optimizer = optim.SGD(model.parameters(), lr=0.1)
        >>> trainer = mg.Trainer(model, nn.BCEWithLogitsLoss(), optimizer, callbacks=[average])
        >>> _ = trainer.fit(mg.data.make_moons(96), epochs=2)
        >>> average.n_averaged
        6
    """

    def __init__(
        self,
        decay: float | None = None,
        start: int = 0,
        every: Literal["step", "epoch"] | None = None,
    ) -> None:
        """Check the arguments."""
        if decay is not None and number("decay", decay, 0.0) >= 1:
            raise ValueError(f"decay must be in [0, 1), got {decay}")
        self.decay = decay
        self.start = integer("start", start, 0)
        usual = "epoch" if decay is None else "step"
        self.every = one_of("every", usual if every is None else every, ("step", "epoch"))
        self._average: EMA | SWA | None = None
        self._kept: dict[str, Any] | None = None

    @property
    def reads_model(self) -> bool:  # type: ignore[override]
        """Whether epochs must come one by one: not if all of their steps do the averaging."""
        return self.every == "epoch" or self.start > 0

    @property
    def n_averaged(self) -> int:
        """How many updates the average has had."""
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
        if self.start == 0:
            self._begin(trainer)

    def on_epoch_begin(self, trainer: Trainer) -> None:
        """Begin to average, if it is time."""
        if self._average is None and trainer.epoch >= self.start:
            self._begin(trainer)

    def _begin(self, trainer: Trainer) -> None:
        parameters = list(trainer.model.parameters())
        self._average = SWA(parameters) if self.decay is None else EMA(parameters, self.decay)
        if self._kept is not None:
            self._average.load_state_dict(self._kept)
        if self.every == "step":
            trainer.add_to_step(self._average.update)

    def on_epoch_end(self, trainer: Trainer, row: Row) -> None:
        """Take in the weights."""
        if self._average is not None and self.every == "epoch":
            self._average.update()

    def on_fit_end(self, trainer: Trainer) -> None:
        """Put the average into the model."""
        if self.n_averaged and self._average is not None:
            self._average.copy_to()
            update_bn(trainer.training_batches(), trainer.model)

    def state_dict(self) -> dict[str, Any]:
        """Return the average so far."""
        return {"average": None if self._average is None else self._average.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from ``state_dict``."""
        self._kept = state["average"]
        if self._average is not None and self._kept is not None:
            self._average.load_state_dict(self._kept)
