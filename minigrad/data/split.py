"""Splitting: always shuffled, stratified for class labels, whole groups where groups are given."""

from collections.abc import Iterator
from typing import Any, Literal, overload

import numpy as np
import numpy.typing as npt

from minigrad._names import hinting
from minigrad.data.dataset import Dataset, as_dataset
from minigrad.data.random import generator

Array = npt.NDArray[Any]
Stratify = bool | Literal["auto"]


@overload
def split(
    data: Any,
    val: float | int = 0.2,
    test: None = None,
    *,
    seed: int = 0,
    stratify: Stratify = "auto",
    groups: npt.ArrayLike | None = None,
) -> tuple[Dataset, Dataset]: ...
@overload
def split(
    data: Any,
    val: float | int = 0.2,
    *,
    test: float | int,
    seed: int = 0,
    stratify: Stratify = "auto",
    groups: npt.ArrayLike | None = None,
) -> tuple[Dataset, Dataset, Dataset]: ...
@overload
def split(
    data: Any,
    val: float | int,
    test: float | int,
    *,
    seed: int = 0,
    stratify: Stratify = "auto",
    groups: npt.ArrayLike | None = None,
) -> tuple[Dataset, Dataset, Dataset]: ...
@hinting
def split(
    data: Any,
    val: float | int = 0.2,
    test: float | int | None = None,
    *,
    seed: int = 0,
    stratify: Stratify = "auto",
    groups: npt.ArrayLike | None = None,
) -> tuple[Dataset, Dataset] | tuple[Dataset, Dataset, Dataset]:
    """Split into training and validation set, and with ``test`` a third, shuffled by ``seed``.

    Args:
        data: ``(x, y)``, a Dataset, or ``x`` alone.
        val: the validation rows, as a fraction of all rows in (0, 1) or as a whole number.
        test: the test rows, in the same way; they are chosen first, so that another ``val`` leaves
            them the same.
        seed: the seed of the shuffle.
        stratify: keep the share of each class label equal in both parts. ``"auto"``: do so when
            ``y`` holds whole numbers, one a row, and no class has only one row.
        groups: (n,) labels; rows with the same label stay together (a patient, a writer). The
            validation set then has at least ``val`` rows, by less than one group more, and the
            test set ``test``.

    Returns:
        ``(train, val)`` or ``(train, val, test)``: Datasets that share the arrays and say how they
        were made.

    Raises:
        ValueError: a part would be empty, or classes are too small to stratify.
        TypeError: ``stratify`` is something else, such as labels.

    Example:
        >>> import numpy as np
        >>> from minigrad.data import split
        >>> train, val = split((np.arange(20.0), np.arange(20) % 2), val=0.3)
        >>> len(train), len(val), int(val.y.sum())
        (14, 6, 3)
        >>> [len(part) for part in split((np.arange(20.0), np.arange(20) % 2), 0.2, 0.2)]
        [12, 4, 4]
    """
    _check_stratify(stratify)
    whole = as_dataset(data)
    n = len(whole)
    counts = [_count(val, n, "val")] + ([] if test is None else [_count(test, n, "test")])
    if sum(counts) >= n:
        raise ValueError(
            f"{' and '.join(map(str, counts))} rows of {n} leave none to train on: every part "
            "needs at least one"
        )
    parts = 1 + len(counts)
    random = generator(seed)
    how = f"shuffled with seed {seed}"
    labels = None if groups is None else _groups(groups, n)
    strata = None
    if labels is not None:
        how += f", {len(np.unique(labels))} groups kept whole"
    elif (strata := _strata(whole.y, stratify, parts)) is not None:
        how += f", stratified over {len(np.unique(strata))} classes"
    left = np.arange(n)
    held: list[Array] = []
    for place in reversed(range(len(counts))):
        if labels is not None:
            chosen = _whole_groups(labels[left], counts[place], 1 + place, random)
        elif strata is not None:
            chosen = _stratified(strata[left], counts[place], random)
        else:
            chosen = random.permutation(len(left))[: counts[place]]
        inside = np.zeros(len(left), dtype=bool)
        inside[chosen] = True
        held.insert(0, left[inside])
        left = left[~inside]
    made = [whole.take(random.permutation(rows), how) for rows in (left, *held)]
    return (made[0], made[1]) if test is None else (made[0], made[1], made[2])


@hinting
def k_fold(
    data: Any,
    k: int = 5,
    *,
    seed: int = 0,
    stratify: Stratify = "auto",
    groups: npt.ArrayLike | None = None,
) -> Iterator[tuple[Dataset, Dataset]]:
    """Yield ``k`` pairs ``(train, val)``; every row is in exactly one of the validation sets.

    Args and shuffling as in ``split``; with ``groups`` the folds are as even as whole groups let
    them be.

    Raises:
        ValueError: ``k`` is below 2 or above the number of rows (or of groups).

    Example:
        >>> import numpy as np
        >>> from minigrad.data import k_fold
        >>> sorted(int(v) for _, val in k_fold(np.arange(6.0), k=3) for v in val.x)
        [0, 1, 2, 3, 4, 5]
    """
    whole = as_dataset(data)
    n = len(whole)
    fold_of = _folds(whole, k, seed, stratify, groups)  # errors now, not at the first next()

    def pairs() -> Iterator[tuple[Dataset, Dataset]]:
        for fold in range(k):
            note = f"fold {fold} of {k}, shuffled with seed {seed}"
            shuffled = generator(seed, 1 + fold).permutation(n)
            inside = fold_of[shuffled] == fold
            yield whole.take(shuffled[~inside], note), whole.take(shuffled[inside], note)

    return pairs()


