"""Mirror images."""

from __future__ import annotations

from minigrad._check import probability
from minigrad.augment.base import Geometry, Range, motion

__all__ = ["RandomHorizontalFlip", "RandomVerticalFlip"]


class _Flip(Geometry):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = probability("p", p)

    def _mirror(self) -> Range | None:
        """A number that is negative with probability p; None: nothing is mirrored."""
        return (-self.p, 1 - self.p) if self.training and self.p > 0 else None

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}"


class RandomHorizontalFlip(_Flip):
    """Mirrors each image left to right with probability p, in train mode; the bits are copied.

    Args:
        p: probability, in [0, 1].

    >>> import minigrad as mg
    >>> from minigrad import augment
    >>> x = mg.tensor([[[[1.0, 2.0, 3.0]]]])
    >>> augment.RandomHorizontalFlip(1.0)(x).tolist()
    [[[[3.0, 2.0, 1.0]]]]
    """

    def ranges(self, height: int, width: int) -> list[Range] | None:
        """One number decides."""
        mirror = self._mirror()
        return motion(mirror_x=mirror) if mirror else None


class RandomVerticalFlip(_Flip):
    """Mirrors each image top to bottom with probability p, in train mode; the bits are copied.

    Args:
        p: probability, in [0, 1].

    >>> import minigrad as mg
    >>> from minigrad import augment
    >>> x = mg.tensor([[[[1.0], [2.0]]]])
    >>> augment.RandomVerticalFlip(1.0)(x).tolist()
    [[[[2.0], [1.0]]]]
    """

    def ranges(self, height: int, width: int) -> list[Range] | None:
        """One number decides."""
        mirror = self._mirror()
        return motion(mirror_y=mirror) if mirror else None
