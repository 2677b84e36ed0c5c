"""Mix pairs of examples, inputs and labels."""

from __future__ import annotations

from typing import Any

from minigrad import _core
from minigrad._check import integer, number
from minigrad._core import Tensor
from minigrad.augment.base import check_images, draw
from minigrad.nn.functional import one_hot
from minigrad.nn.module import Module
from minigrad.random import next_key

__all__ = ["CutMix", "Mix", "MixUp"]


class Mix(Module):
    """Base of the modules that mix examples: called with inputs and labels, they return both."""

    def __init__(self, alpha: float = 1.0, num_classes: int | None = None) -> None:
        super().__init__()
        self.alpha = number("alpha", alpha, 0.0, open_minimum=True)
        self.num_classes = None if num_classes is None else integer("num_classes", num_classes, 2)

    def soft_targets(self, x: Tensor, y: Tensor) -> Tensor:
        """Class numbers (N,) as probabilities (N, num_classes), in the dtype of float inputs."""
        if y.dtype.kind == "f":
            return y
        if y.ndim != 1:
            raise ValueError(
                f"{type(self).__name__} mixes one class number a row, labels of shape (N,); these "
                f"have {y.shape}"
            )
        if self.num_classes is None:
            raise ValueError(
                f"{type(self).__name__} mixes class numbers as probabilities: give num_classes, or "
                "float targets"
            )
        soft = one_hot(y, self.num_classes)
        return soft.to(x.dtype) if x.dtype.kind == "f" else soft

    def _weights(self, x: Tensor, y: Tensor) -> Tensor:
        """How much of itself each example keeps: Beta(alpha, alpha), float64 (N,)."""
        if x.ndim < 1 or y.ndim < 1 or len(x) != len(y):
            raise ValueError(
                f"{type(self).__name__}: inputs of shape {x.shape} and labels of shape {y.shape} "
                "do not have the same rows"
            )
        return _core.symmetric_beta(next_key(), len(x), self.alpha)

    def mixed(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Mix inputs with float targets."""
        raise NotImplementedError

    def forward(self, x: Tensor, y: Tensor) -> tuple[Any, Any]:
        """Inputs and labels of a batch; in eval mode they come back as they are."""
        if not self.training:
            return x, y
        return self.mixed(x, self.soft_targets(x, y))

    def extra_repr(self) -> str:
        """The settings."""
        return f"alpha={self.alpha}, num_classes={self.num_classes}"


class MixUp(Mix):
    """Blends each example with the one before it in the batch (Zhang et al., 2017), in train mode.

    x = w x[i] + (1 - w) x[i - 1], and the same for the labels, with w from Beta(alpha, alpha). As
    in the paper's formula every pair has its own w (torchvision draws one for the whole batch).

    Args:
        alpha: above 0; small ones keep most examples almost pure, 1 makes all mixtures alike.
        num_classes: of labels that are class numbers: they become probabilities (N, num_classes),
            as `CrossEntropyLoss` takes them; `Trainer(..., mix=)` needs no number. Float targets
            are blended as they are.

    >>> import minigrad as mg
    >>> from minigrad import augment
    >>> x, y = augment.MixUp(0.2, num_classes=3)(mg.rand(4, 1, 8, 8), mg.tensor([0, 2, 1, 1]))
    >>> x.shape, y.shape, y.sum(1).tolist()
    ((4, 1, 8, 8), (4, 3), [1.0, 1.0, 1.0, 1.0])
    """

    def mixed(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs of any shape (N, ...)."""
        weights = self._weights(x, y)
        return _core.mix_rows(x, weights), _core.mix_rows(y, weights)


class CutMix(Mix):
    """Pastes a box of the example before it into each image (Yun et al., 2019), in train mode.

    The box leaves the share w of the image, from Beta(alpha, alpha), has the image's shape and its
    centre anywhere; what sticks out is cut off. Labels are blended by the share that is left.

    Args:
        alpha: above 0; 1 makes all shares alike.
        num_classes: as in `MixUp`.

    >>> import minigrad as mg
    >>> from minigrad import augment
    >>> mix = augment.CutMix(num_classes=2)
    >>> x, y = mix(mg.stack(mg.zeros(1, 6, 6), mg.ones(1, 6, 6)), mg.tensor([0, 1]))
    >>> bool(abs(x.mean((1, 2, 3)) - y[:, 1]).max().item() < 1e-6)
    True
    """

    def mixed(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Images (N, C, H, W)."""
        check_images(self, x)
        images, _, height, width = x.shape
        weights = self._weights(x, y)
        centres = draw([(0.0, 1.0), (0.0, 1.0)], images)
        boxes, weights = _core.cut_boxes(weights, centres, height, width)
        before = _core.concatenate(x[-1:], x[:-1])
        return _core.paste(x, before, boxes), _core.mix_rows(y, weights)
