"""Augmentation: modules that change images at random in train mode, and do nothing in eval mode.

They are layers like any other: put them at the front of a model. Then they are part of a compiled
step and of the Trainer's, and evaluation sees the images as they are.

>>> import minigrad as mg
>>> from minigrad import augment, nn
>>> model = nn.Sequential(
...     augment.RandomHorizontalFlip(),
...     augment.RandomAffine(10, translate=(0.1, 0.1), scale=(0.9, 1.1)),
...     augment.ColorJitter(brightness=0.2),
...     nn.Flatten(),
...     nn.Linear(28 * 28, 10),
... )
>>> model(mg.rand(32, 1, 28, 28)).shape
(32, 10)

Images are float tensors (N, C, H, W). Names, arguments and defaults are torchvision's. What an
image goes through depends on the seed, the step and its place in the batch only, not on the size
of the batch, the number of threads or the instruction set.
"""

from typing import TYPE_CHECKING, Any

from minigrad._names import missing
from minigrad.augment.affine import RandomAffine, RandomRotation
from minigrad.augment.base import Augmentation, Geometric, Geometry
from minigrad.augment.color import ColorJitter
from minigrad.augment.crop import RandomCrop
from minigrad.augment.erase import RandomErasing
from minigrad.augment.flip import RandomHorizontalFlip, RandomVerticalFlip
from minigrad.augment.mix import CutMix, MixUp
from minigrad.augment.normalize import Normalize
from minigrad.augment.preview import preview

__all__ = [
    "Augmentation",
    "ColorJitter",
    "CutMix",
    "Geometric",
    "Geometry",
    "MixUp",
    "Normalize",
    "RandomAffine",
    "RandomCrop",
    "RandomErasing",
    "RandomHorizontalFlip",
    "RandomRotation",
    "RandomVerticalFlip",
    "preview",
]


if not TYPE_CHECKING:  # which would then know of no missing name

    def __getattr__(name: str) -> Any:
        raise missing(__name__, name)
