"""From a table to arrays and parts: everything that can be wrong with it is found here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from minigrad.data import split
from minigrad.table.cells import as_days, as_numbers, blame, is_text, levels, place
from minigrad.table.columns import Found, Kind, check_names, find_column
from minigrad.table.preprocess import Preprocess
from minigrad.table.target import Target, Task, find_target, gaps

Array = npt.NDArray[Any]

_LEAST_ROWS = 20
_LEAST_GROUPS = 5
_LEAK_LEVELS = 50


@dataclass(frozen=True)
class Choices:
    """What may be said about a table that is else found out.

    Attributes:
        task: ``"classification"`` or ``"regression"``; None: found by the target's values.
        group: a column whose rows of one value stay in one part; it is not used to predict.
        time: a column of dates or numbers whose newest rows are for testing; it is not used to
            predict.
        drop: columns to leave out.
        numeric: columns that are numbers whatever they look like.
        categorical: columns that are categories whatever they look like.
        max_categories: the most frequent so many of a column get a feature each.
        skip_missing_targets: leave out rows without a target; else they are an error.
        seed: of the split.
    """

    task: Task | None = None
    group: str | None = None
    time: str | None = None
    drop: Collection[str] = ()
    numeric: Collection[str] = ()
    categorical: Collection[str] = ()
    max_categories: int = 50
    skip_missing_targets: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what can be checked without the table."""
        if self.group and self.time:
            raise ValueError("rows are split by group or by time, not by both: choose one")
        if both := set(self.numeric) & set(self.categorical):
            raise ValueError(f"{sorted(both)} are asked to be numeric and categorical: choose one")
        if self.max_categories < 1:
            raise ValueError(f"max_categories = {self.max_categories} must be >= 1")


@dataclass(frozen=True)
class Prepared:
    """A table made ready to train on.

    Attributes:
        target: what is predicted.
        found: what each other column was found to be.
        preprocess: from the table to ``x``.
        x: (n, features) float32.
        y: (n,) class numbers, or numbers in their own unit.
        parts: the row numbers of ``"train"``, ``"validation"`` and ``"test"``.
        groups: (n,) the groups that were kept whole, or None.
        missing: the share of missing cells of each column that has any.
        notes: what a reader should know.
    """

    target: Target
    found: Sequence[Found]
    preprocess: Preprocess
    x: Array
    y: Array
    parts: dict[str, Array]
    groups: Array | None
    missing: dict[str, float]
    notes: list[str]

    @property
    def dropped(self) -> dict[str, str]:
        """The columns that are not used, each with the reason."""
        return {entry.name: entry.why for entry in self.found if entry.kind == "dropped"}


def prepare(frame: Any, target: str, choices: Choices | None = None) -> Prepared:
    """Find out what the columns are, split the rows, and encode them."""
    choices = Choices() if choices is None else choices
    group, time, drop = choices.group, choices.time, choices.drop
    numeric, categorical = choices.numeric, choices.categorical
    asked = {"target": [target], "drop": drop, "numeric": numeric, "categorical": categorical}
    asked |= {name: [column] for name, column in (("group", group), ("time", time)) if column}
    check_names(frame, asked)
    frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    notes: list[str] = []
    if choices.skip_missing_targets and (without := gaps(frame[target])).any():
        frame = frame[~without]
        notes.append(f"rows left out, as they have no target: {int(without.sum())}")
    if len(frame) < _LEAST_ROWS:
        raise ValueError(
            f"{len(frame)} rows are too few to train, validate and test on: at least {_LEAST_ROWS}"
        )
    goal = find_target(frame[target], choices.task)
    y = goal.encode(frame[target])
    reasons = dict.fromkeys(drop, "as asked")
    reasons |= {group: "the groups of the split"} if group else {}
    reasons |= {time: "the order of the split"} if time else {}
    wanted: dict[str, Kind] = {
        **dict.fromkeys(numeric, "numeric"),
        **dict.fromkeys(categorical, "categorical"),
    }
    found = [
        Found(name, "dropped", reasons[name])
        if name in reasons
        else find_column(frame[name], wanted.get(name))
        for name in frame.columns
        if name != target
    ]
    groups = None if group is None else _groups(frame[group])
    parts = _split(goal, y, groups, choices.seed) if time is None else _split_by(frame[time])
    _check_classes(goal, y, parts["train"])
    if goal.task == "regression":
        known = y[parts["train"]]
        if not float(known.std()) > 0:
            raise ValueError(f"target {target!r} is constant in the training rows: another --seed?")
        goal = replace(goal, mean=float(known.mean()), std=float(known.std()))
    preprocess = Preprocess.fit(frame, found, parts["train"], choices.max_categories)
    if not preprocess.features:
        why = "; ".join(f"{entry.name}: {entry.why}" for entry in found) or "there are no others"
        raise ValueError(f"no column is left to predict {target!r} from ({why})")
    return Prepared(
        target=goal,
        found=found,
        preprocess=preprocess,
        x=preprocess.encode(frame),
        y=y,
        parts=parts,
        groups=groups,
        missing={name: share for name in frame.columns if (share := _missing(frame[name]))},
        notes=notes + _leaks(frame, found, goal, y),
    )


