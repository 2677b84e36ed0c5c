"""End a training with an average of its weights: EMA over the steps, or SWA over the epochs."""

from __future__ import annotations

from typing import Any, Literal

from minigrad._check import integer, number, one_of
from minigrad.callbacks.callback import Callback
from minigrad.optim.averaging import EMA, SWA
from minigrad.training.training import Training


class AverageWeights(Callback):
    """Average the weights during training, and leave the model with the average at the end.

    With ``decay`` it is the exponential moving average over the steps (``optim.EMA``, with its
    warm-up), without it the plain mean over the epochs (SWA, Izmailov et al., 2018). Plans have it,
    too. From the first average on the history is of the average, for training and validation rows
    (running curves are of the weights as trained): EarlyStopping stops by it and, with
    ``restore_best``, the average of the best epoch is what the model ends with. Batch-norm
    statistics are taken anew over the training rows at the end, and for a model that has them after
    every epoch. A checkpoint holds the weights as trained, and the average beside them.

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

    runs_last = True  # after EarlyStopping has put the best epoch's average back

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
        chosen = one_of("every", usual if every is None else every, ("step", "epoch"))
        self.every: Literal["step", "epoch"] = "step" if chosen == "step" else "epoch"
        self._average: EMA | SWA | None = None
        self._kept: dict[str, Any] | None = None

    @property
    def reads_model(self) -> bool:  # type: ignore[override]
        """Whether epochs must come one by one: not if all of them are averaged."""
        return self.start > 0

    @property
    def n_averaged(self) -> int:
        """How many updates the average has had."""
        return 0 if self._average is None else self._average.n_averaged

    def on_fit_begin(self, trainer: Training) -> None:
        """Forget an earlier training.

        Raises:
            ValueError: no epoch would be averaged.
        """
        if self.start >= trainer.epochs:
            raise ValueError(f"start = {self.start} comes after all {trainer.epochs} epochs")
        self._average = self._kept = None
        if self.start == 0:
            self._begin(trainer)

    def on_epoch_begin(self, trainer: Training) -> None:
        """Begin to average, if it is time."""
        if self._average is None and trainer.epoch >= self.start:
            self._begin(trainer)

    def _begin(self, trainer: Training) -> None:
        parameters = list(trainer.model.parameters())
        self._average = SWA(parameters) if self.decay is None else EMA(parameters, self.decay)
        if self._kept is not None:
            self._average.load_state_dict(self._kept)
        trainer.evaluate_average(self._average, self.every)

    def on_fit_end(self, trainer: Training) -> None:
        """Put the average into the model, unless it was put back to before there was one."""
        if self._average is not None and self.n_averaged and trainer.average is self._average:
            self._average.copy_to()
            trainer.update_statistics()

    def state_dict(self) -> dict[str, Any]:
        """Return the average so far."""
        return {"average": None if self._average is None else self._average.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from ``state_dict``."""
        self._kept = state["average"]
        if self._average is not None and self._kept is not None:
            self._average.load_state_dict(self._kept)
