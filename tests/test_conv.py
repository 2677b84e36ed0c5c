"""Convolution, pooling and embedding against plain numpy in float64, and their promises on bits."""

import hashlib
import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
import windows

from minigrad import _core
from minigrad._core import Tensor

# x, weight, stride, padding, dilation, groups
CONVS = [
    ((2, 1, 5, 5), (1, 1, 3, 3), (1, 1), (0, 0), (1, 1), 1),
    ((1, 1, 1, 1), (1, 1, 1, 1), (1, 1), (0, 0), (1, 1), 1),
    ((3, 4, 6, 7), (5, 4, 1, 1), (1, 1), (0, 0), (1, 1), 1),
    ((2, 3, 8, 9), (17, 3, 3, 3), (1, 1), (1, 1), (1, 1), 1),
    ((2, 2, 9, 8), (3, 2, 3, 2), (2, 3), (1, 0), (1, 1), 1),
    ((1, 2, 7, 9), (2, 2, 2, 2), (3, 4), (0, 0), (1, 1), 1),  # stride > kernel
    ((2, 2, 9, 11), (4, 2, 3, 3), (1, 2), (2, 1), (2, 3), 1),  # dilation
    ((2, 6, 5, 6), (4, 3, 3, 3), (1, 1), (1, 1), (1, 1), 2),
    ((2, 4, 6, 6), (4, 1, 3, 3), (2, 1), (1, 1), (1, 1), 4),  # a filter a channel
    ((2, 3, 5, 5), (6, 1, 5, 5), (1, 1), (2, 2), (1, 1), 3),
    ((2, 3, 4, 4), (2, 3, 4, 4), (1, 1), (0, 0), (1, 1), 1),  # one output
    ((1, 1, 2, 2), (1, 1, 1, 1), (1, 1), (2, 3), (1, 1), 1),  # windows all in the padding
    ((1, 2, 1, 9), (2, 2, 1, 4), (1, 1), (0, 2), (1, 1), 1),
    ((0, 2, 5, 5), (3, 2, 3, 3), (1, 1), (0, 0), (1, 1), 1),
    ((11, 2, 4, 4), (3, 2, 3, 3), (1, 1), (1, 1), (1, 1), 1),  # more than a chunk of images
    ((2, 5, 20, 21), (40, 5, 3, 3), (1, 1), (1, 1), (1, 1), 1),  # several panels and blocks
    ((9, 3, 6, 35), (7, 3, 5, 3), (2, 1), (1, 1), (1, 2), 1),  # few weights a filter
    ((10, 5, 4, 33), (10, 1, 3, 3), (1, 1), (1, 1), (1, 1), 5),
    ((3, 2, 4, 20), (5, 2, 1, 2), (1, 1), (0, 0), (1, 1), 1),
    ((9, 3, 7, 41), (3, 1, 3, 3), (2, 2), (1, 1), (1, 1), 3),
    ((2, 2, 5, 38), (4, 2, 2, 3), (1, 2), (0, 0), (2, 1), 1),
]
# 3 by 3 with many channels: Winograd's way, for odd and even sizes, several panels, blocks, chunks.
WINOGRAD = [
    ((3, 16, 9, 12), (20, 16, 3, 3), (1, 1), (1, 1), (1, 1), 1),
    ((17, 24, 5, 6), (70, 24, 3, 3), (1, 1), (0, 2), (1, 1), 1),
    ((1, 32, 37, 71), (16, 32, 3, 3), (1, 1), (2, 1), (1, 1), 1),
    ((9, 34, 8, 3), (150, 17, 3, 3), (1, 1), (1, 1), (1, 1), 2),
    ((1, 70, 40, 33), (66, 70, 3, 3), (1, 1), (0, 0), (1, 1), 1),
    ((0, 16, 9, 12), (16, 16, 3, 3), (1, 1), (1, 1), (1, 1), 1),
]
CONVS += WINOGRAD


