"""Rows of figures, one an epoch: kept as columns until somebody looks at a row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

Row = dict[str, float]
Columns = Mapping[str, npt.NDArray[Any]]  # arrays of one length


def dicts(columns: Columns) -> list[Row]:
    """Return a dict for each row, of Python's numbers.

    Example:
        >>> import numpy as np
        >>> from minigrad.rows import dicts
        >>> dicts({"epoch": np.arange(2), "loss": np.array([0.5, 0.25])})
        [{'epoch': 0, 'loss': 0.5}, {'epoch': 1, 'loss': 0.25}]
    """
    values = zip(*[column.tolist() for column in columns.values()], strict=True)
    return [dict(zip(columns, row, strict=True)) for row in values]


class Rows:
    """Rows that are appended one by one as dicts, or many at a time as columns.

    A training of thousands of epochs comes as a few blocks of columns. Dicts are made of them only
    for who wants rows, and are kept from then on, as somebody may add to them.

    Example:
        >>> import numpy as np
        >>> from minigrad.rows import Rows
        >>> rows = Rows([{"epoch": 0, "loss": 0.5}])
        >>> rows.extend({"epoch": np.arange(1, 3), "loss": np.array([0.25, 0.125])})
        >>> len(rows), rows.column("loss").tolist()
        (3, [0.5, 0.25, 0.125])
        >>> rows.dicts()[-1]
        {'epoch': 2, 'loss': 0.125}
    """

    def __init__(self, rows: list[Row] | None = None) -> None:
        """Start with these rows."""
        self._parts: list[list[Row] | Columns] = [] if rows is None else [rows]

    def append(self, row: Row) -> None:
        """Add a row, which is kept as it is."""
        last = self._parts[-1] if self._parts else None
        if isinstance(last, list):
            last.append(row)
        else:
            self._parts.append([row])

    def extend(self, columns: Columns) -> None:
        """Add a row for each element of the columns, which must not change any more."""
        self._parts.append(columns)

    def dicts(self) -> list[Row]:
        """Return all rows: the list and the dicts themselves, not copies."""
        if len(self._parts) != 1 or not isinstance(self._parts[0], list):
            parts = [part if isinstance(part, list) else dicts(part) for part in self._parts]
            self._parts = [list(chain.from_iterable(parts))]
        rows = self._parts[0]
        assert isinstance(rows, list)
        return rows

    def last(self) -> Row:
        """Return the last row: the dict itself."""
        part = self._parts[-1]
        return part[-1] if isinstance(part, list) else self.dicts()[-1]

    def names(self) -> list[str]:
        """Return the names of all columns, in order of appearance."""
        keys = (chain.from_iterable(p) if isinstance(p, list) else p for p in self._parts)
        return list(dict.fromkeys(chain.from_iterable(keys)))

    def column(self, name: str) -> npt.NDArray[np.float64]:
        """Return a column as float64, NaN where a row lacks it."""
        parts = [_column(part, name) for part in self._parts]
        return np.concatenate(parts) if parts else np.zeros(0)

    def __len__(self) -> int:
        """Return how many rows there are."""
        return sum(map(_length, self._parts))


def _length(part: list[Row] | Columns) -> int:
    return len(part) if isinstance(part, list) else len(next(iter(part.values())))


def _column(part: list[Row] | Columns, name: str) -> npt.NDArray[np.float64]:
    if isinstance(part, list):
        return np.array([row.get(name, math.nan) for row in part], dtype=np.float64)
    if name not in part:
        return np.full(_length(part), math.nan)
    return part[name].astype(np.float64)