def _missing(column: Any) -> float:
    return float(column.isna().mean())


def _groups(column: Any) -> Array:
    codes, texts = levels(column)
    if (codes < 0).any():
        where = place(column, int(np.flatnonzero(codes < 0)[0]))
        raise ValueError(f"{where}: the group {column.name!r} is missing; fill it in")
    if len(texts) < _LEAST_GROUPS:
        raise ValueError(
            f"column {column.name!r} has {len(texts)} groups: too few to train, validate and test "
            "on different ones"
        )
    return codes


def _split(target: Target, y: Array, groups: Array | None, seed: int) -> dict[str, Array]:
    """Return the rows of each part: three fifths, a fifth, a fifth."""
    classes = target.task == "classification"
    labels = y if classes else np.zeros(len(y), dtype=np.int64)
    alike = groups is None
    rest, test = split((np.arange(len(y)), labels), 0.2, seed=seed, stratify=alike, groups=groups)
    of_rest = None if groups is None else groups[rest.x]
    train, validation = split(rest, 0.25, seed=seed, stratify=alike, groups=of_rest)
    return {"train": train.x, "validation": validation.x, "test": test.x}


def _split_by(column: Any) -> dict[str, Array]:
    """Return the rows of each part, the newest for testing; rows of one time stay together."""
    mend = f"--time {column.name!r} needs a date such as 2020-12-31, or a number, in every row"
    dates = find_column(column).kind == "date"
    values = as_days(column, mend) if dates else as_numbers(column, mend)
    if np.isnan(values).any():
        blame(column, np.isnan(values), "is empty", mend)
    first, second = np.quantile(values, (0.6, 0.8), method="lower")
    chosen = {
        "train": np.flatnonzero(values <= first),
        "validation": np.flatnonzero((values > first) & (values <= second)),
        "test": np.flatnonzero(values > second),
    }
    for part, rows in chosen.items():
        if len(rows) == 0:
            raise ValueError(f"--time {column.name!r} has too few different values: no {part} rows")
    return chosen


def _check_classes(target: Target, y: Array, train: Array) -> None:
    known = set(y[train].tolist())
    for code, label in enumerate(target.labels):
        if code not in known:
            raise ValueError(
                f"class {label!r} of target {target.name!r} is in no training row: split another "
                "way (--seed), or leave its rows out"
            )


def _leaks(frame: Any, found: Sequence[Found], target: Target, y: Array) -> list[str]:
    """Name columns that alone tell the target: perhaps they are not known before it is."""
    notes = []
    tells = _tells_number if target.task == "regression" else _tells_class
    for entry in found:
        if entry.kind != "dropped" and tells(frame[entry.name], y):
            notes.append(
                f"{entry.name!r} alone tells {target.name!r} in every row: if it is not known "
                f"beforehand, --drop {entry.name!r}"
            )
    return notes


def _tells_class(column: Any, y: Array) -> bool:
    codes, texts = levels(column)
    if len(texts) > min(_LEAK_LEVELS, 2 * (int(y.max()) + 1)):
        return False
    pairs = np.unique(np.stack([codes, y]), axis=1)
    return bool(pairs.shape[1] == len(np.unique(codes)))


def _tells_number(column: Any, y: Array) -> bool:
    if is_text(column):
        return False
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    there = np.isfinite(values)
    x, y = values[there], y[there]
    if len(x) < _LEAST_ROWS or np.ptp(x) == 0 or np.ptp(y) == 0:
        return False
    return abs(float(np.corrcoef(x, y)[0, 1])) > 0.9999
