"""fit: from a table to a trained network, with its baselines and its report."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from minigrad.history import History
from minigrad.table.chance import Difference, gap, paired, paired_shares
from minigrad.table.model import TableModel, own_unit
from minigrad.table.prepare import Choices, Prepared, prepare
from minigrad.table.report import Report, majority, measure, row_losses
from minigrad.table.target import Target, Task
from minigrad.table.training import Settings, outputs, train
from minigrad.table.words import say_comparison, say_overfitting

Array = npt.NDArray[Any]


def fit(
    frame: Any,
    target: str,
    *,
    task: Task | None = None,
    group: str | None = None,
    time: str | None = None,
    drop: Collection[str] = (),
    numeric: Collection[str] = (),
    categorical: Collection[str] = (),
    max_categories: int = 50,
    skip_missing_targets: bool = False,
    hidden: Sequence[int] | None = None,
    epochs: int = 300,
    patience: int = 20,
    batch_size: int | None = None,
    lr: float | None = None,
    dropout: float = 0.1,
    weight_decay: float | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> TableModel:
    """Train a network that predicts one column of a table from the others.

    A fifth of the rows, chosen by the seed with the classes' shares kept, is for testing, a fifth
    for early stopping, the rest for training. Numbers are standardised, categories one-hot coded,
    gaps filled with the median and marked, all by what the training rows hold.

    Args:
        frame: a pandas DataFrame.
        target: the column to predict.
        task: ``"classification"`` or ``"regression"``; None: found by the target's values.
        group: a column whose rows of one value stay in one part (a patient, a writer); it is not
            used to predict.
        time: a column of dates or numbers: the newest fifth of the rows is for testing, the fifth
            before it for early stopping; it is not used to predict.
        drop: columns to leave out.
        numeric: columns that are numbers whatever they look like.
        categorical: columns that are categories whatever they look like.
        max_categories: the most frequent so many of a column get a feature each.
        skip_missing_targets: leave out rows without a target; else they are an error.
        hidden: the widths of the hidden layers; None: by the number of rows; (): a linear model.
        epochs: at most so many. This and what follows are of the model that is returned; the linear
            one beside a network is always trained in its own way.
        patience: stop after so many epochs without a better validation loss.
        batch_size: rows a step; None: by the number of rows.
        lr: the learning rate of AdamW; None: 0.001, or 0.01 for a linear model.
        dropout: after each hidden layer, in [0, 1).
        weight_decay: of AdamW; None: 0.01, or 0 for a linear model.
        seed: of everything random; the same seed gives the same bits, of the saved file, too.
        progress: show a progress bar; None: on a terminal.

    Returns:
        The TableModel; ``print(model.report)`` shows what it came to.

    Raises:
        ValueError: something is wrong with the table; the message names row and column, and how
            to mend it.
        ImportError: pandas is not installed.

    Example:
        >>> import numpy as np, pandas
        >>> from minigrad import table
        >>> x = np.linspace(-1, 1, 300)
        >>> frame = pandas.DataFrame({"x": x, "kind": ["a", "b"] * 150, "y": 100 * x**2})
        >>> model = table.fit(frame, target="y", dropout=0.0, lr=0.01)
        >>> model.report.task
        'regression'
        >>> figures = model.report.figures["test"]
        >>> figures["network"]["r2"] > 0.98, figures["linear"]["r2"] > 0.1
        (True, False)
    """
    choices = Choices(
        task=task,
        group=group,
        time=time,
        drop=drop,
        numeric=numeric,
        categorical=categorical,
        max_categories=max_categories,
        skip_missing_targets=skip_missing_targets,
        seed=seed,
    )
    prepared = prepare(frame, target, choices)
    settings = Settings.for_rows(
        len(prepared.parts["train"]),
        hidden=hidden,
        batch_size=batch_size,
        epochs=epochs,
        patience=patience,
        lr=lr,
        dropout=dropout,
        weight_decay=weight_decay,
        seed=seed,
    )
    return fit_prepared(prepared, settings, progress=progress)


def fit_prepared(
    prepared: Prepared,
    settings: Settings,
    *,
    progress: bool | None = None,
    reading: dict[str, Any] | None = None,
    until_interrupted: bool = False,
) -> TableModel:
    """Train the network and the linear model on a prepared table, and compare them.

    ``reading`` is how the table was read from a file; it is kept with the model. Ctrl-C may end the
    training of the model that is kept with its best epoch so far, if ``until_interrupted``.
    """
    target, x, y = prepared.target, prepared.x, prepared.y
    rows, val = prepared.parts["train"], prepared.parts["validation"]
    data = (x[rows], y[rows], x[val], y[val])
    models = {}
    if settings.hidden:
        models["linear"], _ = train(*data, target, settings.baseline(len(rows)), progress)
    kept = "network" if settings.hidden else "linear"
    models[kept], curves = train(*data, target, settings, progress, until_interrupted)
    trivial = "majority" if target.task == "classification" else "mean"
    found = {trivial: majority(target, y[rows], len(y))}
    found |= {name: own_unit(target, outputs(model, x)) for name, model in models.items()}
    return TableModel(
        target=target,
        preprocess=prepared.preprocess,
        network=models[kept],
        hidden=settings.hidden,
        dropped=prepared.dropped,
        notes=prepared.notes,
        report=_report(prepared, found, curves),
        history=curves,
        reading=reading or {},
    )


def _report(prepared: Prepared, found: dict[str, Array], history: History) -> Report:
    target, y, parts, groups = prepared.target, prepared.y, prepared.parts, prepared.groups
    figures = {
        part: {name: measure(target, out[rows], y[rows]) for name, out in found.items()}
        for part, rows in parts.items()
    }
    losses = {name: row_losses(target, out, y) for name, out in found.items()}
    regression = target.task == "regression"
    differences = {}
    if "network" in found:
        differences["rmse" if regression else "loss"] = _contrast(prepared, losses, regression)
        if not regression:
            hits = {name: _hits(target, out, y) for name, out in found.items()}
            differences["accuracy"] = _contrast(prepared, hits, False)
    kept = losses["network" if "network" in found else "linear"]
    ends = [kept[parts[part]] for part in ("test", "train")]
    if groups is not None:
        ends += [groups[parts[part]] for part in ("test", "train")]
    apart = gap(*ends, root=regression)
    return Report(
        task=target.described,
        rows={part: len(rows) for part, rows in parts.items()},
        figures=figures,
        differences=differences,
        gap=apart,
        overfitting=say_overfitting(
            history,
            {part: float(kept[rows].mean()) for part, rows in parts.items()},
            apart,
            root=regression,
            linear="network" not in found,
        ),
        comparison=say_comparison(
            figures["test"], differences, len(parts["test"]), groups is not None
        ),
    )


def _contrast(prepared: Prepared, values: dict[str, Array], regression: bool) -> Difference:
    test, groups = prepared.parts["test"], prepared.groups
    pair = values["network"][test], values["linear"][test]
    if groups is None and pair[0].dtype == bool:
        return paired_shares(*pair)
    return paired(*pair, None if groups is None else groups[test], root=regression)


def _hits(target: Target, output: Array, y: Array) -> Array:
    guess = output.argmax(axis=1) if target.outputs > 1 else output[:, 0] > 0
    return np.asarray(guess == y)
