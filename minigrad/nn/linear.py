"""Linear: the fully connected layer."""

from __future__ import annotations

from minigrad._check import integer
from minigrad._core import Tensor, linear
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.tensor import zeros

__all__ = ["Linear"]


class Linear(Module):
    """y = x W^T + b, for inputs (..., in_features) and outputs (..., out_features).

    Weight (out_features, in_features) and bias (out_features,) start uniform in
    ±1/sqrt(in_features), PyTorch's default (LeCun et al., Efficient BackProp, 1998).

    Args:
        in_features: size of the last axis of the input.
        out_features: size of the last axis of the output.
        bias: whether there is a b.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> layer = nn.Linear(3, 2)
    >>> layer(mg.zeros(5, 3)).shape, layer.weight.shape
    ((5, 2), (2, 3))
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__()
        self.in_features = integer("in_features", in_features, 1)
        self.out_features = integer("out_features", out_features, 1)
        self.weight = Parameter(zeros(self.out_features, self.in_features))
        self.bias = Parameter(zeros(self.out_features)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        init.default_(self.weight, self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(..., in_features) -> (..., out_features)."""
        return linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )
