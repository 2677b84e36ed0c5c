"""Losses and normalisations: known values, extremes, threads, running statistics, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import _core
from minigrad.nn import functional as F

NONE, MEAN, SUM = 0, 1, 2
PAIRS = ["binary_cross_entropy_with_logits", "mse_loss", "l1_loss", "huber_loss"]


def draw(*shape: int, seed: int = 0, dtype: Any = np.float32) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, shape).astype(dtype)


@pytest.mark.parametrize("name", PAIRS)
def test_the_sum_of_a_loss_is_the_sum_of_its_elements_to_the_bit(name: str) -> None:
    loss = getattr(_core, name)
    x, t = mg.tensor(draw(37, 600)), mg.tensor(np.abs(draw(37, 600, seed=1)) % 1)
    each = loss(x, t, reduction=NONE)
    results = []
    for threads in (1, 2, 3):
        before = mg.get_num_threads()
        mg.set_num_threads(threads)
        results.append([loss(x, t, reduction=r).item() for r in (MEAN, SUM)])
        mg.set_num_threads(before)
    assert results[0] == results[1] == results[2]
    assert results[0] == [each.mean().item(), each.sum().item()]


def test_binary_cross_entropy_at_extremes() -> None:
    x = mg.tensor(np.array([1000, -1000, 1000, -1000, 0, 80], np.float32), requires_grad=True)
    t = mg.tensor(np.array([1, 0, 0, 1, 0.5, 1], np.float32))
    loss = _core.binary_cross_entropy_with_logits(x, t, NONE)
    np.testing.assert_allclose(loss.numpy(), [0, 0, 1000, 1000, np.log(2), np.exp(-80)], rtol=1e-5)
    loss.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [0, 0, 1, -1, 0, 0], atol=3e-30)


def test_cross_entropy_at_extremes() -> None:
    x = mg.tensor(np.array([[1000, 0], [0, 1000], [-np.inf, 0]], np.float32), requires_grad=True)
    loss = F.cross_entropy(x, mg.tensor([0, 0, 1]), reduction="none")
    assert loss.tolist() == [0, 1000, 0]
    loss.sum().backward()
    assert x.grad.tolist() == [[0, 0], [-1, 1], [0, 0]]


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("shape", [(6,), (5, 6), (2, 6, 3), (2, 6, 3, 2)])
def test_labels_are_probabilities_of_one(shape: tuple[int, ...], smoothing: float) -> None:
    axis = 0 if len(shape) == 1 else 1
    labels = np.random.default_rng(0).integers(0, 6, np.delete(shape, axis))
    certain = np.moveaxis(np.eye(6)[labels], -1, axis)
    x = [mg.tensor(draw(*shape, dtype=np.float64), requires_grad=True) for _ in range(2)]
    for v, target in zip(x, (np.asarray(labels), certain), strict=True):
        _core.cross_entropy(v, mg.tensor(target), smoothing, SUM).backward()
    np.testing.assert_allclose(x[0].grad.numpy(), x[1].grad.numpy(), atol=1e-14)


def test_a_label_out_of_range_is_named_and_changes_nothing() -> None:
    x = mg.tensor(draw(3, 4), requires_grad=True)
    with pytest.raises(ValueError, match=r"label at index \(1,\) .* is 4, but there are 4 classes"):
        F.cross_entropy(x, mg.tensor([0, 4, 1]))
    with pytest.raises(ValueError, match=r"label at index \(0, 1\) .* is -1"):
        F.cross_entropy(mg.tensor(draw(1, 4, 2)), mg.tensor([[0, -1]]))
    assert x.grad is None


def test_refusals_name_both_sides() -> None:
    x = mg.tensor(draw(3, 4))
    with pytest.raises(ValueError, match=r"need class indices of shape \(3,\), got \(2,\)"):
        F.cross_entropy(x, mg.tensor([0, 1]))
    with pytest.raises(ValueError, match=r"class indices must be int64"):
        F.cross_entropy(x, mg.tensor(draw(3)))
    with pytest.raises(TypeError, match="float32 class probabilities, got float64"):
        F.cross_entropy(x, mg.tensor(draw(3, 4, dtype=np.float64)))
    with pytest.raises(ValueError, match="label_smoothing must be in"):
        _core.cross_entropy(x, mg.tensor([0, 1, 2]), 1.5)
    for name in PAIRS:
        with pytest.raises(ValueError, match=r"\(3, 4\) and the target \(3, 1\); .* reshape"):
            getattr(_core, name)(x, mg.tensor(draw(3, 1)))
    with pytest.raises(ValueError, match="reduction must be 0"):
        _core.mse_loss(x, x, 3)
    with pytest.raises(ValueError, match="delta must be above 0"):
        _core.huber_loss(x, x, 0.0)


def test_losses_of_nothing() -> None:
    nothing = mg.tensor(np.zeros((0, 3), np.float32))
    assert _core.mse_loss(nothing, nothing, SUM).item() == 0
    assert np.isnan(_core.mse_loss(nothing, nothing).item())
    labels = mg.tensor(np.zeros(0, np.int64))
    assert _core.cross_entropy(nothing, labels, reduction=SUM).item() == 0
    assert _core.cross_entropy(nothing, labels, reduction=NONE).shape == (0,)


# ---- Normalisation ------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(8, 5), (4, 5, 3), (4, 5, 3, 2), (64, 200)])
def test_running_statistics_follow_the_batch(shape: tuple[int, ...]) -> None:
    c = shape[1]
    x = draw(*shape, dtype=np.float64) * 3 + 7
    mean, var = mg.tensor(np.zeros(c)), mg.tensor(np.ones(c))
    y = F.batch_norm(mg.tensor(x), None, None, mean, var, True, 0.25, 1e-5)
    axes = (0, *range(2, x.ndim))
    np.testing.assert_allclose(mean.numpy(), 0.25 * x.mean(axes))
    np.testing.assert_allclose(var.numpy(), 0.75 + 0.25 * x.var(axes, ddof=1))
    np.testing.assert_allclose(y.numpy().mean(axes), np.zeros(c), atol=1e-12)
    np.testing.assert_allclose(y.numpy().var(axes), np.ones(c), rtol=1e-5)
    kept = mean.numpy().copy()
    F.batch_norm(mg.tensor(x), None, None, mean, var, False)
    np.testing.assert_array_equal(mean.numpy(), kept)


def test_a_large_mean_does_not_spoil_the_variance() -> None:
    x = draw(64, 4) + np.float32(10_000)
    y = F.batch_norm(mg.tensor(x), training=True).numpy()
    exact = x.astype(np.float64)
    want = (exact - exact.mean(0)) / np.sqrt(exact.var(0) + 1e-5)
    np.testing.assert_allclose(y, want, atol=3e-3)
    rows = F.layer_norm(mg.tensor(np.ascontiguousarray(x.T)), (64,)).numpy()
    np.testing.assert_allclose(rows, want.T, atol=3e-3)


@pytest.mark.parametrize("shape", [(300, 70), (8, 20, 30, 31)])
def test_threads_change_no_bit_of_a_normalisation(shape: tuple[int, ...]) -> None:
    results = []
    for threads in (1, 2, 3):
        before = mg.get_num_threads()
        mg.set_num_threads(threads)
        x = mg.tensor(draw(*shape), requires_grad=True)
        w = mg.tensor(draw(shape[1], seed=1), requires_grad=True)
        v = mg.tensor(draw(shape[-1], seed=2), requires_grad=True)
        y = F.batch_norm(x, w, None, None, None, True) + F.layer_norm(x, (shape[-1],), v)
        (y * y).sum().backward()
        results.append([t.numpy().tobytes() for t in (y.detach(), x.grad, w.grad, v.grad)])
        mg.set_num_threads(before)
    assert results[0] == results[1] == results[2]


def test_normalisation_refuses_what_cannot_be() -> None:
    x = mg.tensor(draw(4, 3))
    with pytest.raises(ValueError, match=r"more than one value per channel, got shape \(1, 3\)"):
        F.batch_norm(x[:1], training=True)
    with pytest.raises(ValueError, match="needs running_mean and running_var"):
        F.batch_norm(x)
    with pytest.raises(ValueError, match=r"weight must have shape \(3,\), got \(4,\)"):
        F.batch_norm(x, mg.tensor(draw(4)), training=True)
    with pytest.raises(TypeError, match="weight is float64 and the input float32"):
        F.batch_norm(x, mg.tensor(draw(3, dtype=np.float64)), training=True)
    with pytest.raises(ValueError, match=r"normalized_shape \(4,\) .* shape is \(4, 3\)"):
        F.layer_norm(x, (4,))
