"""Sorting, running sums and elements by index, on the sizes where another way is taken."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import _core

SPECIAL = [np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0]
SIZES = [1, 2, 127, 128, 129, 1000]  # rows above 128 are sorted by counting


def draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Many equals, and what is special about the dtype."""
    if dtype == np.bool_:
        return rng.random(shape) < 0.5
    if dtype == np.int64:
        ends = [np.iinfo(np.int64).min, np.iinfo(np.int64).max]
        return np.where(
            rng.random(shape) < 0.3, rng.choice(ends, shape), rng.integers(-9, 9, shape)
        )
    x = (rng.standard_normal(shape) * 10 ** rng.uniform(-30, 30, shape)).round(1)
    return np.where(rng.random(shape) < 0.3, rng.choice(SPECIAL, shape), x).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.bool_])
@pytest.mark.parametrize("n", SIZES)
def test_the_order_is_stable_with_nan_last(n: int, dtype: Any) -> None:
    x = draw(np.random.default_rng(n), (3, n), dtype)
    want = np.argsort(x, 1, kind="stable")
    np.testing.assert_array_equal(mg.argsort(mg.tensor(x), 1).numpy(), want)
    columns = mg.tensor(np.ascontiguousarray(x.T))
    np.testing.assert_array_equal(mg.argsort(columns, 0).numpy(), want.T)
    np.testing.assert_array_equal(mg.argsort(columns.T, 1).numpy(), want)
    falling = n - 1 - np.argsort(x[:, ::-1], 1, kind="stable")[:, ::-1]
    np.testing.assert_array_equal(mg.argsort(mg.tensor(x), 1, True).numpy(), falling)
    values, indices = mg.tensor(x).sort(1)
    np.testing.assert_array_equal(indices.numpy(), want)
    assert values.numpy().tobytes() == np.take_along_axis(x, want, 1).tobytes()


def test_keys_that_share_most_bytes() -> None:
    x = np.random.default_rng(0).integers(0, 3, 500) << 40
    np.testing.assert_array_equal(mg.argsort(mg.tensor(x)).numpy(), np.argsort(x, kind="stable"))
    assert mg.argsort(mg.zeros(500)).tolist() == list(range(500))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_running_sums_are_numpys(dtype: Any) -> None:
    x = draw(np.random.default_rng(0), (5, 7, 3), dtype)
    with np.errstate(all="ignore"):
        for dim in range(3):
            want = np.cumsum(x, dim)
            np.testing.assert_array_equal(mg.cumsum(mg.tensor(x), dim).numpy(), want)
    assert mg.cumsum(mg.tensor(np.float32([-0.0, -0.0])), 0).numpy().tobytes() == bytes(
        [0, 0, 0, 128] * 2
    )


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.bool_])
def test_rows_by_index(dtype: Any, threads: int) -> None:
    rng = np.random.default_rng(0)
    x = draw(rng, (300, 4, 700), dtype)
    index = rng.integers(-4, 4, (5, 3))
    before = mg.get_num_threads()
    mg.set_num_threads(threads)
    try:
        for dim in range(3):
            want = np.take(x, index, dim)
            assert mg.take(mg.tensor(x), mg.tensor(index), dim).numpy().tobytes() == want.tobytes()
        across = mg.tensor(np.ascontiguousarray(index.T)).T
        assert mg.take(mg.tensor(x), across, 1).numpy().tobytes() == np.take(x, index, 1).tobytes()
    finally:
        mg.set_num_threads(before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.bool_])
@pytest.mark.parametrize("count", [1, 40, 3000])
def test_rows_of_all_sizes_by_index(count: int, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    for size in (*range(1, 36), 63, 64, 65, 100, 255, 257, 1000):
        x = rng.integers(0, 255, (50, size)).astype(dtype)
        index = rng.integers(-50, 50, count)
        want = x[index]
        assert mg.take(mg.tensor(x), mg.tensor(index)).numpy().tobytes() == want.tobytes()
        if x.dtype.kind == "f":
            rows = mg.embedding(mg.tensor(index % 50), mg.tensor(x))
            assert rows.numpy().tobytes() == want.tobytes()
        # A last row that ends where the array does, and what lies around the result.
        last = mg.take(mg.tensor(x[40:]), mg.tensor(np.full(count, 9)))
        assert last.numpy().tobytes() == np.repeat(x[49:], count, 0).tobytes()


@pytest.mark.parametrize("place", [0, 7, 99_999])
def test_the_first_index_beyond_is_named(place: int) -> None:
    index = np.zeros(100_000, np.int64)
    index[place:] = -5
    for shape in ((4,), (4, 0), (4, 3)):
        with pytest.raises(IndexError, match=f"index -5 at position {place} is out of range"):
            mg.take(mg.zeros(shape), mg.tensor(index))
    with pytest.raises(IndexError, match=f"index 4 at position {place} is"):
        _core.check_indices(mg.tensor(np.where(index, 4, 3)), 4)
    assert mg.take(mg.zeros(0, 2), mg.zeros(0, dtype="int64")).shape == (0, 2)


def test_gathering() -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    for dim in range(3):
        shape = [*x.shape]
        shape[dim] = 5
        index = np.random.default_rng(dim).integers(-x.shape[dim], x.shape[dim], shape)
        want = np.take_along_axis(x, index % x.shape[dim], dim)
        np.testing.assert_array_equal(mg.tensor(x).gather(dim, mg.tensor(index)).numpy(), want)
    assert mg.zeros(0, 3).gather(1, mg.zeros(1, 2, dtype="int64")).shape == (0, 2)
    assert mg.zeros(3, 0).gather(1, mg.zeros(3, 0, dtype="int64")).shape == (3, 0)
    broadcast = mg.tensor(x).gather(2, mg.tensor([[[1]]]))
    np.testing.assert_array_equal(broadcast.numpy(), x[:, :, 1:2])
