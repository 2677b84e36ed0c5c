"""One row per op of the table: what numpy says it gives, and how its inputs are drawn.

test_forward, test_gradient, test_second_derivative, test_layouts, test_isas, test_aliasing,
test_special_values and test_thread_count run every row; test_cases fails while an op has no row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import references as ref
from draws import (
    Call,
    Draw,
    away_from,
    broadcast,
    grid,
    nonzero,
    one,
    ordered,
    positive,
    same,
)

from draws import along, distinct, probability, real, reduction, truth  # noqa: F401, I001  for rows to come
import moves


@dataclass(frozen=True)
class Case:
    """What holds for one op.

    `forward` takes the inputs in float64 and the attributes, and returns the outputs, then the
    new values of inputs that the op changes in place. A random op has no forward but `check`,
    which gets the outputs and the call, and asserts what must hold.
    """

    op: str
    forward: Callable[..., Any] | None
    draw: Draw
    check: Callable[[list[np.ndarray], Call], None] | None = None
    wrt: tuple[int, ...] | None = None  # inputs with a gradient; None: the floating ones, () : none
    fixed: tuple[int, ...] = ()  # inputs that keep their dtype when the others become float32
    tolerance: tuple[float, float] = (2e-6, 1e-13)  # float32, float64; relative to the largest
    second: bool = True  # it has a second derivative
    special: bool = True  # NaN and Inf pass as in numpy
    typed: bool = True  # a floating output has the dtype of the inputs


CASES = [
    # arithmetic
    Case("add", np.add, broadcast(real, real)),
    Case("sub", np.subtract, broadcast(real, real)),
    Case("mul", np.multiply, broadcast(real, real)),
    Case("div", np.divide, broadcast(real, nonzero)),
    Case("neg", np.negative, one()),
    Case("exp", np.exp, one()),
    Case("gt", np.greater, broadcast(grid, grid)),
    # activations
    Case("relu", ref.relu, one(nonzero)),
    Case("relu_backward", lambda g, x: g * (x > 0), same(real, nonzero), special=False),
    # shape
    Case("reshape", lambda x, shape: x.reshape(shape), moves.reshape),
    Case("flatten", ref.flatten, moves.flatten),
    Case("squeeze", ref.squeeze, moves.squeeze),
    Case("unsqueeze", lambda x, dim: np.expand_dims(x, dim), moves.unsqueeze),
    Case("transpose", lambda x, dim0, dim1: x.swapaxes(dim0, dim1), moves.transpose),
    Case("permute", lambda x, dims: x.transpose(dims), moves.permute),
    Case("expand", ref.expand, moves.expand),
    Case("contiguous", np.array, one()),
    Case("clone", np.array, one()),
    Case("detach", np.array, one(), wrt=()),
    Case("cast", ref.cast, one(dtype=lambda s: s.integer(0, 3)), special=False, typed=False),
    Case("copy_", lambda x, source: np.broadcast_to(source, x.shape), moves.copy, wrt=()),
    # parts
    Case("slice", ref.slice_box, moves.slice_box),
    Case("slice_backward", ref.slice_box_backward, moves.slice_box_backward),
    Case("take", lambda x, indices, dim: np.take(x, indices, axis=dim), moves.take),
    Case("take_backward", ref.take_backward, moves.take_backward),
    Case("check_indices", lambda indices, size: indices % size, moves.check_indices),
    Case("concatenate", lambda *x, dim: np.concatenate(x, axis=dim), moves.concatenate),
    Case("stack", lambda *x, dim: np.stack(x, axis=dim), moves.stack),
]
