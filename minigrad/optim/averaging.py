"""Averages of the weights over training: exponential (EMA) and equal (SWA)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import numpy as np

from minigrad import _core
from minigrad._check import number
from minigrad._core import Tensor
from minigrad.grad_mode import no_grad

__all__ = ["EMA", "SWA"]


class _Average:
    """Averages beside parameters; a subclass says how much a new value weighs."""

    def __init__(self, parameters: Iterable[Tensor]) -> None:
        if isinstance(parameters, Tensor):
            raise TypeError("parameters must be an iterable of tensors, got one Tensor; write [p]")
        self.parameters = list(parameters)
        if not self.parameters:
            raise ValueError(f"{type(self).__name__} got no parameters")
        self.averages = [p.detach().clone() for p in self.parameters]
        self._count = Tensor(np.zeros(1))

    def _weight(self, count: Tensor) -> Tensor:
        """The weight of update number `count`, from 1, as float64 (1,)."""
        raise NotImplementedError

    @property
    def n_averaged(self) -> int:
        """How many updates the averages have had."""
        return int(self._count.item())

    def update(self) -> None:
        """Take in the parameters as they are now: average += weight * (parameter - average).

        Call it after `step`; also inside a compiled function, as it consists of ops.
        """
        with no_grad():
            self._count.copy_(self._count + 1.0)
            weight = self._weight(self._count)
            for average, p in zip(self.averages, self.parameters, strict=True):
                _core.lerp_(average, p.detach(), weight)

    def copy_to(self) -> None:
        """Set the parameters to the averages."""
        for average, p in zip(self.averages, self.parameters, strict=True):
            p.detach().numpy()[...] = average.numpy()

    @contextmanager
    def applied(self) -> Iterator[Self]:
        """Have the parameters hold the averages inside a `with`, and their own values after it.

        Anything that runs in between sees the averages: use it to evaluate, not to train.
        """
        kept = [p.detach().numpy().copy() for p in self.parameters]
        self.copy_to()
        try:
            yield self
        finally:
            for p, own in zip(self.parameters, kept, strict=True):
                p.detach().numpy()[...] = own

    def state_dict(self) -> dict[str, Any]:
        """A snapshot: the averages and their count."""
        return {"n_averaged": self.n_averaged, "averages": [a.clone() for a in self.averages]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave; a ValueError if it is of other parameters."""
        if state_dict.keys() != {"n_averaged", "averages"}:
            raise ValueError(f"not a state of {type(self).__name__}: {', '.join(state_dict)}")
        values = [np.asarray(value) for value in state_dict["averages"]]
        found = [(v.shape, v.dtype) for v in values]
        own = [(a.shape, a.dtype) for a in self.averages]
        if found != own:
            raise ValueError(f"the averages are of {found}, the parameters of {own}")
        self._count.numpy()[0] = int(state_dict["n_averaged"])
        for average, value in zip(self.averages, values, strict=True):
            average.numpy()[...] = value


class EMA(_Average):
    """The exponential moving average: average = decay * average + (1 - decay) * parameter.

    With a long memory and few updates the values of the beginning would linger: 0.999^500 is 0.61.
    The decay of update n is therefore min(decay, 1 - 1 / n), the plain mean of all updates until
    there are 1 / (1 - decay) of them; `warmup=False` has `decay` from the first update on, as
    PyTorch's `get_ema_multi_avg_fn`.

    Args:
        parameters: what is averaged.
        decay: the share that is kept with each update, in [0, 1): the memory is about
            1 / (1 - decay) updates long.
        warmup: begin with the plain mean. Otherwise the averages begin as the values that the
            parameters have now.

    >>> import minigrad as mg
    >>> p = mg.tensor([0.0], requires_grad=True)
    >>> ema = mg.optim.EMA([p], decay=0.75)
    >>> for value in (4.0, 8.0):
    ...     _ = p.detach().fill_(value)
    ...     ema.update()
    >>> with ema.applied():
    ...     p.tolist()
    [6.0]
    >>> p.tolist()
    [8.0]
    """

    def __init__(
        self, parameters: Iterable[Tensor], decay: float = 0.999, warmup: bool = True
    ) -> None:
        self.decay = number("decay", decay, 0.0)
        if self.decay >= 1:
            raise ValueError(f"decay must be in [0, 1), got {decay}")
        self.warmup = warmup
        super().__init__(parameters)

    def _weight(self, count: Tensor) -> Tensor:
        if not self.warmup:
            return Tensor(np.array([1.0 - self.decay]))
        return _core.clip(1.0 / count, 1.0 - self.decay)


class SWA(_Average):
    """Stochastic weight averaging (Izmailov et al., 2018): the plain mean over the updates.

    Call `update` at the end of each of the last epochs. Batch-norm statistics belong to the weights
    they were taken with: take them anew by `update_bn` after `copy_to`. In a trainer
    `callbacks.AverageWeights` does all of it.

    Args:
        parameters: what is averaged.

    >>> import minigrad as mg
    >>> p = mg.tensor([0.0], requires_grad=True)
    >>> swa = mg.optim.SWA([p])
    >>> for value in (1.0, 2.0, 6.0):
    ...     _ = p.detach().fill_(value)
    ...     swa.update()
    >>> swa.copy_to()
    >>> p.tolist()
    [3.0]
    """

    def _weight(self, count: Tensor) -> Tensor:
        return 1.0 / count
