"""Ways to make a tensor. Python numbers become float32, int64 or bool; numpy's dtypes are kept."""

from __future__ import annotations

import copyreg
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad._check import integer
from minigrad._core import Tensor, from_numpy
from minigrad._names import missing

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

__all__ = [
    "Tensor",
    "arange",
    "eye",
    "from_dlpack",
    "full",
    "full_like",
    "linspace",
    "ones",
    "ones_like",
    "tensor",
    "zeros",
    "zeros_like",
]


def tensor(data: Any, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """A new tensor with a copy of `data`.

    Arrays and tensors keep their dtype (float16 and small integers widen without loss); Python
    floats become float32, integers int64. A dtype that has no place here (complex, strings,
    objects) raises TypeError.

    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.tensor([[1.0, 2.0]]).dtype, mg.tensor(np.zeros(3)).dtype, mg.tensor(5).shape
    (dtype('float32'), dtype('float64'), ())
    """
    return Tensor(data, dtype, requires_grad)


def full(
    shape: int | Sequence[int],
    fill_value: float,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of `shape` that holds `fill_value` everywhere.

    >>> import minigrad as mg
    >>> mg.full((2, 2), 7).tolist()
    [[7, 7], [7, 7]]
    """
    value = np.asarray(fill_value, dtype or _python_dtype(fill_value))
    sizes = tuple(shape) if np.iterable(shape) else (shape,)
    if value.ndim:
        return tensor(np.broadcast_to(value, sizes), None, requires_grad)
    # One number in memory, which the core spreads by all threads.
    return tensor(np.ndarray(sizes, value.dtype, value, 0, (0,) * len(sizes)), None, requires_grad)


def zeros(
    *shape: int | Sequence[int], dtype: DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """A tensor of zeros, float32 unless `dtype` says otherwise; `zeros(2, 3)` or `zeros((2, 3))`.

    >>> import minigrad as mg
    >>> mg.zeros(2, 3).shape
    (2, 3)
    """
    return full(_shape(shape), 0.0, dtype, requires_grad)


def ones(
    *shape: int | Sequence[int], dtype: DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """A tensor of ones, float32 unless `dtype` says otherwise.

    >>> import minigrad as mg
    >>> mg.ones(3).tolist()
    [1.0, 1.0, 1.0]
    """
    return full(_shape(shape), 1.0, dtype, requires_grad)


def full_like(
    input: Tensor, fill_value: float, dtype: DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """A tensor with the shape and dtype of `input` that holds `fill_value` everywhere.

    >>> import minigrad as mg
    >>> mg.full_like(mg.zeros(2), 3.5).tolist()
    [3.5, 3.5]
    """
    return full(input.shape, fill_value, dtype or input.dtype, requires_grad)


def zeros_like(
    input: Tensor, dtype: DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """Zeros with the shape and dtype of `input`.

    >>> import minigrad as mg
    >>> mg.zeros_like(mg.ones(2)).tolist()
    [0.0, 0.0]
    """
    return full_like(input, 0, dtype, requires_grad)


def ones_like(input: Tensor, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Ones with the shape and dtype of `input`.

    >>> import minigrad as mg
    >>> mg.ones_like(mg.zeros(2)).tolist()
    [1.0, 1.0]
    """
    return full_like(input, 1, dtype, requires_grad)


def arange(
    start: float,
    end: float | None = None,
    step: float = 1,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from `start` (0 if only one is given) up to, but without, `end`.

    >>> import minigrad as mg
    >>> mg.arange(4).tolist(), mg.arange(1, 2, 0.5).tolist()
    ([0, 1, 2, 3], [1.0, 1.5])
    """
    if end is None:
        start, end = 0, start
    if step == 0 or not math.isfinite((end - start) / step):
        raise ValueError(f"arange: cannot go from {start} to {end} in steps of {step}")
    if dtype is None:
        dtype = _python_dtype(start + end + step)
    return tensor(np.arange(start, end, step), dtype, requires_grad)


def linspace(
    start: float,
    end: float,
    steps: int,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` numbers at equal distances from `start` to `end`, both included; float32 by default.

    >>> import minigrad as mg
    >>> mg.linspace(0, 1, 5).tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    values = np.linspace(start, end, integer("steps", steps, 0))
    return tensor(values, dtype or np.float32, requires_grad)


def eye(n: int, m: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """The (n, m) matrix with ones on its diagonal; square if `m` is not given.

    >>> import minigrad as mg
    >>> mg.eye(2).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return tensor(np.eye(n, m, dtype=dtype or np.float32))


def from_dlpack(x: Any) -> Tensor:
    """A tensor over the memory of another library's CPU tensor (anything with `__dlpack__`).

    The memory is shared where the dtype is one of minigrad's and writeable, copied otherwise.

    >>> import numpy as np
    >>> import minigrad as mg
    >>> array = np.zeros(2, np.float32)
    >>> shared = mg.from_dlpack(array)
    >>> array[0] = 5
    >>> shared.tolist()
    [5.0, 0.0]
    """
    return from_numpy(np.from_dlpack(x))


def _shape(shape: tuple[int | Sequence[int], ...]) -> tuple[int, ...]:
    if len(shape) == 1 and not isinstance(shape[0], int | np.integer):
        return tuple(shape[0])
    return shape  # type: ignore[return-value]


def _python_dtype(value: float) -> np.dtype[Any]:
    found = np.asarray(value).dtype
    return np.dtype(np.float32) if found == np.float64 else found


def _reduce(t: Tensor) -> tuple[Any, ...]:
    return Tensor, (t.detach().numpy().copy(), None, t.requires_grad)


def _missing(self: Tensor, name: str) -> Any:
    raise AttributeError(name) if name.startswith("__") else missing("Tensor", name, type(self))


Tensor.__getattr__ = _missing  # type: ignore[attr-defined]  # asked when all else fails

# Copy and pickle: a copy is a new leaf with the same values and without a history.
copyreg.pickle(Tensor, _reduce)
