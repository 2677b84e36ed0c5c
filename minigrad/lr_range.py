"""Learning-rate range test: which rates train, seen in one short sweep."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt

from minigrad import random
from minigrad._check import integer, number
from minigrad._core import Tensor
from minigrad.data.random import generator
from minigrad.plots import INK, TRAIN, VALIDATION, figure, style
from minigrad.training.feed import Feed
from minigrad.training.modes import set_training
from minigrad.training.preparation import check_optimizer, make_feed, source
from minigrad.training.stream import Stream
from minigrad.training.training import Training

Array = npt.NDArray[np.float64]

__all__ = ["LrRange", "lr_find"]

_SMOOTHING = 0.9  # the weight of the past in the running average that is watched
_WINDOWS = 8  # the slope is that of a line through an eighth of the sweep


@dataclass(frozen=True)
class LrRange:
    """What :func:`lr_find` saw.

    Attributes:
        lrs: (steps,) the learning rates tried.
        losses: (steps,) the data loss of each batch, before its update.
        smoothed: (steps,) their running average.
        stop_reason: why the sweep ended.
    """

    lrs: Array
    losses: Array
    smoothed: Array
    stop_reason: str

    @property
    def suggestion(self) -> float:
        """The learning rate where the loss falls fastest.

        A straight line over log(lr) is fitted to the losses in every window of an eighth of the
        sweep, up to the minimum of the running average; of the window whose line falls most, this
        is the middle.

        Raises:
            ValueError: the loss fell nowhere.
        """
        width = max(3, len(self.lrs) // _WINDOWS)
        end = int(self.smoothed.argmin()) + 1
        if end >= width:
            windows = np.lib.stride_tricks.sliding_window_view(self.losses[:end], width)
            slopes = windows @ (np.arange(width) - (width - 1) / 2)
            best = int(slopes.argmin())
            if slopes[best] < 0:
                return float(np.sqrt(self.lrs[best] * self.lrs[best + width - 1]))
        raise ValueError(
            f"the loss fell nowhere between lr {self.lrs[0]:.3g} and {self.lrs[-1]:.3g} "
            f"({self.stop_reason}): begin at a lower rate, or look at data and loss"
        )

    def plot(self, path: str | PathLike[str] | None = None) -> Any:
        """Draw losses, running average and suggestion; return the matplotlib figure.

        The axis of losses ends a little above those of the low rates, as a diverging loss would
        flatten all that is of interest.

        Raises:
            ImportError: matplotlib is missing; the message names the extra.
        """
        picture = figure(7.2, 4.2)
        axes = picture.add_subplot()
        axes.plot(self.lrs, self.losses, color=TRAIN, lw=0.8, alpha=0.45, label="loss of a batch")
        axes.plot(self.lrs, self.smoothed, color=TRAIN, lw=1.8, label="running average")
        try:
            best = self.suggestion
        except ValueError:
            best = None
        if best is not None:
            axes.axvline(best, color=VALIDATION, lw=1.2, label=f"steepest descent: {best:.2g}")
        low, high = self.losses.min(), self.losses[: max(1, int(self.smoothed.argmin()))].max()
        axes.set_ylim(low - 0.08 * (high - low), high + 0.25 * (high - low) if high > low else None)
        axes.set_xscale("log")
        axes.set_xlabel("learning rate", fontsize=9, color=INK)
        axes.set_ylabel("loss", fontsize=9, color=INK)
        axes.set_title(self.stop_reason, fontsize=9, color=INK, loc="left")
        axes.legend(frameon=False, loc="best", fontsize=9)
        style(axes)
        if path is not None:
            picture.savefig(path)
        return picture

    def __str__(self) -> str:
        """The suggestion and how the sweep ended."""
        try:
            found = f"suggestion {self.suggestion:.3g}"
        except ValueError:
            found = "no suggestion: the loss fell nowhere"
        return (
            f"LrRange({len(self.lrs)} steps to lr {self.lrs[-1]:.3g}, {found}; {self.stop_reason})"
        )


def lr_find(
    trainer: Training,
    data: Any,
    *,
    start: float = 1e-7,
    end: float = 10.0,
    steps: int = 100,
    diverged: float = 4.0,
) -> LrRange:
    """Train a little with an ever larger learning rate, and see where the loss falls fastest.

    The range test of Smith (2017, "Cyclical Learning Rates for Training Neural Networks"): step i
    of the trainer is made with ``start * (end / start) ** (i / (steps - 1))``, on batches shuffled
    by its seed. Afterwards parameters, buffers, gradients, optimizer and random numbers are what
    they were, to the bit. For a model without a trainer: ``mg.Trainer(model, loss, optimizer)``.

    Args:
        trainer: its model, loss, penalty, clipping and batch size are used; callbacks and schedules
            are not.
        data: ``(x, y)``, a Dataset or an iterable of batches, as in ``Trainer.fit``.
        start: the first learning rate, that of the first parameter group; others keep their ratio
            to it.
        end: the last learning rate.
        steps: updates, at least 3.
        diverged: the sweep ends when the running average exceeds this many times its minimum.

    Returns:
        LrRange, with ``suggestion``, ``lrs``, ``losses`` and ``plot(path)``.

    Raises:
        ValueError: a wrong range, or something is wrong with the data.

    Example:
        >>> import minigrad as mg
        >>> from minigrad import data, nn, optim
        >>> _ = mg.seed(0)
        >>> model = nn.Sequential(nn.Linear(2, 50), nn.ReLU(), nn.Linear(50, 1))
        >>> optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        >>> trainer = mg.Trainer(model, nn.BCEWithLogitsLoss(), optimizer)
        >>> found = mg.lr_find(trainer, data.make_moons(200, noise=0.1))
        >>> 0.01 < found.suggestion < 1, optimizer.param_groups[0]["lr"]
        (True, 0.1)
    """
    number("start", start, 0.0, open_minimum=True)
    number("end", end, start, open_minimum=True)
    number("diverged", diverged, 1.0, open_minimum=True)
    integer("steps", steps, 3)
    check_optimizer(trainer.model, trainer.optimizer)
    feed = make_feed(trainer, source(data, epochs=2), "the data")
    lrs = np.geomspace(start, end, steps)
    groups = trainer.optimizer.param_groups
    first = groups[0]["lr"]
    ratios = [group["lr"] / first if first else 1.0 for group in groups]
    losses: list[float] = []
    smoothed: list[float] = []
    average, reason = 0.0, f"all {steps} steps made"
    with _left_as_it_was(trainer):
        for i, batch in zip(range(steps), _batches(trainer, feed), strict=False):
            for group, ratio in zip(groups, ratios, strict=True):
                group["lr"] = lrs[i] * ratio
            loss = trainer.step(*batch)[0].item()
            if not math.isfinite(loss):
                reason = f"the loss became {loss} at lr {lrs[i]:.3g}"
                break
            average += (1 - _SMOOTHING) * (loss - average)
            losses.append(loss)
            smoothed.append(average / (1 - _SMOOTHING ** (i + 1)))
            if smoothed[-1] > diverged * min(smoothed):
                reason = f"the loss rose to {diverged:g} times its minimum at lr {lrs[i]:.3g}"
                break
    if not losses:
        raise ValueError(f"{reason}, before any update: look at data and loss")
    return LrRange(lrs[: len(losses)], np.array(losses), np.array(smoothed), reason)


def _batches(trainer: Training, feed: Feed | Stream) -> Iterator[tuple[Tensor, ...]]:
    """Yield batches without end: full ones, shuffled anew each epoch, or those of the user."""
    while isinstance(feed, Stream):
        yield from feed.batches()
    size = min(trainer.batch_size, feed.rows)
    epoch = 0
    while True:
        order = generator(trainer.seed, epoch).permutation(feed.rows)
        for i in range(0, feed.rows - size + 1, size):
            yield feed.take(order[i : i + size])
        epoch += 1


@contextmanager
def _left_as_it_was(trainer: Training) -> Iterator[None]:
    """Train inside; afterwards everything that training changes is as it was, to the bit."""
    model, optimizer, noise = trainer.model, trainer.optimizer, random.default_generator
    modes = [(module, module.training) for module in model.modules()]
    trained = [p for group in optimizer.param_groups for p in group["params"]]
    tensors = {id(t): t for t in (*model.parameters(), *model.buffers(), *trained)}.values()
    values = [(t, t.numpy().copy(), t.grad) for t in tensors]
    state, drawn = optimizer.state_dict(), noise.get_state()
    try:
        for tensor in tensors:
            tensor.grad = None  # the user's is kept, not added to
        noise.set_state((trainer.seed, 0))
        set_training(module for module, _ in modes)
        trainer.begin()
        yield
    finally:
        trainer.begin()
        for tensor, value, grad in values:
            tensor.numpy()[...] = value
            tensor.grad = grad
        optimizer.load_state_dict(state)
        noise.set_state(drawn)
        for module, training in modes:
            module.training = training
