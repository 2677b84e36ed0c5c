"""What a model and its training owe each other: dtypes, rows, weights of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad._core import Tensor
from minigrad.nn import Module

# Rows of a forward pass without gradient: large enough for speed, small enough for the cache.
EVALUATION_ROWS = 512


def model_dtype(model: Module) -> np.dtype[Any]:
    """Return the dtype of the model's floating parameters; float32 if it has none."""
    for parameter in model.parameters():
        if parameter.dtype.kind == "f":
            return parameter.dtype
    return np.dtype(np.float32)


def check_rows(output: Any, rows: int) -> None:
    """Raise unless a model returned one tensor with the rows it was given."""
    if not isinstance(output, Tensor):
        mend = ""
        if isinstance(output, tuple | list | dict):
            mend = ": join the parts, as mg.cat([a, b], 1), and take them apart in the loss"
        raise TypeError(f"the model must return one tensor, got {type(output).__name__}{mend}")
    if output.ndim == 0 or output.shape[0] != rows:
        raise ValueError(
            f"the model returned shape {output.shape} for {rows} rows: its first axis must be the "
            "rows; of a single row make x[None]"
        )


def weighed(weights: Sequence[Tensor]) -> dict[str, Tensor]:
    """What a loss is called with beside output and target, if rows have weights."""
    return {"sample_weight": weights[0]} if weights else {}
