"""Losses as functions.

`reduction` is "mean", "sum" or "none" (one value per element or example).
"""

from __future__ import annotations

from minigrad import _core
from minigrad._check import number, one_of, probability
from minigrad._core import Tensor

__all__ = [
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "huber_loss",
    "l1_loss",
    "mse_loss",
    "reduction_code",
]

_REDUCTIONS = ("none", "mean", "sum")  # in the order of the core's codes


def reduction_code(reduction: str) -> int:
    """The core's number for a reduction."""
    return _REDUCTIONS.index(one_of("reduction", reduction, _REDUCTIONS))


def mse_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """(input - target)^2 of tensors of one shape.

    >>> import minigrad as mg
    >>> from minigrad.nn import functional as F
    >>> F.mse_loss(mg.tensor([1.0, 2.0]), mg.tensor([1.0, 4.0])).item()
    2.0
    """
    return _core.mse_loss(input, target, reduction=reduction_code(reduction))


def l1_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """|input - target| of tensors of one shape.

    >>> import minigrad as mg
    >>> from minigrad.nn import functional as F
    >>> F.l1_loss(mg.tensor([1.0, 2.0]), mg.tensor([1.0, 4.0]), "sum").item()
    2.0
    """
    return _core.l1_loss(input, target, reduction=reduction_code(reduction))


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0
) -> Tensor:
    """d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2), for d = input - target.

    >>> import minigrad as mg
    >>> from minigrad.nn import functional as F
    >>> F.huber_loss(mg.tensor([1.0, 3.0]), mg.zeros(2), "none").tolist()
    [0.5, 2.5]
    """
    number("delta", delta, 0.0, open_minimum=True)
    return _core.huber_loss(input, target, delta=delta, reduction=reduction_code(reduction))


def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, *, reduction: str = "mean", pos_weight: Tensor | None = None
) -> Tensor:
    """-y log s - (1 - y) log(1 - s), s = sigmoid(input), y = target in [0, 1], without overflow.

    `pos_weight` multiplies the first term, and broadcasts.

    >>> import minigrad as mg
    >>> from minigrad.nn import functional as F
    >>> weight = mg.tensor([3.0])
    >>> loss = F.binary_cross_entropy_with_logits(mg.zeros(2), mg.ones(2), pos_weight=weight)
    >>> round(loss.item(), 4)
    2.0794
    """
    code = reduction_code(reduction)
    if pos_weight is None:
        return _core.binary_cross_entropy_with_logits(input, target, reduction=code)
    # log(1 - s) = -x - softplus(-x) and log s = -softplus(-x).
    loss = (1 - target) * input + (1 + (pos_weight - 1) * target) * _core.softplus(-input)
    return _reduce(loss, reduction)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-log softmax(input)[target] for logits (N, C) or (N, C, ...) and int64 classes (N, ...).

    A floating target of the logits' shape holds the probability of each class instead. `weight`
    (C,) weighs the classes; the mean is then the weighted mean, as in PyTorch. `label_smoothing` e
    puts e / C on every class and 1 - e more on the target.

    >>> import minigrad as mg
    >>> from minigrad.nn import functional as F
    >>> round(F.cross_entropy(mg.zeros(1, 4), mg.tensor([2])).item(), 4)
    1.3863
    """
    probability("label_smoothing", label_smoothing)
    code = reduction_code(reduction)
    if weight is None:
        return _core.cross_entropy(input, target, label_smoothing=label_smoothing, reduction=code)
    if target.dtype.kind != "i":
        raise TypeError(f"class weights need int64 classes as targets, got {target.dtype}")
    each = _core.cross_entropy(input, target, reduction=reduction_code("none"))
    if weight.shape != (input.shape[1],):
        raise ValueError(f"weight has shape {weight.shape}; there are {input.shape[1]} classes")
    share = _core.take(weight, target, 0)
    loss = each * share
    if label_smoothing:
        along = weight.reshape((-1, *[1] * (input.ndim - 2)))
        smooth = (_core.log_softmax(input, 1) * along).sum(1) * (-1 / input.shape[1])
        loss = loss * (1 - label_smoothing) + smooth * label_smoothing
    return loss.sum() / share.sum() if reduction == "mean" else _reduce(loss, reduction)


def _reduce(loss: Tensor, reduction: str) -> Tensor:
    if reduction == "none":
        return loss
    return loss.mean() if reduction == "mean" else loss.sum()
