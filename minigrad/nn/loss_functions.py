"""Losses as functions.

`reduction` is "mean", "sum" or "none" (one value per element or example). `sample_weight` (N,)
weighs the examples: the mean is then the weighted mean sum(w l) / sum(w), so that the scale of the
weights does not matter (torch's mse_loss and scikit-learn do so; Keras divides by N instead).
Weights that are all 0 give 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad import _core
from minigrad._check import number, one_of, probability
from minigrad._core import Tensor
from minigrad.tensor import arange, full

__all__ = [
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "huber_loss",
    "l1_loss",
    "mse_loss",
    "nll_loss",
    "reduce",
    "reduction_code",
]

_TINY = 1e-30  # in place of a sum of weights that is 0
_REDUCTIONS = ("none", "mean", "sum")  # in the order of the core's codes


def reduction_code(reduction: str) -> int:
    """The core's number for a reduction."""
    return _REDUCTIONS.index(one_of("reduction", reduction, _REDUCTIONS))


def mse_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    sample_weight: Tensor | None = None,
) -> Tensor:
    """(input - target)^2 of tensors of one shape.

    >>> import minigrad as mg
    >>> from minigrad.nn import functional as F
    >>> x, y = mg.tensor([1.0, 2.0]), mg.tensor([1.0, 4.0])
    >>> F.mse_loss(x, y).item(), F.mse_loss(x, y, sample_weight=mg.tensor([3.0, 1.0])).item()
    (2.0, 1.0)
    """
    return _reduced(_core.mse_loss, input, target, reduction, sample_weight)


def l1_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    sample_weight: Tensor | None = None,
) -> Tensor:
    """|input - target| of tensors of one shape.

    >>> import minigrad as mg
    >>> from minigrad.nn import functional as F
    >>> F.l1_loss(mg.tensor([1.0, 2.0]), mg.tensor([1.0, 4.0]), "sum").item()
    2.0
    """
    return _reduced(_core.l1_loss, input, target, reduction, sample_weight)


