"""From a file of separated values to a pandas table, whose index holds the lines of the file.

Rows are counted and measured before pandas reads them, because pandas fills short rows up and
renames repeated columns without a word.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import lzma
import re
import zlib
from array import array
from collections.abc import Callable, Collection, Sequence
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from minigrad.table.binary import check_names, read_binary
from minigrad.table.cells import blame, is_text, levels
from minigrad.table.extra import pandas

MISSING = ("", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "<NA>", "#N/A")

_DELIMITERS = (",", ";", "\t", "|")
_OWN_READER = "read it with pandas.{} and give that to minigrad.table.fit, or save it as CSV"
_FOREIGN = {
    b"\x89HDF": f"an HDF5 file: {_OWN_READER.format('read_hdf')}",
    b"SQLi": f"an SQLite database: {_OWN_READER.format('read_sql')}",
    b"\x28\xb5\x2f\xfd": "compressed with zstd: unpack it first",
    b"\xff\xfe": "UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "UTF-16 text: save it as UTF-8",
}
_COMPRESSED: dict[bytes, tuple[str, Callable[..., Any]]] = {
    b"\x1f\x8b": ("gzip", gzip.open),
    b"BZh": ("bz2", bz2.open),
    b"\xfd7zX": ("xz", lzma.open),
}


def read_table(
    path: str | PathLike[str],
    *,
    delimiter: str | None = None,
    decimal: str = ".",
    encoding: str = "utf-8",
    missing: Sequence[str] = (),
    text: Collection[str] = (),
) -> Any:
    """Read a file whose first line names the columns.

    Which kind of file it is follows from its first bytes, whatever its name.

    Args:
        path: separated values, also compressed by gzip, bzip2 or xz: a byte-order mark and quotes
            are understood, blank lines are skipped. Or the first sheet of an Excel file, a Parquet
            or a Feather file, for which pandas needs openpyxl or pyarrow; of what follows only
            ``missing`` matters then, for Excel.
        delimiter: the character between columns; None: comma, semicolon, tab or bar, whichever
            cuts the first lines into rows of one length.
        decimal: the character before the decimals.
        encoding: of the text.
        missing: further cells that mean a missing value, beside ``MISSING``.
        text: columns to leave as text even if every cell is a number.

    Returns:
        A pandas DataFrame. Its index, named ``line``, holds each row's line in the file, which the
        messages about cells quote; ``attrs["delimiter"]`` is the character that was found. Of
        files that are no text the index is named ``row``: that of the sheet, or counted from 1.

    Raises:
        ValueError: an empty file, a file of another format or encoding, repeated columns, a ragged
            row, an open quote; the message names line and column.
        FileNotFoundError: no such file.
        ImportError: pandas is not installed, or what it needs for this file.

    Example:
        >>> import os, tempfile
        >>> from minigrad.table import read_table
        >>> path = os.path.join(tempfile.mkdtemp(), "people.csv")
        >>> with open(path, "w") as file:
        ...     _ = file.write("name;age\\nAda;36\\nAlan;41\\n")
        >>> frame = read_table(path)
        >>> frame.attrs["delimiter"], list(frame.columns), frame["age"].to_dict()
        (';', ['name', 'age'], {2: 36, 3: 41})
    """
    library = pandas()
    file = Path(path)
    with file.open("rb") as raw:
        start = raw.read(4)
    if (frame := read_binary(file, start, [*MISSING, *missing])) is not None:
        frame.attrs["delimiter"] = None
        return frame
    for magic, what in _FOREIGN.items():
        if start.startswith(magic) and encoding == "utf-8":
            raise ValueError(f"{file}: not a CSV file but {what}")
    packed = [found for magic, found in _COMPRESSED.items() if start.startswith(magic)]
    compression, opened = packed[0] if packed else (None, open)
    encoding = "utf-8-sig" if encoding == "utf-8" else encoding
    try:
        if delimiter is None:
            with opened(file, "rt", newline="", encoding=encoding) as lines:
                delimiter = _find_delimiter(lines)
        with opened(file, "rt", newline="", encoding=encoding) as lines:
            names, places = _scan(file, lines, delimiter)
        with opened(file, "rt", newline="", encoding=encoding) as lines:
            frame = library.read_csv(
                lines if packed else file,
                sep=delimiter,
                decimal=decimal,
                encoding=encoding,
                compression=None,
                header=0,
                names=names,
                index_col=False,
                dtype={name: str for name in text if name in names},
                keep_default_na=False,
                na_values=[*MISSING, *missing],
                skipinitialspace=True,
                low_memory=False,
            )
    except (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error) as error:
        raise ValueError(f"{file}: begins as {compression} does, but is broken: {error}") from error
    except UnicodeError as error:
        raise ValueError(
            f"{file}: not {encoding.removesuffix('-sig')} text ({error}): save it as UTF-8, or "
            "name its encoding, such as latin-1"
        ) from error
    except LookupError as error:
        raise ValueError(f"{error}: such as utf-8, latin-1 or utf-16") from error
    if len(frame) != len(places):
        raise ValueError(f"{file}: {len(places)} rows were counted but {len(frame)} were read")
    frame.index = library.Index(places, name="line")
    frame.attrs["delimiter"] = delimiter
    if decimal != ".":
        for name in names:
            if name not in text:
                _check_points(frame[name], decimal)
    return frame


def _check_points(column: Any, decimal: str) -> None:
    """Raise ValueError if a column that was left text holds numbers, some with a point."""
    if not is_text(column):
        return
    codes, texts = levels(column)
    # One point, or points between thousands: 01.02.2023 is no number.
    number = re.compile(rf"[+-]?(\d*\.?\d+|\d{{1,3}}(\.\d{{3}})+)({re.escape(decimal)}\d+)?")
    if not all(map(number.fullmatch, texts)):
        return
    pointed = np.array([*("." in text for text in texts), False])[codes]
    if pointed.any():
        why = f"has a point, but decimals are written with {decimal!r}"
        mend = "say so with decimal='.' (--decimal .), or take it out"
        if any(decimal in text for text in texts):
            mend = "take the points between thousands out"
        blame(column, pointed, why, mend)


def _find_delimiter(lines: TextIO) -> str:
    first = list(islice((line for line in lines if line.strip()), 20))
    found = []
    for delimiter in _DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(first, delimiter=delimiter) if row]
        except csv.Error:
            continue
        if widths and widths[0] > 1:
            found.append((len(set(widths)) == 1, widths[0], delimiter))
    return max(found, key=lambda entry: entry[:2])[2] if found else ","


def _scan(file: Path, lines: TextIO, delimiter: str) -> tuple[list[str], array[int]]:
    """Return the column names, and the line at which each row ends; or raise what is wrong."""
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    places = array("q")
    try:
        header = next((row for row in reader if row), None)
        if header is None:
            raise ValueError(f"{file}: the file is empty")
        names = check_names(file, header)
        for row in reader:
            if len(row) == len(names):
                places.append(reader.line_num)
            elif row:
                raise ValueError(
                    f"{file}, line {reader.line_num}: {len(row)} cells, but the first line names "
                    f"{len(names)} columns (separated by {delimiter!r}): mend the line; a cell "
                    "that holds the separator needs quotes"
                )
            elif len(names) == 1:
                raise ValueError(f"{file}, line {reader.line_num}: blank; delete or fill it")
    except csv.Error as error:
        raise ValueError(
            f"{file}, line {reader.line_num}: {error}: is a quote not closed?"
        ) from error
    if not places:
        raise ValueError(f"{file}: the file has column names but no rows")
    return names, places
