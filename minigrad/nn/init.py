"""Initial values, written in place; torch's names, formulas and defaults.

All draws come from minigrad's generator (or the one given), so that `mg.seed` repeats them. Each
function returns the tensor it was given.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from minigrad._check import number, one_of
from minigrad._core import Tensor
from minigrad.grad_mode import no_grad
from minigrad.random import rand, randn

if TYPE_CHECKING:
    from minigrad.random import Generator

__all__ = [
    "calculate_gain",
    "constant_",
    "default_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

_GAINS = {
    "linear": 1.0,
    "conv2d": 1.0,
    "sigmoid": 1.0,
    "tanh": 5 / 3,
    "relu": math.sqrt(2),
    "selu": 3 / 4,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor on the deviation that keeps the variance through a nonlinearity, as torch has it.

    `param` is the slope of "leaky_relu" (0.01 if None).

    >>> from minigrad.nn import init
    >>> round(init.calculate_gain("relu"), 4)
    1.4142
    """
    if nonlinearity == "leaky_relu":
        slope = number("param", 0.01 if param is None else param)
        return math.sqrt(2 / (1 + slope * slope))
    return _GAINS[one_of("nonlinearity", nonlinearity, [*_GAINS, "leaky_relu"])]


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Every element `val`.

    >>> import minigrad as mg
    >>> mg.nn.init.constant_(mg.zeros(2), 3.0).tolist()
    [3.0, 3.0]
    """
    with no_grad():
        tensor.fill_(val)
    return tensor


def zeros_(tensor: Tensor) -> Tensor:
    """Every element 0.

    >>> import minigrad as mg
    >>> mg.nn.init.zeros_(mg.ones(2)).tolist()
    [0.0, 0.0]
    """
    return constant_(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """Every element 1.

    >>> import minigrad as mg
    >>> mg.nn.init.ones_(mg.zeros(2)).tolist()
    [1.0, 1.0]
    """
    return constant_(tensor, 1.0)


def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Uniform in [a, b).

    >>> import minigrad as mg
    >>> bool((mg.nn.init.uniform_(mg.zeros(100), -1, 1).numpy() < 1).all())
    True
    """
    low, high = number("a", a), number("b", b)
    if low > high:
        raise ValueError(f"uniform_: a = {a} is above b = {b}")
    with no_grad():
        draw = rand(tensor.shape, generator=generator, dtype=tensor.dtype)
        tensor.copy_(draw * (high - low) + low)
    return tensor


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Normal with this mean and standard deviation.

    >>> import minigrad as mg
    >>> abs(mg.nn.init.normal_(mg.zeros(10000), mean=5.0).mean().item() - 5) < 0.1
    True
    """
    mean, std = number("mean", mean), number("std", std, 0.0)
    with no_grad():
        draw = randn(tensor.shape, generator=generator, dtype=tensor.dtype)
        tensor.copy_(draw * std + mean)
    return tensor


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Uniform in ±gain · sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010).

    >>> import minigrad as mg
    >>> mg.nn.init.xavier_uniform_(mg.zeros(50, 100)).abs().max().item() <= 0.2
    True
    """
    bound = gain * math.sqrt(6 / sum(_fans(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with deviation gain · sqrt(2 / (fan_in + fan_out)) (Glorot and Bengio, 2010).

    >>> import minigrad as mg
    >>> round(mg.nn.init.xavier_normal_(mg.zeros(50, 150)).numpy().std().item(), 2)
    0.1
    """
    return normal_(tensor, 0.0, gain * math.sqrt(2 / sum(_fans(tensor))), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Uniform in ±gain · sqrt(3 / fan) (He et al., 2015).

    Args:
        tensor: the weight, with at least 2 axes: (out, in, ...).
        a: slope of the leaky ReLU.
        mode: "fan_in" keeps the variance forward, "fan_out" backward.
        nonlinearity: what follows the layer; see `calculate_gain`.
        generator: where the draw comes from; minigrad's own if None.

    >>> import minigrad as mg
    >>> mg.nn.init.kaiming_uniform_(mg.zeros(50, 24)).abs().max().item() <= 0.5
    True
    """
    bound = math.sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Normal with deviation gain / sqrt(fan) (He et al., 2015); arguments as kaiming_uniform_.

    >>> import minigrad as mg
    >>> round(mg.nn.init.kaiming_normal_(mg.zeros(50, 200)).numpy().std().item(), 2)
    0.1
    """
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Rows (or columns, whichever are fewer) orthonormal, times gain (Saxe et al., 2013).

    >>> import minigrad as mg
    >>> w = mg.nn.init.orthogonal_(mg.zeros(3, 5)).numpy()
    >>> (w @ w.T).round(4).tolist() == mg.eye(3).tolist()
    True
    """
    _fans(tensor)
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    tall = (max(rows, columns), min(rows, columns))
    drawn = randn(tall, generator=generator, dtype=np.float64).numpy()
    q, r = np.linalg.qr(drawn)
    q *= np.sign(np.diag(r))  # makes the distribution uniform (Mezzadri, 2006)
    values = (q if rows >= columns else q.T).reshape(tensor.shape) * number("gain", gain)
    with no_grad():
        tensor.copy_(Tensor(np.ascontiguousarray(values, dtype=tensor.dtype)))
    return tensor


def default_(weight: Tensor, bias: Tensor | None, generator: Generator | None = None) -> None:
    """PyTorch's default for linear and convolution layers: both uniform in ±1/sqrt(fan_in).

    >>> import minigrad as mg
    >>> weight, bias = mg.zeros(50, 25), mg.zeros(50)
    >>> mg.nn.init.default_(weight, bias)
    >>> 0 < weight.abs().max().item() <= 0.2, 0 < bias.abs().max().item() <= 0.2
    (True, True)
    """
    bound = 1 / math.sqrt(_fans(weight)[0])
    uniform_(weight, -bound, bound, generator)
    if bias is not None:
        uniform_(bias, -bound, bound, generator)


def _fans(tensor: Tensor) -> tuple[int, int]:
    if tensor.ndim < 2 or 0 in tensor.shape:
        raise ValueError(
            f"this initialisation needs at least 2 axes (out, in, ...), none empty; "
            f"got shape {tensor.shape}"
        )
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    one_of("mode", mode, ("fan_in", "fan_out"))
    fan = _fans(tensor)[0 if mode == "fan_in" else 1]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)
