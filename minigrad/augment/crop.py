"""Cut a part out of images."""

from __future__ import annotations

from collections.abc import Sequence

from minigrad._check import integer, number, pair
from minigrad.augment.base import Geometry, Range, motion

__all__ = ["RandomCrop"]


class RandomCrop(Geometry):
    """Cuts a part of `size` out of each image, anywhere in it; the bits are copied.

    In eval mode the part is the middle one (torchvision's CenterCrop), so that the layers behind
    see one size; with `size` that of the images, eval mode changes nothing.

    Args:
        size: (height, width) of the part in pixels, or one number for both.
        padding: pixels put around the image first: one number, (left and right, top and bottom),
            or (left, top, right, bottom).
        fill: their value.

    Raises:
        ValueError: in the call, if the part is larger than the padded image.

    >>> import minigrad as mg
    >>> from minigrad import augment
    >>> augment.RandomCrop(28, padding=4)(mg.rand(2, 3, 28, 28)).shape
    (2, 3, 28, 28)
    >>> augment.RandomCrop((1, 2)).eval()(mg.arange(16.0).reshape(1, 1, 4, 4)).tolist()
    [[[[9.0, 10.0]]]]
    """

    def __init__(
        self,
        size: int | Sequence[int],
        padding: int | Sequence[int] | None = None,
        fill: float = 0.0,
    ) -> None:
        super().__init__()
        self.size = pair("size", size, 1)
        self.padding = _sides(padding)
        self.fill = number("fill", fill)

    def out_size(self, height: int, width: int) -> tuple[int, int]:
        """The size of the part."""
        return self.size

    def ranges(self, height: int, width: int) -> list[Range] | None:
        """Return how far left and up the image is moved, in whole pixels."""
        left, top, right, bottom = self.padding
        room = height + top + bottom - self.size[0], width + left + right - self.size[1]
        if min(room) < 0:
            raise ValueError(
                f"RandomCrop: a part of {self.size[0]} x {self.size[1]} does not fit into images "
                f"of {height} x {width} with padding {self.padding} (left, top, right, bottom)"
            )
        if self.training:
            return motion(right=(left - room[1], left + 1), down=(top - room[0], top + 1))
        if self.size == (height, width):
            return None
        x, y = round((self.size[1] - width) / 2), round((self.size[0] - height) / 2)
        return motion(right=(x, x), down=(y, y))

    def extra_repr(self) -> str:
        """The settings."""
        return f"size={self.size}, padding={self.padding}, fill={self.fill}"


def _sides(padding: int | Sequence[int] | None) -> tuple[int, int, int, int]:
    """Padding as (left, top, right, bottom)."""
    if padding is None:
        return 0, 0, 0, 0
    given = [
        integer("padding", n, 0) for n in (padding if isinstance(padding, Sequence) else [padding])
    ]
    if len(given) not in (1, 2, 4):
        raise ValueError(f"padding must be one, two or four numbers, got {padding!r}")
    left, top, right, bottom = (given * 4)[:4]
    return left, top, right, bottom
