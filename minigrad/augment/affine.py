"""Turn, shift, scale and shear images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad._check import number
from minigrad.augment.base import Geometry, Range, interval, motion

__all__ = ["RandomAffine", "RandomRotation"]


class RandomRotation(Geometry):
    """Turns each image about its centre by an angle uniform in a range, in train mode.

    Values between pixels are bilinear (torchvision's default is the nearest pixel).

    Args:
        degrees: (lowest, highest) angle, counter-clockwise; one number d means (-d, d).
        fill: the value of all that is outside of the image.

    >>> import minigrad as mg
    >>> from minigrad import augment
    >>> x = mg.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    >>> augment.RandomRotation((90, 90))(x).tolist()
    [[[[2.0, 4.0], [1.0, 3.0]]]]
    """

    def __init__(self, degrees: float | Sequence[float], fill: float = 0.0) -> None:
        super().__init__()
        self.degrees = _around_zero("degrees", degrees)
        self.fill = number("fill", fill)

    def ranges(self, height: int, width: int) -> list[Range] | None:
        """One angle, clockwise as `affine_matrix` wants it."""
        low, high = self.degrees
        return motion(angle=(-high, -low)) if self.training else None

    def extra_repr(self) -> str:
        """The settings."""
        return f"degrees={self.degrees}, fill={self.fill}"


class RandomAffine(Geometry):
    """Shears, turns, scales and shifts each image in one bilinear resampling, in train mode.

    Every number is uniform in its range and drawn for each image. Shear, rotation and scale are
    about the centre; shifts are whole pixels, as in torchvision, whose default interpolation is
    the nearest pixel, though.

    Args:
        degrees: (lowest, highest) angle, clockwise; one number d means (-d, d).
        translate: largest shift, to either side, as shares (of the width, of the height) in [0, 1].
        scale: (lowest, highest) factor, above 0.
        shear: degrees: one number or (lowest, highest) along x; four numbers along x, then y.
        fill: the value of all that is outside of the image.

    >>> import minigrad as mg
    >>> from minigrad import augment
    >>> move = augment.RandomAffine(10, translate=(0.1, 0.1), scale=(0.9, 1.1), shear=5)
    >>> move(mg.rand(4, 1, 28, 28)).shape
    (4, 1, 28, 28)
    """

    def __init__(
        self,
        degrees: float | Sequence[float],
        translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        shear: float | Sequence[float] | None = None,
        fill: float = 0.0,
    ) -> None:
        super().__init__()
        self.degrees = _around_zero("degrees", degrees)
        self.translate = _shares(translate)
        self.scale = (1.0, 1.0) if scale is None else interval("scale", scale, 0.0)
        number("scale", self.scale[0], 0.0, open_minimum=True)
        self.shear = _shears(shear)
        self.fill = number("fill", fill)

    def ranges(self, height: int, width: int) -> list[Range] | None:
        """All numbers of the map."""
        if not self.training:
            return None
        # affine_matrix rounds shifts down: half a pixel more rounds them to the nearest.
        x, y = self.translate[0] * width, self.translate[1] * height
        right, down = (0.5 - x, 0.5 + x), (0.5 - y, 0.5 + y)
        return motion(self.degrees, right, down, self.scale, *self.shear)

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"degrees={self.degrees}, translate={self.translate}, scale={self.scale}, "
            f"shear={self.shear}, fill={self.fill}"
        )


def _around_zero(name: str, value: Any) -> Range:
    """Two numbers as they are, one number d as (-d, d)."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return interval(name, value, -float("inf"))
    limit = number(name, value, 0.0)
    return -limit, limit


def _shares(translate: Sequence[float] | None) -> Range:
    if translate is None:
        return 0.0, 0.0
    if len(translate) != 2:
        raise ValueError(f"translate must be two shares (of width, of height), got {translate!r}")
    x, y = (number("translate", share, 0.0, 1.0) for share in translate)
    return x, y


def _shears(shear: float | Sequence[float] | None) -> tuple[Range, Range]:
    if shear is None:
        return (0.0, 0.0), (0.0, 0.0)
    if not isinstance(shear, Sequence):
        return _around_zero("shear", shear), (0.0, 0.0)
    if len(shear) not in (2, 4):
        raise ValueError(f"shear must be one, two or four angles, got {shear!r}")
    ranges = [interval("shear", shear[i : i + 2], -float("inf")) for i in range(0, len(shear), 2)]
    x, y = (*ranges, (0.0, 0.0))[:2]
    return x, y
