"""Save a training to a file: the best epoch, the last, or every n-th."""

from os import PathLike, fspath
from pathlib import Path
from typing import Any, Literal

from minigrad._names import hinting
from minigrad.callbacks.callback import Callback
from minigrad.callbacks.monitor import ModeName, Monitor
from minigrad.rows import Row
from minigrad.training.resume import save_training
from minigrad.training.training import Training


class ModelCheckpoint(Callback):
    """Write the whole training (not only the weights) to a safetensors file, so that
    ``trainer.fit(..., resume=path)`` goes on to the same bits as without interruption.
    ``mg.load(path)["model"]`` is the model's state dict.

    Args:
        path: the file; ``{epoch}`` in it is replaced by the epoch number, which keeps them all.
        save: ``"best"``: whenever ``monitor`` improves; ``"last"``: after every epoch; a whole
            number n: after every n-th epoch.
        monitor: a column of the history, used by ``"best"``.
        mode: ``"min"``, ``"max"`` or ``"auto"``, as in EarlyStopping.
        min_delta: the least absolute improvement that counts.

    Attributes:
        saved: the path of the newest file, or None.

    Example:
        >>> from minigrad.callbacks import ModelCheckpoint
        >>> ModelCheckpoint("best.safetensors").save
        'best'
    """

    runs_last = True  # the file holds the state of all other callbacks after the epoch

    @hinting
    def __init__(
        self,
        path: str | PathLike[str],
        save: Literal["best", "last"] | int = "best",
        monitor: str = "val_loss",
        mode: ModeName = "auto",
        min_delta: float = 0.0,
    ) -> None:
        """Check the arguments."""
        if isinstance(save, bool) or not (save in ("best", "last") or isinstance(save, int)):
            raise ValueError(f"save must be 'best', 'last' or a number of epochs, got {save!r}")
        if isinstance(save, int) and save < 1:
            raise ValueError(f"save = {save}: the number of epochs must be >= 1")
        self.path = fspath(path)
        self.save = save
        self.monitor = Monitor(monitor, mode, min_delta)
        self.saved: Path | None = None
        self._best: float | None = None

    def on_fit_begin(self, trainer: Training) -> None:
        """Check that column and folder exist, rather than after hours."""
        if self.save == "best":
            self.monitor.begin(trainer)
        folder = Path(self.path).parent
        if not folder.is_dir():
            raise FileNotFoundError(f"the folder {folder} of the checkpoint does not exist")
        self._best = None

    def on_epoch_end(self, trainer: Training, row: Row) -> None:
        """Save if this epoch is one to keep."""
        if self.save == "best":
            value = self.monitor.read(row)
            if not self.monitor.better(value, self._best):
                return
            self._best = value
        elif isinstance(self.save, int) and (trainer.epoch + 1) % self.save:
            return
        path = Path(self.path.replace("{epoch}", str(trainer.epoch)))
        save_training(trainer, path)
        self.saved = path

    def state_dict(self) -> dict[str, Any]:
        """Return the best value so far."""
        return {"best": self._best}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from ``state_dict``."""
        self._best = state["best"]
