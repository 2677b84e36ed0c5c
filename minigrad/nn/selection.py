"""Which parameters a penalty or constraint speaks of: those whose names match a pattern."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter

__all__ = ["select"]


def select(module: Module, names: str | Sequence[str] | None = None) -> dict[str, Parameter]:
    """Parameters of `module` by name.

    Args:
        module: where to look.
        names: shell patterns such as "0.weight" or "encoder.*"; None chooses every parameter with
            2 axes or more, which leaves out biases and normalisation.

    Raises:
        ValueError: if a pattern matches nothing, with the names there are.

    >>> from minigrad import nn
    >>> list(nn.selection.select(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))))
    ['0.weight']
    """
    parameters = dict(module.named_parameters())
    if names is None:
        return {name: p for name, p in parameters.items() if p.ndim >= 2}
    patterns = [names] if isinstance(names, str) else list(names)
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in parameters):
            raise ValueError(
                f"no parameter matches {pattern!r}; there are: {', '.join(parameters) or 'none'}"
            )
    return {
        name: p for name, p in parameters.items() if any(fnmatchcase(name, q) for q in patterns)
    }
