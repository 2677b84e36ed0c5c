"""Random numbers as a function of (seed, step, element): Philox4x32-10, counter-based.

A `Generator` is two numbers, a seed and a count of draws. Each draw takes the key [seed, count] and
counts one up; all its elements follow from that key, on any machine and with any number of threads.
"""

from __future__ import annotations

import operator
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, SupportsIndex

import numpy as np

from minigrad import _core
from minigrad._check import integer
from minigrad._core import Tensor

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

__all__ = [
    "Generator",
    "bernoulli",
    "default_generator",
    "manual_seed",
    "multinomial",
    "next_key",
    "normal",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "randperm",
    "seed",
]


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


def _shape(sizes: tuple[int | Sequence[int], ...]) -> tuple[int, ...]:
    if len(sizes) == 1 and isinstance(sizes[0], Sequence):
        return tuple(sizes[0])
    return tuple(operator.index(n) for n in sizes)  # type: ignore[arg-type]


def _float_index(dtype: DTypeLike | None) -> int:
    known = {np.dtype(np.float32): 0, np.dtype(np.float64): 1}
    wanted = np.dtype(np.float32 if dtype is None else dtype)
    if wanted not in known:
        raise TypeError(f"random numbers are float32 or float64, got {wanted}")
    return known[wanted]


def _finished(x: Tensor, requires_grad: bool) -> Tensor:
    x.requires_grad = requires_grad
    return x


def rand(
    *size: int | Sequence[int],
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform numbers in [0, 1), float32 unless `dtype` says float64; `rand(2, 3)`.

    >>> import minigrad as mg
    >>> x = mg.rand(2, 3)
    >>> x.shape, 0 <= x.min().item() < x.max().item() < 1
    ((2, 3), True)
    """
    x = _core.uniform(next_key(generator), _shape(size), _float_index(dtype))
    return _finished(x, requires_grad)


def randn(
    *size: int | Sequence[int],
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal numbers of mean 0 and variance 1, float32 unless `dtype` says float64.

    >>> import minigrad as mg
    >>> mg.randn(2, 3, dtype="float64").dtype
    dtype('float64')
    """
    x = _core.normal(next_key(generator), _shape(size), _float_index(dtype))
    return _finished(x, requires_grad)


def randint(
    low: int, high: int, size: int | Sequence[int], generator: Generator | None = None
) -> Tensor:
    """Whole numbers, uniform in [low, high), as int64.

    >>> from minigrad.random import randint
    >>> sorted(set(randint(-1, 2, 100).tolist()))
    [-1, 0, 1]
    """
    return _core.randint(next_key(generator), low, high, _shape((size,)))


def randperm(n: int, generator: Generator | None = None) -> Tensor:
    """The numbers 0 .. n - 1 in random order, as int64.

    >>> from minigrad.random import randperm
    >>> sorted(randperm(4).tolist())
    [0, 1, 2, 3]
    """
    return _core.permutation(next_key(generator), n)


def rand_like(
    input: Tensor, generator: Generator | None = None, dtype: DTypeLike | None = None
) -> Tensor:
    """Uniform numbers in [0, 1) with the shape and dtype of `input`.

    >>> import minigrad as mg
    >>> mg.rand_like(mg.zeros(2, 3)).shape
    (2, 3)
    """
    return rand(input.shape, generator=generator, dtype=dtype or input.dtype)


def randn_like(
    input: Tensor, generator: Generator | None = None, dtype: DTypeLike | None = None
) -> Tensor:
    """Normal numbers of mean 0 and variance 1 with the shape and dtype of `input`.

    >>> import minigrad as mg
    >>> mg.randn_like(mg.zeros(2, 3)).shape
    (2, 3)
    """
    return randn(input.shape, generator=generator, dtype=dtype or input.dtype)


def normal(
    mean: Tensor | float = 0.0,
    std: Tensor | float = 1.0,
    size: int | Sequence[int] | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Normal numbers: of `size`, or one for each element of mean and std, which may be tensors.

    >>> import minigrad as mg
    >>> mg.normal(5.0, 0.1, (2, 3)).shape
    (2, 3)
    >>> mg.normal(mg.zeros(4), 1.0).shape
    (4,)
    """
    like = mean + std * 0 if size is None else None
    if isinstance(like, Tensor):
        return mean + std * randn_like(like.detach(), generator)
    if size is None:
        raise TypeError("normal of two numbers needs a size, such as normal(0.0, 1.0, (2, 3))")
    return mean + std * randn(*_shape((size,)), generator=generator)


def bernoulli(input: Tensor, generator: Generator | None = None) -> Tensor:
    """1 with the probability that each element of `input` is, else 0; in its dtype, no gradient.

    >>> import minigrad as mg
    >>> mg.bernoulli(mg.tensor([0.0, 1.0])).tolist()
    [0.0, 1.0]
    """
    return (rand_like(input, generator) < input).to(input.dtype)


def multinomial(
    input: Tensor,
    num_samples: int,
    replacement: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Indices drawn with probabilities in proportion to `input`, by Gumbel noise.

    Args:
        input: (n,) or (rows, n) weights >= 0; they need not add up to 1.
        num_samples: indices a row; without replacement no more than weights above 0.
        replacement: whether an index may come again.
        generator: where the random numbers come from.

    Returns:
        int64, (num_samples,) or (rows, num_samples).

    >>> import minigrad as mg
    >>> mg.multinomial(mg.tensor([0.0, 3.0, 0.0]), 2, replacement=True).tolist()
    [1, 1]
    """
    if input.ndim not in (1, 2) or input.dtype.kind != "f":
        raise ValueError(
            f"multinomial takes (n,) or (rows, n) weights, got {input.dtype} of {input.shape}"
        )
    count, n = integer("num_samples", num_samples, 1), input.shape[-1]
    if count > n and not replacement:
        raise ValueError(f"multinomial: {count} of {n} without replacement=True")
    shape = (*input.shape[:-1], count if replacement else 1, n)
    exponential = -rand(*shape, generator=generator, dtype=np.float64).log()
    keys = input.detach().to(np.float64).log().unsqueeze(-2) - exponential.log()
    if replacement:
        return keys.argmax(-1)
    drawn: list[Tensor] = []
    places = _core.from_numpy(np.arange(n))
    for _ in range(count):  # the largest, then the largest of the rest
        drawn.append(keys.argmax(-1))
        keys = _core.where(places == drawn[-1].unsqueeze(-1), -np.inf, keys)
    return _core.concatenate(drawn, dim=-1)
