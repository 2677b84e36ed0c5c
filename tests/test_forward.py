"""Each op against numpy, in both widths."""

from __future__ import annotations

from typing import Any

import pytest
from cases import Case
from checks import DTYPES, PRESENT, assert_close, case_id, expected, in_dtype, run, wrap
from draws import Drawn
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize("dtype", DTYPES, ids=case_id)
@pytest.mark.parametrize("case", PRESENT, ids=case_id)
@given(data=st.data())
def test_forward(case: Case, dtype: Any, data: st.DataObject) -> None:
    call = case.draw(Drawn(data.draw))
    got = run(case, wrap(in_dtype(case, call, dtype)), call.attrs)
    if case.check is not None:
        case.check(got, call)
        return
    want = expected(case, call, dtype)
    assert len(got) == len(want)
    for i, (a, b) in enumerate(zip(got, want, strict=True)):
        assert_close(a, b, case.tolerance[dtype is not DTYPES[0]], f"{case.op}, output {i}")
        if case.typed:
            assert a.dtype == (dtype if b.dtype.kind == "f" else b.dtype)
