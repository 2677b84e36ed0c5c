"""The layers without state as functions, under torch's names.

What a layer does is written here or in the compiled core; the layer's own text has the formula.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minigrad._check import integer, number, one_of
from minigrad._core import (
    Tensor,
    avg_pool2d,
    batch_norm,
    conv2d,
    elu,
    embedding,
    flatten,
    layer_norm,
    leaky_relu,
    linear,
    log_softmax,
    max_pool2d,
    relu,
    selu,
    sigmoid,
    silu,
    softmax,
    tanh,
)
from minigrad._core import gelu as _gelu
from minigrad._core import softplus as _softplus
from minigrad._names import missing
from minigrad.nn.attention import scaled_dot_product_attention
from minigrad.nn.loss_functions import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    l1_loss,
    mse_loss,
    nll_loss,
)
from minigrad.nn.noise import (
    alpha_dropout,
    dropout,
    dropout2d,
    gaussian_noise,
    stochastic_depth,
)
from minigrad.nn.padding import pad
from minigrad.nn.similarity import (
    cosine_similarity,
    normalize,
    pairwise_distance,
    triplet_margin_loss,
)
from minigrad.tensor import eye

__all__ = [
    "alpha_dropout",
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy_with_logits",
    "conv2d",
    "cosine_similarity",
    "cross_entropy",
    "dropout",
    "dropout2d",
    "elu",
    "embedding",
    "flatten",
    "gaussian_noise",
    "gelu",
    "huber_loss",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
    "max_pool2d",
    "mish",
    "mse_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "pairwise_distance",
    "relu",
    "scaled_dot_product_attention",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "stochastic_depth",
    "tanh",
    "triplet_margin_loss",
]


def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    """`x` · Phi(x); approximate="tanh" takes the tanh formula for Phi.

    >>> import minigrad as mg
    >>> from minigrad.nn import functional as F
    >>> round(F.gelu(mg.ones(1)).item(), 4), round(F.gelu(mg.ones(1), "tanh").item(), 4)
    (0.8413, 0.8412)
    """
    return _gelu(x, one_of("approximate", approximate, ("none", "tanh")) == "tanh")


def logsigmoid(x: Tensor) -> Tensor:
    """log(sigmoid(x)), without overflow.

    >>> import minigrad as mg
    >>> from minigrad.nn import functional as F
    >>> F.logsigmoid(mg.tensor([-1000.0])).tolist()
    [-1000.0]
    """
    return -_softplus(-x)


def mish(x: Tensor) -> Tensor:
    """`x` · tanh(log(1 + exp(x))).

    >>> import minigrad as mg
    >>> from minigrad.nn import functional as F
    >>> F.mish(mg.zeros(1)).tolist()
    [0.0]
    """
    return x * tanh(_softplus(x))


def softplus(x: Tensor, beta: float = 1.0) -> Tensor:
    """log(1 + exp(beta x)) / beta, without overflow.

    >>> import minigrad as mg
    >>> from minigrad.nn import functional as F
    >>> round(F.softplus(mg.zeros(1), 2.0).item(), 4)
    0.3466
    """
    if beta == 1:
        return _softplus(x)
    number("beta", beta, 0.0, open_minimum=True)
    return _softplus(x * beta) / beta


def one_hot(indices: Tensor, num_classes: int) -> Tensor:
    """Rows of the identity matrix: int64 (...,) -> float32 (..., num_classes).

    >>> import minigrad as mg
    >>> from minigrad.nn import functional as F
    >>> F.one_hot(mg.tensor([2, 0]), 3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    return embedding(indices, eye(integer("num_classes", num_classes, 1)))


if not TYPE_CHECKING:  # which would then know of no missing name

    def __getattr__(name: str) -> Any:
        raise missing(__name__, name)
