"""Trainer: the loop around model, loss and optimizer, with honest curves."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from os import PathLike
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from minigrad import _core, random
from minigrad._check import integer, number
from minigrad._core import Tensor
from minigrad._names import hinting
from minigrad.callbacks import Callback, ProgressBar
from minigrad.data.dataset import as_dataset
from minigrad.history import History
from minigrad.loop import Loop
from minigrad.metrics import Metric, resolve
from minigrad.nn import Module
from minigrad.training.contract import model_dtype
from minigrad.training.feed import Feed
from minigrad.training.modes import evaluating
from minigrad.training.preparation import make_feed, prepare, source
from minigrad.training.resume import load_training, save_training
from minigrad.training.stream import InputStream, is_stream
from minigrad.training.training import Training

Array = npt.NDArray[Any]


class Trainer(Training):
    """Trains, evaluates and predicts. Arrays or tensors in, numpy arrays out.

    The curves are honest by default: after each epoch the data loss and the metrics of training
    and validation data are both taken in eval mode, with the same weights; the penalty is a column
    of its own. Batches are shuffled by the seed each epoch, the last smaller one is included. The
    same seed gives the same bits. Train and eval mode are set by the trainer; a model that was
    fitted is left in eval mode.

    Args:
        model: a Module; the first axis of its input and output are the rows.
        loss: ``loss(output, target)`` -> a scalar tensor; for data with weights also called with
            ``sample_weight=``, a tensor (n,).
        optimizer: of the model's parameters.
        metrics: names (see ``minigrad.metrics``), Metrics, or functions of numpy arrays
            ``(output, target) -> float``.
        callbacks: called in this order.
        batch_size: rows a step.
        seed: of the shuffling and of everything random in the model while it trains.
        curves: ``"honest"``, or ``"running"``: the cheap average over the epoch's batches, in
            train mode and before each update, for the training columns.
        penalty: ``penalty(model)`` -> a scalar tensor added to the loss, such as ``nn.L2(1e-3)``.
        constraint: ``constraint(model)``, called after every step, such as ``nn.MaxNorm(3)``.
        scheduler: its ``step()`` is called after every epoch; a ReduceLROnPlateau is given
            ``val_loss`` (``loss`` without validation data).
        scheduler_every: ``"batch"`` calls it after every step instead, as OneCycleLR wants.
        clip_grad_norm: gradients with a larger global L2 norm are scaled down to it.
        mix: ``mix(x, y)`` -> what a step trains on instead of the batch, such as
            ``augment.MixUp(0.2)``; class numbers become probabilities (n, classes) before it. The
            curves are those of the data as they are.
        progress: show a progress bar; None: on a terminal.

    Example:
        >>> import numpy as np
        >>> from minigrad.trainer import Trainer
        >>> from minigrad import nn, optim
        >>> model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
        >>> trainer = Trainer(model, nn.MSELoss(), optim.Adam(model.parameters(), lr=0.01))
        >>> x = np.linspace(-1, 1, 64).reshape(32, 2)
        >>> history = trainer.fit((x, x.sum(axis=1)), epochs=50)
        >>> bool(history["loss"][-1] < history["loss"][0]), trainer.predict(x).shape
        (True, (32, 1))
    """

    @hinting
    def __init__(
        self,
        model: Module,
        loss: Callable[..., Tensor],
        optimizer: Any,
        *,
        metrics: Sequence[str | Metric | Callable[[Array, Array], Any]] = (),
        callbacks: Sequence[Callback] = (),
        batch_size: int = 32,
        seed: int = 0,
        curves: Literal["honest", "running"] = "honest",
        penalty: Callable[[Module], Tensor] | None = None,
        constraint: Callable[[Module], Any] | None = None,
        scheduler: Any = None,
        scheduler_every: Literal["epoch", "batch"] = "epoch",
        clip_grad_norm: float | None = None,
        mix: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]] | None = None,
        progress: bool | None = None,
    ) -> None:
        """Check the arguments; nothing is run."""
        batch_size, seed = integer("batch_size", batch_size, 1), integer("seed", seed, 0)
        if curves not in ("honest", "running"):
            raise ValueError(f"curves must be 'honest' or 'running', got {curves!r}")
        if scheduler_every not in ("epoch", "batch"):
            raise ValueError(f"scheduler_every must be 'epoch' or 'batch', got {scheduler_every!r}")
        if clip_grad_norm is not None:
            clip_grad_norm = number("clip_grad_norm", clip_grad_norm, 0.0, open_minimum=True)
        _check_callable("loss", loss, "nn.MSELoss() or a function (output, target)")
        _check_callable("penalty", penalty, "nn.L2(1e-3); several are added: nn.L1(a) + nn.L2(b)")
        _check_callable("constraint", constraint, "nn.MaxNorm(3)")
        _check_callable("mix", mix, "augment.MixUp(0.2)")
        if not hasattr(optimizer, "param_groups") or isinstance(optimizer, type):
            raise TypeError(
                f"optimizer must be one such as optim.Adam(model.parameters()), got {optimizer!r}"
            )
        if getattr(scheduler, "optimizer", optimizer) is not optimizer:
            raise ValueError("the scheduler was made for another optimizer than this trainer's")
        if isinstance(callbacks, Callback):
            raise TypeError(f"callbacks is a list of them: [{type(callbacks).__name__}(...)]")
        for callback in callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(f"{callback!r} is not a Callback: give an instance of one")
        super().__init__(model, loss, optimizer, resolve(metrics), seed)
        self.penalty = penalty
        self.constraint = constraint
        self.clip_grad_norm = clip_grad_norm
        self.mix = mix
        self.callbacks: list[Callback] = [*callbacks]
        if not any(isinstance(callback, ProgressBar) for callback in callbacks):
            self.callbacks.append(ProgressBar(progress))
        self.callbacks.sort(key=lambda callback: callback.runs_last)
        self.batch_size = batch_size
        self.curves = curves
        self.history = History(curves=curves)
        self.scheduler = scheduler
        self.scheduler_every = scheduler_every

    @hinting
    def fit(
        self,
        data: Any,
        val: Any = None,
        epochs: int = 1,
        *,
        resume: str | PathLike[str] | None = None,
    ) -> History:
        """Train, and return what every epoch gave (also kept as ``trainer.history``).

        A second call goes on with the weights and the optimizer as they are, in a new history.

        Args:
            data: ``(x, y)``, ``(x, y, weight)`` or a Dataset. Floating numbers are cast to the
                model's dtype. With weights every loss is the weighted mean of the rows; metrics
                stay unweighted. Or an iterable of such batches (a list, another library's loader),
                or a function that returns one: it is gone through anew each epoch, and once more
                for honest curves; order and size of its batches are its own. A generator does for
                one epoch, with running curves.
            val: the same for validation, or None. Weigh its rows as those of training, if those
                have weights: else the gap compares means of two kinds.
            epochs: how many, unless a callback stops earlier.
            resume: a file of ModelCheckpoint; training goes on after its epoch, up to ``epochs``
                in all, to the same bits as without the interruption.

        Raises:
            ValueError, TypeError: something is wrong with the data; no parameter has changed.
            KeyboardInterrupt: Ctrl-C is passed on, after the callbacks' ``on_fit_end`` (where
                EarlyStopping restores the best weights). ``trainer.history`` is complete.
        """
        epochs = integer("epochs", epochs, 1)
        train, validation = prepare(self, data, val, epochs)
        self.classes = train.classes
        self.history = History(curves="running" if train.once else self.curves)
        self.columns = self._columns(validation is not None)
        self.epoch, self.epochs = 0, epochs
        self.stop_reason = ""
        begun: list[Callback] = []
        watched = _core.watch(self._interruption)
        try:
            with random.default_generator.replaced(self.noise):
                for callback in self.callbacks:
                    callback.on_fit_begin(self)
                    begun.append(callback)
                if resume is not None:
                    load_training(self, resume)
                loop = self._loop = Loop(self, self.callbacks, train, validation)
                loop.run()
            self.history.stop_reason = self.stop_reason or _all_run(self.history)
        except KeyboardInterrupt:
            self.history.stop_reason = f"interrupted in epoch {len(self.history)}"
            raise
        except BaseException as error:
            self.history.stop_reason = f"{type(error).__name__}: {error}"
            raise
        finally:
            self.model.eval()
            with ExitStack() as ends:  # every one is called, even if another one fails
                ends.callback(_core.watch, watched)
                ends.callback(self._end_fit)
                for callback in reversed(begun):
                    ends.callback(callback.on_fit_end, self)
        return self.history

    def _end_fit(self) -> None:
        self._loop, self.average, self.averages_epochs = None, None, False
        self._interruption.clear()
        if self._added:
            self._added.clear()
            self.begin()

    def evaluate(self, data: Any) -> dict[str, float]:
        """Return the data loss and every metric, in eval mode.

        The loss is the loss function of all outputs and all targets at once.

        Args:
            data: ``(x, y)``, ``(x, y, weight)``, a Dataset or an iterable of batches, as in
                ``fit``; a generator, too.
        """
        feed = make_feed(self, source(data), "the data")
        with evaluating(self.model.modules()):
            return self.evaluate_batches(feed, planned=False)

    def predict(self, x: Any) -> Array:
        """Return the model's outputs for all rows, in eval mode.

        Args:
            x: rows, a Dataset, ``(x, y)``, or an iterable of batches as in ``fit``, whose batches
                may also be inputs alone. Targets and weights are left unread.
        """
        dtype = model_dtype(self.model)
        feed = InputStream(x, dtype) if is_stream(x) else Feed(as_dataset(x), dtype, None)
        with evaluating(self.model.modules()):
            return self.outputs(feed, planned=False).numpy()

    def save(self, path: str | PathLike[str]) -> None:
        """Write the whole training to a safetensors file, for ``fit(..., resume=path)``."""
        save_training(self, path)

    def _columns(self, validation: bool) -> list[str]:
        def pair(name: str) -> list[str]:
            return [name, f"val_{name}"] if validation else [name]

        penalty = [] if self.penalty is None else ["penalty"]
        measured = [name for metric in self.metrics for name in pair(metric.name)]
        return ["epoch", *pair("loss"), *penalty, *measured, "lr", "seconds"]


def _check_callable(name: str, value: Any, example: str) -> None:
    """Raise TypeError for a class instead of an instance, a name, a list."""
    if value is not None and (isinstance(value, type) or not callable(value)):
        raise TypeError(f"{name} must be callable, such as {example}, got {value!r}")


def _all_run(history: History) -> str:
    count = len(history)
    text = f"all {count} epochs run" if count > 1 else "1 epoch run, as asked"
    if not math.isfinite(history[-1]["loss"]):
        finite = np.flatnonzero(np.isfinite(history["loss"]))
        since = 0 if finite.size == 0 else int(finite[-1]) + 1
        text += f"; the loss is not finite from epoch {since} on (StopOnNaN would have ended it)"
    return text
