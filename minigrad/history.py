"""History: what every epoch of a training gave, and how it ended."""

import json
import math
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from minigrad._files import write_whole
from minigrad._names import missing
from minigrad.plots import plot_history
from minigrad.rows import Columns, Row, Rows


class History:
    """A list of one dict per epoch, and how the training ended.

    Epochs count from 0, so that ``history["val_loss"][history.best_epoch]`` is the best value.
    Columns: ``epoch``, ``loss`` and ``val_loss`` (data loss, without any penalty), ``penalty`` if
    there is one, every metric and its ``val_`` twin, ``lr``, ``seconds`` (since the start).

    Attributes:
        rows: one dict per epoch, made of the columns when somebody looks.
        stop_reason: why the training ended.
        curves: ``"honest"``: train and validation figures were both taken after the epoch in
            eval mode; ``"running"``: train figures are averages over the epoch in train mode.
        monitor: the column by which the best epoch is chosen.

    Example:
        >>> from minigrad.history import History
        >>> history = History()
        >>> history.append({"epoch": 0, "loss": 0.5, "val_loss": 0.75})
        >>> history.append({"epoch": 1, "loss": 0.25, "val_loss": 1.0})
        >>> history["val_loss"].tolist(), history.best_epoch, history.gap.tolist()
        ([0.75, 1.0], 0, [0.25, 0.75])
    """

    def __init__(self, *, curves: str = "honest") -> None:
        """Start empty."""
        self._rows = Rows()
        self.stop_reason = ""
        self.curves = curves
        self.monitor: str | None = None
        self._best: tuple[int, float] | None = None

    if not TYPE_CHECKING:  # which would then know of no missing attribute

        def __getattr__(self, name: str) -> Any:
            error = missing("History", name)
            rows = vars(self).get("_rows")  # not there yet while it is unpickled
            if rows is not None and name in rows.names():
                error.args = (f"{error}: it is history[{name!r}]",)
            raise error

    @property
    def rows(self) -> list[Row]:
        """One dict per epoch."""
        return self._rows.dicts()

    def append(self, row: Row) -> None:
        """Add an epoch, given as a dict, which is kept: a callback may add to it."""
        self._rows.append(row)

    def extend(self, columns: Columns) -> None:
        """Add many epochs, given as columns, arrays of one length."""
        self._rows.extend(columns)

    def set_best(self, monitor: str, epoch: int, value: float) -> None:
        """Record the best epoch; without this it is the one with the lowest ``val_loss``."""
        self.monitor = monitor
        self._best = (epoch, value)

    @property
    def columns(self) -> list[str]:
        """The names of all columns, in order of appearance."""
        return self._rows.names()

    @property
    def gap(self) -> npt.NDArray[np.float64]:
        """Validation minus training data loss, per epoch: above 0 and growing is overfitting."""
        return self["val_loss"] - self["loss"]

    @property
    def best_epoch(self) -> int | None:
        """The best epoch by EarlyStopping's monitor, else by ``val_loss`` or ``loss``.

        None if no epoch had a finite value: NaN is never the best.
        """
        return self._find_best()[0]

    @property
    def best_value(self) -> float:
        """The monitored value at the best epoch; NaN if there is none."""
        return self._find_best()[1]

    def _find_best(self) -> tuple[int | None, float]:
        if self._best is not None:
            return self._best
        columns = self.columns
        if not columns:
            return None, math.nan
        values = self["val_loss" if "val_loss" in columns else "loss"]
        if not np.isfinite(values).any():
            return None, math.nan
        best = int(np.where(np.isfinite(values), values, np.inf).argmin())
        epoch = self["epoch"][best] if "epoch" in columns else math.nan
        return best if math.isnan(epoch) else int(epoch), float(values[best])

    @overload
    def __getitem__(self, key: str) -> npt.NDArray[np.float64]: ...
    @overload
    def __getitem__(self, key: int) -> Row: ...
    def __getitem__(self, key: str | int) -> npt.NDArray[np.float64] | Row:
        """Return a column by name, as float64 (NaN where an epoch lacks it), or a row by number."""
        if not isinstance(key, str):
            return self._rows.last() if key == -1 else self.rows[key]
        columns = self.columns
        if key not in columns:
            hint = ": fit was given no validation data" if key.startswith("val_") else ""
            raise KeyError(f"no column {key!r} in {columns}{hint}")
        return self._rows.column(key)

    def __len__(self) -> int:
        """Return the number of epochs."""
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        """Iterate over the rows."""
        return iter(self.rows)

    def to_json(self, path: str | PathLike[str] | None = None) -> str:
        """Return everything as JSON, and write it to ``path`` if given.

        NaN and infinities are written as the strings ``"nan"``, ``"inf"`` and ``"-inf"``, because
        JSON has no such numbers.

        Raises:
            TypeError: a callback has put something else than a number into a row.
        """
        best = None if self._best is None else [self._best[0], _to_json(self._best[1])]
        text = json.dumps(
            {
                "stop_reason": self.stop_reason,
                "curves": self.curves,
                "monitor": self.monitor,
                "best": best,
                "rows": [{k: _to_json(v, k) for k, v in row.items()} for row in self.rows],
            },
            allow_nan=False,
        )
        if path is not None:
            write_whole(path, (text + "\n").encode())
        return text

    @classmethod
    def from_json(cls, source: str | PathLike[str]) -> "History":
        """Return the history of ``to_json``, from its text or from a file.

        Raises:
            ValueError: not such a text.
        """
        text = source if isinstance(source, str) and source.lstrip().startswith("{") else None
        if text is None:
            text = Path(source).read_text(encoding="utf-8")
        try:
            state = json.loads(text)
            history = cls(curves=state["curves"])
            history.stop_reason = state["stop_reason"]
            rows = [{k: _from_json(v) for k, v in row.items()} for row in state["rows"]]
            history._rows = Rows(rows)
            history.monitor = state["monitor"]
            if state["best"] is not None:
                history._best = (int(state["best"][0]), float(state["best"][1]))
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"not the JSON of a History: {error!r}") from error
        return history

    def to_csv(self, path: str | PathLike[str]) -> None:
        """Write one line per epoch under a line of column names; what is missing stays empty."""
        columns = self.columns
        lines = [",".join(columns)]
        for row in self.rows:
            lines.append(",".join(str(_plain(row[c])) if c in row else "" for c in columns))
        write_whole(path, ("\n".join(lines) + "\n").encode())

    def to_pandas(self) -> Any:
        """Return a pandas DataFrame, one row per epoch.

        Raises:
            ImportError: pandas is not installed.
        """
        try:
            import pandas  # type: ignore[import-untyped]
        except ImportError as error:
            raise ImportError("to_pandas needs pandas: pip install pandas") from error
        return pandas.DataFrame(self.rows, columns=self.columns)

    def plot(self, path: str | PathLike[str] | None = None, metric: str = "loss") -> Any:
        """Draw train and validation of ``metric`` in one chart, and write it to ``path``.

        The best epoch is marked and the gap shaded. The extra ``plot`` must be installed.

        Returns:
            The matplotlib figure.
        """
        return plot_history(self, path, metric)

    def __repr__(self) -> str:
        """Show the first, best and last epochs as a short table."""
        if not self.rows:
            return "History(no epochs)"
        columns = self.columns
        best = self.best_epoch
        n = len(self.rows)
        shown = sorted({0, 1, 2, n - 3, n - 2, n - 1} & set(range(n)))
        place = next((i for i, row in enumerate(self.rows) if row.get("epoch", i) == best), None)
        if place is not None:
            shown = sorted({*shown, place})
        lines = ["  ".join(f"{name:>{max(9, len(name))}}" for name in columns)]
        previous = -1
        for i in shown:
            if i > previous + 1:
                lines.append("  ".join(f"{'...':>{max(9, len(name))}}" for name in columns))
            cells = (f"{_cell(self.rows[i].get(c)):>{max(9, len(c))}}" for c in columns)
            lines.append("  ".join(cells) + ("  <- best" if i == place else ""))
            previous = i
        end = f"; {self.stop_reason}" if self.stop_reason else ""
        return "\n".join([*lines, f"{n} epoch{'s' * (n > 1)}{end}"])


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.4g}"


def _plain(value: float) -> float:
    """A number of Python's: callbacks may have put numpy's into a row."""
    return value.item() if isinstance(value, np.generic) else value


def _to_json(value: float, column: str = "best") -> float | str:
    value = _plain(value)
    if not isinstance(value, int | float):
        raise TypeError(f"column {column!r} of the history holds {value!r}, which is no number")
    return value if math.isfinite(value) else str(value)


def _from_json(value: float | str) -> float:
    return float(value) if isinstance(value, str) else value
