"""Standardise images."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from minigrad._check import number
from minigrad._core import Tensor
from minigrad.augment.base import Augmentation, check_images

__all__ = ["Normalize"]


class Normalize(Augmentation):
    """(x - mean) / std for each channel, in train and in eval mode alike: nothing is random.

    Args:
        mean: one number a channel, or one for all.
        std: the same, above 0.

    >>> import minigrad as mg
    >>> from minigrad import augment
    >>> augment.Normalize(0.5, 0.25)(mg.ones(1, 1, 1, 2)).tolist()
    [[[[2.0, 2.0]]]]
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: ArrayLike, std: ArrayLike) -> None:
        super().__init__()
        means = [number("mean", v) for v in np.ravel(mean)]
        stds = [number("std", v, 0.0, open_minimum=True) for v in np.ravel(std)]
        self.register_buffer("mean", _channels(means), persistent=False)
        self.register_buffer("std", _channels(stds), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W), and the same out."""
        check_images(self, x)
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, x.shape[1]):
                raise ValueError(
                    f"Normalize: {name} has {len(values)} numbers, the images have "
                    f"{x.shape[1]} channels"
                )
        return (x - self.mean) / self.std

    def extra_repr(self) -> str:
        """The numbers."""
        return f"mean={self.mean.reshape(-1).tolist()}, std={self.std.reshape(-1).tolist()}"


def _channels(values: list[float]) -> Tensor:
    return Tensor(np.array(values, np.float32).reshape(-1, 1, 1))
