"""Change the colours of images."""

from __future__ import annotations

from collections.abc import Sequence

from minigrad import _core
from minigrad._check import number
from minigrad._core import Tensor
from minigrad.augment.base import Augmentation, Range, check_images, draw, interval

__all__ = ["ColorJitter"]


class ColorJitter(Augmentation):
    """Changes brightness, contrast and saturation of each image at random, in train mode.

    In this order and in one pass, with grey = 0.2989 red + 0.587 green + 0.114 blue:
    x b, then the blend of that with the mean of its grey values, x k + (1 - k) mean, then the
    blend with its grey values, x s + (1 - s) grey. A single channel has no saturation. Unlike
    torchvision's, which takes the three in random order and clips to [0, 1] after each, values
    may leave the range: so it works on standardised images too.

    Args:
        brightness: (lowest, highest) factor b, at least 0; one number v means
            (max(0, 1 - v), 1 + v).
        contrast: the same for k.
        saturation: the same for s.

    >>> import minigrad as mg
    >>> from minigrad import augment
    >>> augment.ColorJitter(brightness=(2, 2))(mg.ones(1, 1, 1, 2)).tolist()
    [[[[2.0, 2.0]]]]
    """

    def __init__(
        self,
        brightness: float | Sequence[float] = 0.0,
        contrast: float | Sequence[float] = 0.0,
        saturation: float | Sequence[float] = 0.0,
    ) -> None:
        super().__init__()
        self.brightness = _around_one("brightness", brightness)
        self.contrast = _around_one("contrast", contrast)
        self.saturation = _around_one("saturation", saturation)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1 or 3, H, W), and the same out."""
        check_images(self, x)
        ranges = [self.brightness, self.contrast, self.saturation]
        if not self.training or ranges == [(1.0, 1.0)] * 3:
            return x
        return _core.color_jitter(x, draw(ranges, x.shape[0]))

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"brightness={self.brightness}, contrast={self.contrast}, saturation={self.saturation}"
        )


def _around_one(name: str, value: float | Sequence[float]) -> Range:
    if isinstance(value, Sequence):
        return interval(name, value, 0.0)
    spread = number(name, value, 0.0)
    return max(0.0, 1 - spread), 1 + spread
