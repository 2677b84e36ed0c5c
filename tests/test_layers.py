"""Layers and losses against numpy formulas, in train and eval mode, and their refusals."""

import math

import numpy as np
import pytest
from formulas import array, close, log_softmax, sigmoid

import minigrad as mg
from minigrad import nn
from minigrad.nn import functional as F

X = array(5, 7) * 3
ERF = np.vectorize(math.erf)
ACTIVATIONS = [
    (nn.ReLU(), np.maximum(X, 0)),
    (nn.LeakyReLU(), np.where(X > 0, X, 0.01 * X)),
    (nn.LeakyReLU(0.3), np.where(X > 0, X, 0.3 * X)),
    (nn.GELU(), X * 0.5 * (1 + ERF(X / math.sqrt(2)))),
    (
        nn.GELU("tanh"),
        0.5 * X * (1 + np.tanh(math.sqrt(2 / math.pi) * (X + 0.044715 * X**3))),
    ),
    (nn.SiLU(), X * sigmoid(X)),
    (nn.Tanh(), np.tanh(X)),
    (nn.Sigmoid(), sigmoid(X)),
    (nn.Softplus(), np.log1p(np.exp(X))),
    (nn.Softplus(2.5), np.log1p(np.exp(2.5 * X)) / 2.5),
    (nn.ELU(), np.where(X > 0, X, np.expm1(X))),
    (nn.ELU(0.4), np.where(X > 0, X, 0.4 * np.expm1(X))),
    (nn.SELU(), 1.0507009873554805 * np.where(X > 0, X, 1.6732632423543772 * np.expm1(X))),
    (nn.Softmax(), np.exp(log_softmax(X))),
    (nn.Softmax(0), np.exp(log_softmax(X.T)).T),
    (nn.LogSoftmax(), log_softmax(X)),
    (nn.Identity(3, a=4), X),
]


@pytest.mark.parametrize(("layer", "expected"), ACTIVATIONS, ids=lambda v: str(v)[:20])
def test_activations(layer, expected):
    close(layer(mg.tensor(X)), expected, 1e-9)
    close(layer.eval()(mg.tensor(X)), expected, 1e-9)


@pytest.mark.parametrize("lead", [(4,), (2, 3), ()])
@pytest.mark.parametrize("bias", [True, False])
def test_linear(lead, bias):
    layer = nn.Linear(3, 5, bias).double()
    x = array(*lead, 3)
    expected = x @ layer.weight.numpy().T + (layer.bias.numpy() if bias else 0)
    close(layer(mg.tensor(x)), expected)


def convolve(x, w, b, stride, padding, dilation, groups):
    (sh, sw), (ph, pw), (dh, dw) = stride, padding, dilation
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    n, _, h, width = x.shape
    o, cg, kh, kw = w.shape
    oh, ow = (h - dh * (kh - 1) - 1) // sh + 1, (width - dw * (kw - 1) - 1) // sw + 1
    out = np.zeros((n, o, oh, ow))
    for i in range(oh):
        for j in range(ow):
            window = x[:, :, i * sh :, j * sw :][:, :, : dh * (kh - 1) + 1 : dh]
            window = window[..., : dw * (kw - 1) + 1 : dw]
            for g in range(groups):
                rows = slice(g * o // groups, (g + 1) * o // groups)
                part = window[:, g * cg : (g + 1) * cg]
                out[:, rows, i, j] = np.einsum("nchw,ochw->no", part, w[rows])
    return out + (0 if b is None else b[:, None, None])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"padding": 1},
        {"stride": (2, 1), "padding": (0, 2)},
        {"dilation": (1, 2)},
        {"groups": 2, "bias": False},
        {"padding": "same", "dilation": 2},
        {"padding": "valid"},
    ],
    ids=str,
)
def test_conv2d(options):
    layer = nn.Conv2d(4, 6, (3, 3), **options).double()
    x = array(2, 4, 7, 8)
    bias = None if layer.bias is None else layer.bias.numpy()
    expected = convolve(
        x, layer.weight.numpy(), bias, layer.stride, layer.padding, layer.dilation, layer.groups
    )
    close(layer(mg.tensor(x)), expected)
    if options.get("padding") == "same":
        assert expected.shape[2:] == x.shape[2:]


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, None, 0), ((3, 2), (2, 1), (1, 0))])
def test_pooling(kernel, stride, padding):
    x = array(2, 3, 6, 7)
    largest, mean = nn.MaxPool2d(kernel, stride, padding), nn.AvgPool2d(kernel, stride, padding)
    (kh, kw), (sh, sw), (ph, pw) = largest.kernel_size, largest.stride, largest.padding
    pads = ((0, 0), (0, 0), (ph, ph), (pw, pw))
    for layer, fill, reduce in ((largest, -np.inf, np.max), (mean, 0.0, np.mean)):
        windows = np.lib.stride_tricks.sliding_window_view(
            np.pad(x, pads, constant_values=fill), (kh, kw), (2, 3)
        )
        close(layer(mg.tensor(x)), reduce(windows[:, :, ::sh, ::sw], axis=(-2, -1)))


