"""Write the history to a CSV file while the training runs."""

from os import PathLike
from pathlib import Path
from typing import Any, TextIO

from minigrad.callbacks.callback import Callback
from minigrad.rows import Row
from minigrad.training.training import Training


class CSVLogger(Callback):
    """One line per epoch, on disk as soon as the epoch is over.

    Args:
        path: the file; overwritten, unless ``append``.
        append: go on below the lines of an earlier training, which must have the same columns.

    Example:
        >>> from minigrad.callbacks import CSVLogger
        >>> CSVLogger("log.csv").append
        False
    """

    reads_model = False

    def __init__(self, path: str | PathLike[str], append: bool = False) -> None:
        """Remember the path; the file is opened when a training begins."""
        self.path = Path(path)
        self.append = append
        self._file: TextIO | None = None
        self._columns: list[str] = []

    def on_fit_begin(self, trainer: Training) -> None:
        """Open the file and write the line of names.

        Raises:
            ValueError: the file to append to has other columns.
        """
        self._columns = list(trainer.columns)
        names = ",".join(self._columns)
        old = ""
        if self.append and self.path.exists():
            with self.path.open(encoding="utf-8") as file:
                old = file.readline().rstrip("\n")
        if old and old != names:
            raise ValueError(f"{self.path} has the columns {old}, this training has {names}")
        self._file = self.path.open("a" if self.append else "w", encoding="utf-8")
        if not old:
            self._file.write(names + "\n")

    def on_epoch_end(self, trainer: Training, row: Row) -> None:
        """Write the epoch's line."""
        if self._file is not None:
            cells: list[Any] = [row.get(name, "") for name in self._columns]
            self._file.write(",".join(map(str, cells)) + "\n")
            self._file.flush()

    def on_fit_end(self, trainer: Training) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
