"""The base of the learning rate schedules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minigrad._check import integer
from minigrad.optim.optimizer import Optimizer

__all__ = ["LRScheduler"]


class LRScheduler:
    """Sets every group's learning rate from the number of `step` calls so far.

    A schedule here is a function of the step count and of the group's initial rate alone (PyTorch's
    closed form): it neither drifts by rounding nor depends on what else has set the rate, and a
    resumed schedule gives the same bits. A subclass defines `lr_at`.

    Args:
        optimizer: whose groups' "lr" is set; their "initial_lr" is what it was at first.
        last_epoch: the count to go on from; -1 begins anew.

    >>> import minigrad as mg
    >>> from minigrad.optim.lr_scheduler import LRScheduler
    >>> class Halve(LRScheduler):
    ...     def lr_at(self, epoch, base_lr, index):
    ...         return base_lr / 2**epoch
    >>> optimizer = mg.optim.SGD([mg.ones(1, requires_grad=True)], lr=0.8)
    >>> schedule = Halve(optimizer)
    >>> schedule.step()
    >>> optimizer.param_groups[0]["lr"]
    0.4
    """

    # What state_dict leaves out, beside the optimizer.
    _not_state: frozenset[str] = frozenset({"optimizer"})

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(self).__name__} needs an Optimizer, got {optimizer!r}")
        integer("last_epoch", last_epoch, -1)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])  # another schedule may have set it
            elif "initial_lr" not in group:
                raise ValueError(f"last_epoch = {last_epoch}, but group {i} has no 'initial_lr'")
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = max(last_epoch, 0)
        self._set()

    def lr_at(self, epoch: int, base_lr: float, index: int) -> float:
        """The rate of group `index`, whose initial rate is `base_lr`, after `epoch` steps."""
        raise NotImplementedError

    def step(self) -> None:
        """Count one up, usually after each epoch, and set the rates."""
        self.last_epoch += 1
        self._set()

    def rates_at(self, epoch: int) -> list[float]:
        """The rates of all groups after `epoch` steps."""
        return [self.lr_at(epoch, base, i) for i, base in enumerate(self.base_lrs)]

    def _set(self) -> None:
        rates = self.rates_at(self.last_epoch)
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate

    def get_last_lr(self) -> list[float]:
        """The rates of the groups as they are now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """All but the optimizer and functions."""
        state = {key: value for key, value in vars(self).items() if key not in self._not_state}
        return {key: list(v) if isinstance(v, list) else v for key, v in state.items()}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave (of the same kind of schedule), and set the rates."""
        wrong = state_dict.keys() ^ (vars(self).keys() - self._not_state)
        if wrong:
            raise ValueError(
                f"not a state of {type(self).__name__}: {', '.join(sorted(map(str, wrong)))} "
                "missing or unexpected"
            )
        vars(self).update(state_dict)
        self._set()
