"""GroupNorm, ConvTranspose2d, Upsample, PReLU, Mish, ParameterList, pad: by their formulas."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn import functional as F

RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 6, 4, 5))


def put(parameter, values):
    with mg.no_grad():
        parameter.copy_(mg.tensor(values))


def test_group_norm():
    layer = nn.GroupNorm(2, 6).double()
    put(layer.weight, RNG.standard_normal(6))
    put(layer.bias, RNG.standard_normal(6))
    groups = X.reshape(3, 2, -1)
    scaled = (groups - groups.mean(-1, keepdims=True)) / np.sqrt(
        groups.var(-1, keepdims=True) + 1e-5
    )
    weight, bias = (p.detach().numpy().reshape(6, 1, 1) for p in (layer.weight, layer.bias))
    wanted = scaled.reshape(X.shape) * weight + bias
    np.testing.assert_allclose(layer(mg.tensor(X)).detach().numpy(), wanted, rtol=1e-10)
    assert nn.GroupNorm(3, 6, affine=False)(mg.tensor(X[:, :, 0, 0])).shape == (3, 6)
    with pytest.raises(ValueError, match="C = 6, got shape"):
        layer(mg.zeros(3, 4))
    with pytest.raises(ValueError, match="not a multiple of 4"):
        nn.GroupNorm(4, 6)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stride": 2, "padding": 1, "output_padding": 1},
        {"stride": (1, 2), "dilation": (2, 1), "groups": 2, "bias": False},
    ],
)
def test_a_transposed_convolution_is_the_adjoint_of_the_convolution(options):
    layer = nn.ConvTranspose2d(6, 4, 3, **options).double()
    y = layer(mg.tensor(X)).detach()
    places = {k: v for k, v in options.items() if k in ("stride", "padding", "dilation", "groups")}
    other = mg.tensor(RNG.standard_normal(y.shape))
    there = mg.conv2d(other, layer.weight, None, **places)
    assert there.shape == X.shape
    if layer.bias is not None:
        y = y - layer.bias.detach().reshape(-1, 1, 1)
    assert (y * other).sum().item() == pytest.approx((there.detach() * X).sum().item())


def test_a_transposed_convolution_learns_and_says_what_it_is():
    layer = nn.ConvTranspose2d(6, 2, 4, stride=2, padding=1)
    assert layer(mg.tensor(X.astype("float32"))).shape == (3, 2, 8, 10)
    layer(mg.tensor(X.astype("float32"))).sum().backward()
    assert layer.weight.grad.shape == (6, 2, 4, 4)
    assert layer.bias.grad.tolist() == [240.0, 240.0]
    assert repr(layer) == (
        "ConvTranspose2d(6, 2, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1))"
    )
    with pytest.raises(ValueError, match="C = 6, got shape"):
        layer(mg.zeros(1, 5, 4, 4))
    with pytest.raises(ValueError, match="less than stride"):
        nn.ConvTranspose2d(1, 1, 3, output_padding=1)
    with pytest.raises(ValueError, match="leaves nothing"):
        nn.ConvTranspose2d(1, 1, 2, padding=1)(mg.zeros(1, 1, 1, 1))


def test_upsample():
    layer = nn.Upsample(scale_factor=(2, 3))
    x = mg.tensor(X, requires_grad=True)
    y = layer(x)
    assert np.array_equal(y.detach().numpy(), X.repeat(2, 2).repeat(3, 3))
    y.sum().backward()
    assert np.array_equal(x.grad.numpy(), np.full(X.shape, 6.0))
    with pytest.raises(ValueError, match="'nearest'"):
        nn.Upsample(scale_factor=2, mode="bilinear")


def test_prelu():
    layer = nn.PReLU(6).double()
    slopes = np.arange(6.0).reshape(6, 1, 1)
    put(layer.weight, slopes.ravel())
    y = layer(mg.tensor(X))
    assert np.array_equal(y.detach().numpy(), np.where(X > 0, X, slopes * X))
    y.sum().backward()
    np.testing.assert_allclose(layer.weight.grad.numpy(), np.minimum(X, 0).sum((0, 2, 3)))
    with pytest.raises(ValueError, match="6 channels got an input of shape"):
        layer(mg.zeros(3, 5))


def test_curves():
    x = np.array([-1000.0, -1.0, 0.0, 2.0, 1000.0])
    wanted = -np.logaddexp(0, -x)
    np.testing.assert_allclose(nn.LogSigmoid()(mg.tensor(x)).numpy(), wanted)
    np.testing.assert_allclose(nn.Mish()(mg.tensor(x)).numpy(), x * np.tanh(np.logaddexp(0, x)))


def test_parameters_in_a_list_are_the_owners():
    class Polynomial(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weights = nn.ParameterList([mg.zeros(2), np.ones((2, 2), "float32")])

        def forward(self, x):
            return x @ self.weights[1] + self.weights[0]

    model = Polynomial()
    assert list(model.state_dict()) == ["weights.0", "weights.1"]
    optimizer = mg.optim.SGD(model.parameters(), lr=0.5)
    model(mg.ones(1, 2)).sum().backward()
    optimizer.step()
    assert [w.tolist() for w in model.weights] == [[-0.5, -0.5], [[0.5, 0.5], [0.5, 0.5]]]
    assert len(model.weights.append(mg.ones(1))) == 3
    with pytest.raises(TypeError, match="must be float32 or float64, got int64"):
        model.weights.extend([mg.ones(1), [1, 2]])
    assert len(model.weights) == 3


@pytest.mark.parametrize(
    ("mode", "numpys"), [("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")]
)
def test_pad_repeats(mode, numpys):
    x = mg.tensor(X, requires_grad=True)
    y = F.pad(x, (1, 2, 3, 0), mode)
    assert np.array_equal(
        y.detach().numpy(), np.pad(X, ((0, 0), (0, 0), (3, 0), (1, 2)), mode=numpys)
    )
    y.sum().backward()
    assert x.grad.sum().item() == y.numel()
    with pytest.raises(ValueError, match="too much for size"):
        F.pad(mg.zeros(1, 0), (1, 0), mode)


def test_pad_with_a_value():
    assert np.array_equal(
        F.pad(mg.tensor(X), [0, 1, 2, 0], value=-np.inf).numpy(),
        np.pad(X, ((0, 0), (0, 0), (2, 0), (0, 1)), constant_values=-np.inf),
    )
    assert F.pad(mg.tensor([1, 2]), (1, 1), value=9).tolist() == [9, 1, 2, 9]
    with pytest.raises(ValueError, match="must be pairs, at most 1"):
        F.pad(mg.zeros(2), (1, 1, 1, 1))


def test_draws():
    mg.seed(0)
    p = mg.tensor([[0.1, 0.0, 0.9], [5.0, 5.0, 0.0]])
    drawn = mg.multinomial(p, 4000, replacement=True).numpy()
    shares = np.stack([(drawn == i).mean(1) for i in range(3)], 1)
    np.testing.assert_allclose(shares, [[0.1, 0, 0.9], [0.5, 0.5, 0]], atol=0.03)
    assert sorted(mg.multinomial(mg.ones(5), 5).tolist()) == [0, 1, 2, 3, 4]
    assert mg.multinomial(p, 2).shape == (2, 2)
    assert abs(mg.bernoulli(mg.full((4000,), 0.3)).mean().item() - 0.3) < 0.03
    assert mg.normal(5.0, 0.1, (4000,)).mean().item() == pytest.approx(5, abs=0.01)
    assert mg.normal(mg.zeros(2, 3).double(), 1.0).dtype == np.float64
    assert not np.array_equal(mg.randn_like(p).numpy(), mg.randn_like(p).numpy())
    assert 0 <= mg.rand_like(p).min().item() < mg.rand_like(p).max().item() < 1
    with pytest.raises(ValueError, match="6 of 5 without replacement=True"):
        mg.multinomial(mg.ones(5), 6)
    with pytest.raises(TypeError, match="needs a size"):
        mg.normal(0.0, 1.0)
    sample = mg.compile(lambda p: mg.multinomial(p, 3, replacement=True))
    found = [sample(p).tolist() for _ in range(8)]
    assert len({str(f) for f in found}) > 1, "each replay draws anew"


@pytest.mark.parametrize("wrong", [-0.1, 1.1, np.nan, np.inf])
def test_bernoulli_takes_probabilities_only(wrong):
    for p in (mg.zeros(0), mg.tensor([0.0, -0.0, 1.0])):
        assert mg.bernoulli(p).tolist() == p.tolist()
    generator = mg.Generator(3)
    given = mg.tensor([0.5, wrong])
    with pytest.raises(ValueError, match=r"probabilities, which lie in \[0, 1\]"):
        mg.bernoulli(given, generator)
    assert generator.state.tolist() == mg.Generator(3).state.tolist(), "nothing was drawn"
    plan = mg.compile(mg.bernoulli)
    plan(mg.ones(2))
    with pytest.raises(IndexError):
        plan(given)


@pytest.mark.parametrize(
    ("weights", "count"),
    [
        ([1.0, 0.0, 0.0], 2),
        ([0.0, 0.0], 1),
        ([1.0, -1.0], 1),
        ([1.0, np.nan], 1),
        ([[1, 1], [1, 0.0]], 2),
    ],
)
def test_multinomial_draws_only_what_has_a_weight(weights, count):
    given = mg.tensor(weights)
    for _ in range(2):
        with pytest.raises(ValueError, match="fewer weights above 0 than are drawn, or one is neg"):
            mg.multinomial(given, count)
    plan = mg.compile(lambda p: mg.multinomial(p, count))
    plan(mg.ones(given.shape))
    with pytest.raises(IndexError):
        plan(given)
