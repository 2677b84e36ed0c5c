"""The demo's picture: a row for each problem, a column for each fix."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.plots import INK, draw_history, figure

if TYPE_CHECKING:
    from minigrad.demo import Run


def draw_demo(results: Sequence[tuple[str, Sequence[Run]]], out: str | PathLike[str]) -> None:
    """Draw train and validation loss of every run and write the picture to ``out``."""
    columns = max(len(runs) for _, runs in results)
    picture = figure(3.1 * columns, 3.5 * len(results) + 0.5)
    parts = np.atleast_1d(picture.subfigures(len(results), 1, hspace=0.04))
    axes: Any = None
    for part, (name, runs) in zip(parts, results, strict=True):
        part.suptitle(name, x=0.01, ha="left", fontsize=12, fontweight="bold", color=INK)
        row = part.subplots(1, len(runs), sharex=True, sharey=True, squeeze=False)[0]
        for axes, run in zip(row, runs, strict=True):
            draw_history(axes, run.history, log=False)
            axes.set_title(run.fix.name, fontsize=11, color=INK, loc="left")
            axes.set_title(_result(run), fontsize=8.5, color=INK, loc="right")
            axes.set_xlabel("epoch", fontsize=9, color=INK)
        row[0].set_ylabel("loss", fontsize=9, color=INK)
        row[0].set_yscale("log")
    if axes is not None:
        handles, labels = axes.get_legend_handles_labels()
        labels = ["best epoch" if label.startswith("best") else label for label in labels]
        picture.legend(handles, labels, loc="outside upper right", ncols=4, frameon=False)
    picture.savefig(out)


def _result(run: Run) -> str:
    return f"val {run.val['loss']:.3f}   acc. {run.val['accuracy']:.1%}"
