"""Splitting: always shuffled, stratified for class labels, whole groups where groups are given."""

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from minigrad.data.dataset import Dataset, as_dataset
from minigrad.data.random import generator

Array = npt.NDArray[Any]
Stratify = bool | Literal["auto"]


def split(
    data: Any,
    val: float | int = 0.2,
    *,
    seed: int = 0,
    stratify: Stratify = "auto",
    groups: npt.ArrayLike | None = None,
) -> tuple[Dataset, Dataset]:
    """Split into a training and a validation set, shuffled by ``seed``.

    Args:
        data: ``(x, y)``, a Dataset, or ``x`` alone.
        val: the validation rows, as a fraction in (0, 1) or as a whole number.
        seed: the seed of the shuffle.
        stratify: keep the share of each class label equal in both parts. ``"auto"``: do so when
            ``y`` holds whole numbers, one a row, and no class has only one row.
        groups: (n,) labels; rows with the same label stay together (a patient, a writer). The
            validation set then has at least ``val`` rows, by less than one group more.

    Returns:
        ``(train, val)``, two Datasets that share the arrays and say how they were made.

    Raises:
        ValueError: a part would be empty, or classes are too small to stratify.

    Example:
        >>> import numpy as np
        >>> from minigrad.data import split
        >>> train, val = split((np.arange(20.0), np.arange(20) % 2), val=0.3)
        >>> len(train), len(val), int(val.y.sum())
        (14, 6, 3)
    """
    whole = as_dataset(data)
    n = len(whole)
    count = _count(val, n)
    random = generator(seed)
    how = f"shuffled with seed {seed}"
    if groups is not None:
        labels = _groups(groups, n)
        chosen = _whole_groups(labels, count, random)
        how += f", {len(np.unique(labels))} groups kept whole"
    else:
        strata = _strata(whole.y, stratify)
        if strata is None:
            chosen = random.permutation(n)[:count]
        else:
            chosen = _stratified(strata, count, random)
            how += f", stratified over {len(np.unique(strata))} classes"
    mask = np.zeros(n, dtype=bool)
    mask[chosen] = True
    train = random.permutation(np.flatnonzero(~mask))
    return whole.take(train, how), whole.take(random.permutation(np.flatnonzero(mask)), how)


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
    strata = _strata(whole.y, stratify)
    rows = random.permutation(n)
    if strata is not None:
        rows = rows[np.argsort(strata[rows], kind="stable")]  # dealt out class by class
    fold_of[rows] = np.arange(n) % k
    return fold_of


def _count(val: float | int, n: int) -> int:
    if isinstance(val, bool) or not isinstance(val, int | float | np.integer | np.floating):
        raise TypeError(f"val must be a fraction or a number of rows, got {val!r}")
    if isinstance(val, float | np.floating):
        if not 0 < val < 1:
            raise ValueError(f"val = {val} is not a fraction in (0, 1)")
        val = round(val * n)
    if not 1 <= val < n:
        raise ValueError(f"{val} validation rows of {n}: both parts need at least one row")
    return int(val)


def _strata(y: Array | None, stratify: Stratify) -> Array | None:
    """Return class labels to stratify over, or None."""
    if stratify is False:
        return None
    labels = y is not None and y.ndim == 1 and y.dtype.kind in "biu"
    if stratify is True:
        if not labels:
            raise ValueError("stratify=True needs y of shape (n,) with whole numbers as classes")
        return y
    if not labels or y is None:
        return None
    return y if np.unique(y, return_counts=True)[1].min() >= 2 else None


def _stratified(labels: Array, count: int, random: np.random.Generator) -> Array:
    """Choose ``count`` rows, each class in proportion; the largest remainders get the rest."""
    classes, sizes = np.unique(labels, return_counts=True)
    if sizes.min() < 2:
        raise ValueError(
            f"class {classes[sizes.argmin()]} has a single row and cannot be in both parts: "
            "use stratify=False or leave the class out"
        )
    exact = sizes * count / len(labels)
    share = np.floor(exact).astype(np.int64)
    rest = count - int(share.sum())
    share[np.argsort(share - exact, kind="stable")[:rest]] += 1
    picks = [
        random.permutation(np.flatnonzero(labels == name))[:take]
        for name, take in zip(classes, share, strict=True)
    ]
    return np.concatenate(picks)


def _whole_groups(labels: Array, count: int, random: np.random.Generator) -> Array:
    """Choose whole groups in random order until ``count`` rows are reached."""
    names = np.unique(labels)
    if len(names) < 2:
        raise ValueError("all rows are in one group: nothing is left for the other part")
    chosen: list[Array] = []
    total = 0
    for name in random.permutation(names)[:-1]:  # one group always stays in the training set
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
