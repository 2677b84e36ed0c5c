"""What holds for one op: a row of cases.CASES."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from draws import Call, Draw


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
