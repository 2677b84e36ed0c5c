"""A progress bar that tells the story: loss, validation loss, gap, time left."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from minigrad.callbacks.callback import Callback
from minigrad.rows import Row
from minigrad.training.training import Training

_SECONDS_BETWEEN = 0.1  # redrawing costs more than a small epoch


class ProgressBar(Callback):
    """Show epochs, loss, validation loss, gap and time left in one line on stderr.

    Args:
        show: True or False; None: only on a terminal, so that logs and pipes stay clean.

    Example:
        >>> from minigrad.callbacks import ProgressBar
        >>> ProgressBar(show=False).show
        False
    """

    reads_model = False
    every_epoch = False

    def __init__(self, show: bool | None = None) -> None:
        """Decide nothing yet: the terminal is looked at when a training begins."""
        self.show = show
        self._bar: Any = None
        self._next = 0.0

    def on_fit_begin(self, trainer: Training) -> None:
        """Open the bar."""
        if not _wanted(self.show):
            return
        from tqdm import tqdm  # type: ignore[import-untyped]

        self._bar = tqdm(
            total=trainer.epochs,
            unit="epoch",
            dynamic_ncols=True,
            leave=False,
            mininterval=0,
            bar_format="{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}{postfix} [{remaining} left]",
        )
        self._next = 0.0

    def on_epoch_end(self, trainer: Training, row: Row) -> None:
        """Redraw, at most ten times a second."""
        if self._bar is None or time.perf_counter() < self._next:
            return
        text = f"loss {row['loss']:.4f}"
        if "val_loss" in row:
            gap = row["val_loss"] - row["loss"]
            text += f"  val {row['val_loss']:.4f}  gap {gap:+.4f}"
        self._bar.set_postfix_str(text, refresh=False)
        self._bar.update(trainer.epoch + 1 - self._bar.n)
        self._next = time.perf_counter() + _SECONDS_BETWEEN

    def on_fit_end(self, trainer: Training) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


@contextmanager
def counting(total: int, unit: str, show: bool | None) -> Iterator[Callable[[str], None]]:
    """Yield a function that counts one of ``total`` trainings on a bar and shows a text beside it.

    Example:
        >>> from minigrad.callbacks.progress import counting
        >>> with counting(2, "fold", show=False) as advance:
        ...     advance("val loss 0.5")
    """
    if not _wanted(show):
        yield lambda text: None
        return
    from tqdm import tqdm

    with tqdm(total=total, unit=unit, leave=False, dynamic_ncols=True, mininterval=0) as bar:

        def advance(text: str) -> None:
            bar.set_postfix_str(text, refresh=False)
            bar.update()

        yield advance


def _wanted(show: bool | None) -> bool:
    """As told, else on a terminal only."""
    return sys.stderr.isatty() if show is None else show
