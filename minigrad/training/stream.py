"""Stream: batches from the user's own iterable, such as a generator or another library's loader."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from minigrad._core import Tensor
from minigrad.data.dataset import Dataset, as_dataset
from minigrad.training.feed import TargetForm, features

Array = npt.NDArray[Any]

# Raises if something is wrong with the targets of a batch.
Check = Callable[[Dataset], None]


def is_stream(data: Any) -> bool:
    """Whether ``data`` is an iterable of batches rather than one batch of rows.

    That is a function, an iterable that is no array or table, or a list of ``(x, y)`` pairs of
    arrays.

    Example:
        >>> import numpy as np
        >>> from minigrad.training.stream import is_stream
        >>> x, y = np.zeros((4, 2)), np.zeros(4)
        >>> is_stream((x, y)), is_stream([(x, y)]), is_stream((x, y) for _ in range(3))
        (False, True, True)
    """
    if isinstance(data, Dataset | Tensor | tuple | Mapping | str) or hasattr(data, "__array__"):
        return False
    if isinstance(data, list):
        return bool(data) and (isinstance(data[0], Dataset) or _is_pair(data[0]))
    return callable(data) or isinstance(data, Iterable)


def _is_pair(batch: Any) -> bool:
    return isinstance(batch, tuple | list) and len(batch) > 1 and hasattr(batch[0], "shape")


class Stream:
    """An iterable of batches ``(x, y)`` or ``(x, y, weight)``, gone through anew each epoch.

    It has what the loop uses of a Feed; its rows stay in the order in which they come.

    Args:
        source: an iterable, or a function that returns one.
        what: its name in errors.

    Attributes:
        once: whether it can be gone through only once, as a generator.
        first: the first batch, by which model and loss are checked.
    """

    in_memory = False
    rows = 0  # not known

    def __init__(self, source: Any, what: str) -> None:
        self._source, self._what = source, what
        begun = self._begin()
        self.once = begun is source
        try:
            first = next(begun)
        except StopIteration:
            raise ValueError(f"{what} gave no batches") from None
        self.first = self._batch(0, first)
        self._waiting = chain([first], begun) if self.once else None
        self._targets: list[Array] = []
        self._weights: list[Array] = []

    def match(self, dtype: np.dtype[Any], form: TargetForm, check: Check) -> None:
        """Settle how rows are handed to the model and the loss; ``check`` looks at each batch."""
        self._dtype, self._form, self._check = dtype, form, check

    @property
    def classes(self) -> int | None:
        """How many classes there are, if the target of a row is one class number."""
        return self._form.labels

    @property
    def targets(self) -> Tensor:
        """The targets of the rows that ``inputs`` last went through."""
        return Tensor(np.concatenate(self._targets))

    @property
    def weights(self) -> tuple[Tensor, ...]:
        """The weights of these rows, if there are any."""
        return (Tensor(np.concatenate(self._weights)),) if self._weights else ()

    def batches(self) -> Iterator[tuple[Tensor, ...]]:
        """Yield the batches as tensors."""
        kind = _kind(self.first)
        number = -1
        for number, given in enumerate(self._again()):
            data = self._batch(number, given)
            with noted(number, self._what):
                if data.y is None or _kind(data) != kind:
                    raise ValueError(f"it has {_kind(data)}, the first batch {kind}")
                self._check(data)
                x, y = features(data.x, self._dtype), self._form.of(data.y)
            weights = [] if data.weight is None else [data.weight.astype(self._dtype)]
            yield Tensor(x), Tensor(y), *map(Tensor, weights)
        if number < 0:
            raise ValueError(f"{self._what} gave batches once and then none: it must begin anew")

    def inputs(self, size: int) -> Iterator[Tensor]:
        """Yield the inputs batch by batch (of their own sizes); remember targets and weights."""
        self._targets, self._weights = [], []
        for x, y, *weights in self.batches():
            self._targets.append(y.numpy())
            self._weights += [weight.numpy() for weight in weights]
            yield x

    def _begin(self) -> Iterator[Any]:
        return begin(self._source, self._what)

    def _again(self) -> Iterator[Any]:
        if not self.once:
            return self._begin()
        if self._waiting is None:
            raise ValueError(f"{self._what} is a generator, which can be gone through only once")
        waiting, self._waiting = self._waiting, None
        return waiting

    def _batch(self, number: int, given: Any) -> Dataset:
        with noted(number, self._what):
            if not isinstance(given, tuple | list | Dataset):
                raise TypeError(f"a batch must be (x, y) or (x, y, weight), got {type(given)}")
            return as_dataset(tuple(given) if isinstance(given, list) else given, "a batch")


class InputStream:
    """The inputs alone of an iterable of batches, which are ``x``, ``(x,)`` or as a Stream's."""

    def __init__(self, source: Any, dtype: np.dtype[Any]) -> None:
        self._source, self._dtype = source, dtype

    def inputs(self, size: int) -> Iterator[Tensor]:
        """Yield the inputs batch by batch, of their own sizes."""
        number = -1
        for number, given in enumerate(begin(self._source, "x")):
            with noted(number, "x"):
                x = given.x if isinstance(given, Dataset) else given
                x = x[0] if isinstance(x, tuple | list) and x else x
                rows = Tensor(features(as_dataset(x, "a batch").x, self._dtype))
            yield rows
        if number < 0:
            raise ValueError("x gave no batches")


def begin(source: Any, what: str) -> Iterator[Any]:
    """Return an iterator over the batches of an iterable, or of what a function returns."""
    batches = source if isinstance(source, Iterable) else source()
    try:
        return iter(batches)
    except TypeError:
        raise TypeError(
            f"{what} must give batches (x, y); the function returned {batches!r}"
        ) from None


@contextmanager
def noted(number: int, what: str) -> Iterator[None]:
    """Inside: an error gets a note of which batch it is about."""
    try:
        yield
    except (TypeError, ValueError) as error:
        error.add_note(f"in batch {number} of {what}")
        raise


def _kind(batch: Dataset) -> str:
    """What a batch must have in common with the first one."""
    targets = "no targets" if batch.y is None else f"targets {batch.y.shape[1:]} a row"
    return targets + ("" if batch.weight is None else " and weights")
