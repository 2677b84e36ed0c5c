"""Layers that draw: their shares and moments, the seed, eval mode."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn

NOISE = [
    nn.Dropout(0.3),
    nn.Dropout2d(0.3),
    nn.AlphaDropout(0.3),
    nn.GaussianNoise(0.3),
    nn.StochasticDepth(0.3),
    nn.StochasticDepth(0.3, "batch"),
]


@pytest.mark.parametrize("layer", NOISE, ids=repr)
def test_noise_keeps_the_mean_repeats_with_the_seed_and_rests_in_eval(layer):
    x = mg.ones(64, 8, 4, 4)
    layer.train()
    mg.seed(3)
    first, second = layer(x).numpy(), layer(x).numpy()
    mg.seed(3)
    assert np.array_equal(first, layer(x).numpy())
    if not isinstance(layer, nn.StochasticDepth):
        assert not np.array_equal(first, second)
    if not isinstance(layer, nn.AlphaDropout):  # which keeps the mean of standard normal values
        outputs = [layer(x).mean().item() for _ in range(400)]
        assert abs(np.mean(outputs) - 1) < 0.1
    assert np.array_equal(layer.eval()(x).numpy(), x.numpy())


def test_dropout_zeroes_a_share_and_its_gradient():
    x = mg.ones(200, 500, requires_grad=True)
    y = nn.Dropout(0.25)(x)
    share = (y.numpy() == 0).mean()
    assert abs(share - 0.25) < 0.01
    assert np.allclose(np.unique(y.numpy()), [0, 4 / 3])
    y.sum().backward()
    assert np.array_equal(x.grad.numpy(), y.numpy())


@pytest.mark.parametrize("layer", [nn.Dropout(1.0), nn.Dropout2d(1), nn.AlphaDropout(1.0)])
def test_dropping_everything_gives_zeros_with_zero_gradient(layer):
    x = mg.ones(2, 3, 2, 2, requires_grad=True)
    y = layer(x)
    y.sum().backward()
    assert not y.numpy().any()
    assert not x.grad.numpy().any()


def test_dropout2d_drops_whole_channels():
    y = nn.Dropout2d(0.5)(mg.ones(10, 10, 3, 3)).numpy().reshape(100, 9)
    assert set(y.min(1)) == set(y.max(1)) == {0.0, 2.0}


def test_alpha_dropout_keeps_mean_and_variance():
    x = mg.randn(1000, 300)
    y = nn.AlphaDropout(0.2)(x).numpy()
    assert abs(y.mean()) < 0.01
    assert abs(y.var() - 1) < 0.02


def test_stochastic_depth_drops_examples_or_the_batch():
    y = nn.StochasticDepth(0.5)(mg.ones(100, 3)).numpy()
    assert set(y.sum(1)) == {0.0, 6.0}
    seen = {float(nn.StochasticDepth(0.5, "batch")(mg.ones(10, 1)).sum().item()) for _ in range(64)}
    assert seen == {0.0, 20.0}


def test_gaussian_noise_has_its_deviation():
    y = nn.GaussianNoise(0.5)(mg.zeros(100000)).numpy()
    assert abs(y.std() - 0.5) < 0.01
    assert nn.GaussianNoise(0.5)(mg.zeros(3, dtype="float64")).dtype == np.float64
