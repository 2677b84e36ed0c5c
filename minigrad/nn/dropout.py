"""Random layers: active in train mode, the identity in eval mode.

Each call in train mode draws one key from minigrad's generator, so that `mg.seed` repeats a run.
"""

from __future__ import annotations

from minigrad._check import number, one_of, probability
from minigrad._core import Tensor
from minigrad.nn import noise
from minigrad.nn.module import Module

__all__ = ["AlphaDropout", "Dropout", "Dropout2d", "GaussianNoise", "StochasticDepth"]


class _Dropout(Module):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = probability("p", p)

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}"


class Dropout(_Dropout):
    """Zeroes each element with probability p and scales the rest by 1 / (1 - p).

    So that the expected value stays (Srivastava et al., 2014). p = 1 gives zeros.

    Args:
        p: probability of zero, in [0, 1].

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> layer = nn.Dropout(0.5)
    >>> sorted(set(layer(mg.ones(100)).tolist()))
    [0.0, 2.0]
    >>> layer.eval()(mg.ones(2)).tolist()
    [1.0, 1.0]
    """

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return noise.dropout(x, self.p, self.training)


class Dropout2d(_Dropout):
    """Zeroes whole channels of (N, C, H, W) with probability p (Tompson et al., 2015).

    Neighbouring pixels carry the same information, so that dropping single ones does little.

    Args:
        p: probability of a zero channel, in [0, 1]; the others are scaled by 1 / (1 - p).

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> sums = nn.Dropout2d(0.5)(mg.ones(4, 8, 2, 2)).sum((2, 3))
    >>> set(sums.reshape(-1).tolist()) <= {0.0, 8.0}
    True
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, ...), and the same out."""
        return noise.dropout2d(x, self.p, self.training)


class AlphaDropout(_Dropout):
    """Dropout that goes with SELU: mean 0 and variance 1 stay (Klambauer et al., 2017).

    Dropped elements become SELU's minimum alpha' = -1.7581 instead of 0; then y = a x + b with
    a = ((1 - p) (1 + p alpha'^2))^(-1/2) and b = -a p alpha'.

    Args:
        p: probability of being dropped, in [0, 1].

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> abs(nn.AlphaDropout(0.2)(mg.zeros(10000)).mean().item()) < 0.1
    True
    """

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return noise.alpha_dropout(x, self.p, self.training)


class GaussianNoise(Module):
    """Adds normal noise of mean 0 (Keras' GaussianNoise); at the input it acts like an L2 penalty.

    (Bishop, Training with noise is equivalent to Tikhonov regularization, 1995.)

    Args:
        std: standard deviation of the noise, in units of the input, at least 0.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> layer = nn.GaussianNoise(0.1)
    >>> layer(mg.zeros(3)).tolist() == [0.0, 0.0, 0.0], layer.eval()(mg.zeros(1)).tolist()
    (False, [0.0])
    """

    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = number("std", std, 0.0)

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return noise.gaussian_noise(x, self.std, self.training)

    def extra_repr(self) -> str:
        """The deviation."""
        return f"std={self.std}"


class StochasticDepth(_Dropout):
    """Drops a whole residual branch, for each example by itself (Huang et al., 2016).

    Put it at the end of the branch: x + StochasticDepth(0.2)(branch(x)). Kept branches are scaled
    by 1 / (1 - p), as in torchvision.

    Args:
        p: probability of dropping the branch, in [0, 1].
        mode: "row" draws for each example, "batch" once for all.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> rows = nn.StochasticDepth(0.5)(mg.ones(8, 3)).sum(1)
    >>> set(rows.tolist()) <= {0.0, 6.0}
    True
    """

    def __init__(self, p: float, mode: str = "row") -> None:
        super().__init__(p)
        self.mode = one_of("mode", mode, ("row", "batch"))

    def forward(self, x: Tensor) -> Tensor:
        """(N, ...), and the same out."""
        return noise.stochastic_depth(x, self.p, self.mode, self.training)

    def extra_repr(self) -> str:
        """The settings."""
        return f"p={self.p}, mode={self.mode!r}"
