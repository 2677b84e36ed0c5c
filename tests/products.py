"""Draws of matrix products: 1-d, 2-d and batched operands that fit."""

from __future__ import annotations

import numpy as np
import references as ref
from draws import Call, Source, grid, real, thinned


def matmul(s: Source) -> Call:
    m, k, n = (s.size() for _ in range(3))
    batches = [shape[-2 if s.scale == 1 else -1 :] for shape in s.broadcasting(2)]
    left = (k,) if s.integer(0, 4) == 0 else (*batches[0], m, k)
    right = (k,) if s.integer(0, 4) == 0 else (*batches[1], k, n)
    return Call((real(s.rng, left), real(s.rng, right)))


def linear(s: Source) -> Call:
    wanted, given = s.size(), s.size()
    x = real(s.rng, (*s.shape(max_rank=2), given))
    bias = real(s.rng, (wanted,)) if s.flag() else None
    return Call((x, real(s.rng, (wanted, given)), bias))


def masked_matmul(s: Source) -> Call:
    call = matmul(s)
    y = thinned(s.rng, np.matmul(*call.inputs).shape)
    return Call((*call.inputs, y), {"scale": s.choice([1.0, 2.0, 1.25])})


def linear_relu(s: Source) -> Call:
    """Nowhere near the kink: multiples of 1/4, and 0.1 or 0.15."""
    wanted, given = s.size(), s.size(low=1)
    x, weight = grid(s.rng, (*s.shape(max_rank=3), given)), grid(s.rng, (wanted, given))
    x[..., 0] = 1
    weight[:, 0] += 0.1
    bias = grid(s.rng, (wanted,)) + 0.05 if s.flag() else None
    return Call((x, weight, bias))


def relu_after(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
    y = ref.linear(x, weight, bias)
    return np.where(y < 0, 0, y)


def linear_weight_grad(s: Source) -> Call:
    batch = s.size()
    return Call((real(s.rng, (batch, s.size())), real(s.rng, (batch, s.size()))))


def layer_sizes(s: Source) -> tuple[int, int, int]:
    """Batch, features and hidden units."""
    return s.size(), s.integer(1, 4), 64 + s.size() * s.scale


def linear_relu_linear(s: Source) -> Call:
    """Nowhere near the kink, as above."""
    batch, features, units = layer_sizes(s)
    x, weight = grid(s.rng, (batch, features)), grid(s.rng, (units, features))
    x[:, 0] = 1
    weight[:, 0] += 0.1
    bias = grid(s.rng, (units,)) + 0.05
    return Call((x, weight, bias, real(s.rng, (1, units)), real(s.rng, (1,))))


def both_layers(
    x: np.ndarray, weight1: np.ndarray, bias1: np.ndarray, weight2: np.ndarray, bias2: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    hidden = x @ weight1.T + bias1
    hidden = np.where(hidden < 0, 0, hidden)
    return hidden @ weight2.T + bias2, hidden


def relu_between(*call: np.ndarray) -> np.ndarray:
    return both_layers(*call)[0]


def linear_relu_linear_grad(s: Source) -> Call:
    batch, features, units = layer_sizes(s)
    g, x, weight2 = (real(s.rng, n) for n in ((batch, 1), (batch, features), (1, units)))
    hidden = thinned(s.rng, (batch, units))
    return Call((g, x, hidden, weight2), {"scale": s.choice([1.0, 2.0, 1.25])})


def slopes_of_both_layers(
    g: np.ndarray, x: np.ndarray, hidden: np.ndarray, weight2: np.ndarray, scale: float
) -> tuple[np.ndarray, ...]:
    back = ref.slope_of_relu_dropout(g @ weight2, hidden, scale)
    return back.T @ x, back.sum(0), g.T @ hidden, g.sum(0)
