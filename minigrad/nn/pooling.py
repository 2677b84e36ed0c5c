"""Pooling: the largest or the mean value of each window."""

from __future__ import annotations

from collections.abc import Sequence

from minigrad._check import pair
from minigrad._core import Tensor, avg_pool2d, concatenate, max_pool2d
from minigrad.nn.module import Module

__all__ = ["AdaptiveAvgPool2d", "AvgPool2d", "MaxPool2d"]


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


class AdaptiveAvgPool2d(Module):
    """The mean of each of H' by W' windows that cover (N, C, H, W), whatever H and W are.

    Row i of the output is the mean of rows floor(i H / H') to ceil((i + 1) H / H'), as in PyTorch:
    where H' divides H, of windows side by side.

    Args:
        output_size: H' and W'; one integer stands for both.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.AdaptiveAvgPool2d(1)(mg.arange(6.0).reshape(1, 1, 2, 3)).tolist()
    [[[[2.5]]]]
    """

    def __init__(self, output_size: int | Sequence[int]) -> None:
        super().__init__()
        self.output_size = pair("output_size", output_size, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H', W')."""
        if x.ndim != 4 or 0 in x.shape[2:]:
            raise ValueError(f"AdaptiveAvgPool2d takes images (N, C, H, W), got shape {x.shape}")
        (height, width), (rows, columns) = x.shape[2:], self.output_size
        if height % rows == 0 and width % columns == 0:
            return avg_pool2d(x, (height // rows, width // columns))
        return _means(_means(x, 2, rows), 3, columns)

    def extra_repr(self) -> str:
        """The size."""
        return f"output_size={self.output_size}"


def _means(x: Tensor, dim: int, parts: int) -> Tensor:
    """The means of so many windows that cover a dimension, side by side."""
    size = x.shape[dim]
    ends = [(i * size // parts, -(-(i + 1) * size // parts)) for i in range(parts)]
    before = (slice(None),) * dim
    return concatenate([x[(*before, slice(*end))].mean(dim, True) for end in ends], dim=dim)
