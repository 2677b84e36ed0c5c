"""Inputs for an op's case: shapes and attributes from a Source, values from a domain.

A Source answers "which size, which dim?". Hypothesis answers in the property tests (and shrinks
what fails); a seeded generator answers where every process must see the same inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

Domain = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


@dataclass
class Call:
    """One call of an op: input arrays (None for an absent optional one) and attributes."""

    inputs: tuple[np.ndarray | None, ...]
    attrs: dict[str, Any] = field(default_factory=dict)


class Source:
    """Where the choices of a draw come from."""

    scale = 1  # sizes are multiplied by it: large arrays reach the code that splits work
    rng: np.random.Generator

    def integer(self, low: int, high: int) -> int:
        """A whole number in [low, high]."""
        raise NotImplementedError

    def choice(self, options: Sequence[Any]) -> Any:
        return options[self.integer(0, len(options) - 1)]

    def flag(self) -> bool:
        return bool(self.integer(0, 1))

    def number(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def size(self, low: int = 0, high: int = 5) -> int:
        return self.integer(low, high) if self.scale == 1 else self.scale + self.integer(low, high)

    def shape(
        self, min_rank: int = 0, max_rank: int = 4, low: int = 0, high: int = 5
    ) -> tuple[int, ...]:
        rank = self.integer(min_rank, max_rank) if self.scale == 1 else min(max_rank, 3)
        return tuple(self.size(low, high) for _ in range(rank))

    def broadcasting(self, count: int, low: int = 0) -> list[tuple[int, ...]]:
        """Shapes that broadcast together: sizes of 1 and missing leading dimensions.

        Large ones: the first shape is whole, so that the result is large.
        """
        full = self.shape(low=low)
        shapes = [full] if self.scale > 1 else []
        while len(shapes) < count:
            kept = full[self.integer(0, len(full)) if self.flag() else 0 :]
            shapes.append(tuple(1 if self.integer(0, 3) == 0 else n for n in kept))
        return shapes

    def dim(self, rank: int) -> int:
        return self.integer(-rank, rank - 1)

    def dims(self, rank: int) -> int | tuple[int, ...] | None:
        """One dim, several, or None for all of them."""
        kind = self.integer(0, 2)
        if kind == 0 or rank == 0:
            return None
        if kind == 1:
            return self.dim(rank)
        chosen = [d for d in range(rank) if self.flag()] or [0]
        return tuple(d - rank if self.flag() else d for d in chosen)


class Drawn(Source):
    """Choices by hypothesis."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self._draw = draw
        self.rng = np.random.default_rng(draw(st.integers(0, 2**16)))

    def integer(self, low: int, high: int) -> int:
        return self._draw(st.integers(low, high))


class Seeded(Source):
    """Choices by a generator: the same in every process."""

    def __init__(self, seed: int, scale: int = 1) -> None:
        self.rng = np.random.default_rng(seed)
        self.scale = scale

    def integer(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))


# ---- Domains: where the values lie ------------------------------------------------------------


def real(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.normal(0, 1.5, shape)


def positive(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(0.5, 3, shape)


def nonzero(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Away from 0, where divisions blow up and many activations have a kink."""
    return rng.uniform(0.3, 3, shape) * rng.choice([-1, 1], shape)


def probability(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(0.05, 0.95, shape)


def distinct(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """No two values closer than 0.1: the largest stays the largest under a small change."""
    n = int(np.prod(shape))
    return (rng.permutation(n).reshape(shape) - n / 2) * 0.1 + 0.03


def spread(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """No deviation near 0, where its derivatives grow without bound."""
    return 20 * distinct(rng, shape)


def away_from(*kinks: float) -> Domain:
    """Real values at least 0.1 from every kink."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        x = real(rng, shape)
        for kink in kinks:
            near = np.abs(x - kink) < 0.1
            x = np.where(near, kink + np.where(x < kink, -0.1, 0.1) * rng.uniform(1, 2, shape), x)
        return x

    return draw


def grid(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Few different values, so that comparisons meet equals."""
    return rng.integers(-2, 3, shape) * 0.5


def thinned(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """What relu and dropout leave: positive values, and zeros."""
    return np.where(truth(rng, shape), positive(rng, shape), 0.0)


def truth(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(0, 2, shape).astype(bool)


# ---- Draws: the usual kinds of call -----------------------------------------------------------

Draw = Callable[[Source], Call]


def one(domain: Domain = real, **attrs: Callable[[Source], Any]) -> Draw:
    """One tensor of any shape, and attributes."""

    def draw(s: Source) -> Call:
        x = domain(s.rng, s.shape())
        return Call((x,), {name: f(s) for name, f in attrs.items()})

    return draw


def broadcast(*domains: Domain, **attrs: Callable[[Source], Any]) -> Draw:
    """Tensors that broadcast together, one a domain."""

    def draw(s: Source) -> Call:
        shapes = s.broadcasting(len(domains))
        inputs = tuple(d(s.rng, shape) for d, shape in zip(domains, shapes, strict=True))
        return Call(inputs, {name: f(s) for name, f in attrs.items()})

    return draw


def same(*domains: Domain, **attrs: Callable[[Source], Any]) -> Draw:
    """Tensors of one shape, one a domain."""

    def draw(s: Source) -> Call:
        shape = s.shape()
        inputs = tuple(d(s.rng, shape) for d in domains)
        return Call(inputs, {name: f(s) for name, f in attrs.items()})

    return draw


def ordered(s: Source) -> Call:
    """Two tensors that broadcast and whose elements are nowhere close to equal."""
    a, b = s.broadcasting(2)
    return Call((s.rng.integers(-4, 5, a) * 0.5, s.rng.integers(-4, 5, b) * 0.5 + 0.25))


def division(s: Source) -> Call:
    """Two tensors that broadcast and whose quotients are not close to whole numbers."""
    a, b = s.broadcasting(2)
    return Call((s.rng.integers(-4, 5, a) + 0.4, s.rng.choice([-3.0, -2, -1, 1, 2, 3], b)))


def at_least(low: int, shape: tuple[int, ...], dims: Any) -> tuple[int, ...]:
    """The shape, with sizes of at least low in these dims (None: in all)."""
    sizes = np.array(shape, np.int64)
    chosen = slice(None) if dims is None else np.array(dims, np.int64)
    sizes[chosen] = np.maximum(sizes[chosen], low)
    return tuple(sizes.tolist())


def reduction(
    domain: Domain = real, low: int = 0, min_rank: int = 0, **attrs: Callable[[Source], Any]
) -> Draw:
    """A tensor, dims to reduce over (of at least `low` elements each), keepdim."""

    def draw(s: Source) -> Call:
        shape = s.shape(min_rank)
        dims = s.dims(len(shape))
        x = domain(s.rng, at_least(low, shape, dims))
        more = {name: f(s) for name, f in attrs.items()}
        return Call((x,), {"dim": dims, "keepdim": s.flag(), **more})

    return draw


def along(domain: Domain = real, low: int = 0, **attrs: Callable[[Source], Any]) -> Draw:
    """A tensor of at least one dimension, and one dim (of at least `low` elements)."""

    def draw(s: Source) -> Call:
        shape = s.shape(min_rank=1)
        dim = s.dim(len(shape))
        x = domain(s.rng, at_least(low, shape, dim))
        return Call((x,), {"dim": dim, **{name: f(s) for name, f in attrs.items()}})

    return draw


def attr(*options: Any) -> Callable[[Source], Any]:
    """An attribute that is one of these."""
    return lambda s: s.choice(options)
