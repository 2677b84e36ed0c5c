"""How alike vectors are: distances, cosines, and the losses made of them."""

from __future__ import annotations

from minigrad import _core
from minigrad._check import integer, number
from minigrad._core import Tensor
from minigrad.nn.loss_functions import reduce, reduction_code
from minigrad.nn.module import Module

__all__ = [
    "CosineSimilarity",
    "TripletMarginLoss",
    "cosine_similarity",
    "normalize",
    "pairwise_distance",
    "triplet_margin_loss",
]


def normalize(x: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """x / max(|x|, eps) along a dimension: vectors of length 1.

    |x| is the root of the sum of squares, or for p = 1 the sum of absolute values. A vector of
    zeros stays zeros.

    >>> import minigrad as mg
    >>> from minigrad.nn import functional as F
    >>> F.normalize(mg.tensor([[3.0, 4.0]])).tolist() == mg.tensor([[0.6, 0.8]]).tolist()
    True
    """
    if _one(p):
        return x / x.abs().sum(dim, True).clip(number("eps", eps, 0.0))
    return x / _length(x, dim, eps)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1 · x2 / (max(|x1|, eps) max(|x2|, eps)) along a dimension, which vanishes; in [-1, 1].

    >>> import minigrad as mg
    >>> from minigrad.nn import functional as F
    >>> F.cosine_similarity(mg.tensor([[1.0, 0.0]]), mg.tensor([[0.0, 2.0]])).tolist()
    [0.0]
    """
    return (x1 / _length(x1, dim, eps) * (x2 / _length(x2, dim, eps))).sum(dim)


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """sum(|x1 - x2 + eps|^p)^(1/p) along the last dimension, as in torch; p is 1 or 2.

    `eps` keeps the gradient of equal vectors finite.

    >>> import minigrad as mg
    >>> from minigrad.nn import functional as F
    >>> round(F.pairwise_distance(mg.zeros(1, 2), mg.tensor([[3.0, 4.0]])).item(), 3)
    5.0
    """
    difference = x1 - x2 + number("eps", eps, 0.0)
    if _one(p):
        return difference.abs().sum(-1, keepdim)
    return (difference * difference).sum(-1, keepdim).sqrt()


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """max(d(anchor, positive) - d(anchor, negative) + margin, 0), d the pairwise distance.

    >>> import minigrad as mg
    >>> from minigrad.nn import functional as F
    >>> round(F.triplet_margin_loss(mg.zeros(1, 2), mg.zeros(1, 2), mg.zeros(1, 2)).item(), 3)
    1.0
    """
    near = pairwise_distance(anchor, positive, p, eps)
    far = pairwise_distance(anchor, negative, p, eps)
    return reduce(_core.relu(near - far + number("margin", margin)), reduction)


def _one(p: float) -> bool:
    if p not in (1, 2):
        raise ValueError(f"p must be 1 or 2, got {p!r}")
    return p == 1


def _length(x: Tensor, dim: int, eps: float) -> Tensor:
    """The length, no less than eps; where it is less the gradient is 0, never NaN."""
    return (x * x).sum(dim, True).clip(number("eps", eps, 0.0) ** 2).sqrt()


class CosineSimilarity(Module):
    """The cosine of the angle between vectors along `dim`; see `functional.cosine_similarity`.

    Args:
        dim: the dimension of the vectors, which vanishes.
        eps: lengths count as no less.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.CosineSimilarity()(mg.ones(1, 2), mg.ones(1, 2)).round().tolist()
    [1.0]
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = integer("dim", dim)
        self.eps = number("eps", eps, 0.0)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Two tensors that broadcast."""
        return cosine_similarity(x1, x2, self.dim, self.eps)


class TripletMarginLoss(Module):
    """max(d(anchor, positive) - d(anchor, negative) + margin, 0); see `triplet_margin_loss`.

    Args:
        margin: by how much the negative must be farther away.
        p: of the distance, 1 or 2.
        eps: added to differences.
        reduction: "mean", "sum" or "none".

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> round(nn.TripletMarginLoss()(mg.zeros(1, 2), mg.zeros(1, 2), mg.ones(1, 2)).item(), 3)
    0.0
    """

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, reduction: str = "mean"
    ) -> None:
        super().__init__()
        _one(p)
        reduction_code(reduction)
        self.margin, self.p = number("margin", margin), p
        self.eps, self.reduction = number("eps", eps, 0.0), reduction

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Three tensors (N, features)."""
        return triplet_margin_loss(
            anchor, positive, negative, self.margin, self.p, self.eps, self.reduction
        )
