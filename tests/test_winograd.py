"""Winograd's way of 3 by 3 convolutions: its accuracy, what is no number, and its bits."""

import numpy as np
import pytest
import windows
from convolutions import WINOGRAD, arrays

from minigrad import _core
from minigrad._core import Tensor


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
