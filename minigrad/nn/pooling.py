"""Pooling: the largest or the mean value of each window."""

from __future__ import annotations

from collections.abc import Sequence

from minigrad._check import pair
from minigrad._core import Tensor, avg_pool2d, max_pool2d
from minigrad.nn.module import Module

__all__ = ["AvgPool2d", "MaxPool2d"]


class _Pool2d(Module):
    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
    ) -> None:
        super().__init__()
        self.kernel_size = pair("kernel_size", kernel_size, 1)
        self.stride = self.kernel_size if stride is None else pair("stride", stride, 1)
        self.padding = pair("padding", padding, 0)
        if any(2 * p > k for p, k in zip(self.padding, self.kernel_size, strict=True)):
            raise ValueError(
                f"padding must be at most half of kernel_size, got padding={self.padding} "
                f"and kernel_size={self.kernel_size}"
            )

    def extra_repr(self) -> str:
        """The sizes."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxPool2d(_Pool2d):
    """The largest value of each window of (N, C, H, W); padding counts as -inf.

    H' = floor((H + 2 padding - kernel_size) / stride) + 1, and W' likewise.

    Args:
        kernel_size: height and width of the window; one integer stands for both.
        stride: steps between windows, in pixels; kernel_size if None.
        padding: rows and columns added on each side, at most half of kernel_size.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.MaxPool2d(2)(mg.arange(4.0).reshape(1, 1, 2, 2)).tolist()
    [[[[3.0]]]]
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H', W')."""
        return max_pool2d(x, self.kernel_size, self.stride, self.padding)


class AvgPool2d(_Pool2d):
    """The mean of each window of (N, C, H, W); padding counts as zeros, as in PyTorch.

    H' = floor((H + 2 padding - kernel_size) / stride) + 1, and W' likewise.

    Args:
        kernel_size: height and width of the window; one integer stands for both.
        stride: steps between windows, in pixels; kernel_size if None.
        padding: rows and columns added on each side, at most half of kernel_size.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.AvgPool2d(2)(mg.arange(4.0).reshape(1, 1, 2, 2)).tolist()
    [[[[1.5]]]]
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H', W')."""
        return avg_pool2d(x, self.kernel_size, self.stride, self.padding)
