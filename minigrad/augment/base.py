"""What all augmentations share, and the chain of those that move pixels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np

from minigrad import _core
from minigrad._check import number
from minigrad._core import Tensor
from minigrad.nn.container import Sequential
from minigrad.nn.module import Module
from minigrad.random import next_key

__all__ = ["Augmentation", "Geometric", "Geometry", "Range", "check_images", "draw", "interval"]

Range = tuple[float, float]


class Augmentation(Module):
    """Base of the modules that change images (N, C, H, W).

    >>> from minigrad import augment
    >>> isinstance(augment.ColorJitter(0.2), augment.Augmentation)
    True
    """


def check_images(owner: Module, x: Tensor) -> None:
    """Raise unless x holds float images."""
    name = type(owner).__name__
    if x.ndim != 4:
        raise ValueError(
            f"{name} takes images of shape (N, C, H, W), got {x.shape}; put nn.Unflatten(1, (C, H, "
            "W)) before it, or x[:, None] for images without a channel"
        )
    if x.dtype.kind != "f":
        raise TypeError(f"{name} takes float images, got {x.dtype}; bytes become x / 255")


def interval(name: str, value: Any, minimum: float, maximum: float = np.inf) -> Range:
    """`value` as two numbers in [minimum, maximum], the lower one first."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise TypeError(f"{name} must be two numbers, got {value!r}")
    values = [number(name, v, minimum, maximum) for v in value]
    if len(values) != 2 or values[0] > values[1]:
        raise ValueError(f"{name} must be two numbers (low, high), got {value!r}")
    return values[0], values[1]


def draw(ranges: list[Range], images: int) -> Tensor:
    """Return (images, len(ranges)) float64 numbers, those of a column uniform in its range."""
    return _core.uniform_between(next_key(), Tensor(np.array(ranges)), images)


class Geometry(Augmentation):
    """Base of the modules that move pixels: each gives the matrices of one resampling.

    `Geometric` chains several into one. A matrix says where a pixel of the result comes from:

    >>> from minigrad import augment
    >>> augment.RandomHorizontalFlip(1.0).matrices(1, height=2, width=4).tolist()
    [[[-1.0, 0.0, 3.0], [0.0, 1.0, 0.0]]]
    """

    fill: float = 0.0

    def out_size(self, height: int, width: int) -> tuple[int, int]:
        """Return what images of height x width become."""
        return height, width

    def ranges(self, height: int, width: int) -> list[Range] | None:
        """Return the ranges of the parameters of `affine_matrix`, or None to leave images alone."""
        raise NotImplementedError

    def matrices(
        self, images: int, height: int, width: int, before: Tensor | None = None
    ) -> Tensor | None:
        """Draw a matrix for each image, applied to what `before` gives; None: nothing is done.

        In eval mode nothing is drawn: the ranges hold one number each.
        """
        ranges = self.ranges(height, width)
        if ranges is None:
            return before
        if self.training:
            params = draw(ranges, images)
        else:
            params = Tensor(np.tile([low for low, _ in ranges], (images, 1)))
        return _core.affine_matrix(params, before, height, width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W), of the same size unless the module crops."""
        check_images(self, x)
        images, _, height, width = x.shape
        theta = self.matrices(images, height, width)
        if theta is None:
            return x
        return _core.resample(x, theta, *self.out_size(height, width), self.fill)


def motion(
    angle: Range = (0.0, 0.0),
    right: Range = (0.0, 0.0),
    down: Range = (0.0, 0.0),
    scale: Range = (1.0, 1.0),
    shear_x: Range = (0.0, 0.0),
    shear_y: Range = (0.0, 0.0),
    mirror_x: Range = (0.0, 0.0),
    mirror_y: Range = (0.0, 0.0),
) -> list[Range]:
    """Ranges in the order of the columns of `affine_matrix`; by default images stay as they are."""
    return [angle, right, down, scale, shear_x, shear_y, mirror_x, mirror_y]


class Geometric(Sequential, Augmentation):
    """Geometric modules in a row as one resampling: faster, and interpolated only once.

    The difference to `nn.Sequential`: what one module moves out of the image, the next can move
    back in, as there are no images between them.

    Args:
        modules: flips, crops, rotations, affine maps; also other Geometrics.
        fill: the value of pixels from outside of the image; those of the modules do not count.

    >>> import minigrad as mg
    >>> from minigrad import augment
    >>> move = augment.Geometric(
    ...     augment.RandomHorizontalFlip(), augment.RandomRotation(15), augment.RandomCrop(24)
    ... )
    >>> move(mg.rand(8, 3, 28, 28)).shape
    (8, 3, 24, 24)
    """

    def __init__(self, *modules: Module | Mapping[str, Module], fill: float = 0.0) -> None:
        super().__init__(*modules)
        self.fill = number("fill", fill)
        for module in self:
            self._geometry(module)

    @staticmethod
    def _geometry(module: Module) -> Geometry | Geometric:
        if not isinstance(module, Geometry | Geometric):
            raise TypeError(
                f"{type(module).__name__} does not move pixels by a matrix: put it outside of "
                "Geometric, in an nn.Sequential"
            )
        return module

    def _of(self, modules: Iterable[Module]) -> Self:
        return type(self)(*modules, fill=self.fill)

    def out_size(self, height: int, width: int) -> tuple[int, int]:
        """Return what images of height x width become."""
        for module in self:
            height, width = self._geometry(module).out_size(height, width)
        return height, width

    def matrices(
        self, images: int, height: int, width: int, before: Tensor | None = None
    ) -> Tensor | None:
        """Draw a matrix for each image; see `Geometry.matrices`."""
        for module in self:
            geometry = self._geometry(module)
            before = geometry.matrices(images, height, width, before)
            height, width = geometry.out_size(height, width)
        return before

    forward = Geometry.forward
