"""Strides, steps, offsets and repeats change no bit of a result."""

from __future__ import annotations

from typing import Any

import pytest
from cases import Case
from checks import DTYPES, PRESENT, assert_same_bits, case_id, in_dtype, mutated, run, wrap
from draws import Drawn
from hypothesis import given
from hypothesis import strategies as st
from layouts import any_layout, made_equal_along


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
