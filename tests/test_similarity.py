"""Distances, cosines and attention, by their formulas in numpy."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn import functional as F

RNG = np.random.default_rng(0)
A, B, C = RNG.standard_normal((3, 6, 4))


def t(x, requires_grad=False):
    return mg.tensor(x, requires_grad=requires_grad)


def distance(x, y, p=2):
    return (np.abs(x - y + 1e-6) ** p).sum(-1) ** (1 / p)


def test_lengths_and_cosines():
    length = np.sqrt((A**2).sum(1, keepdims=True))
    np.testing.assert_allclose(F.normalize(t(A)).numpy(), A / length, rtol=1e-12)
    by_sum = A / np.abs(A).sum(0, keepdims=True)
    np.testing.assert_allclose(F.normalize(t(A), 1, 0).numpy(), by_sum, rtol=1e-12)
    cosine = (A * B).sum(1) / length[:, 0] / np.sqrt((B**2).sum(1))
    np.testing.assert_allclose(F.cosine_similarity(t(A), t(B)).numpy(), cosine, rtol=1e-12)
    assert nn.CosineSimilarity(0)(t(A), t(B)).shape == (4,)
    with pytest.raises(ValueError, match="p must be 1 or 2"):
        F.normalize(t(A), 3)


def test_a_vector_of_zeros_has_finite_gradients():
    zeros = t(np.zeros((1, 3)), True)
    for loss in (F.normalize(zeros).sum(), F.cosine_similarity(zeros, t(A[:1, :3])).sum()):
        (gradient,) = mg.grad(loss, [zeros])
        assert np.isfinite(gradient.numpy()).all()
    (gradient,) = mg.grad(F.pairwise_distance(zeros, t(np.zeros((1, 3)))).sum(), [zeros])
    assert np.isfinite(gradient.numpy()).all()


@pytest.mark.parametrize("p", [1, 2])
def test_distances_and_triplets(p):
    found = F.pairwise_distance(t(A), t(B), p)
    np.testing.assert_allclose(found.numpy(), distance(A, B, p), rtol=1e-12)
    wanted = np.maximum(distance(A, B, p) - distance(A, C, p) + 0.5, 0)
    each = F.triplet_margin_loss(t(A), t(B), t(C), 0.5, p, reduction="none")
    np.testing.assert_allclose(each.numpy(), wanted, rtol=1e-12)
    assert 0 < (wanted > 0).mean() < 1, "some beyond the margin"
    layer = nn.TripletMarginLoss(0.5, p)
    assert layer(t(A), t(B), t(C)).item() == pytest.approx(wanted.mean())


@pytest.mark.parametrize("kind", ["plain", "causal", "bool", "added"])
def test_attention(kind):
    query, key = RNG.standard_normal((2, 2, 3, 5, 4))
    value = RNG.standard_normal((2, 3, 5, 7))
    scores = query @ key.swapaxes(-1, -2) / 2
    mask = np.tri(5, dtype=bool)
    options = {}
    if kind == "causal":
        options = {"is_causal": True}
    elif kind == "bool":
        options = {"attn_mask": t(mask)}
    elif kind == "added":
        options = {"attn_mask": t(np.where(mask, 0, -1e30))}
    if options:
        scores = np.where(mask, scores, -np.inf)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    wanted = weights / weights.sum(-1, keepdims=True) @ value
    inputs = [t(x, True) for x in (query, key, value)]
    found = F.scaled_dot_product_attention(*inputs, **options)
    np.testing.assert_allclose(found.detach().numpy(), wanted, rtol=1e-12)
    found.sum().backward()
    assert all(np.isfinite(x.grad.numpy()).all() for x in inputs)


def test_attention_drops_and_refuses():
    x = t(A)
    mg.seed(0)
    assert not np.array_equal(
        F.scaled_dot_product_attention(x, x, x, dropout_p=0.5).numpy(),
        F.scaled_dot_product_attention(x, x, x).numpy(),
    )
    with pytest.raises(ValueError, match="attn_mask or is_causal, not both"):
        F.scaled_dot_product_attention(x, x, x, t(np.ones((6, 6), bool)), is_causal=True)


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: nn.TripletMarginLoss(reduction="all"), ValueError, "reduction must be one of"),
        (lambda: nn.TripletMarginLoss(p=3), ValueError, "p must be 1 or 2, got 3"),
        (lambda: nn.CosineSimilarity(dim=1.5), TypeError, "dim must be an integer"),
    ],
)
def test_wrong_options_are_named_when_a_layer_is_made(make, error, match):
    with pytest.raises(error, match=match):
        make()
