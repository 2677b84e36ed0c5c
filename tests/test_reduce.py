"""Reductions: the written order of every sum to the bit, NaN, Inf, zeros, nothing, refusals."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import _core

FLOATS = [np.float32, np.float64]
LENGTHS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 17, 31, 63, 64, 65, 1000, 8191, 8192, 8193, 40_001]
FMA = _core.isa() != "baseline"


def row_sum(x: np.ndarray) -> np.ndarray:
    """64 lanes joined by halving, in chunks of 8192 joined in order, along the last axis."""
    total = np.zeros(x.shape[:-1], x.dtype)
    for start in range(0, x.shape[-1], 8192):
        chunk = x[..., start : start + 8192]
        padded = np.zeros((*x.shape[:-1], -(-chunk.shape[-1] // 64) * 64), x.dtype)
        padded[..., : chunk.shape[-1]] = chunk
        lanes = np.zeros((*x.shape[:-1], 64), x.dtype)
        for i in range(0, padded.shape[-1], 64):
            lanes = lanes + padded[..., i : i + 64]
        while lanes.shape[-1] > 1:
            half = lanes.shape[-1] // 2
            lanes = lanes[..., :half] + lanes[..., half:]
        total = total + lanes[..., 0]
    return total


def column_sum(x: np.ndarray) -> np.ndarray:
    """A chain down the first axis, in chunks of 1024 joined in order."""
    total = np.zeros(x.shape[1:], x.dtype)
    for start in range(0, len(x), 1024):
        chain = np.zeros(x.shape[1:], x.dtype)
        for row in x[start : start + 1024]:
            chain = chain + row
        total = total + chain
    return total


def draw(*shape: int, dtype: Any = np.float32) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(0, 1, shape).astype(dtype)


@pytest.fixture(params=[1, 2, 5])
def threads(request: pytest.FixtureRequest) -> Any:
    before = mg.get_num_threads()
    mg.set_num_threads(request.param)
    yield request.param
    mg.set_num_threads(before)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", LENGTHS)
def test_a_row_is_summed_in_the_written_order(n: int, dtype: Any, threads: int) -> None:
    x = draw(3, n, dtype=dtype)
    np.testing.assert_array_equal(mg.tensor(x).sum(1).numpy(), row_sum(x))
    np.testing.assert_array_equal(mg.tensor(x[0]).sum().numpy(), row_sum(x[0]))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("columns", [1, 3, 4, 8, 17, 600])
@pytest.mark.parametrize("n", [0, 1, 9, 1023, 1024, 1025, 5000])
def test_columns_are_summed_in_the_written_order(
    n: int, columns: int, dtype: Any, threads: int
) -> None:
    x = draw(n, columns, dtype=dtype)
    got = mg.tensor(x).sum(0).numpy()
    # A single column is a row in memory and in shape: nothing lies beside it.
    np.testing.assert_array_equal(got, row_sum(x.T) if columns == 1 else column_sum(x))


def test_several_axes_are_summed_from_the_innermost() -> None:
    x = draw(5, 3, 7, 11)
    want = column_sum(row_sum(x.reshape(5, 3, 77)))
    np.testing.assert_array_equal(mg.tensor(x).sum((0, 2, 3)).numpy(), want)


def test_strides_change_no_bit() -> None:
    x = draw(70, 90, 40)
    for dims in (0, 1, 2, (0, 1), (0, 2), (1, 2), None):
        want = mg.tensor(x).sum(dims).numpy()
        turned = mg.tensor(np.ascontiguousarray(x.transpose(2, 0, 1))).permute((1, 2, 0))
        np.testing.assert_array_equal(turned.sum(dims).numpy(), want)
        wide = np.zeros((70, 90, 80), np.float32)
        wide[..., ::2] = x
        np.testing.assert_array_equal(mg.tensor(wide)[..., ::2].sum(dims).numpy(), want)


@pytest.mark.parametrize("dtype", [*FLOATS, np.int64, np.bool_])
@pytest.mark.parametrize("m", [66, 95, 96, 97, 98, 1100])
def test_strided_matrices_that_are_reduced_in_parts(m: int, dtype: Any, threads: int) -> None:
    """Parts are copied, and columns with gaps are read with what lies between; no bit shows it."""
    x = np.random.default_rng(m).normal(0, 3, (1000, m)).astype(dtype)
    x[7, 5] = np.nan if x.dtype.kind == "f" else 1
    views = [mg.tensor(np.ascontiguousarray(x.T)).T]
    for step in (2, 3, 4, 5, -2):
        wide = np.full((1000, m * abs(step)), np.nan if x.dtype.kind == "f" else 1).astype(dtype)
        wide[:, ::step] = x
        views.append(mg.tensor(wide)[:, ::step])
        tall = np.ascontiguousarray(wide.T)
        views.append(mg.tensor(tall)[::step].T)
        views.append(mg.from_numpy(wide)[:, ::step].reshape(10, 100, m).reshape(1000, m))
    names = ["sum", "max", "argmin", *(["var"] if x.dtype.kind == "f" else [])]
    for name in names:
        for dim in (0, 1):
            want = getattr(mg.tensor(x), name)(dim).numpy()
            for view in views:
                np.testing.assert_array_equal(getattr(view, name)(dim).numpy(), want)


# Reduced and kept dimensions that are longer than a tile, a chunk, or shorter than a vector.
TURNED = [(3, 70, 130), (33, 17, 40, 5), (2, 9000), (9000, 18), (40, 8200), (1030, 65), (16, 16)]


@pytest.mark.parametrize("dtype", [*FLOATS, np.int64, np.bool_])
@pytest.mark.parametrize("shape", TURNED)
def test_dimensions_in_any_order_in_memory(
    shape: tuple[int, ...], dtype: Any, threads: int
) -> None:
    x = np.random.default_rng(0).normal(0, 3, shape).astype(dtype)
    if x.dtype.kind == "f":
        x.reshape(-1)[[1, 5, 70]] = [np.nan, -0.0, np.inf]
    dense, rank = mg.tensor(x), len(shape)
    for order in itertools.permutations(range(rank)):
        if order == tuple(range(rank)):
            continue
        memory = np.ascontiguousarray(x.transpose(order))
        view = mg.tensor(memory).permute(tuple(int(i) for i in np.argsort(order)))
        np.testing.assert_array_equal(view.numpy(), x)
        for dim in (None, *range(rank), (0, rank - 1)):
            for name in ("sum", "max", "min"):
                want, got = getattr(dense, name)(dim).numpy(), getattr(view, name)(dim).numpy()
                np.testing.assert_array_equal(got, want)
                zero = want == 0
                np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(want[zero]))


CALLS = """
import sys, numpy as np, minigrad as mg
from minigrad import nn
rng = np.random.default_rng(0)
x = mg.tensor(rng.normal(0, 1, (37, 300)).astype(np.float32))
image = x.reshape(37, 3, 10, 10)
labels = mg.tensor(rng.integers(0, 300, 37))
F = nn.functional
t = mg.tensor(rng.normal(0, 1, (300, 101)).astype(np.float32)).T
t64 = t.double().T.clone().T
turned = [f(d) for a in (t, t64) for f in (a.sum, a.max) for d in (None, 0, 1)]
out = [*turned, x.sum(), x.mean(0), x.max(1), x.min(), x.var(), x.std(0), x.logsumexp(1),
       x.softmax(1), x.log_softmax(0), x.softmax(0), x.logsumexp(0), image.logsumexp(3),
       image.sum((0, 2, 3)), image.var((0, 2, 3)), F.cross_entropy(x, labels),
       F.layer_norm(x, (300,)), F.batch_norm(image, training=True), F.batch_norm(x, training=True),
       F.huber_loss(x, x * 0.5), F.binary_cross_entropy_with_logits(x, x.sigmoid())]
