"""A compiled function over batches of rows: an epoch in one call."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad import _core
from minigrad._check import integer
from minigrad._core import Tensor
from minigrad.plan.structure import flatten


def over_batches(
    call: Callable[..., Any],
    plan_of: Callable[..., _core.Plan | None],
    data: Sequence[Any],
    order: np.ndarray,
    batch_size: int,
) -> list[float]:
    """The sums of a compiled function's figures: see :meth:`Compiled.over_batches`.

    Args:
        call: the function.
        plan_of: gives the plan that a call with these arguments would replay, if there is one.
        data: tensors or arrays with the same number of rows.
        order: whole row numbers, in one dimension.
        batch_size: rows in a batch, at least 1.
    """
    integer("batch_size", batch_size, 1)
    tensors = [d if isinstance(d, Tensor) else _core.from_numpy(d) for d in data]
    tensors = [t.detach().contiguous() for t in tensors]
    order = _checked(np.asarray(order), [t.shape for t in tensors])
    arrays = [t.numpy() for t in tensors]
    sums: list[float] = []
    first, full = 0, len(order) // batch_size * batch_size
    while first < len(order):
        taken = order[first : first + batch_size]
        batch = [a[taken] for a in arrays]
        plan = plan_of(*batch)
        if plan is not None and first < full and os.environ.get("MINIGRAD_EAGER") != "1":
            sums = _replayed(plan, tensors, order, (first, full), batch_size, sums)
            first = full
            continue
        outputs: list[Any] = []
        flatten(call(*batch), outputs)
        sums = sums or [0.0] * len(outputs)
        for i, value in enumerate(outputs):
            if value.numel() == 1:
                sums[i] += value.item() * len(taken)
        first += len(taken)
    return sums


def _checked(order: np.ndarray, shapes: list[tuple[int, ...]]) -> np.ndarray:
    """The row numbers as int64, if they are of data of these shapes."""
    if not shapes or () in shapes or len({shape[0] for shape in shapes}) > 1:
        raise ValueError(
            "over_batches: data must be arrays with the same number of rows, got shapes "
            f"{', '.join(map(str, shapes)) or 'of none'}"
        )
    if order.ndim != 1 or (order.dtype.kind not in "iu" and order.size):
        raise TypeError(
            "over_batches: order must be whole row numbers in one dimension, got "
            f"{order.dtype} of shape {order.shape}; of a mask, np.flatnonzero(mask)"
        )
    rows = shapes[0][0]
    if len(wrong := order[(order < 0) | (order >= rows)]):
        raise IndexError(f"over_batches: row {wrong[0]} of {rows}")
    return np.ascontiguousarray(order, dtype=np.int64)


def _replayed(
    plan: _core.Plan,
    data: list[Tensor],
    order: np.ndarray,
    span: tuple[int, int],
    batch_size: int,
    sums: list[float],
) -> list[float]:
    """The sums with the batches of a span of the order added."""
    figures = [i if math.prod(shape) == 1 else -1 for i, (shape, _) in enumerate(plan.outputs)]
    part = _core.EpochPart(
        plan, data, *span, True, figures, float(batch_size), [None] * len(figures)
    )
    table = np.zeros((1, len(figures) + 1))
    table[0, : len(sums)] = sums
    _core.Epoch([part], [1.0] * len(figures)).run(order[None], table)
    return [float(total) for total in table[0, :-1]]
