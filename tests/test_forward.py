"""Each op against numpy, in both widths."""

from __future__ import annotations

from typing import Any

import pytest
from case import Case
from checks import (
    DTYPES,
    PRESENT,
    assert_close,
    case_id,
    expected,
    in_dtype,
    mutated,
    run,
    wrap,
)
from draws import Drawn
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize("dtype", DTYPES, ids=case_id)
@pytest.mark.parametrize("case", PRESENT, ids=case_id)
@given(data=st.data())
def test_forward(case: Case, dtype: Any, data: st.DataObject) -> None:
    call = case.draw(Drawn(data.draw))
    inputs = in_dtype(case, call, dtype)
    got = run(case, wrap(inputs), call.attrs)
    if case.check is not None:
        case.check(got, call)
        return
    want = expected(case, call, dtype)
    assert len(got) == len(want)
    written = [a.dtype for i in mutated(case) if (a := inputs[i]) is not None]
    dtypes = [dtype if w.dtype.kind == "f" else w.dtype for w in want]
    dtypes[len(dtypes) - len(written) :] = written
    for i, (a, b, d) in enumerate(zip(got, want, dtypes, strict=True)):
        assert_close(a, b, case.tolerance[dtype is not DTYPES[0]], f"{case.op}, output {i}")
        if case.typed:
            assert a.dtype == d