sys.stdout.buffer.write(b"".join(o.numpy().tobytes() for o in out))
"""


def test_every_fma_isa_gives_the_bits_of_the_reference() -> None:
    def bits(isa: str) -> bytes:
        env = {**os.environ, "MINIGRAD_ISA": isa}
        return subprocess.run(
            [sys.executable, "-P", "-c", CALLS], env=env, check=True, capture_output=True
        ).stdout

    if not FMA:
        pytest.skip("the baseline has no fma")
    assert bits(_core.isa()) == bits("reference")


# ---- Special values -----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", [1, 5, 8, 40, 200, 9000])
def test_a_nan_wins_wherever_it_stands(n: int, dtype: Any) -> None:
    for at in {0, n // 2, n - 1}:
        x = draw(n, dtype=dtype)
        x[at] = np.nan
        for shaped, dim in ((mg.tensor(x), 0), (mg.tensor(np.stack([x, x], 1)), 0)):
            assert np.isnan(shaped.max(dim).numpy()).all()
            assert np.isnan(shaped.min(dim).numpy()).all()
            assert (shaped.argmax(dim).numpy() == at).all()
            assert (shaped.argmin(dim).numpy() == at).all()


@pytest.mark.parametrize("n", [3, 20, 100, 9000])
def test_the_first_of_equals_is_the_arg_extreme(n: int) -> None:
    x = np.zeros(n, np.float32)
    x[[n // 2, n - 1]] = 1
    for shaped in (mg.tensor(x), mg.tensor(np.stack([x] * 3, 1))):
        assert (shaped.argmax(0).numpy() == n // 2).all()
        assert (shaped.argmin(0).numpy() == 0).all()


@pytest.mark.parametrize("dtype", [*FLOATS, np.int64])
@pytest.mark.parametrize("few", range(1, 9))
@pytest.mark.parametrize("many", [1, 15, 16, 1023, 1024, 2500])
def test_arg_extremes_of_short_rows_and_few_columns(many: int, few: int, dtype: Any) -> None:
    rng = np.random.default_rng(many + few)
    x = rng.integers(-4, 4, (many, few)).astype(dtype)
    if dtype != np.int64:
        x[rng.random(x.shape) < 0.1] = -np.inf
        x[rng.random(x.shape) < 0.3 / many] = np.nan
    for dim in (0, 1):
        np.testing.assert_array_equal(mg.tensor(x).argmax(dim).numpy(), x.argmax(dim))
        np.testing.assert_array_equal(mg.tensor(x).argmin(dim).numpy(), x.argmin(dim))
        np.testing.assert_array_equal(mg.tensor(x).max(dim).numpy(), x.max(dim))
        np.testing.assert_array_equal(mg.tensor(x).min(dim).numpy(), x.min(dim))


def test_infinities() -> None:
    inf = np.inf
    low, high, both = mg.tensor([-inf, -inf]), mg.tensor([1.0, inf]), mg.tensor([inf, -inf])
    assert low.max().item() == -inf
    assert low.min().item() == -inf
    assert low.argmax().item() == 0
    assert high.sum().item() == inf
    assert np.isnan(both.sum().item())
    assert both.max().item() == inf
    assert low.logsumexp().item() == -inf
    assert high.logsumexp().item() == inf
    assert np.isnan(low.softmax(0).numpy()).all()
    masked = mg.tensor([0.0, -inf, 0.0])
    assert masked.softmax(0).tolist() == [0.5, 0.0, 0.5]
    assert masked.logsumexp().item() == pytest.approx(np.log(2))


def test_a_sum_is_never_minus_zero_and_an_extreme_is_the_first_zero() -> None:
    assert not np.signbit(mg.tensor(np.full(5, -0.0)).sum().item())
    assert not np.signbit(mg.tensor(np.full((1, 5), -0.0)).sum(0).numpy()).any()
    assert np.signbit(mg.tensor([-0.0, 0.0]).max().item())


def test_nothing() -> None:
    empty = mg.tensor(np.zeros((0, 3), np.float32))
    assert empty.sum().item() == 0
    assert empty.sum(0).tolist() == [0, 0, 0]
    assert empty.sum(1).shape == (0,)
    assert empty.max(1).shape == (0,)
    assert np.isnan(empty.mean().item())
    assert np.isnan(empty.var(0).numpy()).all()
    assert empty.softmax(1).shape == (0, 3)
    for call in (empty.max, empty.min, empty.argmax, empty.argmin, empty.logsumexp):
        with pytest.raises(
            ValueError, match=r"nothing to choose from in a tensor of shape \(0, 3\)"
        ):
            call(0)


def test_one_value_has_no_unbiased_variance() -> None:
    one = mg.tensor([3.0])
    assert np.isnan(one.var().item())
    assert one.var(correction=0).item() == 0


def test_integers_are_exact_and_bools_are_counted() -> None:
    big = np.array([2**53, 1, 2**53], np.int64)
    assert mg.tensor(big).sum().item() == 2**54 + 1
    flags = np.random.default_rng(0).integers(0, 2, (300, 40)).astype(bool)
    for dim in (None, 0, 1):
        np.testing.assert_array_equal(mg.tensor(flags).sum(dim).numpy(), flags.sum(dim))
        np.testing.assert_array_equal(mg.tensor(flags).max(dim).numpy(), flags.max(dim))
    assert mg.tensor(flags).sum().dtype == np.int64
    assert mg.tensor([1, 2]).mean().dtype == np.float32


def test_softmax_does_not_overflow() -> None:
    x = mg.tensor(np.array([[1e4, 1e4 - 1, -1e4]], np.float32))
    np.testing.assert_allclose(x.softmax(1).numpy(), [[0.7310586, 0.26894143, 0]], rtol=1e-6)
    np.testing.assert_allclose(
        x.log_softmax(1).numpy(), [[-0.3132617, -1.3132617, -20000.312]], rtol=1e-6
    )
    assert x.logsumexp(1).item() == pytest.approx(10000.3132617)


# ---- Gradients that the table of cases cannot see -----------------------------------------------


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", [1, 2, 3, 5, 16, 17, 33, 63, 64, 65])
def test_softmax_of_columns_and_short_rows_has_the_bits_of_long_rows(
    n: int, dtype: Any, threads: int
) -> None:
    """Many columns or short rows are worked on side by side, rows above 16 never: -inf adds 0."""
    rng = np.random.default_rng(n)
    for shape in ((n, 7), (n, 8), (n, 9000), (3, n, 17), (2, 3, n, 2, 6)):
        dim = shape.index(n)
        x = rng.standard_normal(shape).astype(dtype)
        for value, share in (
            (0, 0.1),
            (-0.0, 0.1),
            (-np.inf, 0.01),
            (np.inf, 0.01),
            (np.nan, 0.01),
        ):
            x[rng.random(shape) < share] = value
        last = np.ascontiguousarray(np.moveaxis(x, dim, -1))
        long = np.concatenate([last, np.full((*last.shape[:-1], 20), -np.inf, dtype)], -1)
        for name in ("softmax", "log_softmax", "logsumexp"):
            want = getattr(mg.tensor(long), name)(-1).numpy()
            if name != "logsumexp":
                want = want[..., :n]
            along = getattr(mg.tensor(last), name)(-1).numpy()
            down = getattr(mg.tensor(x), name)(dim).numpy()
            if name != "logsumexp":
                down = np.moveaxis(down, dim, -1)
            for got in (along, down):
                np.testing.assert_array_equal(got, want)
                assert (np.signbit(got) == np.signbit(want))[~np.isnan(want)].all()


def test_equal_extremes_share_the_gradient() -> None:
    x = mg.tensor([[2.0, 1.0, 2.0], [0.0, 0.0, 0.0]], requires_grad=True)
    x.max(1).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [[0.5, 0, 0.5], [1 / 3] * 3], rtol=1e-6)
    x.grad = None
    x.max().backward()
    np.testing.assert_allclose(x.grad.numpy(), [[0.5, 0, 0.5], [0] * 3])


def test_a_flat_std_has_no_gradient() -> None:
    x = mg.tensor([3.0, 3.0], requires_grad=True)
    x.std().backward()
    assert x.grad.tolist() == [0, 0]


# ---- Refusals -----------------------------------------------------------------------------------


def test_refusals_say_what_is_wrong() -> None:
    x = mg.tensor(np.zeros((2, 3), np.float32))
    with pytest.raises(IndexError, match=r"sum: dim 2 is out of range .* 2 dimensions"):
        x.sum(2)
    with pytest.raises(ValueError, match="sum: dim 1 appears twice"):
        x.sum((1, -1))
    with pytest.raises(IndexError, match="softmax: dim -3 is out of range"):
        x.softmax(-3)
    with pytest.raises(IndexError, match="argmax: dim 5 is out of range"):
        x.argmax(5)
