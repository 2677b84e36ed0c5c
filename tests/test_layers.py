"""Layers and losses against numpy formulas, in train and eval mode, and their refusals."""

import math

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn import functional as F

rng = np.random.default_rng(0)


def array(*shape):
    return rng.standard_normal(shape)


def close(tensor, expected, tolerance=1e-10):
    np.testing.assert_allclose(tensor.numpy(), expected, rtol=tolerance, atol=tolerance)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def log_softmax(x):
    shifted = x - x.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))


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


REDUCE = {"mean": np.mean, "sum": np.sum, "none": lambda v: v}
A, B = array(6, 3) * 2, array(6, 3) * 2
P = rng.random((6, 3))
CLASSES = rng.integers(0, 3, 6)


@pytest.mark.parametrize("reduction", list(REDUCE))
def test_elementwise_losses(reduction):
    a, b, p = mg.tensor(A), mg.tensor(B), mg.tensor(P)
    reduce, d = REDUCE[reduction], A - B
    close(nn.MSELoss(reduction)(a, b), reduce(d**2))
    close(nn.L1Loss(reduction)(a, b), reduce(abs(d)))
    huber = np.where(abs(d) <= 1.5, d**2 / 2, 1.5 * (abs(d) - 0.75))
    close(nn.HuberLoss(reduction, 1.5)(a, b), reduce(huber))
    s = sigmoid(A)
    bce = nn.BCEWithLogitsLoss(reduction=reduction)
    close(bce(a, p), reduce(-P * np.log(s) - (1 - P) * np.log(1 - s)), 1e-9)
    weighted = nn.BCEWithLogitsLoss(reduction=reduction, pos_weight=[1.0, 2.0, 3.0]).double()
    close(weighted(a, p), reduce(-P * np.log(s) * [1, 2, 3] - (1 - P) * np.log(1 - s)), 1e-9)


@pytest.mark.parametrize("reduction", list(REDUCE))
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy(reduction, smoothing):
    q = np.eye(3)[CLASSES] * (1 - smoothing) + smoothing / 3
    each = -(q * log_softmax(A)).sum(1)
    loss = nn.CrossEntropyLoss(reduction=reduction, label_smoothing=smoothing)
    close(loss(mg.tensor(A), mg.tensor(CLASSES)), REDUCE[reduction](each), 1e-9)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_with_class_weights(smoothing):
    w = np.array([1.0, 2.0, 0.5])
    q = np.eye(3)[CLASSES] * (1 - smoothing) + smoothing / 3
    each = -(q * w * log_softmax(A)).sum(1)
    expected = {
        "none": each,
        "sum": each.sum(),
        "mean": each.sum() / w[CLASSES].sum(),
    }
    for reduction, value in expected.items():
        loss = nn.CrossEntropyLoss(w, reduction=reduction, label_smoothing=smoothing)
        close(loss(mg.tensor(A), mg.tensor(CLASSES)), value, 1e-9)


def test_cross_entropy_of_pixels_and_of_probabilities():
    logits, classes = array(2, 3, 4), rng.integers(0, 3, (2, 4))
    weight = np.array([1.0, 2.0, 0.5])
    flat = mg.tensor(logits.transpose(0, 2, 1).reshape(-1, 3)), mg.tensor(classes.reshape(-1))
    for loss in (nn.CrossEntropyLoss(), nn.CrossEntropyLoss(weight, label_smoothing=0.1)):
        close(loss(mg.tensor(logits), mg.tensor(classes)), loss(*flat).item(), 1e-9)
    q = np.eye(3)[CLASSES] * 0.7 + 0.1
    close(
        nn.CrossEntropyLoss()(mg.tensor(A), mg.tensor(q)), -(q * log_softmax(A)).sum(1).mean(), 1e-9
    )
    with pytest.raises(TypeError, match="int64"):
        nn.CrossEntropyLoss(weight)(mg.tensor(A), mg.tensor(q))
    with pytest.raises(ValueError, match="there are 3 classes"):
        nn.CrossEntropyLoss([1.0, 2.0])(mg.tensor(A), mg.tensor(CLASSES))


def test_losses_of_extreme_logits_are_finite():
    far = mg.tensor([[1e4, -1e4]])
    assert nn.CrossEntropyLoss()(far, mg.tensor([0])).item() == 0
    assert nn.CrossEntropyLoss()(far, mg.tensor([1])).item() == 2e4
    assert nn.BCEWithLogitsLoss()(far, mg.tensor([[1.0, 1.0]])).item() == 5e3
    positive = nn.BCEWithLogitsLoss(pos_weight=2.0)
    assert positive(far, mg.tensor([[1.0, 1.0]])).item() == 1e4


@pytest.mark.parametrize(
    "loss", [nn.MSELoss(), nn.L1Loss(), nn.HuberLoss(), nn.BCEWithLogitsLoss()], ids=repr
)
def test_losses_do_not_broadcast(loss):
    with pytest.raises(ValueError, match=r"\(4, 1\)|\(4,\)"):
        loss(mg.zeros(4, 1), mg.zeros(4))


def test_cross_entropy_refuses_bad_classes():
    loss = nn.CrossEntropyLoss()
    for classes in ([0, 3], [0, -1]):
        with pytest.raises((IndexError, ValueError), match=r"3|-1"):
            loss(mg.zeros(2, 3), mg.tensor(classes))
    with pytest.raises((TypeError, ValueError)):
        loss(mg.zeros(2, 3), mg.tensor([0, 1, 2]))


def test_penalties():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).double()
    w0, w2 = model[0].weight.numpy(), model[2].weight.numpy()
    squares = (w0**2).sum() + (w2**2).sum()
    absolute = abs(w0).sum() + abs(w2).sum()
    assert math.isclose(nn.L2(0.3)(model).item(), 0.3 * squares)
    assert math.isclose(nn.L1(0.3)(model).item(), 0.3 * absolute)
    assert math.isclose(nn.L1L2(0.1, 0.2)(model).item(), 0.1 * absolute + 0.2 * squares)
    assert math.isclose(
        nn.L2(0.3, "2.*")(model).item(), 0.3 * ((w2**2).sum() + (model[2].bias.numpy() ** 2).sum())
    )
    assert nn.L2(0.0)(model).item() == 0.0
    nn.L2(0.3)(model).backward()
    close(model[0].weight.grad, 0.6 * w0)
    assert model[0].bias.grad is None
    with pytest.raises(ValueError, match=r"no parameter matches 'body\.\*'; there are: 0.weight"):
        nn.L2(0.3, "body.*")(model)


def test_max_norm():
    model = nn.Sequential(nn.Linear(5, 4), nn.Conv2d(2, 3, 3))
    nn.init.normal_(model[0].weight)
    before = model[0].weight.numpy().copy()
    norms = np.linalg.norm(before, axis=1)
    limit = float(np.median(norms))
    nn.MaxNorm(limit)(model)
    after = model[0].weight.numpy()
    small = norms < limit
    assert np.array_equal(after[small], before[small])
    np.testing.assert_allclose(np.linalg.norm(after[~small], axis=1), limit, rtol=1e-6)
    assert model[0].weight.requires_grad
    kernels = model[1].weight.numpy().reshape(3, -1)
    assert (np.linalg.norm(kernels, axis=1) <= limit * (1 + 1e-6)).all()


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
