"""What is drawn from a stream: uniform, normal and whole numbers, orders and choices."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from minigrad import _core
from minigrad._check import integer
from minigrad._core import Tensor
from minigrad.random.generator import Generator, next_key

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

__all__ = [
    "bernoulli",
    "multinomial",
    "normal",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "randperm",
]


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

    Raises:
        ValueError: an element is below 0, above 1 or NaN (in a plan's replay IndexError).

    >>> import minigrad as mg
    >>> mg.bernoulli(mg.tensor([0.0, 1.0])).tolist()
    [0.0, 1.0]
    """
    outside = ~((input >= 0) & (input <= 1))
    try:
        zeros = _core.check_indices(outside.to(np.int64), 1)
    except IndexError:
        raise ValueError("bernoulli takes probabilities, which lie in [0, 1]") from None
    return (rand_like(input, generator) < input + zeros).to(input.dtype)


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

    Raises:
        ValueError: weights of another shape or dtype; a negative or NaN one; or fewer above 0 than
            are drawn.

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
        return _possible(keys)
    drawn: list[Tensor] = []
    places = _core.from_numpy(np.arange(n))
    for _ in range(count):  # the largest, then the largest of the rest
        drawn.append(_possible(keys))
        keys = _core.where(places == drawn[-1].unsqueeze(-1), -np.inf, keys)
    return _core.concatenate(drawn, dim=-1)


def _possible(keys: Tensor) -> Tensor:
    """Where the largest key is, checked in plans, too: with nothing to draw it is -inf or NaN."""
    n = keys.shape[-1]
    found = _core.where(keys.max(-1) > -np.inf, keys.argmax(-1), n)
    try:
        return _core.check_indices(found, n)
    except IndexError:
        raise ValueError(
            "multinomial: there are fewer weights above 0 than are drawn, or one is negative or NaN"
        ) from None
