"""TableModel: a network with all that it takes to go from a table to predictions."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt

from minigrad import nn
from minigrad.history import History
from minigrad.serialize import load, save
from minigrad.table.preprocess import Preprocess
from minigrad.table.report import Figures, Report, measure
from minigrad.table.target import Target
from minigrad.table.training import build, outputs

Array = npt.NDArray[Any]

_FORMAT = "minigrad.table 1"


@dataclass(frozen=True, repr=False)
class TableModel:
    """What ``minigrad.table.fit`` returns and a file of it holds.

    Attributes:
        target: what is predicted.
        preprocess: from a table to numbers.
        network: from the numbers to outputs.
        hidden: the widths of its hidden layers.
        dropped: the columns that are not used, each with the reason.
        notes: what a reader should know of the data.
        report: the figures of the training.
        history: its curves.
        reading: how the file of the training was read, which new files are read with.

    Example:
        >>> import os, tempfile
        >>> import numpy as np, pandas
        >>> from minigrad import table
        >>> x = np.linspace(-1, 1, 60)
        >>> frame = pandas.DataFrame({"x": x, "sign": np.where(x > 0, "plus", "minus")})
        >>> model = table.fit(frame, target="sign", epochs=100, lr=0.01)
        >>> model
        TableModel('sign': binary classification, 1-64-64-1)
        >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
        >>> model.save(path)
        >>> table.TableModel.load(path).predict(pandas.DataFrame({"x": [-0.5, 0.5]})).tolist()
        ['minus', 'plus']
    """

    target: Target
    preprocess: Preprocess
    network: nn.Sequential
    hidden: tuple[int, ...]
    dropped: dict[str, str]
    notes: list[str]
    report: Report
    history: History
    reading: dict[str, Any]

    def __repr__(self) -> str:
        """Show the task and the network's layers."""
        widths = (len(self.preprocess.features), *self.hidden, self.target.outputs)
        layers = "-".join(str(width) for width in widths)
        return f"TableModel({self.target.name!r}: {self.report.task}, {layers})"

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the training; the network is then that of the best epoch so far."""
        return self.history.stop_reason.startswith("interrupted")

    def predict(
        self, frame: Any, *, lenient: bool = False, notes: list[str] | None = None
    ) -> Array:
        """Return a label or a number for each row, (n,).

        Args:
            frame: a pandas table with the columns of the training, in any order; the target need
                not be there, other columns are left alone.
            lenient: let unknown categories, and gaps where the training rows had none, count as
                none of the known and as the middle.
            notes: gets a line on everything a reader should know of.

        Raises:
            ValueError: a column is missing, or a cell does not fit: row and column are named.
        """
        found = self._outputs(frame, lenient, notes)
        if self.target.task == "regression":
            return np.asarray(found[:, 0])
        codes = found.argmax(axis=1) if self.target.outputs > 1 else (found[:, 0] > 0).astype(int)
        return np.asarray(np.array(self.target.labels)[codes])

    def predict_proba(
        self, frame: Any, *, lenient: bool = False, notes: list[str] | None = None
    ) -> npt.NDArray[np.float32]:
        """Return the probability of every class, (n, classes), in the order of the labels.

        Args and errors as of ``predict``.
        """
        if self.target.task == "regression":
            raise ValueError("a regression has no probabilities: use predict")
        return self._probabilities(self._outputs(frame, lenient, notes))

    def evaluate(self, frame: Any, *, lenient: bool = False) -> Figures:
        """Return the figures of a table that has the target: the same as the report's are."""
        names = [str(name) for name in frame.columns]
        if self.target.name not in names:
            raise ValueError(f"the table has no column {self.target.name!r} to compare with")
        column = frame.iloc[:, names.index(self.target.name)]
        y = self.target.encode(column.rename(self.target.name))
        return measure(self.target, self._outputs(frame, lenient, None), y)

    def save(self, path: str | PathLike[str]) -> None:
        """Write everything to one safetensors file, in one move; nothing in it is code."""
        state = {
            "format": _FORMAT,
            "network": self.network.state_dict(),
            "hidden": list(self.hidden),
            "target": self.target.state(),
            "columns": self.preprocess.state(),
            "dropped": self.dropped,
            "notes": self.notes,
            "report": self.report.state(),
            "history": self.history.to_json(),
            "reading": self.reading,
        }
        save(state, path)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> TableModel:
        """Return what ``save`` wrote to ``path``.

        Raises:
            ValueError: truncated, corrupt, or a file of something else.
            FileNotFoundError: no such file.
        """
        state = load(path)
        if not isinstance(state, dict) or state.get("format") != _FORMAT:
            raise ValueError(f"{path}: not a model of a table, as `minigrad fit` writes")
        try:
            return cls._from_state(state)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: not whole, or of another version ({error!r})") from error

    @classmethod
    def _from_state(cls, state: dict[str, Any]) -> TableModel:
        target, preprocess = Target(**state["target"]), Preprocess.from_state(state["columns"])
        hidden = tuple(state["hidden"])
        network = build(len(preprocess.features), target.outputs, hidden, dropout=0.0)
        network.load_state_dict(state["network"])
        return cls(
            target=target,
            preprocess=preprocess,
            network=network,
            hidden=hidden,
            dropped=state["dropped"],
            notes=state["notes"],
            report=Report.from_state(state["report"]),
            history=History.from_json(state["history"]),
            reading=state["reading"],
        )

    def _outputs(self, frame: Any, lenient: bool, notes: list[str] | None) -> Array:
        """Return logits, or numbers in the target's own unit (float64)."""
        x = self.preprocess.encode(frame, lenient=lenient, notes=notes)
        return own_unit(self.target, outputs(self.network, x))

    def _probabilities(self, logits: Array) -> npt.NDArray[np.float32]:
        z = logits.astype(np.float64)
        if self.target.outputs == 1:
            z = np.concatenate([np.zeros_like(z), z], axis=1)
        z = np.exp(z - z.max(axis=1, keepdims=True))
        return np.asarray(z / z.sum(axis=1, keepdims=True), dtype=np.float32)


def own_unit(target: Target, found: Array) -> Array:
    """Return a network's outputs as they are reported: logits, or numbers in the target's unit."""
    if target.task == "classification":
        return found
    return target.mean + target.std * found.astype(np.float64)
