"""A picture of what augmentations do."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt

from minigrad import random
from minigrad._check import integer
from minigrad._core import Tensor
from minigrad.augment.base import Augmentation
from minigrad.augment.mix import Mix
from minigrad.augment.normalize import Normalize
from minigrad.grad_mode import no_grad
from minigrad.nn.container import Sequential
from minigrad.nn.module import Module
from minigrad.plots import INK, figure

__all__ = ["preview"]

Array = npt.NDArray[Any]


def preview(
    images: Any,
    model: Module | Sequence[Module],
    *,
    draws: int = 6,
    seed: int = 0,
    path: str | PathLike[str] | None = None,
) -> Any:
    """Draw images beside several random versions of them.

    Args:
        images: a few, (N, C, H, W) with 1 or 3 channels, or whatever the model takes.
        model: a module, several in a row, or a whole model, of which all up to the last
            augmentation is used. It is run in train mode and left as it was.
        draws: how many versions of each image.
        seed: of the draws; minigrad's generator is left as it was.
        path: where to write the picture, if given; its ending chooses the format.

    Returns:
        The matplotlib figure: a row for each image, the original first. All share its range of
        values; what leaves it is shown black or white.

    Raises:
        TypeError: images and model are the other way round.
        ImportError: matplotlib is missing; the message names the extra.
        ValueError: the model has no augmentation, or gives something other than images.

    >>> import minigrad as mg
    >>> from minigrad import augment
    >>> picture = augment.preview(mg.rand(2, 1, 8, 8), augment.RandomRotation(30), draws=3)
    >>> len(picture.axes)
    8
    """
    if isinstance(images, Module):
        raise TypeError("preview takes the images first, then the model: preview(images, model)")
    x = images if isinstance(images, Tensor) else Tensor(np.asarray(images))
    integer("draws", draws, 1)
    modules = _augmenting([model] if isinstance(model, Module) else list(model))
    versions = _versions(x, modules, draws, seed)
    originals = _pixels(x, like=versions[0])
    columns = [originals, *versions]
    titles = ["original", *(f"draw {i + 1}" for i in range(draws))]

    rows, side = len(originals), 1.1
    picture = figure(side * len(columns), side * rows + 0.5)
    axes = picture.subplots(rows, len(columns), squeeze=False)
    for j, (column, title) in enumerate(zip(columns, titles, strict=True)):
        low, high = _limits(originals, modules if j else [])
        for i, image in enumerate(column):
            shown = np.clip((image - low) / (high - low), 0, 1).transpose(1, 2, 0)
            axes[i, j].imshow(shown.squeeze(-1) if shown.shape[-1] == 1 else shown,
                              cmap="gray", vmin=0, vmax=1)  # fmt: skip
            axes[i, j].set_axis_off()
        axes[0, j].set_title(title, fontsize=8, color=INK)
    names = [type(m).__name__ for m in modules if isinstance(m, Augmentation | Mix)]
    picture.suptitle(", ".join(names), fontsize=9, color=INK)
    if path is not None:
        picture.savefig(path)
    return picture


def _augmenting(modules: list[Module]) -> list[Module]:
    """The modules in a row, up to the last that augments."""
    row: list[Module] = []
    for module in modules:
        if isinstance(module, Sequential) and not isinstance(module, Augmentation):
            row += module
        else:
            row.append(module)
    last = max((i for i, m in enumerate(row) if isinstance(m, Augmentation | Mix)), default=-1)
    if last < 0:
        raise ValueError(
            "there is no augmentation at the front of the model to draw; of one inside a module of "
            "your own give that layer: preview(images, model.augment)"
        )
    return row[: last + 1]


def _versions(x: Tensor, modules: list[Module], draws: int, seed: int) -> list[Array]:
    """What the modules make of x, so many times."""
    generator = random.default_generator
    state = generator.get_state()
    members = list({id(m): m for module in modules for m in module.modules()}.values())
    modes = [m.training for m in members]
    try:
        generator.manual_seed(seed)
        for member in members:
            member.training = True
        with no_grad():
            return [_pixels(_run(x, modules)) for _ in range(draws)]
    finally:
        generator.set_state(state)
        for member, mode in zip(members, modes, strict=True):
            member.training = mode


def _run(x: Tensor, modules: list[Module]) -> Tensor:
    for module in modules:
        x = module(x, Tensor(np.zeros(len(x))))[0] if isinstance(module, Mix) else module(x)
    return x


def _pixels(x: Tensor, like: Array | None = None) -> Array:
    """(N, C, H, W) as an array; flat rows take the shape of `like`, if they have its size."""
    values: Array = x.numpy()
    if like is not None and values.ndim != 4 and values.size == like.size:
        values = values.reshape(like.shape)
    if values.ndim != 4 or values.shape[1] not in (1, 3) or values.size == 0:
        raise ValueError(
            f"preview draws images of shape (N, 1 or 3, H, W), at least one; these have {x.shape}"
        )
    return values


def _limits(originals: Array, modules: list[Module]) -> tuple[float, float]:
    """What is shown as black and as white: the originals' range, as Normalize leaves it."""
    x = Tensor(originals)
    for module in modules:
        x = module(x) if isinstance(module, Normalize) else x
    low, high = x.min().item(), x.max().item()
    return low, high if high > low else low + 1
