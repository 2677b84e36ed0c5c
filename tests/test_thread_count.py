"""Sizes that are split over threads: any number of threads gives the same bits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from case import Case
from checks import DTYPES, PRESENT, assert_same_bits, case_id, everything, fixed_call

from minigrad import _core

SCALE = 47  # three dimensions of it or more are three threads' worth of any op


@pytest.fixture(autouse=True)
def restore_threads() -> Iterator[None]:
    before = _core.get_num_threads()
    yield
    _core.set_num_threads(before)


@pytest.mark.parametrize("dtype", DTYPES, ids=case_id)
@pytest.mark.parametrize("case", PRESENT, ids=case_id)
def test_thread_count_changes_no_bit(case: Case, dtype: Any) -> None:
    def with_threads(threads: int) -> list[np.ndarray]:
        _core.set_num_threads(threads)
        call, source = fixed_call(case, 0, SCALE)
        return everything(case, call, dtype, source.rng)

    one = with_threads(1)
    for threads in (2, 3):
        for i, (a, b) in enumerate(zip(with_threads(threads), one, strict=True)):
            assert_same_bits(a, b, f"{case.op}, result {i}, {threads} threads against 1")
