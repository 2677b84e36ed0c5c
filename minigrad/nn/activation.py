"""Activations: elementwise curves, and softmax. All keep the shape."""

from __future__ import annotations

from minigrad import _core
from minigrad._check import integer, number, one_of
from minigrad._core import Tensor
from minigrad.nn import functional as F
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
]


class ReLU(Module):
    """max(x, 0); its gradient at 0 is 0.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.ReLU()(mg.tensor([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return _core.relu(x)


class LeakyReLU(Module):
    """`x` where x > 0, negative_slope · x elsewhere (Maas et al., 2013).

    Args:
        negative_slope: the slope below 0.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.LeakyReLU(0.5)(mg.tensor([-1.0, 2.0])).tolist()
    [-0.5, 2.0]
    """

    def __init__(self, negative_slope: float = 0.01) -> None:
        super().__init__()
        self.negative_slope = number("negative_slope", negative_slope)

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return _core.leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        """The slope."""
        return f"negative_slope={self.negative_slope}"


class GELU(Module):
    """`x` · Phi(x), Phi the normal distribution function (Hendrycks and Gimpel, 2016).

    Args:
        approximate: "none" for Phi by erf, "tanh" for the paper's formula
            0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.GELU()(mg.zeros(1)).tolist()
    [0.0]
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = one_of("approximate", approximate, ("none", "tanh"))

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return F.gelu(x, self.approximate)

    def extra_repr(self) -> str:
        """Which formula."""
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """`x` · sigmoid(x), also called swish (Elfwing et al., 2017).

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.SiLU()(mg.zeros(1)).tolist()
    [0.0]
    """

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return _core.silu(x)


class Tanh(Module):
    """The hyperbolic tangent.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.Tanh()(mg.zeros(1)).tolist()
    [0.0]
    """

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return _core.tanh(x)


class Sigmoid(Module):
    """1 / (1 + exp(-x)). For a binary loss rather give logits to BCEWithLogitsLoss.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.Sigmoid()(mg.zeros(1)).tolist()
    [0.5]
    """

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return _core.sigmoid(x)


class Softplus(Module):
    """log(1 + exp(beta x)) / beta, without overflow for any x (torch's threshold is not needed).

    Args:
        beta: above 0; the larger, the closer to ReLU.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.Softplus()(mg.tensor([1000.0])).tolist()
    [1000.0]
    """

    def __init__(self, beta: float = 1.0) -> None:
        super().__init__()
        self.beta = number("beta", beta, 0.0, open_minimum=True)

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return F.softplus(x, self.beta)

    def extra_repr(self) -> str:
        """Beta."""
        return f"beta={self.beta}"


class ELU(Module):
    """`x` where x > 0, alpha · (exp(x) - 1) elsewhere (Clevert et al., 2015).

    Args:
        alpha: minus the limit for x -> -infinity.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.ELU()(mg.tensor([0.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = number("alpha", alpha)

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return _core.elu(x, self.alpha)

    def extra_repr(self) -> str:
        """Alpha."""
        return f"alpha={self.alpha}"


class SELU(Module):
    """1.0507 · ELU with alpha = 1.6733, which keeps mean 0 and variance 1 (Klambauer et al., 2017).

    Goes with `init.kaiming_normal_(weight, nonlinearity="linear")` and AlphaDropout.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.SELU()(mg.zeros(1)).tolist()
    [0.0]
    """

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return _core.selu(x)


class _AlongDim(Module):
    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = integer("dim", dim)

    def extra_repr(self) -> str:
        """The axis."""
        return f"dim={self.dim}"


class Softmax(_AlongDim):
    """exp(x) / sum(exp(x)) along `dim` (the last one unless told otherwise), without overflow.

    For a loss rather give logits to CrossEntropyLoss.

    Args:
        dim: the axis of the classes.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.Softmax()(mg.zeros(1, 4)).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """

    def forward(self, x: Tensor) -> Tensor:
        """Any shape with an axis `dim`."""
        return _core.softmax(x, self.dim)


class LogSoftmax(_AlongDim):
    """x - log(sum(exp(x))) along `dim` (the last one unless told otherwise), without overflow.

    Args:
        dim: the axis of the classes.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.LogSoftmax()(mg.zeros(1, 1)).tolist()
    [[0.0]]
    """

    def forward(self, x: Tensor) -> Tensor:
        """Any shape with an axis `dim`."""
        return _core.log_softmax(x, self.dim)


class LogSigmoid(Module):
    """log(1 / (1 + exp(-x))), without overflow.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> round(nn.LogSigmoid()(mg.zeros(1)).item(), 4)
    -0.6931
    """

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return F.logsigmoid(x)


class Mish(Module):
    """`x` · tanh(log(1 + exp(x))) (Misra, 2019).

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.Mish()(mg.zeros(1)).tolist()
    [0.0]
    """

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return F.mish(x)


class PReLU(Module):
    """`x` where x > 0, weight · x elsewhere, with a learned weight (He et al., 2015).

    Args:
        num_parameters: 1 for all, or the number of channels (axis 1).
        init: the slope at first.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.PReLU()(mg.tensor([-1.0, 2.0])).tolist()
    [-0.25, 2.0]
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        super().__init__()
        self.num_parameters = integer("num_parameters", num_parameters, 1)
        self.weight = Parameter([number("init", init)] * self.num_parameters)

    def forward(self, x: Tensor) -> Tensor:
        """Any shape; with a weight for each channel, (N, C, ...)."""
        weight: Tensor = self.weight
        if self.num_parameters > 1:
            if x.ndim < 2 or x.shape[1] != self.num_parameters:
                raise ValueError(
                    f"PReLU of {self.num_parameters} channels got an input of shape {x.shape}"
                )
            weight = weight.reshape(-1, *(1 for _ in x.shape[2:]))
        return _core.relu(x) - weight * _core.relu(-x)

    def extra_repr(self) -> str:
        """How many slopes there are."""
        return f"num_parameters={self.num_parameters}"
