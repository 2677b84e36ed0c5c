"""What is kept of one recorded call, and what a call may not have done."""

from __future__ import annotations

import pickle
import random
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from operator import is_
from typing import Any

from minigrad import _core
from minigrad.nn.module import Module
from minigrad.plan.reach import Reach
from minigrad.watched import same, settings


@dataclass
class Recording:
    """A plan, or what stood in its way, and the modes of modules with which it was recorded."""

    modules: list[Module]
    modes: list[bool]
    plan: _core.Plan | None = None
    result: Any = None
    obstacles: int = 0  # how often it could not be recorded
    obstacle: str = ""

    def fits(self) -> bool:
        """Whether the modules are in these modes."""
        return [m.training for m in self.modules] == self.modes


class SideEffects:
    """Finds what a function does that a replay would not do.

    Made before the call: takes down the variables in reach, and the states of random numbers that
    are not this library's.
    """

    def __init__(self, reach: Reach, seen: list[Any]) -> None:
        self._reach, self._seen = reach, seen
        self._drawn = _random_states(reach)

    def found(self, things: Iterable[tuple[Any, list[Any]]]) -> str:
        """The first of them, as the end of a sentence; empty if there is none.

        Args:
            things: what plans depend on, each with its settings before the call.
        """
        if self._drawn != _random_states(self._reach):
            return (
                "random numbers of Python or numpy are drawn, which a replay would not draw again; "
                "use mg.rand, or draw them outside and pass them in"
            )
        now = self._reach.values()
        changed: list[str] = []
        if not all(map(is_, self._seen, now)):
            changed = [
                label
                for label, x, y in zip(self._reach.labels(), self._seen, now, strict=False)
                if not same([x], [y])
            ]
        changed += [
            f"a setting of {type(thing).__name__}"
            for thing, before in things
            if not same(before, settings(thing))
        ]
        if not changed and len(now) == len(self._seen):
            return ""
        return (
            f"{changed[0] if changed else 'a list or dict'} is changed, which a replay would not "
            "do again; change it outside"
        )


def _random_states(reach: Reach) -> list[Any]:
    """The states of all random numbers in reach that are not this library's."""
    states: list[Any] = [_of_python(), _of_numpy()]
    for generator in reach.generators:
        if isinstance(generator, random.SystemRandom):  # it has none
            continue
        if isinstance(generator, random.Random):
            states.append(generator.getstate())
        else:
            bits = getattr(generator, "bit_generator", None)
            states.append(pickle.dumps(bits or generator.get_state()))
    return states


# Both common generators keep their 624 words in themselves, where they are compared 20 times as
# fast as getstate() and get_state() take them out one by one.
_WORDS_BYTES = 624 * 4


def _of_python() -> Any:
    """The state of Python's common generator."""
    common: Any = getattr(random, "_inst", None)
    base: Any = random.Random.__base__
    if type(common) is not random.Random or base.__basicsize__ < _WORDS_BYTES:
        return random.getstate()
    return _core.bytes_within(common, base), vars(common)["gauss_next"]


def _of_numpy() -> Any:
    """The state of numpy's common generator, if there is one."""
    module: Any = sys.modules.get("numpy.random")
    if module is None:
        return None
    common = getattr(module.mtrand, "_rand", None)
    bits = getattr(common, "_bit_generator", None)
    if type(bits) is not module.MT19937 or module.MT19937.__basicsize__ < _WORDS_BYTES:
        return pickle.dumps(module.get_state(legacy=False))
    return [_core.bytes_within(x, type(x)) for x in (common, bits)]
