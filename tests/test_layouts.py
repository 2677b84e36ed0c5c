"""Strides, steps, offsets and repeats change no bit of a result."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from case import Case
from checks import DTYPES, PRESENT, assert_same_bits, case_id, in_dtype, mutated, run, wrap
from draws import Drawn
from hypothesis import given
from hypothesis import strategies as st
from layouts import any_layout, made_equal_along

import minigrad as mg


@pytest.mark.parametrize("dtype", DTYPES, ids=case_id)
@pytest.mark.parametrize("case", PRESENT, ids=case_id)
@given(data=st.data())
def test_layout_changes_no_bit(case: Case, dtype: Any, data: st.DataObject) -> None:
    source = Drawn(data.draw)
    call = case.draw(source)
    written = mutated(case)
    inputs = [
        a if a is None or i in written or i in case.fixed else made_equal_along(source, a)
        for i, a in enumerate(in_dtype(case, call, dtype))
    ]
    laid_out = [
        None if a is None else any_layout(source, a, writable=i in written)
        for i, a in enumerate(inputs)
    ]
    want = run(case, wrap([None if a is None else a.copy() for a in inputs]), call.attrs)
    got = run(case, laid_out, call.attrs)
    for i, (a, b) in enumerate(zip(got, want, strict=True)):
        assert_same_bits(a, b, f"{case.op}, output {i}")


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.bool_])
def test_turned_matrices_of_all_sizes(dtype: Any) -> None:
    for rows, columns in [(1, 40), (16, 16), (17, 33), (40, 15), (47, 64), (300, 123)]:
        x = np.arange(rows * columns).reshape(rows, columns) % 251
        x = x.astype(dtype)
        np.testing.assert_array_equal(mg.tensor(x).T.clone().numpy(), x.T)
        stack = np.stack([x, x[::-1]])
        turned = mg.tensor(stack).permute((0, 2, 1)).clone()
        np.testing.assert_array_equal(turned.numpy(), stack.transpose(0, 2, 1))


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(
    ("shape", "order"),
    [((300, 700), (1, 0)), ((1, 900, 64), (0, 2, 1)), ((9, 70, 33, 5), (0, 2, 3, 1))],
    ids=str,
)
def test_elements_of_turned_arrays(
    shape: tuple[int, ...], order: tuple[int, ...], threads: int
) -> None:
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal(shape).astype(np.float32) for _ in range(2))
    a, b = mg.tensor(x).permute(order), mg.tensor(y).permute(order)
    p, q = x.transpose(order), y.transpose(order)
    z = rng.standard_normal(p.shape).astype(np.float32)
    row = z[..., -1:]
    before = mg.get_num_threads()
    mg.set_num_threads(threads)
    try:
        for got, want in [
            (a + 1, p + 1),
            (a * b, p * q),
            (a - mg.tensor(z), p - z),
            (mg.tensor(z) - a, z - p),
            (a * mg.tensor(row), p * row),
            (mg.where(a > b, a, 0.0), np.where(p > q, p, np.float32(0))),
            (mg.where(mg.tensor(z) > 0, 2.0, b), np.where(z > 0, np.float32(2), q)),
        ]:
            np.testing.assert_array_equal(got.numpy(), want)
    finally:
        mg.set_num_threads(before)