def _folds(
    whole: Dataset, k: int, seed: int, stratify: Stratify, groups: npt.ArrayLike | None
) -> Array:
    """Return the fold of every row."""
    _check_stratify(stratify)
    n = len(whole)
    random = generator(seed)
    labels = None if groups is None else _groups(groups, n)
    units = n if labels is None else len(np.unique(labels))
    if not 2 <= k <= units:
        unit = "rows" if labels is None else "groups"
        raise ValueError(f"k = {k} folds of {units} {unit}: k must be from 2 to {units}")
    fold_of = np.empty(n, dtype=np.int64)
    if labels is not None:
        names, sizes = np.unique(labels, return_counts=True)
        filled = np.zeros(k, dtype=np.int64)
        order = random.permutation(len(names))
        for g in order[np.argsort(-sizes[order], kind="stable")]:  # large groups first
            fold = int(filled.argmin())
            fold_of[labels == names[g]] = fold
            filled[fold] += sizes[g]
        return fold_of
    strata = _strata(whole.y, stratify, parts=2 if stratify == "auto" else 1)
    rows = random.permutation(n)
    if strata is not None:
        rows = rows[np.argsort(strata[rows], kind="stable")]  # dealt out class by class
    fold_of[rows] = np.arange(n) % k
    return fold_of


def _count(wanted: float | int, n: int, name: str) -> int:
    if isinstance(wanted, bool) or not isinstance(wanted, int | float | np.integer | np.floating):
        raise TypeError(f"{name} must be a fraction or a number of rows, got {wanted!r}")
    if isinstance(wanted, float | np.floating):
        if not 0 < wanted < 1:
            raise ValueError(f"{name} = {wanted} is not a fraction in (0, 1)")
        wanted = round(wanted * n)
    if not 1 <= wanted < n:
        what = {"val": "validation"}.get(name, name)
        raise ValueError(f"{wanted} {what} rows of {n}: every part needs at least one row")
    return int(wanted)


def _check_stratify(stratify: object) -> None:
    if not isinstance(stratify, bool) and not (isinstance(stratify, str) and stratify == "auto"):
        raise TypeError(
            f"stratify must be True, False or 'auto', got {type(stratify).__name__}: it is over y, "
            "whose classes it keeps in proportion"
        )


def _strata(y: Array | None, stratify: Stratify, parts: int = 2) -> Array | None:
    """Return class labels to stratify over, or None.

    Every class must have a row for each part; with ``"auto"`` there are no strata otherwise.
    """
    if stratify is False:
        return None
    if y is None or y.ndim != 1 or y.dtype.kind not in "biu":
        if stratify is True:
            raise ValueError("stratify=True needs y of shape (n,) with whole numbers as classes")
        return None
    classes, sizes = np.unique(y, return_counts=True)
    if sizes.min() >= parts:
        return y
    if stratify is True:
        rows = "a single row" if sizes.min() == 1 else f"{sizes.min()} rows"
        raise ValueError(
            f"class {classes[sizes.argmin()]} has {rows} and cannot be in all {parts} parts: use "
            "stratify=False or leave the class out"
        )
    return None


def _stratified(labels: Array, count: int, random: np.random.Generator) -> Array:
    """Choose ``count`` rows, each class in proportion; the largest remainders get the rest."""
    classes, sizes = np.unique(labels, return_counts=True)
    exact = sizes * count / len(labels)
    share = np.floor(exact).astype(np.int64)
    rest = count - int(share.sum())
    share[np.argsort(share - exact, kind="stable")[:rest]] += 1
    picks = [
        random.permutation(np.flatnonzero(labels == name))[:take]
        for name, take in zip(classes, share, strict=True)
    ]
    return np.concatenate(picks)


def _whole_groups(labels: Array, count: int, spare: int, random: np.random.Generator) -> Array:
    """Choose whole groups in random order until ``count`` rows are reached.

    As many groups as there are other parts to fill are never chosen.
    """
    names = np.unique(labels)
    if len(names) <= spare:
        have = "all rows are in one group" if len(names) == 1 else f"there are {len(names)} groups"
        raise ValueError(f"{have} for {1 + spare} parts: nothing is left for the other part")
    chosen: list[Array] = []
    total = 0
    for name in random.permutation(names)[:-spare]:
        rows = np.flatnonzero(labels == name)
        chosen.append(rows)
        total += len(rows)
        if total >= count:
            break
    return np.concatenate(chosen)


def _groups(groups: npt.ArrayLike, n: int) -> Array:
    labels = np.asarray(groups)
    if labels.shape != (n,):
        raise ValueError(f"groups has shape {labels.shape}, expected one label a row: ({n},)")
    return labels
