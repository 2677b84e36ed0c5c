"""Pictures of histories, with matplotlib, which is imported only when one is drawn."""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

TRAIN = "#2b6cb0"
VALIDATION = "#dd6b20"
INK = "#2d3748"
FAINT = "#a0aec0"
# Of runs in one chart: told apart also by those who see red and green alike (Okabe and Ito, 2008).
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c6d31")


class Curves(Protocol):
    """What is drawn of a History."""

    stop_reason: str
    curves: str
    monitor: str | None

    @property
    def columns(self) -> list[str]:
        """The names of its columns."""

    @property
    def best_epoch(self) -> int | None:
        """The epoch that is marked."""

    def __len__(self) -> int:
        """The number of epochs."""

    def __getitem__(self, column: str) -> Array:
        """One column."""


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
    history: Curves, path: str | PathLike[str] | None = None, metric: str = "loss"
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
        ValueError: no epochs, or a column's name as ``path``.
    """
    if len(history) == 0:
        raise ValueError("the history has no epochs to draw")
    if path in history.columns:
        raise ValueError(
            f"plot takes a file name first and {path!r} is a column: write plot(metric={path!r})"
        )
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


def compare(
    histories: Mapping[str, Curves],
    path: str | PathLike[str] | None = None,
    metric: str = "loss",
) -> Any:
    """Draw one metric of several histories in one chart, and write it to ``path`` if given.

    Validation is a solid line with the best epoch marked, training a thin dashed one.

    Args:
        histories: by the name that each has in the legend.
        path: a file name; its ending chooses the format.
        metric: a column such as ``"loss"``.

    Returns:
        The matplotlib figure.

    Example:
        >>> from minigrad.history import History
        >>> from minigrad.plots import compare
        >>> history = History()
        >>> history.append({"epoch": 0, "loss": 0.5, "val_loss": 0.75})
        >>> picture = compare({"small": history, "large": history})
        >>> [text.get_text() for text in picture.axes[0].get_legend().get_texts()]
        ['small', 'large', 'train']
    """
    if not any(len(history) for history in histories.values()):
        raise ValueError("there are no epochs to draw")
    picture = figure(8.4, 4.6)
    axes = picture.add_subplot()
    drawn: list[Array] = []
    for i, (name, history) in enumerate(histories.items()):
        color = PALETTE[i % len(PALETTE)]
        epochs, train, val = _curves(history, metric)
        axes.plot(epochs, train, color=color, lw=1.0, ls=(0, (4, 2)), alpha=0.8)
        shown = train if val is None else val
        axes.plot(epochs, shown, color=color, lw=1.7, label=name)
        best = np.flatnonzero(epochs == history.best_epoch)
        axes.plot(epochs[best], shown[best], "o", ms=6, mfc="white", mec=color, mew=1.5, zorder=5)
        drawn += [train, shown]
    axes.plot([], [], color=INK, lw=1.0, ls=(0, (4, 2)), label="train")
    _finish(axes, drawn)
    axes.set_xlabel("epoch", fontsize=9, color=INK)
    axes.set_ylabel(metric, fontsize=9, color=INK)
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=9)
    axes.set_title(
        "solid: validation, with its best epoch; dashed: train", fontsize=9, color=INK, loc="left"
    )
    if path is not None:
        picture.savefig(path)
    return picture


def draw_history(axes: Any, history: Curves, metric: str = "loss", *, log: bool = True) -> None:
    """Draw train and validation of ``metric`` on ``axes``: gap shaded, best epoch marked.

    A loss that falls by more than a factor of 30 gets a logarithmic axis, unless ``log`` is off.
    """
    epochs, train, val = _curves(history, metric)
    kind = "train (running average)" if history.curves == "running" else "train"
    look: dict[str, Any] = {"lw": 1.6, "ms": 4, "marker": "o" if len(epochs) == 1 else None}
    axes.plot(epochs, train, color=TRAIN, label=kind, **look)
    if val is not None:
        axes.plot(epochs, val, color=VALIDATION, label="validation", **look)
        axes.fill_between(epochs, train, val, color=VALIDATION, alpha=0.10, lw=0, label="gap")
        _mark_best(axes, history, epochs, val)
    if len(epochs) == 1:
        axes.set_xlim(epochs[0] - 1, epochs[0] + 1)
    _finish(axes, [train] if val is None else [train, val], log=log)


def style(axes: Any) -> None:
    """Give axes the house style: two spines, faint grid, quiet ticks."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.grid(True, color=FAINT, alpha=0.25, lw=0.6)
    axes.tick_params(colors=INK, labelsize=8, length=3, color=FAINT)


def _curves(history: Curves, metric: str) -> tuple[Array, Array, Array | None]:
    """Epochs, train and, if there are any, validation figures of a metric."""
    epochs = history["epoch"] if "epoch" in history.columns else np.arange(len(history))
    val = history[f"val_{metric}"] if f"val_{metric}" in history.columns else None
    return epochs, history[metric], val


def _finish(axes: Any, drawn: Sequence[Array], *, log: bool = True) -> None:
    """Style axes of epochs; what falls by more than a factor of 30 is drawn logarithmically."""
    style(axes)
    axes.xaxis.get_major_locator().set_params(integer=True)
    values = np.concatenate(drawn)
    values = values[np.isfinite(values)]
    if log and values.size and values.min() > 0 and values.max() > 30 * values.min():
        axes.set_yscale("log")
        if values.max() < 3000 * values.min():  # else powers of ten are marks enough
            from matplotlib.ticker import LogLocator, NullFormatter

            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            axes.yaxis.set_minor_formatter(NullFormatter())


def _mark_best(axes: Any, history: Curves, epochs: Any, values: Any) -> None:
    best = history.best_epoch
    if best is None or best not in epochs:
        return
    places = np.flatnonzero(epochs == best)
    value = values[places[0]]
    axes.axvline(best, color=INK, lw=0.8, ls=(0, (4, 3)), alpha=0.6)
    label = f"best epoch: {best} (by {history.monitor or 'val_loss'})"
    face = "white" if len(epochs) > 1 else "none"
    axes.plot([best], [value], "o", ms=7, mfc=face, mec=INK, mew=1.4, zorder=5, label=label)
