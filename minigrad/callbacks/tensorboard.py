"""Write the history for TensorBoard, with the tensorboard package's own writer."""

import time
from os import PathLike, fspath
from typing import Any

from minigrad.callbacks.callback import Callback
from minigrad.rows import Row
from minigrad.training.training import Training


class TensorBoard(Callback):
    """Write every column of the history as a scalar, one event per epoch.

    ``loss`` and ``val_loss`` go into two runs, ``train`` and ``validation``, under one name, so
    that TensorBoard draws them in one chart.

    Args:
        log_dir: the folder of the runs.

    Raises:
        ImportError: when a training begins, if the package tensorboard is not installed.

    Example:
        >>> from minigrad.callbacks import TensorBoard
        >>> TensorBoard("runs/first").log_dir
        'runs/first'
    """

    reads_model = False

    def __init__(self, log_dir: str | PathLike[str]) -> None:
        """Remember the folder; it is made when a training begins."""
        self.log_dir = fspath(log_dir)
        self._writers: dict[str, Any] = {}

    def on_fit_begin(self, trainer: Training) -> None:
        """Open the event files."""
        try:
            from tensorboard.summary.writer.event_file_writer import (  # type: ignore
                EventFileWriter,
            )
        except ImportError as error:
            raise ImportError("TensorBoard needs its package: pip install tensorboard") from error
        runs = ["train"] + ["validation"] * ("val_loss" in trainer.columns)
        self._writers = {run: EventFileWriter(f"{self.log_dir}/{run}") for run in runs}

    def on_epoch_end(self, trainer: Training, row: Row) -> None:
        """Write the epoch's figures."""
        from tensorboard.compat.proto.event_pb2 import Event  # type: ignore
        from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore

        for run, writer in self._writers.items():
            values = [
                Summary.Value(tag=name.removeprefix("val_"), simple_value=value)
                for name, value in row.items()
                if name != "epoch" and name.startswith("val_") == (run == "validation")
            ]
            writer.add_event(
                Event(wall_time=time.time(), step=trainer.epoch, summary=Summary(value=values))
            )

    def on_fit_end(self, trainer: Training) -> None:
        """Close the event files."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}
