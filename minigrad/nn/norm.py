"""Normalisation: over the batch (BatchNorm) or over the features of each example (LayerNorm)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from minigrad._check import integer, number, probability
from minigrad._core import Tensor, batch_norm, layer_norm
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.tensor import ones, zeros

__all__ = ["BatchNorm1d", "BatchNorm2d", "GroupNorm", "LayerNorm"]


class _BatchNorm(Module):
    # torch counts batches; nothing here needs the count.
    _ignored_keys = frozenset({"num_batches_tracked"})
    _ranks: tuple[int, ...] = ()
    running_mean: Tensor | None
    running_var: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = integer("num_features", num_features, 1)
        self.eps = number("eps", eps, 0.0)
        self.momentum = probability("momentum", momentum)
        self.affine = affine
        self.track_running_stats = track_running_stats
        self.weight = Parameter(ones(self.num_features)) if affine else None
        self.bias = Parameter(zeros(self.num_features)) if affine else None
        self.register_buffer("running_mean", zeros(num_features) if track_running_stats else None)
        self.register_buffer("running_var", ones(num_features) if track_running_stats else None)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise each channel (axis 1); the shape stays."""
        if x.ndim not in self._ranks or x.shape[1] != self.num_features:
            layout = " or ".join(
                ("(N, C)", "(N, C, L)", "(N, C, H, W)")[r - 2] for r in self._ranks
            )
            raise ValueError(
                f"{type(self).__name__} expects {layout} with C = {self.num_features}, "
                f"got shape {x.shape}"
            )
        by_batch = self.training or not self.track_running_stats
        return batch_norm(
            x,
            self.weight,
            self.bias,
            self.running_mean,
            self.running_var,
            by_batch,
            self.momentum,
            self.eps,
        )

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of (N, C) or (N, C, L) (Ioffe and Szegedy, 2015).

    In train mode y = (x - mean) / sqrt(var + eps) · weight + bias with mean and biased variance
    of each channel over the batch, and running = (1 - momentum) · running + momentum · batch,
    where the running variance takes the unbiased one. In eval mode the running values are used.

    Args:
        num_features: C.
        eps: added to the variance.
        momentum: the weight of the new batch in the running values, in [0, 1] (Keras' is 1 - this).
        affine: whether weight and bias are learned.
        track_running_stats: False uses the batch's own values in eval mode too.

    Raises:
        ValueError: in the call, for another shape, or a batch with one value per channel in train
            mode.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> layer = nn.BatchNorm1d(2)
    >>> layer(mg.tensor([[0.0, 1.0], [2.0, 1.0]])).shape
    (2, 2)
    >>> layer.running_mean.numpy().round(3)
    array([0.1, 0.1], dtype=float32)
    """

    _ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of images (N, C, H, W); everything else as in BatchNorm1d.

    Args:
        num_features: channels C.
        eps: added to the variance.
        momentum: the weight of the new batch in the running values, in [0, 1].
        affine: whether weight and bias are learned.
        track_running_stats: False uses the batch's own values in eval mode too.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.BatchNorm2d(3)(mg.zeros(4, 3, 8, 8)).shape
    (4, 3, 8, 8)
    """

    _ranks = (4,)


class LayerNorm(Module):
    """Normalisation of each example over its last axes (Ba et al., 2016).

    y = (x - mean) / sqrt(var + eps) · weight + bias, with mean and biased variance over the axes of
    `normalized_shape`.

    Args:
        normalized_shape: sizes of the last axes of the input; one integer means the last only.
        eps: added to the variance.
        elementwise_affine: whether weight (ones at first) and bias (zeros) are learned.
        bias: False leaves the bias out.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.LayerNorm(3)(mg.ones(2, 3)).tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        super().__init__()
        sizes = normalized_shape if isinstance(normalized_shape, Sequence) else [normalized_shape]
        self.normalized_shape = tuple(integer("normalized_shape", size, 1) for size in sizes)
        if not self.normalized_shape:
            raise ValueError("normalized_shape must name at least one axis, got ()")
        self.eps = number("eps", eps, 0.0)
        self.elementwise_affine = elementwise_affine
        self.weight = Parameter(ones(self.normalized_shape)) if elementwise_affine else None
        with_bias = elementwise_affine and bias
        self.bias = Parameter(zeros(self.normalized_shape)) if with_bias else None

    def forward(self, x: Tensor) -> Tensor:
        """(..., *normalized_shape), and the same out."""
        return layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class GroupNorm(Module):
    """Normalisation of each example over groups of its channels (Wu and He, 2018).

    As LayerNorm over each group and all positions, then weight and bias for each channel: other
    than BatchNorm it does not see the other examples, so that small batches do no harm.

    Args:
        num_groups: divides num_channels; 1 takes all channels together, num_channels each alone.
        num_channels: channels of the input, its axis 1.
        eps: added to the variance.
        affine: whether weight (ones at first) and bias (zeros) are learned.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.GroupNorm(2, 8)(mg.randn(4, 8, 5, 5)).shape
    (4, 8, 5, 5)
    """

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True
    ) -> None:
        super().__init__()
        self.num_groups = integer("num_groups", num_groups, 1)
        self.num_channels = integer("num_channels", num_channels, 1)
        if num_channels % num_groups:
            raise ValueError(f"num_channels = {num_channels} is not a multiple of {num_groups}")
        self.eps = number("eps", eps, 0.0)
        self.affine = affine
        self.weight = Parameter(ones(num_channels)) if affine else None
        self.bias = Parameter(zeros(num_channels)) if affine else None

    def forward(self, x: Tensor) -> Tensor:
        """(N, num_channels, ...), and the same out."""
        if x.ndim < 2 or x.shape[1] != self.num_channels:
            raise ValueError(
                f"GroupNorm expects (N, C, ...) with C = {self.num_channels}, got shape {x.shape}"
            )
        size = math.prod(x.shape[1:]) // self.num_groups
        groups = x.reshape(x.shape[0], self.num_groups, size)
        y = layer_norm(groups, (size,), None, None, self.eps).reshape(x.shape)
        if self.weight is None or self.bias is None:
            return y
        shape = (self.num_channels, *(1 for _ in x.shape[2:]))
        return y * self.weight.reshape(shape) + self.bias.reshape(shape)

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"
