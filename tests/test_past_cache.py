"""Results that outgrow the last-level cache, of which copies are written past it: the same bits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad import Tensor, nn

COLUMNS = 1000  # rows that end within lines and blocks
ROWS = (32 << 20) // 4 // COLUMNS + 3  # a little above what csrc/core/cache.h names


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

    grain = 2048 * 100
    whole = dropped(mg.tensor(x.reshape(-1))).numpy()
    np.testing.assert_array_equal(whole[:grain], dropped(mg.tensor(x.reshape(-1)[:grain])).numpy())
    positive = mg.compile(lambda a, key: mg.dropout(a.relu(), key, p))
    key, a = mg.tensor([7, 9]), mg.tensor(x)
    for _ in range(2):
        assert_same(positive(a, key), mg.dropout(a.relu(), key, p).numpy())


def test_what_is_kept_and_summed_goes_both_ways(x: np.ndarray) -> None:
    function = mg.compile(lambda a: ((e := a.abs()), e.sum(), (e * 2).sum()))
    a = mg.tensor(x)
    for _ in range(2):
        kept, total, twice = function(a)
        assert_same(kept, abs(x))
        assert total.item() == a.abs().sum().item()
        assert twice.item() == (a.abs() * 2).sum().item()
