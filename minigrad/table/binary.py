"""Tables of Excel, Parquet and Feather files, read by pandas with the packages that it needs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minigrad.data.readers import is_number
from minigrad.table.extra import pandas

# How such files begin -> what they are, and pandas' function for them.
_READERS = {
    b"PK\x03\x04": ("an Excel file", "read_excel"),
    b"\xd0\xcf\x11\xe0": ("an Excel file (.xls)", "read_excel"),
    b"PAR1": ("a Parquet file", "read_parquet"),
    b"ARRO": ("a Feather file", "read_feather"),
}


def read_binary(path: Path, start: bytes, missing: Sequence[str]) -> Any:
    """Return the DataFrame of a file that begins with ``start``, or None if it is of no such kind.

    Its index, named ``row``, counts from 1: in Excel the rows of the sheet.
    """
    for magic, (what, name) in _READERS.items():
        if start.startswith(magic):
            if name == "read_excel":
                return _excel(path, what, missing)
            return _columns(path, what, name)
    return None


def _excel(path: Path, what: str, missing: Sequence[str]) -> Any:
    """The first sheet; its first row that is not blank names the columns."""
    sheet = _called(
        path,
        what,
        "read_excel",
        header=None,
        dtype=object,
        keep_default_na=False,
        na_values=list(missing),
    )
    sheet.index = pandas().RangeIndex(1, len(sheet) + 1, name="row")
    sheet = sheet[sheet.notna().any(axis=1)]
    if sheet.empty:
        raise ValueError(f"{path}: the first sheet is empty")
    header = ["" if cell is None or cell != cell else str(cell) for cell in sheet.iloc[0]]
    names = check_names(path, header)
    frame = sheet.iloc[1:].infer_objects()
    frame.columns = names
    if frame.empty:
        raise ValueError(f"{path}: the first sheet has column names but no rows")
    return frame


def _columns(path: Path, what: str, name: str) -> Any:
    """A file of typed columns; what tells rows apart in it is a column like others."""
    frame = _called(path, what, name)
    if any(level is not None for level in frame.index.names):
        frame = frame.reset_index()
    frame.columns = check_names(path, [str(column) for column in frame.columns])
    if frame.empty:
        raise ValueError(f"{path}: the file has column names but no rows")
    frame.index = pandas().RangeIndex(1, len(frame) + 1, name="row")
    return frame


def _called(path: Path, what: str, name: str, **options: Any) -> Any:
    """What pandas' function returns, or an error of one line."""
    try:
        return getattr(pandas(), name)(path, **options)
    except ImportError as error:  # pandas names the package
        raise ImportError(f"{path} is {what}: {str(error).splitlines()[0]}") from error
    except OSError:
        raise
    except Exception as error:  # each package has errors of its own
        raise ValueError(
            f"{path} begins as {what} does, but pandas.{name} cannot read it: "
            f"{str(error).splitlines()[0] if str(error) else type(error).__name__}"
        ) from error


def check_names(path: Path, header: list[str]) -> list[str]:
    """Return column names, numbered where there are none, or raise what is wrong with them."""
    names = [name.strip() or f"column {place}" for place, name in enumerate(header, 1)]
    if all(is_number(name) for name in header):
        raise ValueError(
            f"{path}: the first line holds numbers ({', '.join(header[:3])}...): it must name the "
            "columns; write a line of names above it"
        )
    for place, name in enumerate(names):
        if name in names[:place]:
            raise ValueError(
                f"{path}: columns {names.index(name) + 1} and {place + 1} are both named {name!r}: "
                "rename or delete one"
            )
    return names
