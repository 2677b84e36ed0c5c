"""Replayed: a snapshot that is not kept but reached again, by the epochs that led to it."""

from __future__ import annotations

from typing import Any

from minigrad._core import EpochState
from minigrad.training.learner import Learner
from minigrad.training.planned import PlannedEpochs
from minigrad.training.snapshot import Snapshot, take_snapshot
from minigrad.training.training import Training


class Replayed(Snapshot):
    """The state after some epochs of a call, which runs them again from the call's beginning."""

    def __init__(
        self,
        training: Training,
        planned: PlannedEpochs,
        start: EpochState,
        first: int,
        epochs: int,
    ) -> None:
        self._training, self._planned = training, planned
        self._epochs = start, first, epochs

    def restore(self, learner: Learner) -> None:
        """Put the state back."""
        noise = self._training.noise.get_state()
        try:
            self._planned.repeat(*self._epochs)
        finally:
            self._training.noise.set_state(noise)

    def state(self) -> dict[str, Any]:
        """The state as arrays."""
        now = self._planned.save()
        try:
            self._planned.repeat(*self._epochs)
            training = self._training
            return take_snapshot(training.model, training.optimizer, training.average)
        finally:
            self._planned.restore(now)
