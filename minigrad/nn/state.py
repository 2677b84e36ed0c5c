"""Fits a state dict to what a module has, without changing anything."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any, NamedTuple

import numpy as np

from minigrad._core import Tensor

__all__ = ["LoadResult", "fit"]


class LoadResult(NamedTuple):
    """What `load_state_dict(strict=False)` left aside.

    >>> from minigrad import nn
    >>> nn.Linear(2, 1).load_state_dict({"weight": [[1.0, 2.0]]}, strict=False)
    LoadResult(missing_keys=['bias'], unexpected_keys=[])
    """

    missing_keys: list[str]
    unexpected_keys: list[str]


def fit(
    own: Mapping[str, Tensor], state: Mapping[str, Any], ignored: Container[str], strict: bool
) -> tuple[list[tuple[Tensor, Tensor]], LoadResult, list[str]]:
    """What to copy (target, value), what is left aside, and all that is wrong.

    `strict` makes missing and unexpected names wrong; a value that does not fit always is.
    """
    missing = [name for name in own if name not in state]
    unexpected = [name for name in state if name not in own and name not in ignored]
    problems: list[str] = []
    if strict and missing:
        problems.append(f"missing: {', '.join(missing)}")
    if strict and unexpected:
        problems.append(f"unexpected: {', '.join(map(str, unexpected))}")
    values: list[tuple[Tensor, Tensor]] = []
    for name, target in own.items():
        if name not in state:
            continue
        value, problem = _fitting(state[name], target)
        if value is None:
            problems.append(f"{name} {problem}")
        else:
            values.append((target, value))
    return values, LoadResult(missing, unexpected), problems


def _fitting(value: Any, target: Tensor) -> tuple[Tensor | None, str]:
    # The value as a tensor like `target`, or what is wrong with it.
    try:
        array = np.asarray(value.detach() if isinstance(value, Tensor) else value)
    except (TypeError, ValueError, RuntimeError) as error:
        return None, f"is not a tensor or array ({error})"
    if array.shape != target.shape:
        return None, f"has shape {array.shape}, the module's is {target.shape}"
    if array.dtype.kind not in "biuf" or not np.can_cast(array.dtype, target.dtype, "same_kind"):
        return None, f"has dtype {array.dtype}, the module's is {target.dtype}"
    return Tensor(array.astype(target.dtype)), ""
