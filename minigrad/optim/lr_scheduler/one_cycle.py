"""OneCycleLR: up to a high rate and down to almost nothing, with momentum the other way round."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minigrad._check import integer, number, one_of
from minigrad.optim.lr_scheduler.base import LRScheduler
from minigrad.optim.optimizer import Optimizer

__all__ = ["OneCycleLR"]


class OneCycleLR(LRScheduler):
    """The 1cycle policy (Smith and Topin, 2018); call `step` after every batch.

    Args:
        optimizer: whose groups' rates, and momentum or betas[0], are set.
        max_lr: the highest rate, for all groups or one for each.
        total_steps: the length, or None to take epochs * steps_per_epoch.
        epochs, steps_per_epoch: the length in epochs.
        pct_start: the share of it spent going up.
        anneal_strategy: "cos" or "linear".
        cycle_momentum: move momentum (betas[0]) from max_momentum to base_momentum and back.
        base_momentum, max_momentum: its ends.
        div_factor: the first rate is max_lr / div_factor.
        final_div_factor: the last rate is that first rate / final_div_factor.
        three_phase: come down to the first rate in the same time as up, then to the last.
        last_epoch: the count to go on from; -1 begins anew.

    >>> from minigrad import ones, optim
    >>> optimizer = optim.SGD([ones(2, requires_grad=True)], lr=0.1, momentum=0.9)
    >>> cycle = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=11, pct_start=0.5)
    >>> [round(cycle.rates_at(t)[0], 2) for t in (0, 4, 10)]
    [0.04, 0.97, 0.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR needs total_steps, or epochs and steps_per_epoch")
            total_steps = integer("epochs", epochs, 1) * integer(
                "steps_per_epoch", steps_per_epoch, 1
            )
        self.total_steps = integer("total_steps", total_steps, 1)
        groups = optimizer.param_groups
        tops = list(max_lr) if isinstance(max_lr, Sequence) else [max_lr] * len(groups)
        if len(tops) != len(groups):
            raise ValueError(f"{len(tops)} values of max_lr for {len(groups)} parameter groups")
        self.max_lrs = [number("max_lr", top, 0.0) for top in tops]
        self.anneal_strategy = one_of("anneal_strategy", anneal_strategy, ("cos", "linear"))
        self.cycle_momentum = cycle_momentum
        self.base_momentum = number("base_momentum", base_momentum, 0.0)
        self.max_momentum = number("max_momentum", max_momentum, 0.0)
        self.div_factor = number("div_factor", div_factor, 0.0, open_minimum=True)
        self.final_div_factor = number("final_div_factor", final_div_factor, 0.0, open_minimum=True)
        up = number("pct_start", pct_start, 0.0, 1.0) * self.total_steps - 1
        end = self.total_steps - 1
        # Where each phase ends; the values at the ends are in _ends.
        self.phase_ends: list[float] = [up, 2 * up, end] if three_phase else [up, end]
        if cycle_momentum and not all("momentum" in g or "betas" in g for g in groups):
            raise ValueError("cycle_momentum needs an optimizer with momentum or betas")
        if cycle_momentum and any(not g["momentum"] for g in groups if "betas" not in g):
            raise ValueError("cycle_momentum needs momentum above 0; or set cycle_momentum=False")
        super().__init__(optimizer, last_epoch)

    def _at(self, epoch: int, ends: list[float]) -> float:
        if epoch > self.total_steps:
            raise ValueError(
                f"step {epoch} of a cycle of total_steps = {self.total_steps}: give it as many as "
                "there will be, epochs * batches an epoch if it steps after every batch"
            )
        start = 0.0
        phase = 0
        while phase < len(self.phase_ends) - 1 and epoch > self.phase_ends[phase]:
            start = self.phase_ends[phase]
            phase += 1
        length = self.phase_ends[phase] - start
        share = min((epoch - start) / length, 1.0) if length else 1.0
        if self.anneal_strategy == "cos":
            share = (1 - math.cos(math.pi * share)) / 2
        return ends[phase] + (ends[phase + 1] - ends[phase]) * share

    def _ends(self, low: float, high: float, last: float) -> list[float]:
        return [low, high, low, last] if len(self.phase_ends) == 3 else [low, high, last]

    def lr_at(self, epoch: int, base_lr: float, index: int) -> float:
        """The rate between the ends of the phase in which `epoch` lies."""
        top = self.max_lrs[index]
        low = top / self.div_factor
        return self._at(epoch, self._ends(low, top, low / self.final_div_factor))

    def momentum_at(self, epoch: int) -> float:
        """The momentum likewise."""
        high, low = self.max_momentum, self.base_momentum
        return self._at(epoch, self._ends(high, low, high))

    def _set(self) -> None:
        super()._set()
        if not self.cycle_momentum:
            return
        momentum = self.momentum_at(self.last_epoch)
        for group in self.optimizer.param_groups:
            changed: dict[str, Any] = {"momentum": momentum}
            if "betas" in group:
                changed = {"betas": (momentum, group["betas"][1])}
            group.change(changed)
