"""Reading files with numpy alone; what is wrong in a file is named by line, column or byte."""

import csv
import gzip
import math
import zlib
from os import PathLike
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from minigrad.data.dataset import Dataset

Array = npt.NDArray[Any]

# The third byte of an IDX file; values are stored big-endian.
_IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: str | PathLike[str]) -> Array:
    """Read an array from an IDX file, the format of MNIST, plain or gzip-compressed.

    Format: two zero bytes, a type code, the number of axes, each length as a big-endian 32-bit
    number, then the values (http://yann.lecun.com/exdb/mnist).

    Returns:
        The array in the machine's byte order, with the file's type and shape.

    Raises:
        ValueError: not an IDX file, truncated, or with bytes left over.
        FileNotFoundError: no such file.

    Example:
        >>> import tempfile
        >>> from minigrad.data import read_idx
        >>> with tempfile.NamedTemporaryFile() as file:
        ...     _ = file.write(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]))  # 1 axis of 3 bytes
        ...     file.flush()
        ...     read_idx(file.name).tolist()
        [7, 8, 9]
    """
    file = Path(path)
    raw = file.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        try:
            raw = gzip.decompress(raw)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"{file}: broken gzip file ({error}): fetch it again") from error
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in _IDX_TYPES:
        raise ValueError(
            f"{file}: not an IDX file: it starts with {raw[:4].hex(' ') or 'nothing'}, expected "
            "00 00, a type code from 08 to 0e, and the number of axes"
        )
    axes = raw[3]
    start = 4 + 4 * axes
    if len(raw) < start:
        raise ValueError(f"{file}: truncated in the header: {len(raw)} bytes, expected {start}")
    shape = tuple(int(n) for n in np.frombuffer(raw, ">u4", count=axes, offset=4))
    dtype = np.dtype(_IDX_TYPES[raw[2]])
    expected = start + math.prod(shape) * dtype.itemsize
    if len(raw) != expected:
        state = "truncated" if len(raw) < expected else "too long"
        raise ValueError(
            f"{file}: {state}: {len(raw)} bytes, but shape {shape} of {dtype.name} needs {expected}"
        )
    return np.frombuffer(raw, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))


def read_csv(
    path: str | PathLike[str], *, target: str | int | None = None, delimiter: str = ","
) -> Dataset:
    """Read a table of numbers. A first line that is not all numbers is taken as column names.

    Args:
        path: the file, UTF-8; blank lines are skipped, quotes are understood.
        target: the column, by name or number, that becomes ``y``; negative numbers count from
            the right. None: every column is in ``x`` and ``y`` is None.
        delimiter: the character between columns.

    Returns:
        A Dataset with float64 arrays; ``y`` is int64 when all its values are whole numbers
        written without a point.

    Raises:
        ValueError: a ragged row, an empty or non-numeric cell, NaN (each named by line and
            column), no rows, or an unknown target.

    Example:
        >>> import tempfile
        >>> from minigrad.data import read_csv
        >>> with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        ...     _ = file.write("age,height,ill\\n30,1.7,0\\n40,1.8,1\\n")
        ...     file.flush()
        ...     data = read_csv(file.name, target="ill")
        >>> data.names, data.y.tolist()
        (['age', 'height'], [0, 1])
    """
    file = Path(path)
    names: list[str] | None = None
    rows: list[list[float]] = []
    texts: list[list[str]] = []
    with file.open(newline="", encoding="utf-8-sig") as lines:
        reader = csv.reader(lines, delimiter=delimiter)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not rows and names is None and not all(is_number(cell) for cell in cells):
                names = [cell.strip() for cell in cells]
                continue
            width = len(names) if names is not None else len(rows[0]) if rows else len(cells)
            if len(cells) != width:
                raise ValueError(
                    f"{file}, line {reader.line_num}: {len(cells)} columns, expected {width}"
                )
            try:
                row = [_number(cell) for cell in cells]
            except ValueError:
                row = []
            if not row or not all(map(math.isfinite, row)):
                _blame(file, reader.line_num, cells, names)
            rows.append(row)
            texts.append(cells if target is not None else [])
    if not rows:
        raise ValueError(f"{file}: no rows of numbers")
    table = np.array(rows)
    if target is None:
        return Dataset(table, names=names)
    column = _column(file, target, names, table.shape[1])
    y = table[:, column]
    if all(cells[column].strip().lstrip("+-").isdigit() for cells in texts):
        y = y.astype(np.int64)
    if names is not None:
        names = names[:column] + names[column + 1 :]
    return Dataset(np.delete(table, column, axis=1), y, names=names)


def is_number(text: str) -> bool:
    """Whether the text is a float as files write it: Python itself reads 1_0 as 10.

    >>> from minigrad.data.readers import is_number
    >>> is_number("1e-3"), is_number("one"), is_number("1_0")
    (True, False, False)
    """
    try:
        _number(text)
    except ValueError:
        return False
    return True


def _number(text: str) -> float:
    if "_" in text:
        raise ValueError(f"{text!r} is not a number")
    return float(text)


def _blame(file: Path, line: int, cells: list[str], names: list[str] | None) -> NoReturn:
    """Raise the error that names the first cell of a row that is not a finite number."""
    for index, cell in enumerate(cells):
        if is_number(cell) and math.isfinite(float(cell)):
            continue
        name = f" ({names[index]!r})" if names is not None else ""
        what = f"{cell!r} is not a finite number" if cell.strip() else "the cell is empty"
        if len(cells) == 1 and (found := [mark for mark in ";\t|" if mark in cell]):
            what += f": perhaps read_csv(..., delimiter={found[0]!r})"
        raise ValueError(f"{file}, line {line}, column {index}{name}: {what}")
    raise AssertionError("every cell is a finite number")


def _column(file: Path, target: str | int, names: list[str] | None, width: int) -> int:
    if isinstance(target, str):
        if names is None or target not in names:
            known = f"the columns are {names}" if names else "the file names no columns"
            raise ValueError(f"{file}: no column {target!r}: {known}")
        if names.count(target) > 1:
            raise ValueError(f"{file}: {names.count(target)} columns are named {target!r}")
        return names.index(target)
    if not -width <= target < width:
        raise ValueError(f"{file}: column {target} does not exist: there are {width} columns")
    return target % width
