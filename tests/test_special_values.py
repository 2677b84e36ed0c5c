"""NaN, infinities and signed zeros go where numpy has them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from case import Case
from checks import DTYPES, PRESENT, case_id, expected, in_dtype, is_float, run, wrap
from draws import Call, Drawn
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad import _core

SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0])
PURE = [c for c in PRESENT if c.special and c.forward is not None]


@pytest.mark.parametrize("dtype", DTYPES, ids=case_id)
@pytest.mark.parametrize("case", PURE, ids=case_id)
@given(data=st.data())
def test_special_values(case: Case, dtype: Any, data: st.DataObject) -> None:
    source = Drawn(data.draw)
    call = case.draw(source)
    inputs = []
    for i, a in enumerate(call.inputs):
        if a is not None and is_float(a) and i not in case.fixed:
            chosen = source.rng.random(a.shape) < 0.3
            a = np.where(chosen, source.rng.choice(SPECIAL, a.shape), a)
        inputs.append(a)
    call = Call(tuple(inputs), call.attrs)
    got = run(case, wrap(in_dtype(case, call, dtype)), call.attrs)
    for i, (a, b) in enumerate(zip(got, expected(case, call, dtype), strict=True)):
        what = f"{case.op}, output {i}"
        if b.dtype.kind == "f":
            for kind in (np.isnan, np.isposinf, np.isneginf):
                np.testing.assert_array_equal(kind(a), kind(b), err_msg=f"{what}, {kind.__name__}")
            finite = np.isfinite(b)
            np.testing.assert_allclose(a[finite], b[finite], 1e-4, 1e-4, err_msg=what)
        else:
            np.testing.assert_array_equal(a, b, err_msg=what)


@pytest.mark.parametrize("dtype", DTYPES, ids=case_id)
@pytest.mark.parametrize("name", ["elu", "selu"])
def test_vectors_of_positive_numbers_end_beside_others(name: str, dtype: Any) -> None:
    """Vectors without a number left of 0 skip its formula, but give the bits of one by one."""
    function = getattr(_core, name)
    slope, alpha = getattr(_core, f"{name}_backward"), (1.0,) * (name == "elu")
    for n in (1, 16, 33, 64, 71):
        for odd in (-1.0, -0.0, 0.0, np.nan, -np.inf, 1.0):
            x = np.linspace(0.5, 2, n).astype(dtype)
            x[n // 2] = odd
            alone = [function(mg.tensor(x[i : i + 1])).numpy() for i in range(n)]
            assert function(mg.tensor(x)).numpy().tobytes() == np.concatenate(alone).tobytes()
            g = mg.ones(n, dtype=dtype)
            alone = [slope(g[:1], mg.tensor(x[i : i + 1]), *alpha).numpy() for i in range(n)]
            assert (
                slope(g, mg.tensor(x), *alpha).numpy().tobytes() == np.concatenate(alone).tobytes()
            )
