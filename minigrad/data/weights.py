"""Weights of classes that occur unequally often."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from minigrad._check import integer

Array = npt.NDArray[Any]

__all__ = ["class_weights"]


def class_weights(y: npt.ArrayLike, classes: int | None = None) -> npt.NDArray[np.float32]:
    """Weights that let every class count the same in the loss: ``n / (classes * rows of it)``.

    King and Zeng (2001, "Logistic Regression in Rare Events Data"); scikit-learn's ``balanced``.
    The mean weight of the rows is 1. For ``CrossEntropyLoss(weight=class_weights(y))``; with one
    output, ``w = class_weights(y)`` and ``BCEWithLogitsLoss(pos_weight=w[1] / w[0])``, which is
    the number of rows of class 0 for each of class 1.

    Args:
        y: (n,) or (n, 1) class numbers 0, 1, ...
        classes: how many there are; by default the largest number plus 1.

    Returns:
        (classes,) float32.

    Raises:
        ValueError: a class without rows, or labels that are not class numbers.

    Example:
        >>> from minigrad.data import class_weights
        >>> class_weights([0, 0, 0, 1]).round(3).tolist()
        [0.6669999957084656, 2.0]
    """
    labels = np.asarray(y)
    if labels.size == 0 or labels.shape not in ((len(labels),), (len(labels), 1)):
        raise ValueError(f"y must hold one class number a row, got shape {labels.shape}")
    labels = labels.reshape(-1)
    if labels.dtype.kind not in "biuf" or (labels < 0).any() or (labels != labels // 1).any():
        raise ValueError(f"y must hold class numbers 0, 1, ..., got {labels.dtype} {labels[:5]}")
    counts = np.bincount(labels.astype(np.int64), minlength=integer("classes", classes or 0))
    if classes is not None and len(counts) > classes:
        raise ValueError(f"y has class {len(counts) - 1}, there are {classes} classes")
    if (empty := np.flatnonzero(counts == 0)).size:
        raise ValueError(f"class {empty[0]} has no rows, so that no weight can make up for it")
    return (len(labels) / (len(counts) * counts)).astype(np.float32)
