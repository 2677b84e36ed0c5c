"""From the cells of one column to numbers. A cell that does not fit is named, never guessed at."""

from __future__ import annotations

import re
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from minigrad.table.extra import pandas

Array = npt.NDArray[Any]

TRUE = ("true", "yes", "y", "t")
FALSE = ("false", "no", "n", "f")
ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d:?\d\d)?")
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


def place(column: Any, row: int) -> str:
    """Return where a cell is: by line for tables of ``read_table``, by index for others."""
    return f"{column.index.name or 'row'} {column.index[row]}"


def blame(column: Any, bad: Array, why: str, mend: str) -> NoReturn:
    """Raise the ValueError that names the first of the bad cells, given as a mask of rows."""
    row = int(np.flatnonzero(bad)[0])
    more = int(bad.sum()) - 1
    others = f" (and {more} more)" if more else ""
    cell = column.iloc[row]
    what = "the cell" if pandas().isna(cell) else shown(cell)
    raise ValueError(f"{place(column, row)}, column {column.name!r}: {what} {why}{others}: {mend}")


def shown(value: Any) -> str:
    """Return a cell for a message: quoted text, bare numbers, cut when long."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else f"{text[:36]}...'"


def levels(column: Any) -> tuple[Array, list[str]]:
    """Return the code of each cell and the texts they stand for; -1 is a missing cell.

    Codes go by first appearance. Whole numbers are written without a point, so that a column of
    whole numbers means the same with and without gaps. Texts lose spaces around them.
    """
    try:
        codes, values = pandas().factorize(column)
    except TypeError as error:
        raise ValueError(
            f"column {column.name!r} holds cells that are no values: {error}"
        ) from None
    texts = [_text(value) for value in values]
    order = list(dict.fromkeys(text for text in texts if text))
    number = {text: code for code, text in enumerate(order)} | {"": -1}
    translate = np.array([*(number[text] for text in texts), -1])  # the last one is for -1
    return translate[codes], order


def _text(value: Any) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def is_text(column: Any) -> bool:
    """Return whether a column holds texts (or anything else that is not one of numpy's types)."""
    types = pandas().api.types
    return not (
        types.is_numeric_dtype(column.dtype)
        or types.is_bool_dtype(column.dtype)
        or types.is_datetime64_any_dtype(column.dtype)
    )


def as_numbers(column: Any, mend: str) -> Array:
    """Return float64 numbers, NaN where a cell is missing.

    Raises:
        ValueError: a cell that is not a finite number.
    """
    library = pandas()
    if library.api.types.is_bool_dtype(column.dtype):
        blame(column, np.ones(len(column), dtype=bool), "is not a number", mend)
    if not is_text(column):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        codes, texts = levels(column)
        numbers = library.to_numeric(library.Series(texts, dtype=object), errors="coerce")
        values = np.append(numbers.to_numpy(dtype=np.float64), np.nan)[codes]
        bad = np.isnan(values) & (codes >= 0)
        if bad.any():
            blame(column, bad, "is not a number", mend)
    infinite = np.isinf(values)
    if infinite.any():
        blame(column, infinite, "is not a finite number", mend)
    return np.asarray(values)


def as_booleans(column: Any, mend: str) -> Array:
    """Return 1.0, 0.0, and NaN where a cell is missing."""
    codes, texts = levels(column)
    known = {**dict.fromkeys(TRUE, 1.0), **dict.fromkeys(FALSE, 0.0)}
    values = np.array([*(known.get(text.lower(), np.inf) for text in texts), np.nan])[codes]
    if np.isinf(values).any():
        blame(column, np.isinf(values), "is neither true nor false", mend)
    return values


def as_days(column: Any, mend: str) -> Array:
    """Return days since 1970-01-01, NaN where a cell is missing."""
    library = pandas()
    codes, texts = levels(column)
    times = library.to_datetime(
        library.Series(texts, dtype=object), format="ISO8601", errors="coerce", utc=True
    )
    days = (times - library.Timestamp(0, tz="UTC")) / library.Timedelta(days=1)
    values = np.append(days.to_numpy(dtype=np.float64), np.nan)[codes]
    bad = np.isnan(values) & (codes >= 0)
    if bad.any():
        blame(column, bad, "is not a date such as 2020-12-31", mend)
    return values
