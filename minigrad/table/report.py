"""What a training came to: figures beside baselines, and what they mean in words."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from minigrad import metrics
from minigrad.table.chance import Difference
from minigrad.table.target import Target

Array = npt.NDArray[Any]
Figures = dict[str, float]

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Report:
    """The figures of a training.

    Attributes:
        task: in words.
        rows: of each part.
        figures: by part and model: ``report.figures["test"]["network"]["accuracy"]``; without
            hidden layers there is no ``"network"`` beside ``"linear"``.
        differences: network minus linear model on the test rows, by measure:
            ``report.differences["loss"]``; below 0 the network is better for ``loss`` and ``rmse``,
            above 0 for ``accuracy``. The intervals are those of ``minigrad.table.chance``.
        gap: test minus training loss, or RMSE, of the model that is kept: above 0 is overfitting.
        overfitting: what the curves and the gap say.
        comparison: whether the network is worth more than a linear model.
    """

    task: str
    rows: dict[str, int]
    figures: dict[str, dict[str, Figures]]
    differences: dict[str, Difference]
    gap: Difference
    overfitting: str
    comparison: str

    def __str__(self) -> str:
        """The table, and what it means."""
        return f"{self.table()}\n\n{self.overfitting}\n\n{self.comparison}"

    def table(self) -> str:
        """Return the figures of each part of the rows, a model a line."""
        columns = list(next(iter(self.figures["train"].values())))
        head = "".join(f"{HEADS.get(name, name):>11}" for name in columns)
        lines = [f"{'':30}{head}"]
        for part in PARTS:
            label = f"{part} ({self.rows[part]:,})"
            for model, figures in self.figures[part].items():
                cells = "".join(f"{_cell(name, figures[name]):>11}" for name in columns)
                lines.append(f"{label:20}{model:10}{cells}")
                label = ""
        return "\n".join(lines)

    def state(self) -> dict[str, Any]:
        """Return plain values, for a file."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Report:
        """Return what ``state`` was taken from."""
        differences = {name: Difference(**value) for name, value in state["differences"].items()}
        return cls(**{**state, "differences": differences, "gap": Difference(**state["gap"])})


HEADS = {"rmse": "RMSE", "mae": "MAE", "r2": "R2", "f1": "F1", "auc": "AUC"}


def _cell(name: str, value: float) -> str:
    if math.isnan(value):
        return "-"
    if name == "accuracy":
        return f"{value:.1%}"
    return f"{value:.5g}" if name in ("rmse", "mae") else f"{value:.4f}"


def measure(target: Target, output: Array, y: Array) -> Figures:
    """Return the figures of a model's outputs: logits, or numbers in the target's own unit."""
    if target.task == "regression":
        return {name: metrics.METRICS[name](output, y) for name in ("rmse", "mae", "r2")}
    names = ("accuracy", "f1", "auc") if target.outputs == 1 else ("accuracy", "f1")
    loss = float(np.mean(row_losses(target, output, y)))
    return {"loss": loss, **{name: metrics.METRICS[name](output, y) for name in names}}


def row_losses(target: Target, output: Array, y: Array) -> Array:
    """Return each row's loss, float64: cross-entropy in nats, or the squared error."""
    z = output.astype(np.float64)
    if target.task == "regression":
        return np.asarray((z.reshape(-1) - y) ** 2)
    if target.outputs == 1:
        return np.logaddexp(0.0, np.where(y == 1, -z[:, 0], z[:, 0]))
    return np.asarray(np.logaddexp.reduce(z, axis=1) - z[np.arange(len(y)), y])


def majority(target: Target, y: Array, rows: int) -> Array:
    """Return the outputs, for ``rows`` rows, of a model that only knows the training targets."""
    if target.task == "regression":
        return np.full((rows, 1), y.mean())
    shares = np.bincount(y, minlength=len(target.labels)) / len(y)
    logits = np.log(np.maximum(shares, 1e-12))
    if target.outputs == 1:
        logits = logits[1:] - logits[:1]
    return np.tile(logits, (rows, 1))
