"""Schedules one after the other: a warm-up, then a decay."""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from typing import Any

from minigrad._check import integer
from minigrad.optim.lr_scheduler.base import LRScheduler
from minigrad.optim.optimizer import Optimizer

__all__ = ["SequentialLR"]


class SequentialLR(LRScheduler):
    """`schedulers[i + 1]` takes over at step `milestones[i]`, counting from 0 there.

    >>> from minigrad import ones, optim
    >>> from minigrad.optim import lr_scheduler
    >>> optimizer = optim.SGD([ones(2, requires_grad=True)], lr=1.0)
    >>> warm_up = lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> decay = lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> both = lr_scheduler.SequentialLR(optimizer, [warm_up, decay], milestones=[2])
    >>> [both.rates_at(t)[0] for t in range(5)]
    [0.5, 0.75, 1.0, 0.5, 0.25]
    """

    _not_state = frozenset({"optimizer", "schedulers"})

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"{len(schedulers)} schedulers need {len(schedulers) - 1} milestones, "
                f"got {len(milestones)}"
            )
        for i, scheduler in enumerate(schedulers):
            if not isinstance(scheduler, LRScheduler) or scheduler.optimizer is not optimizer:
                raise ValueError(f"scheduler {i} is no schedule of this optimizer: {scheduler!r}")
        self.schedulers = list(schedulers)
        self.milestones = [integer("milestones", m, 1) for m in milestones]
        if any(a >= b for a, b in zip(self.milestones, self.milestones[1:], strict=False)):
            raise ValueError(f"milestones must grow, got {list(milestones)}")
        # The first scheduler has set the rates to its own beginning; the initial ones are kept.
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"]
        super().__init__(optimizer, last_epoch)

    def lr_at(self, epoch: int, base_lr: float, index: int) -> float:
        """What the scheduler in charge gives."""
        i = bisect.bisect_right(self.milestones, epoch)
        start = self.milestones[i - 1] if i else 0
        scheduler = self.schedulers[i]
        return scheduler.lr_at(epoch - start, scheduler.base_lrs[index], index)

    def _set(self) -> None:
        super()._set()
        i = bisect.bisect_right(self.milestones, self.last_epoch)
        self.schedulers[i].last_epoch = self.last_epoch - (self.milestones[i - 1] if i else 0)

    def state_dict(self) -> dict[str, Any]:
        """Its own state and those of its schedulers."""
        return {**super().state_dict(), "schedulers": [s.state_dict() for s in self.schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        inner = state_dict.get("schedulers", ())
        if len(inner) != len(self.schedulers):
            raise ValueError(
                f"the state is of {len(inner)} schedulers, here are {len(self.schedulers)}"
            )
        for scheduler, state in zip(self.schedulers, inner, strict=True):
            scheduler.load_state_dict(state)
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "schedulers"})
