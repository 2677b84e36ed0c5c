"""ReduceLROnPlateau: lower the rate when a metric has stopped improving."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from minigrad._check import integer, number, one_of
from minigrad.optim.optimizer import Optimizer

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau:
    """Multiply the rate by `factor` after more than `patience` steps without improvement.

    Args:
        optimizer: whose groups' "lr" is lowered.
        mode: "min" if a lower metric is better, else "max".
        factor: in [0, 1).
        patience: how many steps without improvement are borne.
        threshold: by how much the best must be beaten to count.
        threshold_mode: "rel" (a share of the best's magnitude, so that it means the same for
            negative metrics) or "abs".
        cooldown: steps after a reduction in which nothing is counted.
        min_lr: the lowest rate, for all groups or one for each.
        eps: smaller changes of the rate are left out.

    A NaN is never an improvement.

    >>> from minigrad import ones, optim
    >>> optimizer = optim.SGD([ones(2, requires_grad=True)], lr=1.0)
    >>> schedule = optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in (1.0, 2.0, 2.0):
    ...     schedule.step(loss)
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"ReduceLROnPlateau needs an Optimizer, got {optimizer!r}")
        self.optimizer = optimizer
        self.mode = one_of("mode", mode, ("min", "max"))
        self.factor = number("factor", factor, 0.0)
        if self.factor >= 1:
            raise ValueError(f"factor must be below 1, got {factor}")
        self.patience = integer("patience", patience, 0)
        self.threshold = number("threshold", threshold, 0.0)
        self.threshold_mode = one_of("threshold_mode", threshold_mode, ("rel", "abs"))
        self.cooldown = integer("cooldown", cooldown, 0)
        self.eps = number("eps", eps, 0.0)
        groups = len(optimizer.param_groups)
        lowest = list(min_lr) if isinstance(min_lr, Sequence) else [min_lr] * groups
        if len(lowest) != groups:
            raise ValueError(f"{len(lowest)} values of min_lr for {groups} parameter groups")
        self.min_lrs = [number("min_lr", low, 0.0) for low in lowest]
        self.last_epoch = 0
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = 0
        self.cooldown_counter = 0

    def is_better(self, metric: float) -> bool:
        """Does it beat the best by more than the threshold?"""
        margin = self.threshold
        if self.threshold_mode == "rel" and math.isfinite(self.best):
            margin *= abs(self.best)
        if self.mode == "min":
            return metric < self.best - margin
        return metric > self.best + margin

    def step(self, metrics: Any) -> None:
        """Count the metric of one more epoch, and lower the rates when it is time."""
        metric = float(metrics)
        self.last_epoch += 1
        if self.is_better(metric):
            self.best = metric
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            for group, lowest in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
                rate = max(group["lr"] * self.factor, lowest)
                if group["lr"] - rate > self.eps:
                    group["lr"] = rate
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0

    def get_last_lr(self) -> list[float]:
        """The rates of the groups as they are now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """All but the optimizer."""
        return {key: value for key, value in vars(self).items() if key != "optimizer"}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave; the rates themselves are the optimizer's state."""
        wrong = state_dict.keys() ^ self.state_dict().keys()
        if wrong:
            raise ValueError(
                f"not a state of ReduceLROnPlateau: {', '.join(sorted(map(str, wrong)))} "
                "missing or unexpected"
            )
        vars(self).update(state_dict)
