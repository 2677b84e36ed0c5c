"""The streams that random numbers come from: a seed, and a count of draws.

Philox4x32-10, counter-based: each draw takes the key [seed, count] and counts one up, and all its
elements follow from that key, on any machine and with any number of threads.
"""

from __future__ import annotations

import operator
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import SupportsIndex

import numpy as np

from minigrad import _core
from minigrad._core import Tensor

__all__ = ["Generator", "default_generator", "manual_seed", "next_key", "seed"]


def _int64(name: str, value: SupportsIndex) -> int:
    """`value` modulo 2^64, as the int64 with the same bits."""
    try:
        bits = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None
    return (bits + 2**63) % 2**64 - 2**63


class Generator:
    """A stream of random keys.

    Args:
        seed: any integer; it counts modulo 2^64. Equal seeds give equal streams.

    Attributes:
        state: the int64 tensor [seed, count]. Ops change it in place, so that a compiled step goes
            on with the stream where it was.

    >>> from minigrad.random import Generator, rand
    >>> a, b = Generator(7), Generator(7)
    >>> rand(3, generator=a).tolist() == rand(3, generator=b).tolist()
    True
    >>> a.get_state()
    (7, 1)
    """

    def __init__(self, seed: SupportsIndex = 0) -> None:
        self._state = Tensor(np.array([_int64("seed", seed), 0]))

    @property
    def state(self) -> Tensor:
        """The int64 tensor [seed, count]."""
        return self._state

    def manual_seed(self, seed: SupportsIndex) -> Generator:
        """Begin the stream of `seed`; returns the generator."""
        self.set_state((seed, 0))
        return self

    def initial_seed(self) -> int:
        """The seed that the stream began with."""
        return self.get_state()[0]

    def get_state(self) -> tuple[int, int]:
        """(seed, count of draws): all there is to go on from here later."""
        seed, count = self.state.tolist()
        return seed, count

    def set_state(self, state: Sequence[SupportsIndex]) -> None:
        """Go on from what `get_state` gave."""
        if len(state) != 2:
            raise ValueError(f"a generator's state is (seed, count), got {state!r}")
        self.state.numpy()[:] = [_int64("seed", state[0]), _int64("count", state[1])]

    def __repr__(self) -> str:
        """Seed and count."""
        seed, count = self.get_state()
        return f"{type(self).__name__}(seed={seed}, count={count})"


class _PerThread(Generator):
    """A generator whose state is every thread's own; in each it begins with seed 0."""

    def __init__(self) -> None:
        self._local = threading.local()

    @property
    def state(self) -> Tensor:
        """The state of the calling thread."""
        try:
            state: Tensor = self._local.state
        except AttributeError:
            state = self._local.state = Tensor(np.zeros(2, np.int64))
        return state

    @contextmanager
    def replaced(self, generator: Generator) -> Iterator[None]:
        """Inside: what this thread draws by default comes from another generator.

        >>> import minigrad as mg
        >>> from minigrad.random import Generator, default_generator
        >>> own = Generator(7)
        >>> with default_generator.replaced(own):
        ...     _ = mg.rand(3)
        >>> own.get_state()
        (7, 1)
        """
        kept = self.state
        self._local.state = generator.state
        try:
            yield
        finally:
            self._local.state = kept


default_generator = _PerThread()


def seed(n: SupportsIndex) -> Generator:
    """Seed the default generator of this thread: all that draws without a generator of its own.

    Other threads keep theirs, so that several trainings at a time do not disturb each other.

    >>> import minigrad as mg
    >>> _ = mg.seed(1)
    >>> first = mg.rand(2).tolist()
    >>> _ = mg.seed(1)
    >>> mg.rand(2).tolist() == first
    True
    """
    return default_generator.manual_seed(n)


manual_seed = seed  # torch's name


def next_key(generator: Generator | None = None) -> Tensor:
    """The next key of the generator (None: the default one), an int64 tensor [seed, count].

    What an op draws is a function of the key alone. Two ops with one key draw the same bits.

    >>> from minigrad.random import Generator, next_key
    >>> g = Generator(5)
    >>> next_key(g).tolist(), next_key(g).tolist()
    ([5, 0], [5, 1])
    """
    return _core.next_key((generator or default_generator).state)
