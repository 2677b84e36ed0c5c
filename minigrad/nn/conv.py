"""Conv2d, and what it shares with ConvTranspose2d."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from minigrad._check import integer, one_of, pair
from minigrad._core import Tensor, conv2d
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.tensor import zeros

__all__ = ["Conv2d", "Filters2d"]


class Filters2d(Module):
    """The sizes, weight and bias of a layer with two-dimensional kernels; a base class.

    A subclass sets `padding`, and calls `_fill` with the shape of its weight.
    """

    # Options and what they are by default, when the layer's text leaves them out.
    _shown: ClassVar[dict[str, object]] = {"padding": (0, 0), "dilation": (1, 1), "groups": 1}

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int],
        dilation: int | Sequence[int],
        groups: int,
    ) -> None:
        super().__init__()
        self.in_channels = integer("in_channels", in_channels, 1)
        self.out_channels = integer("out_channels", out_channels, 1)
        self.kernel_size = pair("kernel_size", kernel_size, 1)
        self.stride = pair("stride", stride, 1)
        self.dilation = pair("dilation", dilation, 1)
        self.padding = (0, 0)
        self.groups = integer("groups", groups, 1)
        for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % self.groups:
                raise ValueError(f"{name} = {channels} is not a multiple of groups = {groups}")

    def _fill(self, filters: int, channels: int, bias: bool) -> None:
        self.weight = Parameter(zeros((filters, channels // self.groups, *self.kernel_size)))
        self.bias = Parameter(zeros(self.out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        init.default_(self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes, and what differs from the defaults."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
        text += f"stride={self.stride}"
        for name, default in self._shown.items():
            if (value := getattr(self, name)) != default:
                text += f", {name}={value}"
        return text if self.bias is not None else text + ", bias=False"


class Conv2d(Filters2d):
    """Cross-correlation of (N, in_channels, H, W) with learned kernels, plus a bias.

    The output is (N, out_channels, H', W') with
    H' = floor((H + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1, and W' likewise.
    Weight (out_channels, in_channels / groups, kh, kw) and bias start uniform in ±1/sqrt(fan_in),
    PyTorch's default, where fan_in = in_channels / groups · kh · kw.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: height and width of the kernel; here and below one integer stands for both.
        stride: steps between kernel positions, in pixels.
        padding: rows and columns of zeros on each side, or "valid" (none), or "same", which keeps
            H and W (stride 1 and odd kernels).
        dilation: distance between kernel taps, in pixels.
        groups: the channels are cut into this many groups that do not see each other.
        bias: whether there is a bias per output channel.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> layer = nn.Conv2d(1, 32, 3, padding="same")
    >>> layer(mg.zeros(2, 1, 28, 28)).shape
    (2, 32, 28, 28)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] | str = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, dilation, groups)
        self.padding = self._padding(padding)
        self._fill(self.out_channels, self.in_channels, bias)

    def _padding(self, padding: int | Sequence[int] | str) -> tuple[int, int]:
        if not isinstance(padding, str):
            return pair("padding", padding, 0)
        if one_of("padding", padding, ("valid", "same")) == "valid":
            return 0, 0
        height, width = (d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True))
        if self.stride != (1, 1) or height % 2 or width % 2:
            raise ValueError(
                'padding="same" needs stride 1 and an odd kernel_size, got '
                f"stride={self.stride}, kernel_size={self.kernel_size}"
            )
        return height // 2, width // 2

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H', W')."""
        return conv2d(
            x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )
