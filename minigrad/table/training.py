"""The network and the linear model beside it: sizes by the number of rows, and their training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from minigrad import metrics, nn, optim, random
from minigrad._core import Tensor
from minigrad.callbacks import EarlyStopping
from minigrad.grad_mode import no_grad
from minigrad.history import History
from minigrad.table.target import Target
from minigrad.trainer import Trainer

Array = npt.NDArray[Any]

_ROWS_AT_ONCE = 512
# Less than this, in nats or in the target's variance, is not worth an epoch.
_MIN_DELTA = 1e-5


@dataclass(frozen=True)
class Settings:
    """How a network is trained.

    Attributes:
        hidden: the widths of the hidden layers; () is a linear model.
        batch_size: rows a step.
        epochs: at most so many.
        patience: stop after so many epochs without a better validation loss.
        lr: the learning rate of AdamW.
        dropout: after each hidden layer, in [0, 1).
        weight_decay: of AdamW, decoupled; biases are left out.
        seed: of weights, shuffling and dropout.
    """

    hidden: tuple[int, ...]
    batch_size: int
    lr: float
    weight_decay: float
    epochs: int = 300
    patience: int = 20
    dropout: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the values."""
        if any(width < 1 for width in self.hidden):
            raise ValueError(f"hidden = {list(self.hidden)}: every width must be >= 1")
        for name, least in (("epochs", 1), ("patience", 1), ("batch_size", 1), ("seed", 0)):
            if (value := getattr(self, name)) < least:
                raise ValueError(f"{name} = {value} must be >= {least}")
        if not self.lr > 0:
            raise ValueError(f"lr = {self.lr} must be > 0")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout = {self.dropout} must be in [0, 1)")
        if not self.weight_decay >= 0:
            raise ValueError(f"weight_decay = {self.weight_decay} must be >= 0")

    @classmethod
    def for_rows(
        cls,
        rows: int,
        *,
        hidden: Sequence[int] | None = None,
        batch_size: int | None = None,
        lr: float | None = None,
        weight_decay: float | None = None,
        **others: Any,
    ) -> Settings:
        """Return settings. If not given, ``hidden`` and ``batch_size`` are by the training rows.

        ``lr`` and ``weight_decay`` are then 0.001 and 0.01 for a network, 0.01 and 0 for a linear
        model.

        Example:
            >>> from minigrad.table.training import Settings
            >>> settings = Settings.for_rows(341, dropout=0.5)
            >>> settings.hidden, settings.batch_size, settings.dropout
            ((64, 64), 16, 0.5)
        """
        usual = (64, 64) if rows < 20_000 else (128, 128)
        size = next((size for size in (16, 32, 64, 128) if rows < 64 * size), 256)
        widths = usual if hidden is None else tuple(hidden)
        rate, decay = (1e-3, 1e-2) if widths else (1e-2, 0.0)
        return cls(
            hidden=widths,
            batch_size=size if batch_size is None else batch_size,
            lr=rate if lr is None else lr,
            weight_decay=decay if weight_decay is None else weight_decay,
            **others,
        )

    def baseline(self, rows: int) -> Settings:
        """Return how the linear model beside a network is trained: always in its own way.

        What suits the network must not make the one that it is compared with worse.
        """
        return Settings.for_rows(rows, hidden=(), batch_size=self.batch_size, seed=self.seed)


def build(inputs: int, outputs: int, hidden: Sequence[int], dropout: float) -> nn.Sequential:
    """Return a network of linear layers with ReLU and dropout between them."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(inputs, width), nn.ReLU(), nn.Dropout(dropout)]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


def train(
    x: Array,
    y: Array,
    x_val: Array,
    y_val: Array,
    target: Target,
    settings: Settings,
    show: bool | None,
    until_interrupted: bool = False,
) -> tuple[nn.Sequential, History]:
    """Train a network with early stopping; the same arguments give the same bits.

    Args:
        x: (n, features) float32 training rows.
        y: (n,) class numbers, or numbers in their own unit.
        x_val: of the validation rows.
        y_val: of the validation rows.
        target: what ``y`` is.
        settings: how to train.
        show: whether to show a progress bar; None: on a terminal.
        until_interrupted: Ctrl-C ends the training like any stop, once an epoch is over; the
            history's reason tells.

    Raises:
        ValueError: the loss was never finite.
    """
    kept = random.default_generator.get_state()
    try:
        random.seed(settings.seed)
        model = build(x.shape[1], target.outputs, settings.hidden, settings.dropout)
    finally:
        random.default_generator.set_state(kept)
    trainer = Trainer(
        model,
        loss_of(target),
        optim.AdamW(model.parameters(), lr=settings.lr, weight_decay=settings.weight_decay),
        metrics=[_metric(target)],
        callbacks=[EarlyStopping(patience=settings.patience, min_delta=_MIN_DELTA)],
        batch_size=settings.batch_size,
        seed=settings.seed,
        progress=show,
    )
    pairs = [(x, scaled(y, target)), (x_val, scaled(y_val, target))]
    try:
        trainer.fit(pairs[0], val=pairs[1], epochs=settings.epochs)
    except KeyboardInterrupt:
        if not until_interrupted or trainer.history.best_epoch is None:
            raise
    history = trainer.history
    for row in history:  # the same seed gives the same file
        del row["seconds"]
    if history.best_epoch is None:
        raise ValueError(f"the loss was never finite: try a lower lr than {settings.lr:g}")
    return model, history


def scaled(y: Array, target: Target) -> Array:
    """Return targets as the network sees them."""
    if target.task == "classification":
        return y
    return ((y - target.mean) / target.std).astype(np.float32)


def outputs(model: nn.Module, x: Array) -> Array:
    """Return a model's outputs, (n, outputs) float32: for each row the same bits in any company."""
    model.eval()
    found: list[Array] = []
    with no_grad():
        for start in range(0, max(len(x), 1), _ROWS_AT_ONCE):
            rows = x[start : start + _ROWS_AT_ONCE]
            # The product with a single row sums in another order: a lone row goes twice.
            pair = np.repeat(rows, 2, axis=0) if len(rows) == 1 else np.ascontiguousarray(rows)
            found.append(model(Tensor(pair)).numpy()[: len(rows)])
    return np.concatenate(found)


def loss_of(target: Target) -> nn.Module:
    """Return the loss that goes with a target."""
    if target.task == "regression":
        return nn.MSELoss()
    return nn.BCEWithLogitsLoss() if target.outputs == 1 else nn.CrossEntropyLoss()


def _metric(target: Target) -> metrics.Metric:
    if target.task == "classification":
        return metrics.METRICS["accuracy"]
    return metrics.Metric("rmse", lambda out, y: target.std * metrics.rmse(out, y), "min")