def arrays(case, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    x, w = (rng.standard_normal(shape).astype(dtype) for shape in case[:2])
    return x, w, rng.standard_normal(w.shape[0]).astype(dtype)


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


def numeric_gradient(f, x, eps=1e-6):
    g = np.empty_like(x)
    for i in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[i] += eps
        down[i] -= eps
        g[i] = (f(up) - f(down)) / (2 * eps)
    return g


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
    numeric = numeric_gradient(lambda a: loss(Tensor(a), Tensor(w)).item(), x)
    np.testing.assert_allclose(tx.grad.numpy(), numeric, rtol=1e-5, atol=1e-5)
    numeric = numeric_gradient(lambda a: loss(Tensor(x), Tensor(a)).item(), w)
    np.testing.assert_allclose(tw.grad.numpy(), numeric, rtol=1e-5, atol=1e-5)

    tx, tw, norm = gradient_norm(x, w)
    norm.backward()
    numeric = numeric_gradient(lambda a: gradient_norm(x, a)[2].item(), w)
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


def test_winograd_is_no_less_accurate_than_one_chain():
    case = ((2, 32, 20, 20), (32, 32, 3, 3), (1, 1), (0, 0), (1, 1), 1)
    x, w, _ = arrays(case, dtype=np.float32)
    exact = windows.conv2d(x.astype(np.float64), w.astype(np.float64), None, *case[2:])
    chain = np.zeros(exact.shape, np.float32)
    for i, j, seen in windows.views(x, 3, 1, 0):
        for c in range(32):
            chain += seen[:, c, None] * w[None, :, c, i, j, None, None]
    got = _core.conv2d(Tensor(x), Tensor(w)).numpy()
    assert not np.array_equal(got, chain)
    assert np.std(got - exact) <= np.std(chain - exact)
    assert np.abs(got - exact).max() <= np.abs(chain - exact).max()


@pytest.mark.parametrize(
    ("special", "at"), [(np.nan, (4, 5)), (np.inf, (7, 11)), (-np.inf, (0, 0))]
)
def test_winograd_keeps_what_is_no_number_in_the_windows_that_see_it(special, at):
    x, w, _ = arrays(((2, 16, 9, 13), (16, 16, 3, 3)), dtype=np.float32)
    marked = np.zeros(x.shape)
    x[1, 3, *at] = special
    marked[1, 3, *at] = 1
    seen = windows.conv2d(marked, np.ones(w.shape), None, 1, 1, 1, 1) > 0
    tx, tw = Tensor(x), Tensor(w, requires_grad=True)
    y = _core.conv2d(tx, tw, padding=1)
    np.testing.assert_array_equal(np.isfinite(y.numpy()), ~seen)
    if special != special:
        np.testing.assert_array_equal(np.isnan(y.numpy()), seen)
    # The gradient of y reaches x where the window does, that of the weights its channel alone.
    g = _core.conv2d_input_grad(Tensor(x), tw, 9, 13, 1, 1).numpy()
    np.testing.assert_array_equal(np.isfinite(g), ~seen)
    y.backward(Tensor(np.ones(y.shape, np.float32)))
    lost = ~np.isfinite(tw.grad.numpy())
    assert lost[:, 3, 1, 1].all()
    assert not lost[:, [c for c in range(16) if c != 3]].any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_winograd_gives_an_image_the_same_bits_in_any_batch(dtype):
    x, w, b = arrays(((21, 16, 9, 12), (24, 16, 3, 3)), dtype=dtype)
    y = _core.conv2d(Tensor(x), Tensor(w), Tensor(b), padding=1)
    g = _core.conv2d_input_grad(y, Tensor(w), 9, 12, padding=1).numpy()
    for part in (slice(0, 1), slice(5, 9), slice(20, 21)):
        alone = _core.conv2d(Tensor(x[part]), Tensor(w), Tensor(b), padding=1)
        np.testing.assert_array_equal(alone.numpy(), y.numpy()[part])
        alone = _core.conv2d_input_grad(alone, Tensor(w), 9, 12, padding=1)
        np.testing.assert_array_equal(alone.numpy(), g[part])


@pytest.mark.parametrize("case", [case for case in WINOGRAD if case[0][0]])
def test_winograd_finishes_as_the_ops_that_it_takes_in(case):
    x, w, b = arrays(case, dtype=np.float32)
    tx, tw, tb = Tensor(x), Tensor(w), Tensor(b)
    y = _core.conv2d(tx, tw, tb, *case[2:])
    np.testing.assert_array_equal(
        _core.conv2d_relu(tx, tw, tb, *case[2:]).numpy(), np.maximum(y.numpy(), 0)
    )
    assert not np.signbit(y.numpy()[y.numpy() == 0]).any()
    size = x.shape[2:]
    g = _core.conv2d_input_grad(y, tw, *size, *case[2:])
    np.testing.assert_array_equal(
        _core.conv2d_input_grad_relu_backward(y, tw, tx, *size, *case[2:], 1.25).numpy(),
        np.where(x > 0, g.numpy() * np.float32(1.25), 0),
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("special", [None, np.inf, np.nan, "underflow"])
@pytest.mark.parametrize(
    ("x", "w", "stride", "pad", "dilation"),
    [
        ((2, 3, 26, 26), (20, 3, 3, 3), 1, 1, 1),
        ((9, 5, 4, 5), (70, 5, 3, 3), 1, 1, 1),
        ((2, 2, 9, 11), (33, 2, 5, 4), 2, 3, 1),
        ((3, 4, 2, 3), (6, 4, 5, 5), 1, 4, 1),  # the kernel is larger than the image
        ((1, 4, 17, 8), (5, 4, 3, 3), 1, 2, 2),
    ],
)
def test_padding_gives_the_bits_of_zeros_around_the_image(
    x, w, stride, pad, dilation, special, dtype
):
    x, w, b = arrays((x, w))
    scale = np.finfo(dtype).tiny ** 0.5 * 1e-2 if special == "underflow" else 1
    x, w, b = ((a * scale).astype(dtype) for a in (x, w, b))
    b[::2] = -0.0
    if isinstance(special, float):
        w[1, -1, 0, -1] = special
    padded = np.pad(x, [(0, 0), (0, 0), (pad, pad), (pad, pad)])
    got = _core.conv2d(Tensor(x), Tensor(w), Tensor(b), stride, pad, dilation).numpy()
    want = _core.conv2d(Tensor(padded), Tensor(w), Tensor(b), stride, 0, dilation).numpy()
    np.testing.assert_array_equal(got, want)
    assert not np.signbit(got[got == 0]).any()
    g = Tensor(np.random.default_rng(3).standard_normal(got.shape).astype(dtype) * dtype(scale))
    size = x.shape[2:]
    got = _core.conv2d_input_grad(g, Tensor(w), *size, stride, pad, dilation).numpy()
    want = _core.conv2d_input_grad(g, Tensor(w), *padded.shape[2:], stride, 0, dilation).numpy()
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


# ---- pooling -------------------------------------------------------------------------------------

POOLS = [  # x, kernel, stride, padding
    ((2, 3, 6, 8), (2, 2), (2, 2), (0, 0)),
    ((1, 2, 7, 35), (2, 2), (2, 2), (0, 0)),  # an odd row and column left over
    ((2, 1, 2, 2), (2, 2), (2, 2), (0, 0)),
    ((2, 2, 7, 6), (3, 2), (2, 1), (1, 1)),
    ((1, 2, 9, 9), (3, 3), (1, 1), (1, 1)),
    ((1, 1, 9, 8), (2, 3), (4, 5), (0, 1)),  # stride > kernel
    ((0, 2, 4, 4), (2, 2), (2, 2), (0, 0)),
    ((1, 2, 8, 41), (3, 3), (2, 2), (1, 1)),  # vectors of windows, and those that an edge cuts
    ((2, 1, 5, 37), (2, 4), (1, 1), (1, 2)),
    ((3, 7, 5, 4), (5, 4), (5, 4), (0, 0)),  # one window, the whole plane
    ((1, 2, 9, 20), (3, 3), (3, 3), (1, 1)),
]


@pytest.mark.parametrize("case", POOLS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pools_equal_numpy(case, dtype):
    shape, kernel, stride, padding = case
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    y = _core.max_pool2d(Tensor(x), kernel, stride, padding)
    np.testing.assert_array_equal(y.numpy(), windows.max_pool2d(x, kernel, stride, padding))
    y = _core.avg_pool2d(Tensor(x), kernel, stride, padding)
    expected = windows.avg_pool2d(x, kernel, stride, padding)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", [c for c in POOLS if c[0][0]])
@pytest.mark.parametrize("op", [_core.max_pool2d, _core.avg_pool2d])
def test_pool_gradients_by_finite_differences(case, op):
    shape, *options = case
    x = np.random.default_rng(0).permutation(np.prod(shape)).reshape(shape) / 10.0

    def loss(x):
        y = op(x, *options)
        return (y * y * y).sum()

    def gradient_norm(x):
        t = Tensor(x, requires_grad=True)
        (g,) = _core.grad([loss(t)], [t], create_graph=True)
        return t, (g * g).sum()

    t = Tensor(x, requires_grad=True)
    loss(t).backward()
    numeric = numeric_gradient(lambda a: loss(Tensor(a)).item(), x, 1e-5)
    np.testing.assert_allclose(t.grad.numpy(), numeric, rtol=1e-5, atol=1e-4)
    if x.size < 100:
        t, norm = gradient_norm(x)
        norm.backward()
        numeric = numeric_gradient(lambda a: gradient_norm(a)[1].item(), x, 1e-5)
        np.testing.assert_allclose(t.grad.numpy(), numeric, rtol=1e-4, atol=1e-1)


@pytest.mark.parametrize(("kernel", "stride", "seen"), [(2, 2, 1), (3, 1, 4), (3, 2, 1)])
def test_max_pool_ties_go_to_the_first_and_nan_wins(kernel, stride, seen):
    x = Tensor(np.zeros((1, 1, 4, 34)), requires_grad=True)
    y = _core.max_pool2d(x, kernel, stride)
    y.backward(Tensor(np.ones(y.shape)))
    expected = np.zeros(x.shape)
    expected[..., : y.shape[2] * stride : stride, : y.shape[3] * stride : stride] = 1
    np.testing.assert_array_equal(x.grad.numpy(), expected)

    values = np.arange(4.0 * 34).reshape(1, 1, 4, 34)
    values[0, 0, 1, 1] = np.nan
    x = Tensor(values, requires_grad=True)
    y = _core.max_pool2d(x, kernel, stride)
    assert np.isnan(y.numpy()[0, 0, 0, 0])
    assert np.isnan(y.numpy()).sum() == seen
    y.backward(Tensor(np.ones(y.shape)))
    assert x.grad.numpy()[0, 0, 1, 1] == np.isnan(y.numpy()).sum()

    x = Tensor(np.full((1, 1, 4, 34), -np.inf), requires_grad=True)
    y = _core.max_pool2d(x, kernel, stride)
    assert np.isneginf(y.numpy()).all()
    y.backward(Tensor(np.ones(y.shape)))
    np.testing.assert_array_equal(x.grad.numpy(), expected)


@pytest.mark.parametrize("op", [_core.max_pool2d, _core.avg_pool2d])
@pytest.mark.parametrize(
    ("shape", "options", "words"),
    [
        ((4, 4), (2,), ["(4, 4)", "(channels, height, width)"]),
        ((1, 1, 4, 4), (5,), ["spans 5", "height"]),
        ((1, 1, 4, 4), (2, 2, 2), ["padding (2,)", "half"]),
        ((1, 1, 4, 4), (0,), ["kernel_size", "at least 1"]),
    ],
)
def test_pools_say_how_to_mend_a_call(op, shape, options, words):
    with pytest.raises(ValueError, match="_pool2d: ") as error:
        op(Tensor(np.zeros(shape)), *options)
    for word in words:
        assert word in str(error.value)


# ---- embedding -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dim", [1, 3, 8, 21])
@pytest.mark.parametrize("shape", [(), (5,), (2, 3), (0,)])
def test_embedding_equals_numpy(dim, shape):
    rng = np.random.default_rng(0)
    w, i = rng.standard_normal((7, dim)), rng.integers(0, 7, shape)
    weight = Tensor(w, requires_grad=True)
    y = _core.embedding(Tensor(i), weight)
    np.testing.assert_array_equal(y.numpy(), w[i])
    g = rng.standard_normal(y.shape)
    y.backward(Tensor(g))
    expected = np.zeros_like(w)
    np.add.at(expected, i, g)
    np.testing.assert_array_equal(weight.grad.numpy(), expected)


def test_embedding_names_an_index_out_of_range():
    w = Tensor(np.zeros((4, 2)))
    for bad in (4, -1):
        with pytest.raises(IndexError, match=rf"index {bad} at position 2 .*\[0, 4\)"):
            _core.embedding(Tensor(np.array([0, 3, bad, 9])), w)
    with pytest.raises(TypeError, match="int64"):
        _core.embedding(Tensor(np.zeros(2)), w)


# ---- bits ----------------------------------------------------------------------------------------


def digest() -> str:
    """The bits of every op here, values and gradients, over the tables above."""
    h = hashlib.sha256()

    def add(y, *leaves):
        y.backward(Tensor(np.random.default_rng(3).standard_normal(y.shape).astype(y.dtype)))
        for t in (y, *(leaf.grad for leaf in leaves)):
            h.update(t.numpy().tobytes())

    for case, dtype in itertools.product(CONVS, (np.float32, np.float64)):
        leaves = [Tensor(a, requires_grad=True) for a in arrays(case, dtype=dtype)]
        add(_core.conv2d(*leaves, *case[2:]), *leaves)
    for case in POOLS:
        x = Tensor(np.random.default_rng(4).standard_normal(case[0]), requires_grad=True)
        add(_core.max_pool2d(x, *case[1:]) + _core.avg_pool2d(x, *case[1:]), x)
    rng = np.random.default_rng(5)
    w = Tensor(rng.standard_normal((9, 300)).astype(np.float32), requires_grad=True)
    add(_core.embedding(Tensor(rng.integers(0, 9, 1000)), w), w)
    # Large enough for several threads.
    leaves = [
        Tensor(rng.standard_normal(s).astype(np.float32), requires_grad=True)
        for s in ((20, 8, 14, 14), (24, 8, 3, 3), (24,))
    ]
    y = _core.max_pool2d(_core.conv2d(*leaves, padding=1), 2)
    add(y, *leaves)
    return h.hexdigest()


def test_bits_do_not_depend_on_threads():
    before = _core.get_num_threads()
    try:
        digests = []
        for n in (1, 2, 5):
            _core.set_num_threads(n)
            digests.append(digest())
    finally:
        _core.set_num_threads(before)
    assert len(set(digests)) == 1


def test_bits_do_not_depend_on_the_isa():
    def run(isa: str) -> str:
        code = (
            "import sys; sys.path.insert(0, sys.argv[1]); import test_conv as t; print(t.digest())"
        )
        command = [sys.executable, "-P", "-c", code, os.path.dirname(__file__)]
        env = {**os.environ, "MINIGRAD_ISA": isa}
        return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout

    best = run("")
    assert best.strip() == digest() or _core.isa() in ("baseline", "reference")
    assert best == run("reference") or _core.isa() == "baseline"