@pytest.mark.parametrize(
    ("cls", "shape"),
    [(nn.BatchNorm1d, (6, 3)), (nn.BatchNorm1d, (4, 3, 5)), (nn.BatchNorm2d, (2, 3, 4, 5))],
)
def test_batch_norm(cls, shape):
    layer = cls(3, eps=1e-3, momentum=0.3).double()
    nn.init.uniform_(layer.weight, 0.5, 1.5)
    nn.init.uniform_(layer.bias)
    x = array(*shape) * 2 + 1
    axes = (0, *range(2, len(shape)))
    along = (1, 3) + (1,) * (len(shape) - 2)
    weight, bias = (p.numpy().reshape(along) for p in (layer.weight, layer.bias))

    def normalised(mean, var):
        return (x - mean.reshape(along)) / np.sqrt(var.reshape(along) + 1e-3) * weight + bias

    mean, var = x.mean(axes), x.var(axes)
    close(layer(mg.tensor(x)), normalised(mean, var), 1e-9)
    running = 0.3 * mean, 0.7 + 0.3 * x.var(axes, ddof=1)
    close(layer.running_mean, running[0])
    close(layer.running_var, running[1])
    close(layer.eval()(mg.tensor(x)), normalised(*running), 1e-9)
    close(layer.running_mean, running[0])


def test_batch_norm_without_running_values():
    layer = nn.BatchNorm1d(2, affine=False, track_running_stats=False).double().eval()
    assert not layer.state_dict()
    x = array(5, 2)
    close(layer(mg.tensor(x)), (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5), 1e-9)


@pytest.mark.parametrize("shape", [(3,), (2, 3)])
def test_layer_norm(shape):
    layer = nn.LayerNorm(shape).double()
    nn.init.uniform_(layer.weight)
    nn.init.uniform_(layer.bias)
    x = array(4, 2, 3)
    axes = tuple(range(-len(shape), 0))
    mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    expected = (x - mean) / np.sqrt(var + 1e-5) * layer.weight.numpy() + layer.bias.numpy()
    close(layer(mg.tensor(x)), expected, 1e-9)
    assert nn.LayerNorm(3, bias=False).bias is None
    assert not list(nn.LayerNorm(3, elementwise_affine=False).parameters())


def test_embedding():
    layer = nn.Embedding(5, 3)
    indices = np.array([[0, 4], [2, 2]])
    out = layer(mg.tensor(indices))
    assert np.array_equal(out.numpy(), layer.weight.numpy()[indices])
    out.sum().backward()
    assert layer.weight.grad.numpy()[:, 0].tolist() == [1, 0, 2, 0, 1]
    with pytest.raises(IndexError, match="5"):
        layer(mg.tensor([5]))


