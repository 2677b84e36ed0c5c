"""Sizes that are split over threads: any number of threads gives the same bits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cases import Case
from checks import DTYPES, PRESENT, assert_same_bits, case_id, everything, fixed_call

from minigrad import _core


@pytest.fixture(autouse=True)
def restore_threads() -> Iterator[None]:
    before = _core.get_num_threads()
    yield
    _core.set_num_threads(before)


@pytest.mark.parametrize("dtype", DTYPES, ids=case_id)
@pytest.mark.parametrize("case", PRESENT, ids=case_id)
def test_thread_count_changes_no_bit(case: Case, dtype: Any) -> None:
    call, _ = fixed_call(case, 0, scale=45)
    results = {}
    for threads in (1, 2, 3):
        _core.set_num_threads(threads)
        _, source = fixed_call(case, 0, scale=45)
        results[threads] = everything(case, call, dtype, source.rng)
    for threads in (2, 3):
        for i, (a, b) in enumerate(zip(results[threads], results[1], strict=True)):
            assert_same_bits(a, b, f"{case.op}, result {i}, {threads} threads against 1")
