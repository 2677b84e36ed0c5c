"""Pooling against plain numpy in float64."""

import numpy as np
import pytest
import windows

from minigrad import _core
from minigrad._core import Tensor

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
    numeric = windows.numeric_gradient(lambda a: loss(Tensor(a)).item(), x, 1e-5)
    np.testing.assert_allclose(t.grad.numpy(), numeric, rtol=1e-5, atol=1e-4)
    if x.size < 100:
        t, norm = gradient_norm(x)
        norm.backward()
        numeric = windows.numeric_gradient(lambda a: gradient_norm(a)[1].item(), x, 1e-5)
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
