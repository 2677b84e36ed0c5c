"""Erase a box of images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from minigrad import _core
from minigrad._check import number, one_of, probability
from minigrad._core import Tensor
from minigrad.augment.base import Augmentation, Range, check_images, draw, interval
from minigrad.random import randn

__all__ = ["RandomErasing"]

_ATTEMPTS = 10


class RandomErasing(Augmentation):
    """Erases a box of each image with probability p, in train mode (Zhong et al., 2017).

    Its area is uniform in `scale`, the logarithm of its height / width in that of `ratio`. Ten
    such boxes are tried; an image that is smaller than all of them stays whole.

    Args:
        p: probability, in [0, 1].
        scale: (lowest, highest) share of the image, in [0, 1].
        ratio: (lowest, highest) height / width, above 0.
        value: what the box is filled with: a number, one for each channel, or "random" for normal
            noise.

    >>> import minigrad as mg
    >>> from minigrad import augment
    >>> y = augment.RandomErasing(1.0, scale=(0.25, 0.25), ratio=(1, 1))(mg.ones(1, 1, 8, 8))
    >>> int(y.sum().item())
    48
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: ArrayLike | Literal["random"] = 0.0,
    ) -> None:
        super().__init__()
        self.p = probability("p", p)
        self.scale = interval("scale", scale, 0.0, 1.0)
        self.ratio = interval("ratio", ratio, 0.0)
        number("ratio", self.ratio[0], 0.0, open_minimum=True)
        self.value: str | tuple[float, ...]
        if isinstance(value, str):
            self.value = one_of("value", value, ("random",))
        else:
            self.value = tuple(number("value", v) for v in np.ravel(value))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W), and the same out."""
        check_images(self, x)
        if not self.training or self.p == 0:
            return x
        images, _, height, width = x.shape
        logarithm = math.log(self.ratio[0]), math.log(self.ratio[1])
        attempts: list[Range] = [self.scale, logarithm] * _ATTEMPTS
        draws = draw([(-self.p, 1 - self.p), *attempts, (0.0, 1.0), (0.0, 1.0)], images)
        return _core.paste(x, self._filling(x), _core.erase_boxes(draws, height, width))

    def _filling(self, x: Tensor) -> Tensor:
        """What a box shows; broadcasts to x."""
        if isinstance(self.value, str):
            return randn(x.shape, dtype=x.dtype)
        if len(self.value) not in (1, x.shape[1]):
            raise ValueError(
                f"RandomErasing: value has {len(self.value)} numbers, the images have "
                f"{x.shape[1]} channels"
            )
        return Tensor(np.array(self.value, x.dtype).reshape(-1, 1, 1))

    def extra_repr(self) -> str:
        """The settings."""
        return f"p={self.p}, scale={self.scale}, ratio={self.ratio}, value={self.value!r}"