def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    sample_weight: Tensor | None = None,
) -> Tensor:
    """d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2), for d = input - target.

    >>> import minigrad as mg
    >>> from minigrad.nn import functional as F
    >>> F.huber_loss(mg.tensor([1.0, 3.0]), mg.zeros(2), "none").tolist()
    [0.5, 2.5]
    """
    number("delta", delta, 0.0, open_minimum=True)
    return _reduced(_core.huber_loss, input, target, reduction, sample_weight, delta=delta)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    *,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
    sample_weight: Tensor | None = None,
) -> Tensor:
    """-y log s - (1 - y) log(1 - s), s = sigmoid(input), y = target in [0, 1], without overflow.

    `pos_weight` multiplies the first term, and broadcasts to the shape of input and target.

    >>> import minigrad as mg
    >>> from minigrad.nn import functional as F
    >>> weight = mg.tensor([3.0])
    >>> loss = F.binary_cross_entropy_with_logits(mg.zeros(2), mg.ones(2), pos_weight=weight)
    >>> round(loss.item(), 4)
    2.0794
    """
    if pos_weight is None:
        op = _core.binary_cross_entropy_with_logits
        return _reduced(op, input, target, reduction, sample_weight)
    reduction_code(reduction)
    # log(1 - s) = -x - softplus(-x) and log s = -softplus(-x).
    loss = (1 - target) * input + (1 + (pos_weight - 1) * target) * _core.softplus(-input)
    if not input.shape == target.shape == loss.shape:
        raise ValueError(
            f"binary_cross_entropy_with_logits: the input has shape {input.shape}, the target "
            f"{target.shape}, pos_weight {getattr(pos_weight, 'shape', ())}; the first two must be "
            "equal, and pos_weight one number or one for each of their columns"
        )
    return (
        reduce(loss, reduction)
        if sample_weight is None
        else _weighted(loss, sample_weight, reduction)
    )


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    sample_weight: Tensor | None = None,
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
    reduction_code(reduction)
    if weight is None:
        op, smoothing = _core.cross_entropy, label_smoothing
        return _reduced(op, input, target, reduction, sample_weight, label_smoothing=smoothing)
    if target.dtype.kind != "i":
        raise TypeError(f"class weights need int64 classes as targets, got {target.dtype}")
    each = _core.cross_entropy(input, target, reduction=reduction_code("none"))
    _check_class_weights(weight, input)
    share = _core.take(weight, target, 0)
    loss = each * share
    if label_smoothing:
        along = weight.reshape((-1, *[1] * (input.ndim - 2)))
        smooth = (_core.log_softmax(input, 1) * along).sum(1) * (-1 / input.shape[1])
        loss = loss * (1 - label_smoothing) + smooth * label_smoothing
    if sample_weight is not None:
        return _weighted(loss, sample_weight, reduction, share)
    return loss.sum() / share.sum() if reduction == "mean" else reduce(loss, reduction)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
    sample_weight: Tensor | None = None,
) -> Tensor:
    """-input[target] for logs of probabilities (N, C) or (N, C, ...), int64 classes (N, ...).

    `cross_entropy` of logits is `nll_loss` of their `log_softmax`. `weight` as there.

    >>> import minigrad as mg
    >>> from minigrad.nn import functional as F
    >>> F.nll_loss(mg.tensor([[-1.0, -2.0]]), mg.tensor([1])).item()
    2.0
    """
    if target.dtype.kind != "i":
        raise TypeError(f"nll_loss takes int64 classes as targets, got {target.dtype}")
    if input.ndim < 2 or target.shape != (input.shape[0], *input.shape[2:]):
        raise ValueError(
            f"nll_loss: input (N, C, ...) has shape {input.shape}, target (N, ...) {target.shape}"
        )
    reduction_code(reduction)
    if weight is not None:
        _check_class_weights(weight, input)
    # As cross_entropy does, so that a class outside [0, C) is the same error.
    share = _core.take(
        full((input.shape[1],), 1.0, input.dtype) if weight is None else weight,
        _core.check_indices(target, input.shape[1]),
        0,
    )
    classes = arange(input.shape[1]).reshape(-1, *[1] * (input.ndim - 2))
    chosen = target.unsqueeze(1) == classes
    loss = -_core.where(chosen, input, 0.0).sum(1) * share
    if sample_weight is not None:
        return _weighted(loss, sample_weight, reduction, share)
    return loss.sum() / share.sum() if reduction == "mean" else reduce(loss, reduction)


def _check_class_weights(weight: Tensor, input: Tensor) -> None:
    if weight.shape != (input.shape[1],):
        raise ValueError(f"weight has shape {weight.shape}; there are {input.shape[1]} classes")


def _reduced(
    op: Callable[..., Tensor],
    input: Tensor,
    target: Tensor,
    reduction: str,
    sample_weight: Tensor | None,
    **options: Any,
) -> Tensor:
    """A loss of the core, which itself knows reductions but no weights."""
    code = reduction_code(reduction)
    if sample_weight is None:
        return op(input, target, reduction=code, **options)
    each = op(input, target, reduction=reduction_code("none"), **options)
    return _weighted(each, sample_weight, reduction)


def _weighted(
    each: Tensor, sample_weight: Tensor, reduction: str, share: Tensor | None = None
) -> Tensor:
    """Losses (N, ...) reduced with a weight a row; `share` is what each weighs already."""
    if each.ndim == 0 or sample_weight.shape != each.shape[:1]:
        raise ValueError(
            f"sample_weight has shape {sample_weight.shape}, expected one weight for each of the "
            f"rows of losses of shape {each.shape}"
        )
    row = sample_weight.to(each.dtype).reshape((-1, *[1] * (each.ndim - 1)))
    weighed = each * row
    if reduction != "mean":
        return reduce(weighed, reduction)
    total = row.sum() * (each.numel() // len(each)) if share is None else (share * row).sum()
    return weighed.sum() / total.maximum(_TINY)


def reduce(loss: Tensor, reduction: str) -> Tensor:
    """The mean or the sum of losses, or for "none" the losses; other names are a ValueError."""
    one_of("reduction", reduction, _REDUCTIONS)
    if reduction == "none":
        return loss
    return loss.mean() if reduction == "mean" else loss.sum()
