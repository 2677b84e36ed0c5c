"""Results that outgrow the last-level cache, of which some are written past it: the same bits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad import Tensor, _core, nn

COLUMNS = 1000  # rows that end within lines and blocks
LIMIT = 32 << 20  # that of csrc/core/cache.h
ROWS = LIMIT // 4 // COLUMNS + 3


@pytest.fixture(scope="module")
def x() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((ROWS, COLUMNS), np.float32)


def assert_same(got: Tensor, want: np.ndarray) -> None:
    assert got.numpy().tobytes() == want.tobytes()


BIAS = np.linspace(-1, 1, COLUMNS, dtype=np.float32)
FUNCTIONS: dict[str, tuple[Callable[..., Tensor], Callable[..., np.ndarray]]] = {
    "relu": (lambda x, b: x.relu(), lambda x, b: np.maximum(x, 0)),
    "rows": (lambda x, b: x + b, lambda x, b: x + b),
    "shared": (lambda x, b: x * 0.5, lambda x, b: x * np.float32(0.5)),
    "columns": (lambda x, b: x + x[:, :1], lambda x, b: x + x[:, :1]),
    "across": (
        lambda x, b: x.reshape(COLUMNS, -1).T.abs(),
        lambda x, b: abs(x.reshape(1000, -1).T),
    ),
    "cast": (lambda x, b: x.double(), lambda x, b: x.astype(np.float64)),
    "where": (lambda x, b: mg.where(x > b, x, b), lambda x, b: np.where(x > b, x, b)),
    "clone": (lambda x, b: x[1:].clone(), lambda x, b: x[1:].copy()),
    "fill": (lambda x, b: mg.full_like(x, 3.0), lambda x, b: np.full_like(x, 3)),
    "chain": (
        lambda x, b: (x + b).relu() * 0.5,
        lambda x, b: np.maximum(x + b, 0) * np.float32(0.5),
    ),
}


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_bits_are_those_of_numpy(name: str, compiled: bool, x: np.ndarray) -> None:
    ours, theirs = FUNCTIONS[name]
    function = mg.compile(ours) if compiled else ours
    want = np.ascontiguousarray(theirs(x, BIAS))
    a, b = mg.tensor(x), mg.tensor(BIAS)
    for _ in range(2):
        assert_same(function(a, b), want)


@pytest.mark.parametrize("p", [0.5, 0.1])
def test_masks_do_not_depend_on_the_size(p: float, x: np.ndarray) -> None:
    def dropped(a: Tensor) -> Tensor:
        mg.seed(1)
        return nn.functional.dropout(a, p)

    for flat in (x.reshape(-1), x.reshape(-1).astype(np.float64)):
        some = 5 * LIMIT // flat.itemsize // 8 + 3  # below the limit
        whole = dropped(mg.tensor(flat))
        np.testing.assert_array_equal(whole.numpy()[:some], dropped(mg.tensor(flat[:some])).numpy())
        kept = whole.numpy() != 0
        assert abs(kept.mean() - (1 - p)) < 0.002
        assert_same(whole, np.where(kept, flat * flat.dtype.type(1 / (1 - p)), flat.dtype.type(0)))
    positive = mg.compile(lambda a, key: _core.dropout(a.relu(), key, p))
    key, a = mg.tensor([7, 9]), mg.tensor(x)
    for _ in range(2):
        assert_same(positive(a, key), _core.dropout(a.relu(), key, p).numpy())


def test_what_is_kept_and_summed_goes_both_ways(x: np.ndarray) -> None:
    function = mg.compile(lambda a: ((e := a.abs()), e.sum(), (e * 2).sum()))
    a = mg.tensor(x)
    for _ in range(2):
        kept, total, twice = function(a)
        assert_same(kept, abs(x))
        assert total.item() == a.abs().sum().item()
        assert twice.item() == (a.abs() * 2).sum().item()


# One kernel each of those that are written past the cache, with as many inputs.
KERNELS: dict[str, tuple[Callable[..., Tensor], Callable[..., np.ndarray]]] = {
    "add": (lambda x, y: x + y, lambda x, y: x + y),
    "add_shared": (lambda x, y: 0.5 + x, lambda x, y: x.dtype.type(0.5) + x),
    "mul": (lambda x, y: x * y, lambda x, y: x * y),
    "relu": (lambda x, y: x.relu(), lambda x, y: np.where(x < 0, 0, x).astype(x.dtype)),
    "relu_backward": (
        lambda x, y: _core.relu_backward(x, y),
        lambda x, y: np.where(y <= 0, 0, x).astype(x.dtype),
    ),
    "relu_dropout_backward": (
        lambda x, y: _core.relu_dropout_backward(x, y, 2.0),
        lambda x, y: np.where(y <= 0, 0, 2 * x).astype(x.dtype),
    ),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", KERNELS)
def test_sizes_around_the_limit_and_operands_off_the_lines(
    name: str, dtype: type[np.floating], x: np.ndarray
) -> None:
    ours, theirs = KERNELS[name]
    elements = LIMIT // np.dtype(dtype).itemsize
    values = x.reshape(-1)[: elements + 40].astype(dtype)
    values[:3] = [np.nan, np.inf, -0.0]
    for more, first, second in [(-1, 0, 0), (0, 0, 0), (1, 1, 3), (17, 3, 16), (23, 16, 7)]:
        n = elements + more
        a, b = values[first : first + n], values[::-1][second : second + n].copy()
        with np.errstate(invalid="ignore"):
            want = theirs(a, b)
        assert_same(ours(mg.from_numpy(values)[first : first + n], mg.from_numpy(b)), want)


def test_in_place_and_into_the_middle_of_lines(x: np.ndarray) -> None:
    other = x[::-1].copy()
    for offset in (0, 1, 5):
        memory = np.zeros(x.size + 8, np.float32)
        memory[offset : offset + x.size] = x.reshape(-1)
        y = mg.from_numpy(memory)[offset : offset + x.size].reshape(x.shape)
        y += mg.tensor(other)
        y *= y
        y *= 0.5
        want = np.zeros_like(memory)
        want[offset : offset + x.size] = (np.square(x + other) * np.float32(0.5)).reshape(-1)
        assert mg.from_numpy(memory).numpy().tobytes() == want.tobytes()


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_readers_that_follow_at_once_see_all_of_it(threads: int, x: np.ndarray) -> None:
    before = mg.get_num_threads()
    mg.set_num_threads(threads)
    try:
        a, b = mg.tensor(x), mg.tensor(x[::-1].copy())
        want = np.maximum(x + x[::-1], 0)
        for _ in range(5):
            # Turned over, so that each thread reads what the other ones wrote.
            assert_same((a + b).relu().T.clone().T, want)
        turned = mg.compile(lambda a, b: (a + b).relu().T.clone())
        for _ in range(2):
            assert_same(turned(a, b), np.ascontiguousarray(want.T))
    finally:
        mg.set_num_threads(before)


def test_a_plan_that_writes_over_what_it_read(x: np.ndarray) -> None:
    function = mg.compile(lambda a: (a.softmax(1) * 0.5).relu())
    a = mg.tensor(x)
    want = np.maximum(a.softmax(1).numpy() * np.float32(0.5), 0)
    for _ in range(2):
        assert_same(function(a), want)
