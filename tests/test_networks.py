"""Whole random networks: hypothesis stacks layers and a loss; their gradients equal differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad import nn

# Smooth, so that differences of the loss are good to many digits.
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
    "softmax": nn.Softmax,
    "dropout": lambda: nn.Dropout(0.4),
}
# Loss, and the targets it takes for outputs of a shape.
LOSSES: dict[str, tuple[nn.Module, Callable[[np.random.Generator, tuple[int, int]], Any]]] = {
    "mse": (nn.MSELoss(), lambda rng, shape: rng.standard_normal(shape)),
    "huber": (nn.HuberLoss(), lambda rng, shape: 3 * rng.standard_normal(shape)),
    "bce": (nn.BCEWithLogitsLoss(), lambda rng, shape: rng.random(shape)),
    "classes": (
        nn.CrossEntropyLoss(label_smoothing=0.1),
        lambda rng, shape: rng.integers(0, shape[1], shape[0]),
    ),
}


@st.composite
def dense(draw: st.DrawFn) -> tuple[list[nn.Module], tuple[int, ...], int]:
    """Layers, the shape of an input row, and how many numbers come out."""
    width = first = draw(st.integers(1, 5))
    layers: list[nn.Module] = []
    for _ in range(draw(st.integers(1, 4))):
        size = draw(st.integers(1, 6))
        layers.append(nn.Linear(width, size, bias=draw(st.booleans())))
        width = size
        if draw(st.booleans()):
            norms = [nn.LayerNorm, nn.BatchNorm1d]
            layers.append(draw(st.sampled_from(norms))(width))
        layers.append(ACTIVATIONS[draw(st.sampled_from(sorted(ACTIVATIONS)))]())
    return layers, (first,), width


@st.composite
def convolutional(draw: st.DrawFn) -> tuple[list[nn.Module], tuple[int, ...], int]:
    channels = draw(st.integers(1, 3))
    side = draw(st.integers(5, 7))
    row = (channels, side, side)
    layers: list[nn.Module] = []
    for _ in range(draw(st.integers(1, 2))):
        size, kernel = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        padding = draw(st.integers(0, 1))
        layers.append(nn.Conv2d(channels, size, kernel, padding=padding))
        side = side + 2 * padding - kernel + 1
        channels = size
        if draw(st.booleans()):
            layers.append(nn.BatchNorm2d(channels))
        layers.append(draw(st.sampled_from([nn.Tanh, nn.SiLU]))())
    if side >= 2:
        layers.append(nn.AvgPool2d(2))
        side //= 2
    layers.append(nn.Flatten())
    return layers, row, channels * side * side


@given(
    network=st.one_of(dense(), convolutional()),
    loss=st.sampled_from(sorted(LOSSES)),
    rows=st.integers(2, 5),
    outputs=st.integers(1, 4),
    seed=st.integers(0, 2**32 - 1),
)
def test_gradients_of_random_networks(
    network: tuple[list[nn.Module], tuple[int, ...], int],
    loss: str,
    rows: int,
    outputs: int,
    seed: int,
) -> None:
    layers, row, width = network
    model = nn.Sequential(*layers, nn.Linear(width, outputs)).double()
    rng = np.random.default_rng(seed)
    for p in model.parameters():  # away from zeros, where a batch norm divides by next to nothing
        p.numpy()[...] = rng.uniform(0.3, 1.0, p.shape) * rng.choice([-1, 1], p.shape)
    x = mg.tensor(rng.standard_normal((rows, *row)), requires_grad=True)
    loss_fn, targets = LOSSES[loss]
    y = mg.tensor(targets(rng, (rows, outputs)))

    def value() -> mg.Tensor:
        mg.seed(seed)  # the same dropout masks each time
        return loss_fn(model(x), y)

    leaves = [x, *model.parameters()]
    directions = [rng.standard_normal(leaf.shape) for leaf in leaves]
    grads = mg.grad(value(), leaves, allow_unused=True)
    slope = sum(
        float((g.numpy() * v).sum())
        for g, v in zip(grads, directions, strict=True)
        if g is not None
    )

    def moved(step: float) -> float:
        before = [leaf.numpy().copy() for leaf in leaves]
        for leaf, v in zip(leaves, directions, strict=True):
            leaf.numpy()[...] += step * v
        found = value().item()
        for leaf, b in zip(leaves, before, strict=True):
            leaf.numpy()[...] = b
        return found

    # Central differences with two steps, and Richardson's extrapolation: an error of step^4.
    coarse, fine = ((moved(h) - moved(-h)) / (2 * h) for h in (2e-4, 1e-4))
    expected = (4 * fine - coarse) / 3
    np.testing.assert_allclose(slope, expected, rtol=1e-4, atol=1e-6 * max(1.0, abs(coarse)))
