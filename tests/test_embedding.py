"""Rows of a table by index, and their gradient."""

import numpy as np
import pytest

from minigrad import _core
from minigrad._core import Tensor


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
