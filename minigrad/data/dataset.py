"""A data set: arrays of equal length, checked, of which any rows can be taken."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

# Checking goes piece by piece, so that memory-mapped arrays larger than memory stay on disk.
_CHECK_BYTES = 1 << 24


class Dataset:
    """Features ``x`` and, if there are any, targets ``y``, of the same number of rows.

    Arrays are kept as they are: a ``numpy.memmap`` stays on disk and only the rows that are
    asked for are read. A subset made by ``take`` or by ``split`` shares its parent's arrays.

    Args:
        x: (n, ...) numbers: an array, tensor, list, or a pandas table.
        y: (n,) or (n, ...) numbers, or None.
        weight: (n,) how much each row counts in the loss, at least 0: the loss is then the
            weighted mean ``sum(w l) / sum(w)`` of a batch. Metrics stay unweighted, as in Keras.
        names: column names of a two-dimensional ``x``, used in error messages; by default those
            of a pandas table.
        rows: the rows of the arrays that belong to this set; all of them by default.
        note: how the set was made, shown by ``repr``.

    Raises:
        ValueError: no rows, different lengths, a NaN or infinity (its column and row named), or
            weights that are negative or all 0.
        TypeError: values that are not numbers.

    Example:
        >>> from minigrad.data import Dataset
        >>> data = Dataset([[1.0, 2.0], [3.0, 4.0]], [0, 1])
        >>> x, y = data
        >>> x.shape, len(data), data.take([1]).y.tolist()
        ((2, 2), 2, [1])
    """

    def __init__(
        self,
        x: npt.ArrayLike,
        y: npt.ArrayLike | None = None,
        *,
        weight: npt.ArrayLike | None = None,
        names: Sequence[str] | None = None,
        rows: npt.ArrayLike | None = None,
        note: str = "",
    ) -> None:
        """Check and keep the arrays."""
        self._x = _numbers(x, "x")
        self._y = None if y is None else _numbers(y, "y")
        self._weight = None if weight is None else _weights(weight, len(self._x))
        if names is None and hasattr(x, "columns"):
            names = [str(name) for name in x.columns]
        self.names = None if names is None else list(names)
        self.note = note
        self._rows: Array | None = None
        if self._y is not None and len(self._x) != len(self._y):
            for values, rows, others, what in (
                (x, self._x, len(self._y), "x"),
                (y, self._y, len(self._x), "y"),
            ):
                if isinstance(values, list | tuple) and rows.ndim > 1 and rows.shape[1] == others:
                    raise ValueError(_several(values, what))
            raise ValueError(
                f"x has {len(self._x)} rows and y has {len(self._y)}: every row needs one target"
            )
        if self.names is not None and (self._x.ndim != 2 or len(self.names) != self._x.shape[1]):
            raise ValueError(
                f"{len(self.names)} column names were given for x of shape {self._x.shape}"
            )
        check_finite(self._x, "x", self.names)
        if self._y is not None:
            check_finite(self._y, "y")
        if rows is not None:
            self._rows = _row_numbers(rows, len(self._x))
        if len(self) == 0:
            raise ValueError(f"the data set is empty: x has shape {self._x.shape}")

    @property
    def x(self) -> Array:
        """The features of every row, (n, ...)."""
        return self._x if self._rows is None else self._x[self._rows]

    @property
    def y(self) -> Array | None:
        """The targets of every row, or None."""
        if self._y is None or self._rows is None:
            return self._y
        return self._y[self._rows]

    @property
    def weight(self) -> Array | None:
        """How much every row counts, (n,), or None."""
        if self._weight is None or self._rows is None:
            return self._weight
        return self._weight[self._rows]

    @property
    def on_disk(self) -> bool:
        """Whether an array is memory-mapped, so that rows should be read batch by batch."""
        return isinstance(self._x, np.memmap) or isinstance(self._y, np.memmap)

    def rows(self, index: npt.ArrayLike | slice) -> tuple[Array, Array | None]:
        """Return ``(x, y)`` of some rows: copies, or views for a slice of a whole set."""
        chosen = self._own(index)
        return self._x[chosen], None if self._y is None else self._y[chosen]

    def weights(self, index: npt.ArrayLike | slice) -> Array | None:
        """Return the weights of some rows, or None if there are none."""
        picked: Array | None = None if self._weight is None else self._weight[self._own(index)]
        return picked

    def _own(self, index: Any) -> Any:
        """Row numbers of this set as row numbers of the arrays."""
        return index if self._rows is None else self._rows[index]

    def take(self, index: npt.ArrayLike, note: str = "") -> "Dataset":
        """Return the data set of the rows ``index``, which shares this one's arrays.

        Raises:
            ValueError: no rows, or a row number outside ``[0, len(self))``.
        """
        chosen = _row_numbers(index, len(self))
        if len(chosen) == 0:
            raise ValueError("no rows were chosen: a data set needs at least one")
        subset = object.__new__(Dataset)  # already checked: do not read the arrays again
        subset._x, subset._y, subset._weight = self._x, self._y, self._weight
        subset.names, subset.note = self.names, note
        subset._rows = chosen if self._rows is None else self._rows[chosen]
        return subset

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._x) if self._rows is None else len(self._rows)

    def __iter__(self) -> Iterator[Any]:
        """Unpack as ``x, y = data``."""
        yield self.x
        yield self.y

    def __repr__(self) -> str:
        """Show rows, shapes and how the set was made."""
        target = "no y" if self._y is None else f"y {self._y.shape[1:]} {self._y.dtype}"
        weighed = "" if self._weight is None else ", weighed"
        note = f"{weighed}, {self.note}" if self.note else weighed
        return f"Dataset({len(self)} rows, x {self._x.shape[1:]} {self._x.dtype}, {target}{note})"


def as_dataset(data: Any, what: str = "data") -> Dataset:
    """Return ``data`` as a Dataset: one, ``(x, y)``, ``(x, y, weight)``, or ``x`` alone."""
    if isinstance(data, Dataset):
        return data
    if isinstance(data, tuple) and len(data) in (2, 3):
        return Dataset(data[0], data[1], weight=data[2] if len(data) == 3 else None)
    if isinstance(data, Mapping):
        raise TypeError(
            f"{what} is a {type(data).__name__} with {', '.join(map(repr, data))}: give the arrays "
            "as a pair, such as (data['x'], data['y'])"
        )
    if isinstance(data, tuple):
        raise TypeError(
            f"{what} must be (x, y), (x, y, weight) or a Dataset, got a tuple of {len(data)}"
        )
    return Dataset(data)


def check_finite(array: Array, what: str, names: Sequence[str] | None = None) -> None:
    """Raise ValueError naming the first NaN or infinity of ``array`` by row and column."""
    if array.dtype.kind not in "fc" or array.size == 0:
        return
    step = max(1, _CHECK_BYTES * len(array) // max(1, array.nbytes))
    for start in range(0, len(array), step):
        good = np.isfinite(array[start : start + step])
        if good.all():
            continue
        bad = np.argwhere(~good)
        row, *rest = (int(i) for i in bad[0])
        value = array[(start + row, *rest)]
        place = f"row {start + row}"
        if len(rest) == 1:
            column = rest[0]
            named = f" ({names[column]!r})" if names is not None else ""
            place += f", column {column}{named}"
        elif rest:
            place += f", position {tuple(rest)}"
        more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        raise ValueError(
            f"{what} has {value} at {place}{more}: drop such rows or fill the values in "
            "before training"
        )


def _numbers(values: Any, what: str) -> Array:
    """Return ``values`` as an array of numbers with at least one axis, without copying."""
    if isinstance(values, dict):
        raise TypeError(_several(values, what))
    array = values if isinstance(values, np.ndarray) else _asarray(values, what)
    if array.dtype.kind not in "biuf":
        if array.ndim == 0:
            raise TypeError(
                f"{what} is of type {type(values).__name__}: it must hold rows of numbers; a "
                "function or an iterator of batches goes to fit, evaluate and predict only"
            )
        raise TypeError(
            f"{_worst(values, what)}: it must hold numbers; encode text and dates first, or let "
            "minigrad.table.fit do it"
        )
    if array.ndim == 0:
        raise ValueError(f"{what} is the single number {array}: it needs an axis of rows")
    return array


def _worst(values: Any, what: str) -> str:
    """What is no number: of a pandas table its first such column."""
    if hasattr(values, "columns"):
        for name, dtype in values.dtypes.items():
            if getattr(dtype, "kind", "O") not in "biuf":
                return f"column {name!r} of {what} has dtype {dtype}"
    return f"{what} has dtype {np.asarray(values).dtype}"


def _weights(values: Any, rows: int) -> Array:
    """Return the weights of the rows, checked."""
    array = _numbers(values, "weight")
    if array.shape != (rows,):
        raise ValueError(f"weight has shape {array.shape}: every one of {rows} rows needs one")
    check_finite(array, "weight")
    if (array < 0).any():
        row = int((array < 0).argmax())
        raise ValueError(f"weight has {array[row]} at row {row}: weights must be >= 0")
    if not array.any():
        raise ValueError("all weights are 0: there is nothing to learn from")
    return array


def _asarray(values: Any, what: str) -> Array:
    try:
        return np.asarray(values)
    except ValueError as error:
        ragged = f"{what} is not a rectangular array: {error}"
        if not all(hasattr(part, "shape") for part in values):
            raise ValueError(ragged) from error
        if isinstance(values, list):
            listed = f"{what} is a list of {len(values)} arrays of different shapes"
            raise ValueError(f"{listed}: inputs and targets are a tuple, (x, y)") from error
        raise ValueError(_several(values, what)) from error


def _several(values: Any, what: str) -> str:
    where = "the loss" if what == "y" else "its forward"
    return (
        f"{what} is a {type(values).__name__} of {len(values)} arrays, and a model takes and gives "
        f"one: put them side by side as columns, and take them apart in {where}, as x[:, :2]"
    )


def _row_numbers(index: npt.ArrayLike, n: int) -> Array:
    rows = np.asarray(index)
    if rows.dtype == bool:
        if rows.shape != (n,):
            raise ValueError(f"a mask of shape {rows.shape} cannot choose from {n} rows")
        rows = np.flatnonzero(rows)
    if rows.size == 0:
        return np.zeros(0, dtype=np.int64)
    if rows.dtype.kind not in "iu" or rows.ndim != 1:
        raise ValueError(
            f"rows must be a list of whole numbers, got {rows.dtype} of shape {rows.shape}"
        )
    if rows.min() < 0 or rows.max() >= n:
        raise ValueError(f"row {rows.max() if rows.max() >= n else rows.min()} is not in [0, {n})")
    return rows.astype(np.int64, copy=False)
