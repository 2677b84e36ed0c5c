"""Stop a training that has broken down."""

import math

from minigrad.callbacks.callback import Callback
from minigrad.rows import Row
from minigrad.training.training import Training


class StopOnNaN(Callback):
    """Stop when the training loss or the penalty of an epoch is NaN or infinite.

    With EarlyStopping beside it, the best epoch before the breakdown is restored.

    Example:
        >>> from minigrad.callbacks import StopOnNaN
        >>> StopOnNaN().runs_last
        False
    """

    reads_model = False

    def on_epoch_end(self, trainer: Training, row: Row) -> None:
        """Look at the epoch's loss."""
        for name in ("loss", "penalty"):
            value = row.get(name, 0.0)
            if not math.isfinite(value):
                trainer.stop(
                    f"{name} is {value} at epoch {trainer.epoch}: lower the learning rate?"
                )
                return