def test_shape_layers():
    x = mg.tensor(array(2, 3, 4))
    assert nn.Flatten()(x).shape == (2, 12)
    assert nn.Flatten(0, 1)(x).shape == (6, 4)
    assert nn.Flatten(0)(mg.zeros(0, 3)).shape == (0,)
    assert nn.Unflatten(-1, (2, 2))(x).shape == (2, 3, 2, 2)
    assert np.array_equal(nn.Unflatten(1, [3, -1])(nn.Flatten()(x)).numpy(), x.numpy())
    with pytest.raises(IndexError, match="3"):
        nn.Flatten(3)(x)
    with pytest.raises(ValueError, match="start_dim"):
        nn.Flatten(2, 1)(x)
    with pytest.raises(IndexError, match="no axis 3"):
        nn.Unflatten(3, (1, 1))(x)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.Dropout(1.5), ValueError, "p must be in .0.0, 1.0., got 1.5"),
        (lambda: nn.Dropout(-0.1), ValueError, "-0.1"),
        (lambda: nn.Dropout(float("nan")), ValueError, "p must be finite, got nan"),
        (lambda: nn.Dropout("half"), TypeError, "'half'"),
        (lambda: nn.StochasticDepth(0.5, "column"), ValueError, "'column'"),
        (lambda: nn.GaussianNoise(-1), ValueError, "std"),
        (lambda: nn.Linear(-1, 2), ValueError, "in_features must be at least 1, got -1"),
        (lambda: nn.Linear(2, 2.0), TypeError, "out_features must be an integer, got 2.0"),
        (lambda: nn.Linear(2, True), TypeError, "True"),
        (lambda: nn.Conv2d(3, 4, 0), ValueError, "kernel_size"),
        (lambda: nn.Conv2d(3, 4, (1, 2, 3)), ValueError, r"\(1, 2, 3\)"),
        (lambda: nn.Conv2d(3, 4, 2, padding="same"), ValueError, "odd kernel_size"),
        (lambda: nn.Conv2d(3, 4, 3, padding="reflect"), ValueError, "'reflect'"),
        (lambda: nn.Conv2d(3, 4, 3, groups=2), ValueError, "in_channels = 3"),
        (lambda: nn.Conv2d(4, 3, 3, groups=2), ValueError, "out_channels = 3"),
        (lambda: nn.MaxPool2d(2, padding=2), ValueError, "at most half"),
        (lambda: nn.BatchNorm1d(0), ValueError, "num_features"),
        (lambda: nn.BatchNorm1d(2, momentum=2), ValueError, "momentum"),
        (lambda: nn.LayerNorm(()), ValueError, "normalized_shape"),
        (lambda: nn.LayerNorm(2, eps=-1), ValueError, "eps"),
        (lambda: nn.Embedding(3, 0), ValueError, "embedding_dim"),
        (lambda: nn.GELU("erf"), ValueError, "'erf'"),
        (lambda: nn.Softplus(0), ValueError, "beta"),
        (lambda: nn.LeakyReLU(math.inf), ValueError, "negative_slope"),
        (lambda: nn.HuberLoss(delta=0), ValueError, "delta"),
        (lambda: nn.MSELoss("average"), ValueError, "'average'"),
        (lambda: nn.CrossEntropyLoss(label_smoothing=2), ValueError, "label_smoothing"),
        (lambda: nn.CrossEntropyLoss([1.0, -1.0]), ValueError, "weight must be finite"),
        (lambda: nn.CrossEntropyLoss([[1.0]]), ValueError, r"\(1, 1\)"),
        (lambda: nn.BCEWithLogitsLoss(pos_weight=math.nan), ValueError, "pos_weight"),
        (lambda: nn.L2(-1), ValueError, "l2"),
        (lambda: nn.MaxNorm(0), ValueError, "max_norm"),
    ],
)
def test_bad_settings_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Linear(3, 2), (4, 5)),
        (nn.Conv2d(3, 2, 3), (1, 4, 8, 8)),
        (nn.Conv2d(3, 2, 3), (1, 3, 2, 2)),
        (nn.BatchNorm1d(3), (4, 2)),
        (nn.BatchNorm1d(3), (4, 3, 2, 2)),
        (nn.BatchNorm1d(3), (1, 3)),
        (nn.BatchNorm2d(3), (4, 3)),
        (nn.LayerNorm(3), (4, 2)),
        (nn.MaxPool2d(3), (1, 1, 2, 2)),
        (nn.AvgPool2d(3), (3,)),
    ],
    ids=str,
)
def test_bad_shapes_are_refused_and_change_nothing(layer, shape):
    before = {k: v.numpy().copy() for k, v in layer.state_dict().items()}
    with pytest.raises((ValueError, IndexError)) as error:
        layer(mg.ones(shape))
    assert str(shape[-1]) in str(error.value)
    assert all(np.array_equal(before[k], v.numpy()) for k, v in layer.state_dict().items())


def test_one_hot():
    assert np.array_equal(F.one_hot(mg.tensor([[1], [0]]), 2).numpy(), [[[0, 1]], [[1, 0]]])
    with pytest.raises(IndexError):
        F.one_hot(mg.tensor([2]), 2)
