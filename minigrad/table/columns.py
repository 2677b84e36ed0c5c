"""Finding out what each column of a table is. Every decision has a reason that can be read."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from minigrad.table.cells import (
    DECIMAL_COMMA,
    FALSE,
    ISO_DATE,
    TRUE,
    as_numbers,
    blame,
    is_text,
    levels,
    shown,
)
from minigrad.table.extra import pandas

Kind = Literal["numeric", "boolean", "categorical", "date", "dropped"]

# A text column with more different texts than this, and than half its cells, tells rows apart.
_FEW = 50
# Texts of which at least this share are numbers are a column of numbers with something wrong in it.
_MOSTLY = 0.8
_ID_NAME = re.compile(r"(^|[_\W])(id|uuid|guid|index|rownames?|unnamed.*|column 1)$|[a-z](Id|ID)$")
_UNSURE_DATE = re.compile(r"\d{1,2}([./-])\d{1,2}\1(\d{4}|\d{2})( .*)?")


@dataclass(frozen=True)
class Found:
    """What a column was found to be.

    Attributes:
        name: the column.
        kind: how it is used; ``"dropped"``: it is not.
        why: why it is dropped, or what is worth knowing of one that is used.
    """

    name: str
    kind: Kind
    why: str = ""


def find_column(column: Any, wanted: Kind | None = None) -> Found:
    """Return what a column is; ``wanted`` overrides that, but not that all its cells are empty.

    Raises:
        ValueError: a column of numbers with cells that are none, or with decimal commas.

    Example:
        >>> import pandas
        >>> from minigrad.table.columns import find_column
        >>> find_column(pandas.Series(["red", "green", "red"], name="colour")).kind
        'categorical'
    """
    name = str(column.name)
    if getattr(column.dtype, "kind", "O") in "cm":
        return Found(name, "dropped", f"of type {column.dtype}: turn it into numbers")
    codes, texts = levels(column)
    filled = int((codes >= 0).sum())
    if filled == 0:
        return Found(name, "dropped", "every cell is missing")
    if wanted == "numeric":
        as_numbers(column, "mend the cell, or name it as missing (--missing)")
    if wanted is not None:
        return Found(name, wanted)
    if len(texts) == 1 and filled == len(column):
        return Found(name, "dropped", f"constant, always {shown(texts[0])}")
    if pandas().api.types.is_bool_dtype(column.dtype) or _boolean(texts):
        return Found(name, "boolean")
    if pandas().api.types.is_datetime64_any_dtype(column.dtype):
        return Found(name, "date")
    if not is_text(column) or all_numbers(column, codes, texts):
        return _number_or_id(column, len(texts), filled)
    if all(ISO_DATE.fullmatch(text) for text in texts):
        return Found(name, "date")
    if all(_UNSURE_DATE.fullmatch(text) for text in texts):
        why = f"dates such as {shown(texts[0])} may be read in two ways: write 2020-12-31"
        return Found(name, "dropped", why)
    if len(texts) > max(_FEW, filled / 2):
        return Found(name, "dropped", f"{len(texts)} different texts in {filled} rows")
    return Found(name, "categorical")


def all_numbers(column: Any, codes: Any, texts: list[str]) -> bool:
    """Return whether texts are all numbers.

    Raises:
        ValueError: most are numbers, or they have decimal commas: it takes a person to decide.
    """
    numbers = pandas().to_numeric(pandas().Series(texts, dtype=object), errors="coerce")
    good = np.append(numbers.notna().to_numpy(), False)[codes]
    bad = ~good & (codes >= 0)
    if not bad.any():
        return True
    name = column.name
    plain = re.compile(r"[+-]?\d+")
    if all(DECIMAL_COMMA.fullmatch(text) or plain.fullmatch(text) for text in texts):
        blame(
            column,
            bad,
            "has a decimal comma, or one between thousands",
            "read the table with decimal=',' (--decimal ,), or take the commas out",
        )
    if good.sum() >= _MOSTLY * (good.sum() + bad.sum()):
        cell = texts[codes[int(np.flatnonzero(bad)[0])]]
        blame(
            column,
            bad,
            f"is not a number, but {int(good.sum())} other cells are",
            f"mend the cell; or, if it stands for a missing value, --missing {cell!r}; or, if the "
            f"numbers are names of things, --categorical {name!r}",
        )
    return False


def id_name(name: str) -> bool:
    """Return whether a column's name says that it tells rows apart.

    Example:
        >>> from minigrad.table.columns import id_name
        >>> [id_name(name) for name in ("id", "PassengerId", "customer_id", "humid", "paid")]
        [True, True, True, False, False]
    """
    return _ID_NAME.search(name if name != name.upper() else name.lower()) is not None


def _boolean(texts: list[str]) -> bool:
    words = {text.lower() for text in texts}
    return any(words == {yes, no} for yes, no in zip(TRUE, FALSE, strict=True))


def _number_or_id(column: Any, distinct: int, filled: int) -> Found:
    name = str(column.name)
    values = as_numbers(column, "mend the cell, or name it as missing (--missing)")
    if distinct == filled == len(column) and np.array_equal(values, np.floor(values)):
        steps = np.diff(values)
        if len(steps) > 1 and (steps == steps[0]).all() and abs(steps[0]) == 1:
            return Found(name, "dropped", f"numbers the rows from {values[0]:g}")
        if id_name(name):
            return Found(name, "dropped", "a different whole number in every row: an id")
    return Found(name, "numeric")


def check_names(frame: Any, asked: dict[str, Collection[str]]) -> None:
    """Raise ValueError if the table repeats a column or lacks one that an option names."""
    if not hasattr(frame, "columns"):
        raise TypeError(
            f"the table is of type {type(frame).__name__}: give a pandas DataFrame, as "
            "pandas.DataFrame(array, columns=[...]) makes of an array"
        )
    names = [str(name) for name in frame.columns]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise ValueError(f"the table has two columns named {name!r}: rename or delete one")
    for option, columns in asked.items():
        for name in columns:
            if name not in names:
                raise ValueError(f"{option}: no column {name!r}{suggestion(name, names)}")


def suggestion(name: str, names: Collection[str]) -> str:
    """Return a hint at the columns there are: the ones of nearly this name, or the first few.

    Example:
        >>> from minigrad.table.columns import suggestion
        >>> suggestion("age", ["Age", "Fare"]), suggestion("x", ["Age", "Fare"])
        (": did you mean 'Age'?", ": the columns are 'Age', 'Fare'")
    """
    if not names:
        return ""
    from difflib import get_close_matches

    lower = {other.lower(): other for other in names}
    close = get_close_matches(name.lower(), lower, n=1, cutoff=0.75)
    if close:
        return f": did you mean {lower[close[0]]!r}?"
    listed = ", ".join(repr(other) for other in list(names)[:8])
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f": the columns are {listed}{more}"
