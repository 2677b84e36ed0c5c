"""Initial values: bounds, deviations, seeds, and what is refused."""

import math

import numpy as np
import pytest
from scipy import stats

import minigrad as mg
from minigrad import nn
from minigrad.nn import init

FAN_IN, FAN_OUT = 60 * 9, 50 * 9


def weight(dtype="float32"):
    return mg.zeros(50, 60, 3, 3, dtype=dtype)


UNIFORM = [
    (lambda w: init.uniform_(w, -2, 3), -2, 3),
    (init.uniform_, 0, 1),
    (init.xavier_uniform_, *(s * math.sqrt(6 / (FAN_IN + FAN_OUT)) for s in (-1, 1))),
    (
        lambda w: init.xavier_uniform_(w, 2.0),
        *(s * 2 * math.sqrt(6 / (FAN_IN + FAN_OUT)) for s in (-1, 1)),
    ),
    (init.kaiming_uniform_, *(s * math.sqrt(6 / FAN_IN) for s in (-1, 1))),
    (lambda w: init.kaiming_uniform_(w, math.sqrt(5)), *(s / math.sqrt(FAN_IN) for s in (-1, 1))),
    (
        lambda w: init.kaiming_uniform_(w, mode="fan_out"),
        *(s * math.sqrt(6 / FAN_OUT) for s in (-1, 1)),
    ),
]
NORMAL = [
    (init.normal_, 0, 1),
    (lambda w: init.normal_(w, 2.0, 0.5), 2.0, 0.5),
    (init.xavier_normal_, 0, math.sqrt(2 / (FAN_IN + FAN_OUT))),
    (init.kaiming_normal_, 0, math.sqrt(2 / FAN_IN)),
    (lambda w: init.kaiming_normal_(w, nonlinearity="linear"), 0, math.sqrt(1 / FAN_IN)),
    (lambda w: init.kaiming_normal_(w, nonlinearity="tanh"), 0, 5 / 3 / math.sqrt(FAN_IN)),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("fill", "low", "high"), UNIFORM)
def test_uniform_draws(fill, low, high, dtype):
    mg.seed(0)
    w = weight(dtype)
    assert fill(w) is w
    assert w.dtype == np.dtype(dtype)
    values = w.numpy().ravel()
    assert stats.kstest(values, stats.uniform(low, high - low).cdf).pvalue > 1e-4
    assert values.min() >= np.float32(low)
    assert values.max() <= np.float32(high)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("fill", "mean", "std"), NORMAL)
def test_normal_draws(fill, mean, std, dtype):
    mg.seed(0)
    values = fill(weight(dtype)).numpy().ravel()
    assert stats.kstest(values, stats.norm(mean, std).cdf).pvalue > 1e-4


@pytest.mark.parametrize("shape", [(4, 9), (9, 4), (5, 5), (6, 2, 3, 3)])
def test_orthogonal(shape):
    w = init.orthogonal_(mg.zeros(shape, dtype="float64"), 1.5).numpy().reshape(shape[0], -1)
    gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(gram, 2.25 * np.eye(len(gram)), atol=1e-12)


def test_constants():
    assert set(init.zeros_(mg.ones(3)).tolist()) == {0.0}
    assert set(init.ones_(mg.zeros(3)).tolist()) == {1.0}
    assert set(init.constant_(mg.zeros(3), -2.5).tolist()) == {-2.5}


def test_parameters_stay_parameters():
    layer = nn.Linear(4, 3)
    init.kaiming_normal_(layer.weight)
    assert layer.weight.requires_grad
    assert layer.weight.is_leaf
    layer(mg.ones(1, 4)).sum().backward()
    assert layer.weight.grad is not None


@pytest.mark.parametrize("layer", [nn.Linear(100, 80), nn.Conv2d(4, 16, 5, groups=2)], ids=repr)
def test_layers_start_as_in_torch(layer):
    mg.seed(0)
    layer.reset_parameters()
    bound = 1 / math.sqrt(math.prod(layer.weight.shape[1:]))
    for p in layer.parameters():
        assert stats.kstest(p.numpy().ravel(), stats.uniform(-bound, 2 * bound).cdf).pvalue > 1e-4


def test_the_seed_repeats_the_network():
    def make(seed):
        mg.seed(seed)
        return nn.Sequential(nn.Linear(3, 4), nn.Embedding(3, 2)).state_dict()

    first, again, other = make(1), make(1), make(2)
    assert all(np.array_equal(first[k].numpy(), again[k].numpy()) for k in first)
    assert not any(np.array_equal(first[k].numpy(), other[k].numpy()) for k in first)


def test_a_generator_of_ones_own():
    mg.seed(0)
    expected = mg.rand(3).tolist()
    mg.seed(0)
    generator = mg.Generator(5)
    a = init.normal_(mg.zeros(4), generator=generator)
    b = init.normal_(mg.zeros(4), generator=generator)
    assert a.tolist() != b.tolist()
    assert init.normal_(mg.zeros(4), generator=mg.Generator(5)).tolist() == a.tolist()
    assert mg.rand(3).tolist() == expected


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda w: init.uniform_(w, 1, 0), "a = 1 is above b = 0"),
        (lambda w: init.uniform_(w, 0, math.inf), "b must be finite"),
        (lambda w: init.normal_(w, 0, -1), "std must be"),
        (lambda w: init.normal_(w, math.nan), "mean must be finite"),
        (lambda w: init.kaiming_uniform_(w, mode="fan_average"), "'fan_average'"),
        (lambda w: init.kaiming_uniform_(w, nonlinearity="swish"), "'swish'"),
        (lambda _: init.xavier_normal_(mg.zeros(3)), "at least 2 axes"),
        (lambda _: init.orthogonal_(mg.zeros(3, 0)), r"\(3, 0\)"),
    ],
)
def test_bad_arguments_change_nothing(call, message):
    w = weight()
    with pytest.raises(ValueError, match=message):
        call(w)
    assert not w.numpy().any()


def test_gains():
    assert init.calculate_gain("linear") == 1
    assert init.calculate_gain("tanh") == 5 / 3
    assert init.calculate_gain("leaky_relu", 0.5) == math.sqrt(2 / 1.25)
    with pytest.raises(ValueError, match="'what'"):
        init.calculate_gain("what")
