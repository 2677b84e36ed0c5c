"""ConvTranspose2d: the gradient of a convolution as a layer, from few pixels to many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from minigrad._check import pair
from minigrad._core import Tensor, conv2d_input_grad
from minigrad.nn.conv import Filters2d

__all__ = ["ConvTranspose2d"]


class ConvTranspose2d(Filters2d):
    """What Conv2d's gradient does with (N, in_channels, H, W): each pixel adds a kernel's worth.

    The output is (N, out_channels, H', W') with
    H' = (H - 1) stride - 2 padding + dilation (kernel_size - 1) + output_padding + 1, and W'
    likewise. Weight (in_channels, out_channels / groups, kh, kw) and bias start uniform in
    ±1/sqrt(out_channels / groups · kh · kw), PyTorch's default.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: height and width of the kernel; here and below one integer stands for both.
        stride: pixels between the kernels of neighbours.
        padding: rows and columns cut off on each side.
        output_padding: rows and columns added at the end, less than stride or dilation.
        groups: the channels are cut into this many groups that do not see each other.
        bias: whether there is a bias per output channel.
        dilation: distance between kernel taps, in pixels.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.ConvTranspose2d(16, 3, 4, stride=2, padding=1)(mg.zeros(2, 16, 8, 8)).shape
    (2, 3, 16, 16)
    """

    _shown: ClassVar[dict[str, object]] = {
        "padding": (0, 0),
        "output_padding": (0, 0),
        "dilation": (1, 1),
        "groups": 1,
    }

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        output_padding: int | Sequence[int] = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: int | Sequence[int] = 1,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, dilation, groups)
        self.padding = pair("padding", padding, 0)
        self.output_padding = pair("output_padding", output_padding, 0)
        for more, s, d in zip(self.output_padding, self.stride, self.dilation, strict=True):
            if more >= max(s, d):
                raise ValueError(f"output_padding = {more} must be less than stride or dilation")
        self._fill(self.in_channels, self.out_channels, bias)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H', W')."""
        if x.ndim != 4 or x.shape[1] != self.in_channels:
            raise ValueError(
                f"ConvTranspose2d expects (N, C, H, W) with C = {self.in_channels}, "
                f"got shape {x.shape}"
            )
        height, width = (
            (n - 1) * s - 2 * p + d * (k - 1) + more + 1
            for n, s, p, d, k, more in zip(
                *(x.shape[2:], self.stride, self.padding, self.dilation),
                *(self.kernel_size, self.output_padding),
                strict=True,
            )
        )
        if height < 1 or width < 1:
            raise ValueError(f"ConvTranspose2d: of shape {x.shape} the padding leaves nothing")
        y = conv2d_input_grad(
            *(x, self.weight, height, width, self.stride, self.padding, self.dilation, self.groups)
        )
        return y if self.bias is None else y + self.bias.reshape(-1, 1, 1)
