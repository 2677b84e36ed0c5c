"""Penalties on the size of parameters, kept apart from the data loss.

A penalty is called with the module and returns a scalar to add to the loss. The factors mean what
they mean in Keras: L2(c) adds c · sum(w^2), whose gradient is 2 c w. So L2(c) under plain SGD is
PyTorch's weight_decay = 2 c; AdamW's decay, which bypasses the gradient, is another thing.
"""

from __future__ import annotations

from collections.abc import Sequence

from minigrad._check import number
from minigrad._core import Tensor
from minigrad.nn.module import Module
from minigrad.nn.selection import select
from minigrad.tensor import zeros
from minigrad.watched import Watched, used

__all__ = ["L1", "L1L2", "L2", "Penalty"]


class Penalty(Watched):
    """l1 · sum(|w|) + l2 · sum(w^2) over the chosen parameters; use L1, L2 or L1L2.

    Penalties are added with +, so that layers can have strengths of their own.

    >>> from minigrad import nn
    >>> nn.L2(0.01, names="0.*") + nn.L1(0.001, names="2.*")
    L2(0.01, names='0.*') + L1(0.001, names='2.*')
    """

    def __init__(self, l1: float, l2: float, names: str | Sequence[str] | None) -> None:
        self.l1 = number("l1", l1, 0.0)
        self.l2 = number("l2", l2, 0.0)
        self.names = names

    def __call__(self, module: Module) -> Tensor:
        """The penalty of `module` as it stands: a scalar that knows its gradient."""
        used(self)
        total: Tensor | None = None
        for w in select(module, self.names).values():
            for factor, term in ((self.l1, abs), (self.l2, _square)):
                if factor:
                    part = term(w).sum() * factor
                    total = part if total is None else total + part
        return zeros(()) if total is None else total

    def __add__(self, other: Penalty) -> Penalty:
        """Both penalties as one."""
        return _Sum(self, other) if isinstance(other, Penalty) else NotImplemented

    def __repr__(self) -> str:
        """The factors and the choice."""
        names = "" if self.names is None else f", names={self.names!r}"
        factors = {"L1": f"{self.l1}", "L2": f"{self.l2}"}
        kind = type(self).__name__
        return f"{kind}({factors.get(kind, f'l1={self.l1}, l2={self.l2}')}{names})"


class _Sum(Penalty):
    """Two penalties added."""

    def __init__(self, first: Penalty, second: Penalty) -> None:
        self.first, self.second = first, second

    def __call__(self, module: Module) -> Tensor:
        return self.first(module) + self.second(module)

    def __repr__(self) -> str:
        return f"{self.first!r} + {self.second!r}"


class L1(Penalty):
    """l1 · sum(|w|): pulls weights to exactly 0, so that few remain (Tibshirani, 1996).

    Args:
        l1: the factor, at least 0.
        names: which parameters, as shell patterns; None means all with 2 axes or more.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> layer = nn.Linear(2, 2)
    >>> _ = nn.init.constant_(layer.weight, -0.5)
    >>> round(nn.L1(0.25)(layer).item(), 4)
    0.5
    """

    def __init__(self, l1: float = 0.01, names: str | Sequence[str] | None = None) -> None:
        super().__init__(l1, 0.0, names)


class L2(Penalty):
    """l2 · sum(w^2): keeps weights small (Krogh and Hertz, 1991).

    Args:
        l2: the factor, at least 0; the gradient is 2 l2 w.
        names: which parameters, as shell patterns; None means all with 2 axes or more.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> layer = nn.Linear(2, 2)
    >>> _ = nn.init.constant_(layer.weight, -0.5)
    >>> nn.L2(0.5)(layer).item()
    0.5
    """

    def __init__(self, l2: float = 0.01, names: str | Sequence[str] | None = None) -> None:
        super().__init__(0.0, l2, names)


class L1L2(Penalty):
    """l1 · sum(|w|) + l2 · sum(w^2), the elastic net (Zou and Hastie, 2005).

    Args:
        l1: the factor of the absolute values, at least 0.
        l2: the factor of the squares, at least 0.
        names: which parameters, as shell patterns; None means all with 2 axes or more.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> layer = nn.Linear(2, 2)
    >>> _ = nn.init.constant_(layer.weight, -0.5)
    >>> nn.L1L2(0.5, 0.5)(layer).item()
    1.5
    """

    def __init__(
        self, l1: float = 0.01, l2: float = 0.01, names: str | Sequence[str] | None = None
    ) -> None:
        super().__init__(l1, l2, names)


def _square(w: Tensor) -> Tensor:
    return w * w
