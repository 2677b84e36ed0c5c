"""Layers, losses, penalties: PyTorch's names and semantics on minigrad's tensors."""

from typing import TYPE_CHECKING, Any

from minigrad._names import missing
from minigrad.nn import functional, init, selection
from minigrad.nn.activation import (
    ELU,
    GELU,
    SELU,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from minigrad.nn.constraint import MaxNorm
from minigrad.nn.container import ModuleDict, ModuleList, ParameterList, Sequential
from minigrad.nn.conv import Conv2d
from minigrad.nn.conv_transpose import ConvTranspose2d
from minigrad.nn.dropout import AlphaDropout, Dropout, Dropout2d, GaussianNoise, StochasticDepth
from minigrad.nn.embedding import Embedding
from minigrad.nn.linear import Linear
from minigrad.nn.loss import (
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HuberLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
)
from minigrad.nn.module import Module
from minigrad.nn.norm import BatchNorm1d, BatchNorm2d, GroupNorm, LayerNorm
from minigrad.nn.parameter import Parameter
from minigrad.nn.penalty import L1, L1L2, L2, Penalty
from minigrad.nn.pooling import AdaptiveAvgPool2d, AvgPool2d, MaxPool2d
from minigrad.nn.shape import Flatten, Identity, Unflatten, Upsample
from minigrad.nn.similarity import CosineSimilarity, TripletMarginLoss
from minigrad.nn.state import LoadResult

__all__ = [
    "ELU",
    "GELU",
    "L1",
    "L1L2",
    "L2",
    "SELU",
    "AdaptiveAvgPool2d",
    "AlphaDropout",
    "AvgPool2d",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "Conv2d",
    "ConvTranspose2d",
    "CosineSimilarity",
    "CrossEntropyLoss",
    "Dropout",
    "Dropout2d",
    "Embedding",
    "Flatten",
    "GaussianNoise",
    "GroupNorm",
    "HuberLoss",
    "Identity",
    "L1Loss",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LoadResult",
    "LogSigmoid",
    "LogSoftmax",
    "MSELoss",
    "MaxNorm",
    "MaxPool2d",
    "Mish",
    "Module",
    "ModuleDict",
    "ModuleList",
    "NLLLoss",
    "PReLU",
    "Parameter",
    "ParameterList",
    "Penalty",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "StochasticDepth",
    "Tanh",
    "TripletMarginLoss",
    "Unflatten",
    "Upsample",
    "functional",
    "init",
    "selection",
]


if not TYPE_CHECKING:  # which would then know of no missing name

    def __getattr__(name: str) -> Any:
        raise missing(__name__, name)
