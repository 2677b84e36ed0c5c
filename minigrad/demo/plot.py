"""The demo's picture: a row for each problem, a column for each fix."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

from minigrad.demo.runs import Run
from minigrad.plots import FAINT, INK, VALIDATION, draw_history, figure

_PLACES = {"left": 0.036, "right": 0.995, "top": 0.83, "bottom": 0.13, "wspace": 0.05}


def draw_demo(results: Sequence[tuple[str, Sequence[Run]]], out: str | PathLike[str]) -> None:
    """Draw train and validation loss of every run and write the picture to ``out``."""
    columns = max(len(runs) for _, runs in results)
    width, height, strip = 3.1 * columns, 3.6 * len(results) + 0.3, 0.3  # inches
    picture = figure(width, height, layout=None)  # to find places would take a second
    bands = picture.subfigures(
        len(results) + 1, 1, height_ratios=[strip, *[3.6] * len(results)], hspace=0
    )
    axes: Any = None
    for band, (name, runs) in zip(bands[1:], results, strict=True):
        band.suptitle(name, x=0.008, y=0.97, ha="left", fontsize=12, fontweight="bold", color=INK)
        row = band.subplots(
            1, columns, sharex=True, sharey=True, squeeze=False, gridspec_kw=_PLACES
        )[0]
        for axes, run in zip(row, runs, strict=True):
            _draw_run(axes, run, plain=runs[0])
        row[0].set_ylabel("loss", fontsize=9, color=INK)
        row[0].set_yscale("log")
        row[0].set_ylim(bottom=_floor(runs))
        for axes in row:
            axes.minorticks_off()
    handles, labels = axes.get_legend_handles_labels()
    labels = ["best epoch" if label.startswith("best") else label for label in labels]
    bands[0].legend(handles, labels, loc="center right", ncols=5, frameon=False)
    picture.savefig(out)


def _draw_run(axes: Any, run: Run, plain: Run) -> None:
    draw_history(axes, run.history, log=False)
    axes.axhline(
        plain.val["loss"],
        color=VALIDATION,
        lw=1,
        ls=(0, (1, 2)),
        zorder=1,
        label="validation without a fix, at the end",
    )
    axes.set_title(run.fix.name, fontsize=11, color=INK, loc="left", y=1.02)
    axes.set_title(_result(run), fontsize=8.5, color=INK, loc="right", y=1.02)
    axes.set_xlabel("epoch", fontsize=9, color=INK)
    if len(run.history) < len(plain.history):
        place = {"x": 0.97, "y": 0.05, "ha": "right", "transform": axes.transAxes}
        axes.text(s=f"stopped after {len(run.history)} epochs", color=FAINT, fontsize=9, **place)


def _floor(runs: Sequence[Run]) -> float:
    """Return where the loss axis ends below: what counts is the validation loss, and a training
    loss of 1e-6 would press it flat.
    """
    best = [run.history.best_value for run in runs if run.history.best_value > 0]
    return min(best, default=1.0) / 50


def _result(run: Run) -> str:
    return f"val {run.val['loss']:.3f}   acc. {run.val['accuracy']:.1%}"
