"""Constraints on parameters, applied after an optimizer's step."""

from __future__ import annotations

from collections.abc import Sequence

from minigrad._check import number
from minigrad._core import max_norm_
from minigrad.grad_mode import no_grad
from minigrad.nn.module import Module
from minigrad.nn.selection import select
from minigrad.watched import Watched, used

__all__ = ["MaxNorm"]


class MaxNorm(Watched):
    """Shrinks the incoming weights of any unit to an L2 norm of at most `max_norm`.

    The norm is taken over all axes but the first, that is over one unit's weights in a Linear and
    one output channel's kernel in a Conv2d. Goes well with dropout (Srivastava et al., 2014).

    Args:
        max_norm: the largest norm, above 0; 3 or 4 is usual.
        names: which parameters, as shell patterns; None means all with 2 axes or more.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> layer = nn.Linear(4, 1)
    >>> _ = nn.init.constant_(layer.weight, 3.0)
    >>> nn.MaxNorm(2.0)(layer)
    >>> layer.weight.tolist()
    [[1.0, 1.0, 1.0, 1.0]]
    """

    def __init__(self, max_norm: float = 3.0, names: str | Sequence[str] | None = None) -> None:
        self.max_norm = number("max_norm", max_norm, 0.0, open_minimum=True)
        self.names = names

    def __call__(self, module: Module) -> None:
        """Shrink the chosen parameters of `module` in place; smaller ones keep their bits."""
        used(self)
        with no_grad():
            for name, w in select(module, self.names).items():
                if w.ndim < 2:
                    raise ValueError(
                        f"MaxNorm needs weights of 2 axes or more; {name} has shape {w.shape}"
                    )
                max_norm_(w, self.max_norm)

    def __repr__(self) -> str:
        """The norm and the choice."""
        names = "" if self.names is None else f", names={self.names!r}"
        return f"MaxNorm({self.max_norm}{names})"
