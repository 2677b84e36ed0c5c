"""A report in words: does the network overfit, and is it worth more than a linear model."""

from __future__ import annotations

import math
from typing import Any

import numpy.typing as npt

from minigrad.history import History
from minigrad.table.report import HEADS, PARTS, Difference, Figures

Array = npt.NDArray[Any]

# A gap of this share of the training loss is worth a word; from the second on it is large.
_SMALL, _LARGE = 0.05, 0.5


def say_overfitting(
    history: History, losses: dict[str, Array], *, root: bool = False, linear: bool = False
) -> str:
    """Say whether a model overfits.

    The gap is that between training and test rows, as early stopping flatters the validation rows.
    Chance may make a gap of two standard errors.

    Args:
        history: of the training.
        losses: of the rows of each part, with the weights that were kept.
        root: show roots of means, as for squared errors.
        linear: there are no hidden layers to make smaller.
    """
    what, shape = ("RMSE", math.sqrt) if root else ("loss", float)
    train, test = losses["train"], losses["test"]
    before = float(train.mean())
    gap = float(test.mean()) - before
    chance = gap <= 2 * math.sqrt(test.var() / len(test) + train.var() / len(train))
    little = gap < _SMALL * before
    best = history.best_epoch or 0
    later = history["val_loss"][best:]
    rise = shape(float(later[-5:].mean() / later[0])) if len(later) > 5 else 1.0
    rose = rise > 1.05 and bool(history["loss"][-1] < history["loss"][best])
    if chance or little:
        head = "It was stopped before it overfitted" if rose else "No overfitting shows"
    else:
        head = "It overfits" if rose or gap > _LARGE * before else "It overfits a little"
    why = "no further apart than chance may make them"
    if not chance:
        why = "further apart than chance makes them" + (", but by little" if little else "")
    of_train, of_val, of_test = (f"{shape(float(losses[part].mean())):.4g}" for part in PARTS)
    text = (
        f"{head}. With the weights of epoch {best} the {what} is {of_train} on training rows, "
        f"{of_val} on validation and {of_test} on test rows: {why}."
    )
    if rose:
        text += (
            f" Trained on, the validation {what} rose to {rise:.2f} times its best, while that of "
            "the training rows went on falling."
        )
    elif len(later) <= 2:
        text += " The validation loss was still falling when training ended: try more --epochs."
    if not chance and not little:
        ways = "" if linear else "more --dropout or --weight-decay, fewer --hidden, "
        text += f" Worth a try: {ways}more rows or fewer columns."
    return text


def say_comparison(
    figures: dict[str, Figures], differences: dict[str, Difference], groups: bool = False
) -> str:
    """Say whether the network is better than the linear model by more than noise.

    Args:
        figures: of the test rows, by model: the trivial one, the linear one, perhaps the network.
        differences: by measure; the first one decides, and is better when lower. None of them:
            the model is the linear one.
        groups: whether groups were resampled instead of rows.
    """
    trivial, line, *net = figures
    if not differences:
        main = next(iter(figures[line]))
        text = (
            f"It is a linear model. On the test rows its {HEADS.get(main, main)} is "
            f"{figures[line][main]:.4g}, that of the {trivial} {figures[trivial][main]:.4g}."
        )
        return text + _nothing(figures[line][main], figures[trivial][main], trivial)
    main, *others = differences
    d = differences[main]
    if d.high < 0:
        head = "It beats the linear model"
    elif d.low > 0:
        head = "The linear model beats it: use that, --hidden none"
    else:
        head = (
            "It is no better than the linear model, as far as these test rows can tell: prefer the "
            "simpler one, --hidden none"
        )
    own, other_one = figures[net[0]][main], figures[line][main]
    text = (
        f"{head}. On the test rows its {HEADS.get(main, main)} is {own:.4g}, the linear model's "
        f"{other_one:.4g}: {d.value:+.3g}, 95 % interval {d.low:+.3g} to {d.high:+.3g} (bootstrap "
        f"over {d.rows:,} {'groups' if groups else 'rows'})"
    )
    for other in others:
        e = differences[other]
        text += f"; {other} {100 * e.value:+.1f} points, {100 * e.low:+.1f} to {100 * e.high:+.1f}"
    return f"{text}." + _nothing(own, figures[trivial][main], trivial)


def _nothing(own: float, other: float, name: str) -> str:
    return "" if own < other else f" It is not even better than the {name}: nothing was learned."
