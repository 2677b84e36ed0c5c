"""One strength of L2 regularisation under the names that it has elsewhere: :func:`equivalents`."""

from __future__ import annotations

from dataclasses import dataclass

from minigrad._check import number

__all__ = ["Equivalents", "equivalents"]


@dataclass(frozen=True)
class Equivalents:
    """What :func:`equivalents` found; ``print`` shows the table.

    All are for a data loss that is the mean over rows. ``sum(w^2)`` runs over the weights, without
    biases.

    Attributes:
        l2: Keras ``L2(l2)`` and ``nn.L2(l2)`` add ``l2 * sum(w^2)`` to the loss.
        n: the rows, or None.
    """

    l2: float
    n: float | None = None

    @property
    def weight_decay(self) -> float:
        """Factor of ``w`` in the gradient: torch's and minigrad's SGD and Adam."""
        return 2.0 * self.l2

    @property
    def alpha(self) -> float | None:
        """Of scikit-learn's MLPClassifier: ``alpha / (2 n) * sum(w^2)``; None without ``n``.

        MLPRegressor halves its squared error: beside ``nn.MSELoss`` half of this is the same.
        """
        return None if self.n is None else 2.0 * self.n * self.l2

    @property
    def ridge_alpha(self) -> float | None:
        """Of scikit-learn's Ridge: ``sum of squared errors + alpha * sum(w^2)``; None without n."""
        return None if self.n is None else self.n * self.l2

    @property
    def c(self) -> float | None:
        """Of scikit-learn's LogisticRegression: ``c * sum of losses + sum(w^2) / 2``, or None."""
        return None if self.n is None or self.l2 == 0 else 1.0 / (2.0 * self.n * self.l2)

    def __str__(self) -> str:
        """Where, how to write it, and what it does, one line each."""
        rows = [
            ("minigrad penalty", f"nn.L2({self.l2:g})", "loss + l2 * sum(w^2)"),
            ("Keras", f"L2({self.l2:g})", "loss + l2 * sum(w^2)"),
            *_pair("SGD, Adam", f"weight_decay={self.weight_decay:g}", "gradient + wd * w"),
            *_pair("AdamW", f"weight_decay={self.weight_decay:g}", "w * (1 - lr * wd) [1]"),
        ]
        if self.n is None:
            rows.append(("scikit-learn", "needs n=", "alpha / (2 n) * sum(w^2)"))
        else:
            c = "penalty=None" if self.c is None else f"C={self.c:g}"
            rows += [
                ("scikit-learn MLP", f"alpha={self.alpha:g}", "alpha / (2 n) * sum(w^2) [2]"),
                (
                    "scikit-learn Ridge",
                    f"alpha={self.ridge_alpha:g}",
                    "sum of squares + alpha * ..",
                ),
                ("scikit-learn logistic", c, "C * sum of losses + sum(w^2) / 2"),
            ]
        first, second = (max(len(row[i]) for row in rows) for i in (0, 1))
        lines = [f"{where:{first}}  {call:{second}}  {what}" for where, call, what in rows]
        lines += ["", *_NOTES[: 1 if self.n is None else 2]]
        return "\n".join(lines)


_NOTES = (
    "[1] decoupled: each step loses the share lr * wd of a weight, as SGD without momentum does\n"
    "    with this weight_decay; under Adam the penalty and the decay are different methods",
    "[2] n are the rows of a batch there (min(200, rows) by default), not those of the data set;\n"
    "    MLPRegressor halves its squared error: beside MSELoss half of this alpha is the same",
)


def _pair(optimizer: str, call: str, what: str) -> list[tuple[str, str, str]]:
    return [
        (f"minigrad {optimizer}", call, f"{what}, not biases"),
        (f"torch {optimizer}", call, what),
    ]


def equivalents(
    *,
    l2: float | None = None,
    weight_decay: float | None = None,
    alpha: float | None = None,
    ridge_alpha: float | None = None,
    c: float | None = None,
    n: float | None = None,
) -> Equivalents:
    """What the same strength of L2 is called in Keras, PyTorch, scikit-learn and here.

    ``l2 * sum(w^2)`` has the gradient ``2 * l2 * w``, so ``weight_decay = 2 * l2``. scikit-learn
    divides by rows: ``alpha = 2 * n * l2`` (MLP), ``n * l2`` (Ridge), ``C = 1 / (2 * n * l2)``
    (LogisticRegression). AdamW's decay is not a penalty (Loshchilov and Hutter, 2019): only the
    share ``lr * weight_decay`` that a weight loses in a step is the same.

    Args:
        l2: the factor of ``nn.L2`` and of Keras' ``L2``.
        weight_decay: that of SGD or Adam.
        alpha: that of scikit-learn's MLPClassifier.
        ridge_alpha: that of scikit-learn's Ridge.
        c: scikit-learn's ``C`` of LogisticRegression.
        n: rows: of a batch for the MLP, of the data for Ridge and LogisticRegression.

    Returns:
        Equivalents, whose text is a table.

    Raises:
        TypeError: not exactly one of the strengths is given.
        ValueError: a strength below 0, or one of scikit-learn's without ``n``.

    Example:
        >>> import minigrad as mg
        >>> same = mg.equivalents(l2=0.01, n=200)
        >>> same.weight_decay, same.alpha
        (0.02, 4.0)
        >>> print(mg.equivalents(weight_decay=0.02))
        minigrad penalty    nn.L2(0.01)        loss + l2 * sum(w^2)
        Keras               L2(0.01)           loss + l2 * sum(w^2)
        minigrad SGD, Adam  weight_decay=0.02  gradient + wd * w, not biases
        torch SGD, Adam     weight_decay=0.02  gradient + wd * w
        minigrad AdamW      weight_decay=0.02  w * (1 - lr * wd) [1], not biases
        torch AdamW         weight_decay=0.02  w * (1 - lr * wd) [1]
        scikit-learn        needs n=           alpha / (2 n) * sum(w^2)
        <BLANKLINE>
        [1] decoupled: each step loses the share lr * wd of a weight, as SGD without momentum does
            with this weight_decay; under Adam the penalty and the decay are different methods
    """
    strengths = {
        "l2": l2,
        "weight_decay": weight_decay,
        "alpha": alpha,
        "ridge_alpha": ridge_alpha,
        "c": c,
    }
    given = {name: value for name, value in strengths.items() if value is not None}
    if len(given) != 1:
        got = ", ".join(given) or "none"
        raise TypeError(f"give exactly one of {', '.join(strengths)}; got {got}")
    rows = None if n is None else number("n", n, 0.0, open_minimum=True)
    ((name, raw),) = given.items()
    value = number(name, raw, 0.0, open_minimum=name == "c")
    if name == "l2":
        return Equivalents(value, rows)
    if name == "weight_decay":
        return Equivalents(value / 2.0, rows)
    if rows is None:
        raise ValueError(f"{name} = {value:g} is divided by the number of rows: give n= as well")
    if name == "alpha":
        return Equivalents(value / (2.0 * rows), rows)
    return Equivalents(value / rows if name == "ridge_alpha" else 1.0 / (2.0 * rows * value), rows)
