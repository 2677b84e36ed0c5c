"""Convolution against plain numpy in float64."""

import numpy as np
import pytest
import windows
from convolutions import CONVS, arrays

from minigrad import _core
from minigrad._core import Tensor


@pytest.mark.parametrize("case", CONVS)
@pytest.mark.parametrize(("dtype", "tol"), [(np.float64, 1e-12), (np.float32, 2e-5)])
def test_conv2d_equals_numpy(case, dtype, tol):
    x, w, b = arrays(case, dtype=dtype)
    for bias in (None, b):
        y = _core.conv2d(Tensor(x), Tensor(w), bias if bias is None else Tensor(bias), *case[2:])
        expected = windows.conv2d(x.astype(np.float64), w.astype(np.float64), bias, *case[2:])
        assert y.dtype == dtype
        np.testing.assert_allclose(y.numpy(), expected, rtol=tol, atol=10 * tol)


@pytest.mark.parametrize("case", CONVS)
def test_gradients_of_conv2d_are_its_derivative(case):
    # y is linear in x and in w, so <g, conv(dx, w)> = <dx, input_grad(g, w)> for every direction.
    x, w, b = arrays(case)
    tx, tw, tb = (Tensor(a, requires_grad=True) for a in (x, w, b))
    y = _core.conv2d(tx, tw, tb, *case[2:])
    g = np.random.default_rng(1).standard_normal(y.shape)
    y.backward(Tensor(g))
    dx, dw, _ = arrays(case, seed=2)
    no_bias = np.zeros(w.shape[0])
    along_x = np.sum(g * windows.conv2d(dx, w, no_bias, *case[2:]))
    along_w = np.sum(g * windows.conv2d(x, dw, no_bias, *case[2:]))
    np.testing.assert_allclose(np.sum(tx.grad.numpy() * dx), along_x, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(np.sum(tw.grad.numpy() * dw), along_w, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(tb.grad.numpy(), g.sum((0, 2, 3)), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("case", [CONVS[4], CONVS[7], CONVS[8]])
def test_conv2d_gradient_and_second_derivative_by_finite_differences(case):
    x, w, b = arrays(case)

    def loss(x, w):  # not linear, so that second derivatives are not all zero
        y = _core.conv2d(x, w, Tensor(b), *case[2:])
        return (y * y * y).sum()

    def gradient_norm(x, w):
        tx, tw = Tensor(x, requires_grad=True), Tensor(w, requires_grad=True)
        gx, gw = _core.grad([loss(tx, tw)], [tx, tw], create_graph=True)
        return tx, tw, (gx * gx).sum() + (gw * gw).sum()

    tx, tw = Tensor(x, requires_grad=True), Tensor(w, requires_grad=True)
    loss(tx, tw).backward()
    numeric = windows.numeric_gradient(lambda a: loss(Tensor(a), Tensor(w)).item(), x)
    np.testing.assert_allclose(tx.grad.numpy(), numeric, rtol=1e-5, atol=1e-5)
    numeric = windows.numeric_gradient(lambda a: loss(Tensor(x), Tensor(a)).item(), w)
    np.testing.assert_allclose(tw.grad.numpy(), numeric, rtol=1e-5, atol=1e-5)

    tx, tw, norm = gradient_norm(x, w)
    norm.backward()
    numeric = windows.numeric_gradient(lambda a: gradient_norm(x, a)[2].item(), w)
    np.testing.assert_allclose(tw.grad.numpy(), numeric, rtol=1e-4, atol=1e-2)


def test_conv2d_reads_strided_inputs():
    x, w, _ = arrays(((2, 3, 6, 8), (4, 3, 3, 3)))
    y = _core.conv2d(Tensor(x).transpose(2, 3), Tensor(w).transpose(2, 3), padding=1)
    expected = windows.conv2d(x.swapaxes(2, 3), w.swapaxes(2, 3), None, (1, 1), (1, 1), (1, 1), 1)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12, atol=1e-12)


def test_padding_is_a_zero_that_is_multiplied():
    x = np.ones((1, 1, 2, 2), np.float32)
    w = np.full((1, 1, 3, 3), np.inf, np.float32)
    assert np.isnan(_core.conv2d(Tensor(x), Tensor(w), padding=1).numpy()).all()
    x[0, 0, 0, 0] = np.nan
    y = _core.conv2d(Tensor(x), Tensor(np.ones((1, 1, 2, 2), np.float32)), padding=1).numpy()
    assert np.isnan(y[0, 0]).tolist() == [[True, True, False], [True, True, False], [False] * 3]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("special", [None, np.inf, np.nan, "underflow"])
@pytest.mark.parametrize(
    ("x", "w", "stride", "pad", "dilation", "groups"),
    [
        ((2, 3, 26, 26), (20, 3, 3, 3), 1, 1, 1, 1),
        ((9, 5, 4, 5), (70, 5, 3, 3), 1, 1, 1, 1),
        ((2, 2, 9, 11), (33, 2, 5, 4), 2, 3, 1, 1),
        ((3, 4, 2, 3), (6, 4, 5, 5), 1, 4, 1, 1),  # the kernel is larger than the image
        ((1, 4, 17, 8), (5, 4, 3, 3), 1, 2, 2, 1),
        ((5, 3, 9, 8), (3, 1, 3, 3), 1, 2, 1, 3),
        ((5, 3, 9, 8), (6, 1, 5, 5), 2, 4, 1, 3),
        ((5, 4, 9, 8), (2, 2, 3, 3), 2, 1, 1, 2),
        ((7, 4, 5, 6), (4, 2, 3, 3), 1, 1, 1, 2),
        ((2, 4, 5, 6), (8, 1, 3, 3), 1, 2, 2, 4),
    ],
)
def test_padding_gives_the_bits_of_zeros_around_the_image(
    x, w, stride, pad, dilation, groups, special, dtype
):
    x, w, b = arrays((x, w))
    scale = np.finfo(dtype).tiny ** 0.5 * 1e-2 if special == "underflow" else 1
    x, w, b = ((a * scale).astype(dtype) for a in (x, w, b))
    b[::2] = -0.0
    if isinstance(special, float):
        w[1, -1, 0, -1] = special
    padded = np.pad(x, [(0, 0), (0, 0), (pad, pad), (pad, pad)])
    got = _core.conv2d(Tensor(x), Tensor(w), Tensor(b), stride, pad, dilation, groups).numpy()
    want = _core.conv2d(Tensor(padded), Tensor(w), Tensor(b), stride, 0, dilation, groups).numpy()
    np.testing.assert_array_equal(got, want)
    assert not np.signbit(got[got == 0]).any()
    g = Tensor(np.random.default_rng(3).standard_normal(got.shape).astype(dtype) * dtype(scale))
    size = x.shape[2:]
    tail = dilation, groups
    got = _core.conv2d_input_grad(g, Tensor(w), *size, stride, pad, *tail).numpy()
    want = _core.conv2d_input_grad(g, Tensor(w), *padded.shape[2:], stride, 0, *tail).numpy()
    np.testing.assert_array_equal(got, want[:, :, pad : pad + size[0], pad : pad + size[1]])


@pytest.mark.parametrize(
    ("x", "w", "options", "words"),
    [
        ((2, 3, 8, 8), (4, 2, 3, 3), {}, ["(2, 3, 8, 8)", "made for 2", "(4, 3, 3, 3)"]),
        ((3, 8, 8), (4, 3, 3, 3), {}, ["(3, 8, 8)", "unsqueeze(0)"]),
        ((2, 3, 8, 8), (4, 3, 3), {}, ["weight", "(4, 3, 3)"]),
        ((2, 3, 2, 8), (4, 3, 3, 3), {}, ["spans 3", "height", "2 + 2 * 0"]),
        ((2, 3, 8, 4), (4, 3, 3, 3), {"dilation": 2}, ["spans 5", "width"]),
        ((2, 4, 8, 8), (3, 2, 3, 3), {"groups": 2}, ["groups = 2", "must divide", "3 filters"]),
        ((2, 4, 8, 8), (4, 4, 3, 3), {"stride": 0}, ["stride", "at least 1"]),
        ((2, 4, 8, 8), (4, 4, 3, 3), {"padding": (1, 2, 3)}, ["padding", "(1, 2, 3)"]),
    ],
)
def test_conv2d_says_how_to_mend_a_call(x, w, options, words):
    with pytest.raises(ValueError, match=r"^conv2d: ") as error:
        _core.conv2d(Tensor(np.zeros(x)), Tensor(np.zeros(w)), **options)
    for word in words:
        assert word in str(error.value)


def test_conv2d_refuses_a_wrong_bias_and_mixed_dtypes():
    x, w = Tensor(np.zeros((1, 2, 4, 4))), Tensor(np.zeros((3, 2, 2, 2)))
    with pytest.raises(ValueError, match=r"bias must have shape \(3,\)"):
        _core.conv2d(x, w, Tensor(np.zeros(2)))
    with pytest.raises(TypeError, match="x is float64 and weight is float32"):
        _core.conv2d(x, w.float())
