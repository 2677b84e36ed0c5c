"""Checks of arguments: each returns the value it was given, or raises an error that names it."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any, SupportsFloat, SupportsIndex

__all__ = ["integer", "number", "one_of", "pair", "probability"]


def integer(name: str, value: SupportsIndex, minimum: int | None = None) -> int:
    """`value` as an int of at least `minimum`; True, 2.0 and "2" are not integers here."""
    if isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    try:
        result = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None
    if minimum is not None and result < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {result}")
    return result


def number(
    name: str,
    value: SupportsFloat,
    minimum: float = -math.inf,
    maximum: float = math.inf,
    *,
    open_minimum: bool = False,
) -> float:
    """`value` as a finite float in [minimum, maximum], or above minimum if `open_minimum`."""
    try:
        result = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, got {value!r}") from None
    if not math.isfinite(result):
        raise ValueError(f"{name} must be finite, got {result}")
    if result > maximum or result < minimum or (open_minimum and result == minimum):
        left = "(" if open_minimum or minimum == -math.inf else "["
        right = ")" if maximum == math.inf else "]"
        raise ValueError(f"{name} must be in {left}{minimum}, {maximum}{right}, got {result}")
    return result


def probability(name: str, value: SupportsFloat) -> float:
    """`value` as a float in [0, 1]."""
    return number(name, value, 0.0, 1.0)


def pair(name: str, value: int | Sequence[int], minimum: int = 0) -> tuple[int, int]:
    """`value` as (height, width): one integer stands for both."""
    if isinstance(value, Sequence):
        if len(value) != 2:
            raise ValueError(f"{name} must be an integer or two of them, got {value!r}")
        return integer(name, value[0], minimum), integer(name, value[1], minimum)
    both = integer(name, value, minimum)
    return both, both


def one_of(name: str, value: Any, choices: Sequence[str]) -> str:
    """`value`, which must be one of `choices`."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")
    return str(value)
