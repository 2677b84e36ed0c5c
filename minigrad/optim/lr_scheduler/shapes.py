"""Schedules that are one formula: steps, exponentials, lines, cosines and your own."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Iterable, Sequence

from minigrad._check import integer, number
from minigrad.optim.lr_scheduler.base import LRScheduler
from minigrad.optim.optimizer import Optimizer

__all__ = [
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialLR",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "PolynomialLR",
    "StepLR",
]


class LambdaLR(LRScheduler):
    """The initial rate times `lr_lambda(epoch)`; one function, or one for each group.

    >>> from minigrad import ones, optim
    >>> optimizer = optim.SGD([ones(2, requires_grad=True)], lr=1.0)
    >>> schedule = optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 / (1 + epoch))
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    _not_state = frozenset({"optimizer", "lr_lambdas"})

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        groups = len(optimizer.param_groups)
        self.lr_lambdas = [lr_lambda] * groups if callable(lr_lambda) else list(lr_lambda)
        if len(self.lr_lambdas) != groups:
            raise ValueError(f"{len(self.lr_lambdas)} functions for {groups} parameter groups")
        super().__init__(optimizer, last_epoch)

    def lr_at(self, epoch: int, base_lr: float, index: int) -> float:
        """`base_lr` * lr_lambda(epoch)."""
        return base_lr * self.lr_lambdas[index](epoch)


