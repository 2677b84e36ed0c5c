"""Every op has a case, and every case an op."""

from cases import CASES
from checks import ROWS


def test_every_op_has_a_case() -> None:
    missing = sorted(set(ROWS) - {case.op for case in CASES})
    assert not missing, f"ops without a row in tests/cases.py: {missing}"


def test_every_case_names_an_op() -> None:
    unknown = sorted({case.op for case in CASES} - set(ROWS))
    assert not unknown, f"rows of tests/cases.py without an op: {unknown}"


def test_no_op_has_two_cases() -> None:
    names = [case.op for case in CASES]
    assert len(names) == len(set(names))


def test_every_case_says_what_holds() -> None:
    for case in CASES:
        assert (case.forward is None) != (case.check is None), case.op
