"""What plans depend on: objects that say when they are used, and when they have changed.

A plan repeats what modules, penalties, constraints and optimizers did when it was recorded. So that
it is not repeated after one of them has changed, each calls `used` when it is used, which tells it
to whoever records in that thread, and `note_change` of the core when something of it is set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from operator import is_
from threading import get_ident
from typing import Any

from minigrad._core import Tensor, note_change

# Thread -> what it has used since it began to record. Empty as a rule: callers ask that first.
recorders: dict[int, dict[int, tuple[Any, list[Any], bool]]] = {}

# Values that are compared; of all others it is asked whether they are the same object.
_PLAIN = frozenset((bool, int, float, complex, str, bytes, type(None)))


class Watched:
    """Something that notes a change whenever an attribute is set."""

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        note_change()


def used(thing: Any) -> None:
    """Tell a recorder of this thread that `thing` is used, while it still is as before the use."""
    found = recorders.get(get_ident())
    if found is not None and id(thing) not in found:
        found[id(thing)] = thing, settings(thing), getattr(thing, "training", False)


@contextmanager
def recording(
    known: Iterable[tuple[Any, list[Any]]],
) -> Iterator[dict[int, tuple[Any, list[Any], bool]]]:
    """Inside: all that this thread uses comes into the dict, with its settings and mode before.

    Things that are known with their settings are there from the beginning.
    """
    found = {id(t): (t, before, getattr(t, "training", False)) for t, before in known}
    recorders[get_ident()] = found
    try:
        yield found
    finally:
        del recorders[get_ident()]


def settings(thing: Any) -> list[Any]:
    """What makes a thing do what it does, apart from values that a plan reads at each replay."""
    if (own := getattr(type(thing), "_plan_settings", None)) is not None:
        return list(own(thing))
    values: list[Any] = []
    for name, value in vars(thing).items():
        if name != "training":
            values += name, value, isinstance(value, Tensor) and value.requires_grad
    return values


def same(before: list[Any], now: list[Any]) -> bool:
    """Whether these are the same objects, or equal numbers and strings."""
    if len(before) != len(now):
        return False
    return all(map(is_, before, now)) or all(
        x is y or (type(x) is type(y) and type(x) in _PLAIN and x == y)
        for x, y in zip(before, now, strict=True)
    )
