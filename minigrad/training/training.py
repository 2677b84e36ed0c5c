"""Training: how far a training is, and what may be asked of it while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, Protocol

from minigrad import _core, random
from minigrad._core import Tensor
from minigrad.history import History
from minigrad.metrics import Metric
from minigrad.nn import Module
from minigrad.optim import EMA, SWA, update_bn
from minigrad.random import Generator
from minigrad.training.learner import Learner
from minigrad.training.snapshot import Snapshot, take_snapshot

# Masks and noise of a training come from a stream of their own, not from that of the weights.
_NOISE_STREAM = 0x7472_6169_6E00_0000


class Stateful(Protocol):
    """What goes into a checkpoint and comes out of it, as callbacks do."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take it over."""


class Running(Protocol):
    """The loop of a training, as the training sees it."""

    def record_anew(self) -> None:
        """Forget all plans, as the step has become another one."""

    def snapshot(self) -> Snapshot:
        """Return the state after the current epoch."""

    def batches(self, epoch: int) -> Iterator[tuple[Tensor, ...]]:
        """Yield the training rows in the order of an epoch."""


class Training(Learner):
    """A learner with epochs: what loop, callbacks and checkpoints know of a ``mg.Trainer``.

    Attributes:
        history: what every epoch gave, of the running or the last ``fit``.
        columns: the names of its columns.
        epoch: the current epoch, from 0; ``epochs`` how many there are to be.
        epochs_trained: over all calls of ``fit``, so that a second call shuffles anew.
        stop_reason: why it is to end after this epoch; empty: it goes on.
        noise: the generator of everything random in the model while it trains.
    """

    callbacks: Sequence[Stateful] = ()
    batch_size = 32
    curves: Literal["honest", "running"] = "honest"
    scheduler: Any = None
    scheduler_every: Literal["epoch", "batch"] = "epoch"

    def __init__(
        self,
        model: Module,
        loss: Callable[..., Tensor],
        optimizer: Any,
        metrics: list[Metric],
        seed: int,
    ) -> None:
        """Put the parts together."""
        super().__init__(model, loss, optimizer, metrics)
        self.seed = seed
        self.history = History()
        self.columns: list[str] = []
        self.epoch = 0
        self.epochs = 0
        self.epochs_trained = 0
        self.stop_reason = ""
        self.noise = Generator(seed ^ _NOISE_STREAM)
        self._interruption = _core.Interrupt()
        self._loop: Running | None = None

    def stop(self, reason: str) -> None:
        """Ask the running ``fit`` to end after this epoch. The reason goes into the history."""
        self.stop_reason = reason

    def add_to_step(self, function: Callable[[], object]) -> None:
        """Until the running ``fit`` ends: call ``function`` as a part of every step, after its
        update and without gradients.

        It consists of ops on tensors that it changes in place, as ``optim.EMA.update`` does: it is
        called while a step is recorded, and plans repeat its ops. It must not read values.
        """
        self._added.append(function)
        if self._loop is not None:
            self._loop.record_anew()

    @property
    def interrupted(self) -> bool:
        """Whether `interrupt` was called for the running ``fit``, or for the next."""
        return self._interruption.requested

    def interrupt(self) -> None:
        """From another thread: end the running ``fit``, or the next, as Ctrl-C does.

        ``fit`` raises KeyboardInterrupt in its own thread, after the callbacks' ``on_fit_end``.
        """
        self._interruption.request()

    def forget_interrupt(self) -> None:
        """Let the next ``fit`` run although `interrupt` was called after the last one's end."""
        self._interruption.clear()

    def snapshot(self) -> Snapshot:
        """Return the state after the current epoch, which a callback may put back later."""
        if self._loop is None:
            return Snapshot(take_snapshot(self.model, self.optimizer, self.average))
        return self._loop.snapshot()

    def evaluate_average(self, average: EMA | SWA, every: Literal["step", "epoch"]) -> None:
        """Until the running ``fit`` ends: ``average`` takes in the weights after each step or each
        epoch, and stands for them wherever ``fit`` evaluates the model.

        Snapshots hold the weights and the average.
        """
        self.average, self.averages_epochs = average, every == "epoch"
        if every == "step":
            self._added.append(average.update)
        if self._loop is not None:
            self._loop.record_anew()

    def update_statistics(self) -> None:
        """Take the batch-norm statistics anew for the weights as they are (``optim.update_bn``).

        The training rows come in the order of the first epoch, and noise is as in it, so that the
        same weights get the same statistics. There must be a running ``fit``.
        """
        noise = Generator(self.seed ^ _NOISE_STREAM)
        with random.default_generator.replaced(noise):
            update_bn(self.training_batches(), self.model)

    def training_batches(self) -> Iterator[tuple[Tensor, ...]]:
        """Yield the batches of the running ``fit``'s training rows as they are in the first epoch,
        for callbacks."""
        if self._loop is None:
            raise ValueError("there is no running fit, so that there are no training rows")
        return self._loop.batches(0)

    def progress_state(self) -> dict[str, Any]:
        """Return how far the training is, for a checkpoint."""
        return {
            "epoch": len(self.history),
            "epochs_trained": self.epochs_trained,
            "stop_reason": self.stop_reason,
            "noise": self.noise.get_state()[1],
        }

    def load_progress_state(self, state: dict[str, Any]) -> None:
        """Go on from ``progress_state``."""
        self.epoch = state["epoch"]
        self.epochs_trained = state["epochs_trained"]
        self.stop_reason = state["stop_reason"]
        self.noise.set_state((self.noise.initial_seed(), state["noise"]))
