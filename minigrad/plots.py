"""Pictures of a History, with matplotlib, which is imported only when one is drawn."""

from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from minigrad.history import History
    from minigrad.lr_range import LrRange

TRAIN = "#2b6cb0"
VALIDATION = "#dd6b20"
INK = "#2d3748"
FAINT = "#a0aec0"


def figure(
    width: float, height: float, layout: Literal["constrained"] | None = "constrained"
) -> Any:
    """Return an empty matplotlib figure, sized in inches, that needs no display.

    Raises:
        ImportError: matplotlib is missing; the message names the extra.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("pictures need matplotlib: pip install 'minigrad[plot]'") from error
    return Figure(figsize=(width, height), dpi=120, layout=layout, facecolor="white")


def plot_history(
    history: "History", path: str | PathLike[str] | None = None, metric: str = "loss"
) -> Any:
    """Draw one metric of a history and write the picture to ``path`` if given.

    Args:
        history: at least one epoch.
        path: a file name; its ending (``.png``, ``.svg``, ``.pdf``) chooses the format.
        metric: a column such as ``"loss"`` or ``"accuracy"``; its ``val_`` twin is drawn too.

    Returns:
        The matplotlib figure.

    Raises:
        KeyError: no such column.
        ValueError: no epochs.
    """
    if len(history) == 0:
        raise ValueError("the history has no epochs to draw")
    picture = figure(7.2, 4.2)
    axes = picture.add_subplot()
    draw_history(axes, history, metric)
    axes.set_xlabel("epoch", fontsize=9, color=INK)
    axes.set_ylabel(metric, fontsize=9, color=INK)
    axes.legend(frameon=False, loc="best", fontsize=9)
    if history.stop_reason:
        axes.set_title(history.stop_reason, fontsize=9, color=INK, loc="left")
    if path is not None:
        picture.savefig(path)
    return picture


def draw_history(axes: Any, history: "History", metric: str = "loss", *, log: bool = True) -> None:
    """Draw train and validation of ``metric`` on ``axes``: gap shaded, best epoch marked.

    A loss that falls by more than a factor of 30 gets a logarithmic axis, unless ``log`` is off.
    """
    epochs = history["epoch"] if "epoch" in history.columns else np.arange(len(history))
    train = history[metric]
    kind = "train (running average)" if history.curves == "running" else "train"
    look: dict[str, Any] = {"lw": 1.6, "ms": 4, "marker": "o" if len(epochs) == 1 else None}
    axes.plot(epochs, train, color=TRAIN, label=kind, **look)
    both = [train]
    if f"val_{metric}" in history.columns:
        val = history[f"val_{metric}"]
        both.append(val)
        axes.plot(epochs, val, color=VALIDATION, label="validation", **look)
        axes.fill_between(epochs, train, val, color=VALIDATION, alpha=0.10, lw=0, label="gap")
        _mark_best(axes, history, epochs, val)
    style(axes)
    axes.xaxis.get_major_locator().set_params(integer=True)
    if len(epochs) == 1:
        axes.set_xlim(epochs[0] - 1, epochs[0] + 1)
    values = np.concatenate(both)
    values = values[np.isfinite(values)]
    if log and values.size and values.min() > 0 and values.max() > 30 * values.min():
        axes.set_yscale("log")


def plot_lr_range(found: "LrRange", path: str | PathLike[str] | None = None) -> Any:
    """Draw a learning-rate range test and write the picture to ``path`` if given.

    The axis of losses ends a little above those of the low rates, as a diverging loss would
    flatten all that is of interest.
    """
    picture = figure(7.2, 4.2)
    axes = picture.add_subplot()
    axes.plot(found.lrs, found.losses, color=TRAIN, lw=0.8, alpha=0.45, label="loss of a batch")
    axes.plot(found.lrs, found.smoothed, color=TRAIN, lw=1.8, label="running average")
    try:
        best = found.suggestion
    except ValueError:
        best = None
    if best is not None:
        axes.axvline(best, color=VALIDATION, lw=1.2, label=f"steepest descent: {best:.2g}")
    low, high = found.losses.min(), found.losses[: max(1, int(found.smoothed.argmin()))].max()
    axes.set_ylim(low - 0.08 * (high - low), high + 0.25 * (high - low) if high > low else None)
    axes.set_xscale("log")
    axes.set_xlabel("learning rate", fontsize=9, color=INK)
    axes.set_ylabel("loss", fontsize=9, color=INK)
    axes.set_title(found.stop_reason, fontsize=9, color=INK, loc="left")
    axes.legend(frameon=False, loc="best", fontsize=9)
    style(axes)
    if path is not None:
        picture.savefig(path)
    return picture


def style(axes: Any) -> None:
    """Give axes the house style: two spines, faint grid, quiet ticks."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.grid(True, color=FAINT, alpha=0.25, lw=0.6)
    axes.tick_params(colors=INK, labelsize=8, length=3, color=FAINT)


def _mark_best(axes: Any, history: "History", epochs: Any, values: Any) -> None:
    best = history.best_epoch
    if best is None or best not in epochs:
        return
    places = np.flatnonzero(epochs == best)
    value = values[places[0]]
    axes.axvline(best, color=INK, lw=0.8, ls=(0, (4, 3)), alpha=0.6)
    label = f"best epoch: {best} (by {history.monitor or 'val_loss'})"
    face = "white" if len(epochs) > 1 else "none"
    axes.plot([best], [value], "o", ms=7, mfc=face, mec=INK, mew=1.4, zorder=5, label=label)
