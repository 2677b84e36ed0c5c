"""Switches for recording: what runs under `no_grad` leaves nothing on the tape."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from minigrad import _core

__all__ = ["enable_grad", "no_grad"]

P = ParamSpec("P")
R = TypeVar("R")


class _GradMode:
    enabled: bool

    def __init__(self) -> None:
        self._previous: list[bool] = []

    def __enter__(self) -> Self:
        self._previous.append(_core.set_grad_enabled(self.enabled))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _core.set_grad_enabled(self._previous.pop())

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        # One fresh switch per call: a decorated function may recurse and run on several threads.
        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            with type(self)():
                return function(*args, **kwargs)

        return wrapper


class no_grad(_GradMode):
    """Record nothing: a context manager, and with parentheses a decorator, for this thread.

    >>> import minigrad as mg
    >>> x = mg.ones(2, requires_grad=True)
    >>> with mg.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    enabled = False


class enable_grad(_GradMode):
    """Record again inside a `no_grad` block.

    >>> import minigrad as mg
    >>> x = mg.ones(2, requires_grad=True)
    >>> @mg.no_grad()
    ... def sensitivity(x):
    ...     with mg.enable_grad():
    ...         return (x * x).sum()
    >>> sensitivity(x).requires_grad
    True
    """

    enabled = True
