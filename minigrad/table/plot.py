"""The picture of a training: its curves, with the linear model's figures beside them."""

from __future__ import annotations

from os import PathLike
from typing import Any

import numpy as np

from minigrad.plots import FAINT, INK, draw_history, figure
from minigrad.table.model import TableModel


def plot_model(model: TableModel, path: str | PathLike[str] | None = None) -> Any:
    """Draw loss and accuracy, or RMSE, of each epoch, and write the picture to ``path`` if given.

    A dotted line is the linear model on the validation rows.

    Returns:
        The matplotlib figure.

    Raises:
        ImportError: matplotlib is missing; the message names the extra.
    """
    regression = model.target.task == "regression"
    names = ["rmse"] if regression else ["loss", "accuracy"]
    picture = figure(6.6 * len(names), 4.2)
    for place, name in enumerate(names):
        axes = picture.add_subplot(1, len(names), place + 1)
        draw_history(axes, model.history, name)
        baseline = model.report.figures["validation"]["linear"][name]
        axes.axhline(
            baseline, color=INK, lw=1, ls=(0, (1, 2)), zorder=1, label="linear, validation"
        )
        _limit(axes, model, name, baseline)
        axes.set_xlabel("epoch", fontsize=9, color=INK)
        unit = f"RMSE, in the unit of {model.target.name}" if regression else name
        axes.set_title(unit, fontsize=10, color=INK, loc="left")
        if place == 0:
            axes.legend(frameon=False, loc="best", fontsize=8)
    picture.suptitle(
        f"{model.target.name}: {model.report.task}; {model.history.stop_reason}",
        fontsize=9,
        color=FAINT,
        x=0.99,
        ha="right",
    )
    if path is not None:
        picture.savefig(path)
    return picture


def _limit(axes: Any, model: TableModel, name: str, baseline: float) -> None:
    """Leave out the first epochs' large values, which would press the rest flat."""
    if axes.get_yscale() == "log" or len(model.history) < 10:
        return
    late = [model.history[column][2:] for column in (name, f"val_{name}")]
    values = np.append(np.concatenate(late), baseline)
    values = values[np.isfinite(values)]
    margin = 0.06 * (float(np.ptp(values)) or 1.0)
    axes.set_ylim(values.min() - margin, values.max() + margin)
