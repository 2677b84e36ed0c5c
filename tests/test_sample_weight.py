"""Weights of examples: a weight of 2 is a row that comes twice, in every loss and in training."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn

RNG = np.random.default_rng(0)
N = 9
COUNTS = np.array([2, 1, 0, 3, 1, 1, 2, 0, 4])  # as weights
TWICE = np.repeat(np.arange(N), COUNTS)  # as rows
VALUES = RNG.normal(size=(N, 3)), RNG.normal(size=(N, 3))
BINARY = RNG.normal(size=(N, 2)), RNG.integers(0, 2, (N, 2)).astype(float)
CLASSES = RNG.normal(size=(N, 4)), RNG.integers(0, 4, N)
PIXELS = RNG.normal(size=(N, 4, 5)), RNG.integers(0, 4, (N, 5))
SHARES = RNG.normal(size=(N, 4)), RNG.dirichlet(np.ones(4), N)
WEIGHTS = np.array([0.5, 1.0, 2.0, 0.25])

LOSSES = {
    "mse": (nn.MSELoss, VALUES),
    "l1": (nn.L1Loss, VALUES),
    "huber": (lambda **k: nn.HuberLoss(delta=0.5, **k), VALUES),
    "bce": (nn.BCEWithLogitsLoss, BINARY),
    "bce, pos_weight": (lambda **k: nn.BCEWithLogitsLoss(pos_weight=np.array(3.0), **k), BINARY),
    "classes": (nn.CrossEntropyLoss, CLASSES),
    "classes, weight": (lambda **k: nn.CrossEntropyLoss(WEIGHTS, **k), CLASSES),
    "classes, smooth": (lambda **k: nn.CrossEntropyLoss(label_smoothing=0.1, **k), CLASSES),
    "pixels": (nn.CrossEntropyLoss, PIXELS),
    "pixels, weight": (lambda **k: nn.CrossEntropyLoss(WEIGHTS, **k), PIXELS),
    "probabilities": (nn.CrossEntropyLoss, SHARES),
}


def value_and_slope(loss, x, y, *weights):
    x = mg.tensor(x, requires_grad=True)
    value = loss(x, mg.tensor(y), *map(mg.tensor, weights))
    value.backward()
    return value.item(), x.grad.numpy()


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("name", LOSSES)
def test_a_weight_of_two_is_a_row_that_comes_twice(name, reduction):
    make, (x, y) = LOSSES[name]
    loss = make(reduction=reduction)
    value, slope = value_and_slope(loss, x, y, COUNTS.astype(float))
    repeated, slopes = value_and_slope(loss, x[TWICE], y[TWICE])
    assert value == pytest.approx(repeated, rel=1e-12)
    expected = np.zeros_like(slope)
    np.add.at(expected, TWICE, slopes)
    np.testing.assert_allclose(slope, expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("name", LOSSES)
def test_the_mean_does_not_depend_on_the_scale_of_the_weights(name):
    make, (x, y) = LOSSES[name]
    value, _ = value_and_slope(make(), x, y, RNG.uniform(size=N))
    plain, plain_slope = value_and_slope(make(), x, y)
    same, same_slope = value_and_slope(make(), x, y, np.full(N, 7.0))
    assert same == pytest.approx(plain, rel=1e-12) != value
    np.testing.assert_allclose(same_slope, plain_slope, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("name", LOSSES)
def test_without_reduction_every_value_is_weighed(name):
    make, (x, y) = LOSSES[name]
    each = make(reduction="none")(mg.tensor(x), mg.tensor(y)).numpy()
    weighed = make(reduction="none")(mg.tensor(x), mg.tensor(y), mg.tensor(COUNTS)).numpy()
    row = COUNTS.reshape(-1, *[1] * (each.ndim - 1))
    np.testing.assert_allclose(weighed, each * row, rtol=1e-14)


@pytest.mark.parametrize("name", LOSSES)
def test_weights_that_are_all_zero_teach_nothing(name):
    make, (x, y) = LOSSES[name]
    value, slope = value_and_slope(make(), x, y, np.zeros(N))
    assert value == 0
    assert not slope.any()


def test_torch_and_scikit_learn_agree():
    metrics = pytest.importorskip("sklearn.metrics")
    weights = RNG.uniform(size=N)
    x, y = CLASSES
    shares = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    expected = metrics.log_loss(y, shares, sample_weight=weights, labels=range(4))
    assert value_and_slope(nn.CrossEntropyLoss(), x, y, weights)[0] == pytest.approx(expected)
    x, y = VALUES
    expected = metrics.mean_squared_error(y, x, sample_weight=weights)
    assert value_and_slope(nn.MSELoss(), x, y, weights)[0] == pytest.approx(expected)
    torch = pytest.importorskip("torch")
    wide = torch.tensor(weights)[:, None].expand(N, 3)
    peer = torch.nn.functional.mse_loss(*map(torch.tensor, (x, y)), weight=wide)
    assert value_and_slope(nn.MSELoss(), x, y, weights)[0] == pytest.approx(peer.item())


@pytest.mark.parametrize("weights", [np.ones(N - 1), np.ones((N, 1)), np.ones(())])
def test_weights_are_one_a_row(weights):
    for name in ("mse", "classes", "bce, pos_weight"):
        make, (x, y) = LOSSES[name]
        with pytest.raises(ValueError, match="expected one weight for each of the rows"):
            make()(mg.tensor(x), mg.tensor(y), mg.tensor(weights))