class StepLR(LRScheduler):
    """The rate is multiplied by `gamma` every `step_size` steps.

    >>> from minigrad import ones, optim
    >>> optimizer = optim.SGD([ones(2, requires_grad=True)], lr=1.0)
    >>> optim.lr_scheduler.StepLR(optimizer, step_size=10, gamma=0.5).rates_at(25)
    [0.25]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size = integer("step_size", step_size, 1)
        self.gamma = number("gamma", gamma, 0.0)
        super().__init__(optimizer, last_epoch)

    def lr_at(self, epoch: int, base_lr: float, index: int) -> float:
        """`base_lr` * gamma^floor(epoch / step_size)."""
        return base_lr * self.gamma ** (epoch // self.step_size)


class MultiStepLR(LRScheduler):
    """The rate is multiplied by `gamma` at each of the `milestones`.

    >>> from minigrad import ones, optim
    >>> optimizer = optim.SGD([ones(2, requires_grad=True)], lr=1.0)
    >>> schedule = optim.lr_scheduler.MultiStepLR(optimizer, [2, 4], gamma=0.5)
    >>> [schedule.rates_at(t)[0] for t in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones = sorted(integer("milestones", m, 0) for m in milestones)
        self.gamma = number("gamma", gamma, 0.0)
        super().__init__(optimizer, last_epoch)

    def lr_at(self, epoch: int, base_lr: float, index: int) -> float:
        """`base_lr` * gamma^(milestones reached)."""
        return base_lr * self.gamma ** bisect.bisect_right(self.milestones, epoch)


class ExponentialLR(LRScheduler):
    """The rate is multiplied by `gamma` at each step.

    >>> from minigrad import ones, optim
    >>> optimizer = optim.SGD([ones(2, requires_grad=True)], lr=1.0)
    >>> optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5).rates_at(3)
    [0.125]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = number("gamma", gamma, 0.0)
        super().__init__(optimizer, last_epoch)

    def lr_at(self, epoch: int, base_lr: float, index: int) -> float:
        """`base_lr` * gamma^epoch."""
        return base_lr * self.gamma**epoch


class LinearLR(LRScheduler):
    """A factor that goes in a line from `start_factor` to `end_factor` in `total_iters` steps.

    With the defaults a warm-up from a third of the rate to all of it.

    >>> from minigrad import ones, optim
    >>> optimizer = optim.SGD([ones(2, requires_grad=True)], lr=1.0)
    >>> warm_up = optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> [warm_up.rates_at(t)[0] for t in range(4)]
    [0.5, 0.75, 1.0, 1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        self.start_factor = number("start_factor", start_factor, 0.0, 1.0, open_minimum=True)
        self.end_factor = number("end_factor", end_factor, 0.0, 1.0)
        self.total_iters = integer("total_iters", total_iters, 1)
        super().__init__(optimizer, last_epoch)

    def lr_at(self, epoch: int, base_lr: float, index: int) -> float:
        """`base_lr` * the factor at min(epoch, total_iters)."""
        share = min(epoch, self.total_iters) / self.total_iters
        return base_lr * (self.start_factor + (self.end_factor - self.start_factor) * share)


class ConstantLR(LinearLR):
    """`factor` times the rate for `total_iters` steps, then the rate itself.

    >>> from minigrad import ones, optim
    >>> optimizer = optim.SGD([ones(2, requires_grad=True)], lr=1.0)
    >>> slow = optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=2)
    >>> [slow.rates_at(t)[0] for t in range(4)]
    [0.5, 0.5, 1.0, 1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        super().__init__(optimizer, factor, 1.0, total_iters, last_epoch)

    def lr_at(self, epoch: int, base_lr: float, index: int) -> float:
        """`base_lr` * factor before total_iters."""
        return base_lr * (self.start_factor if epoch < self.total_iters else 1.0)


class PolynomialLR(LRScheduler):
    """From the rate to 0 in `total_iters` steps, as (1 - t / total_iters)^power.

    >>> from minigrad import ones, optim
    >>> optimizer = optim.SGD([ones(2, requires_grad=True)], lr=1.0)
    >>> fall = optim.lr_scheduler.PolynomialLR(optimizer, total_iters=4)
    >>> [fall.rates_at(t)[0] for t in range(6)]
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
    ) -> None:
        self.total_iters = integer("total_iters", total_iters, 1)
        self.power = number("power", power, 0.0)
        super().__init__(optimizer, last_epoch)

    def lr_at(self, epoch: int, base_lr: float, index: int) -> float:
        """`base_lr` * (1 - min(epoch / total_iters, 1))^power."""
        return float(base_lr * (1 - min(epoch, self.total_iters) / self.total_iters) ** self.power)


class CosineAnnealingLR(LRScheduler):
    """Half a cosine from the rate down to `eta_min` in `T_max` steps, and up again in the next.

    >>> from minigrad import ones, optim
    >>> optimizer = optim.SGD([ones(2, requires_grad=True)], lr=1.0)
    >>> fall = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)
    >>> [round(fall.rates_at(t)[0], 3) for t in range(5)]
    [1.0, 0.854, 0.5, 0.146, 0.0]
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_max = integer("T_max", T_max, 1)
        self.eta_min = number("eta_min", eta_min, 0.0)
        super().__init__(optimizer, last_epoch)

    def lr_at(self, epoch: int, base_lr: float, index: int) -> float:
        """`eta_min` + (base_lr - eta_min) * (1 + cos(pi * epoch / T_max)) / 2."""
        height = (1 + math.cos(math.pi * epoch / self.T_max)) / 2
        return self.eta_min + (base_lr - self.eta_min) * height


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half cosines from the rate to `eta_min`: `T_0` steps, then each `T_mult` times as long.

    >>> from minigrad import ones, optim
    >>> optimizer = optim.SGD([ones(2, requires_grad=True)], lr=1.0)
    >>> waves = optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2, T_mult=2)
    >>> [round(waves.rates_at(t)[0], 3) for t in range(7)]
    [1.0, 0.5, 1.0, 0.854, 0.5, 0.146, 1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        self.T_0 = integer("T_0", T_0, 1)
        self.T_mult = integer("T_mult", T_mult, 1)
        self.eta_min = number("eta_min", eta_min, 0.0)
        super().__init__(optimizer, last_epoch)

    def lr_at(self, epoch: int, base_lr: float, index: int) -> float:
        """The cosine of the wave in which `epoch` lies."""
        length = self.T_0
        if self.T_mult == 1:
            epoch %= length
        while epoch >= length:
            epoch -= length
            length *= self.T_mult
        height = (1 + math.cos(math.pi * epoch / length)) / 2
        return self.eta_min + (base_lr - self.eta_min) * height
