"""A report in words: does the network overfit, and is it worth more than a linear model."""

from __future__ import annotations

import math

from minigrad.history import History
from minigrad.table.chance import Difference, share
from minigrad.table.report import HEADS, PARTS, Figures

# A gap of this share of the training loss is worth a word; from the second on it is large.
_SMALL, _LARGE = 0.05, 0.5


def say_overfitting(
    history: History,
    losses: dict[str, float],
    gap: Difference,
    *,
    root: bool = False,
    linear: bool = False,
) -> str:
    """Say whether a model overfits.

    The gap is that between training and test rows, as early stopping flatters the validation rows.
    It is one if its interval leaves 0 out: then chance alone would rarely make it.

    Args:
        history: of the training.
        losses: the mean loss of the rows of each part, with the weights that were kept.
        gap: test minus training loss, or their roots.
        root: show roots of means, as for squared errors.
        linear: there are no hidden layers to make smaller.
    """
    what, shape = ("RMSE", math.sqrt) if root else ("loss", float)
    of_train, of_val, of_test = (shape(losses[part]) for part in PARTS)
    worse = losses["test"] - losses["train"]
    chance, little = gap.low <= 0, worse < _SMALL * losses["train"]
    best = history.best_epoch or 0
    later = history["val_loss"][best:]
    rise = shape(float(later[-5:].mean() / later[0])) if len(later) > 5 else 1.0
    rose = rise > 1.05 and bool(history["loss"][-1] < history["loss"][best])
    if chance or little:
        head = "It was stopped before it overfitted" if rose else "No overfitting shows"
    else:
        head = "It overfits" if rose or worse > _LARGE * losses["train"] else "It overfits a little"
    why = ", which may be chance" if chance else ", which chance alone would rarely make"
    if little and not chance:
        why += ", but it is little"
    side, why = ("worse", why) if gap.value >= 0 else ("better", "")
    text = (
        f"{head}. With the weights of epoch {best} the {what} is {of_train:.4g} on training rows, "
        f"{of_val:.4g} on validation and {of_test:.4g} on test rows. Those are {side} than the "
        f"training rows by {abs(gap.value):.3g}{why} (95 % interval of the gap {gap.low:+.3g} to "
        f"{gap.high:+.3g})."
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
    figures: dict[str, Figures],
    differences: dict[str, Difference],
    rows: int,
    groups: bool = False,
) -> str:
    """Say whether the network is better than the linear model by more than noise.

    Args:
        figures: of the test rows, by model: the trivial one, the linear one, perhaps the network.
        differences: by measure; the first one decides, and is better when lower. None of them:
            the model is the linear one.
        rows: how many test rows there are.
        groups: whether groups were resampled instead of rows.
    """
    trivial, line, *net = figures
    sure = "" if groups else _accuracy(figures[(net or [line])[0]], rows)
    if not differences:
        main = next(iter(figures[line]))
        text = (
            f"It is a linear model. On the test rows its {HEADS.get(main, main)} is "
            f"{figures[line][main]:.4g}, that of the {trivial} {figures[trivial][main]:.4g}."
        )
        return text + sure + _nothing(figures[line][main], figures[trivial][main], trivial)
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
    return f"{text}.{sure}" + _nothing(own, figures[trivial][main], trivial)


def _accuracy(figures: Figures, rows: int) -> str:
    """How sure the accuracy is; nothing for a regression."""
    if "accuracy" not in figures:
        return ""
    low, high = share(round(figures["accuracy"] * rows), rows)
    return f" Of new rows like these it would get {low:.0%} to {high:.0%} right (95 % interval)."


def _nothing(own: float, other: float, name: str) -> str:
    return "" if own < other else f" It is not even better than the {name}: nothing was learned."
