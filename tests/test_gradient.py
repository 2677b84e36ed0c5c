"""The gradient of each op against central finite differences in float64."""

from __future__ import annotations

import pytest
from case import Case
from checks import PRESENT, ROWS, case_id, check_gradient, check_second_derivative
from draws import Drawn
from hypothesis import given
from hypothesis import strategies as st
from layouts import any_layout

DIFFERENTIABLE = [c for c in PRESENT if ROWS[c.op]["differentiable"] and c.wrt != ()]


@pytest.mark.parametrize("case", DIFFERENTIABLE, ids=case_id)
@given(data=st.data())
def test_gradient(case: Case, data: st.DataObject) -> None:
    source = Drawn(data.draw)
    call = case.draw(source)
    check_gradient(case, call, source.rng, lambda a: any_layout(source, a))


@pytest.mark.parametrize("case", [c for c in DIFFERENTIABLE if c.second], ids=case_id)
@given(data=st.data())
def test_second_derivative(case: Case, data: st.DataObject) -> None:
    source = Drawn(data.draw)
    check_second_derivative(case, case.draw(source), source.rng)
