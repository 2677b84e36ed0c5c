"""Losses as modules. The mean over all elements or examples unless `reduction` says otherwise.

Called with a third tensor, `sample_weight` (N,), they weigh the examples: the mean is then
sum(w l) / sum(w).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad._check import number, probability
from minigrad._core import Tensor
from minigrad._names import hinting
from minigrad.nn import loss_functions as F
from minigrad.nn.module import Module
from minigrad.tensor import tensor

__all__ = ["BCEWithLogitsLoss", "CrossEntropyLoss", "HuberLoss", "L1Loss", "MSELoss", "NLLLoss"]


class _Loss(Module):
    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        F.reduction_code(reduction)
        self.reduction = reduction

    def extra_repr(self) -> str:
        """The reduction, where it is not the default."""
        return "" if self.reduction == "mean" else f"reduction={self.reduction!r}"


class MSELoss(_Loss):
    """Mean squared error: the mean of (input - target)^2, in the target's unit squared.

    Args:
        reduction: "mean", "sum", or "none" for one value per element.

    Raises:
        ValueError: if the two shapes differ; they are not broadcast.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.MSELoss()(mg.tensor([1.0, 2.0]), mg.tensor([1.0, 4.0])).item()
    2.0
    """

    def forward(self, input: Tensor, target: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Two tensors of one shape, and weights (N,) if any -> a scalar."""
        return F.mse_loss(input, target, self.reduction, sample_weight)


class L1Loss(_Loss):
    """Mean absolute error: the mean of |input - target|, in the target's unit.

    Args:
        reduction: "mean", "sum", or "none" for one value per element.

    Raises:
        ValueError: if the two shapes differ; they are not broadcast.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.L1Loss()(mg.tensor([1.0, 2.0]), mg.tensor([1.0, 4.0])).item()
    1.0
    """

    def forward(self, input: Tensor, target: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Two tensors of one shape, and weights (N,) if any -> a scalar."""
        return F.l1_loss(input, target, self.reduction, sample_weight)


class HuberLoss(_Loss):
    """Squared near 0, absolute beyond delta, so that outliers pull less (Huber, 1964).

    d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2), for d = input - target.

    Args:
        reduction: "mean", "sum", or "none" for one value per element.
        delta: where the two parts meet, in the target's unit, above 0.

    Raises:
        ValueError: if the two shapes differ; they are not broadcast.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.HuberLoss(reduction="none")(mg.tensor([1.0, 3.0]), mg.zeros(2)).tolist()
    [0.5, 2.5]
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = number("delta", delta, 0.0, open_minimum=True)

    def forward(self, input: Tensor, target: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Two tensors of one shape, and weights (N,) if any -> a scalar."""
        return F.huber_loss(input, target, self.reduction, self.delta, sample_weight)


class BCEWithLogitsLoss(_Loss):
    """Binary cross-entropy of logits, in nats: sigmoid and loss in one, without overflow.

    -pos_weight · y log s - (1 - y) log(1 - s), where s = sigmoid(input) and y = target in [0, 1].

    Args:
        reduction: "mean", "sum", or "none" for one value per element.
        pos_weight: weighs the positive class; a number or an array that broadcasts.

    Raises:
        ValueError: if the two shapes differ; they are not broadcast.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> round(nn.BCEWithLogitsLoss()(mg.zeros(2, 1), mg.tensor([[0.0], [1.0]])).item(), 4)
    0.6931
    """

    pos_weight: Tensor | None

    def __init__(self, *, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction)
        self.register_buffer("pos_weight", _weight("pos_weight", pos_weight))

    def forward(self, input: Tensor, target: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Logits and targets of one shape, and weights (N,) if any -> a scalar."""
        return F.binary_cross_entropy_with_logits(
            input,
            target,
            reduction=self.reduction,
            pos_weight=self.pos_weight,
            sample_weight=sample_weight,
        )


class CrossEntropyLoss(_Loss):
    """Cross-entropy of logits (N, C) and int64 classes (N,), in nats: softmax and loss in one.

    Also for (N, C, ...) and (N, ...), and for floating targets of the logits' shape, which hold the
    probability of each class.

    Args:
        weight: (C,) weighs the classes; the mean is then the weighted mean, as in PyTorch.
        reduction: "mean", "sum", or "none" for one value per example.
        label_smoothing: e in [0, 1] puts e / C on every class and 1 - e more on the right one
            (Szegedy et al., 2016).

    Raises:
        ValueError: in the call, for shapes that do not fit or a class outside [0, C).

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> round(nn.CrossEntropyLoss()(mg.zeros(1, 4), mg.tensor([2])).item(), 4)
    1.3863
    """

    weight: Tensor | None

    @hinting
    def __init__(
        self, weight: Any = None, *, reduction: str = "mean", label_smoothing: float = 0.0
    ) -> None:
        super().__init__(reduction)
        self.label_smoothing = probability("label_smoothing", label_smoothing)
        weights = _weight("weight", weight)
        if weights is not None and weights.ndim != 1:
            raise ValueError(f"weight must have shape (C,), got {weights.shape}")
        self.register_buffer("weight", weights)

    def forward(self, input: Tensor, target: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Logits (N, C), classes (N,), and weights (N,) if any -> a scalar."""
        return F.cross_entropy(
            input,
            target,
            self.weight,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
            sample_weight=sample_weight,
        )

    def extra_repr(self) -> str:
        """What is not the default."""
        parts = [super().extra_repr()]
        if self.label_smoothing:
            parts.append(f"label_smoothing={self.label_smoothing}")
        return ", ".join(filter(None, parts))


class NLLLoss(_Loss):
    """Negative log-likelihood of logs of probabilities (N, C) and int64 classes (N,), in nats.

    The last layer is nn.LogSoftmax(1); without it nn.CrossEntropyLoss is the same in one op.

    Args:
        weight: (C,) weighs the classes; the mean is then the weighted mean, as in PyTorch.
        reduction: "mean", "sum", or "none" for one value per example.

    Raises:
        ValueError, IndexError: in the call, for shapes that do not fit or a class outside [0, C).

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.NLLLoss()(mg.tensor([[-1.0, -2.0]]), mg.tensor([1])).item()
    2.0
    """

    weight: Tensor | None

    def __init__(self, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", _weight("weight", weight))

    def forward(self, input: Tensor, target: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Logs of probabilities (N, C), classes (N,), and weights (N,) if any -> a scalar."""
        return F.nll_loss(
            input, target, self.weight, reduction=self.reduction, sample_weight=sample_weight
        )


def _weight(name: str, value: Any) -> Tensor | None:
    if value is None:
        return None
    array = np.asarray(value.detach() if isinstance(value, Tensor) else value)
    array = array.astype(np.float32) if array.dtype != np.float64 or not _typed(value) else array
    if not np.isfinite(array).all() or (array < 0).any():
        raise ValueError(f"{name} must be finite and not negative, got {array.tolist()}")
    return tensor(array)


def _typed(value: Any) -> bool:
    return hasattr(value, "dtype")
