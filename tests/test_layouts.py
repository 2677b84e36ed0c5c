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
