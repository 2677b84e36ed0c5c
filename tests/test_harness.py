"""The checks themselves can fail: gradients broken on purpose are caught."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from checks import PRESENT, Function, check_gradient, check_second_derivative, fixed_call

from minigrad import _core

MUL = next(case for case in PRESENT if case.op == "mul")


def wrong_by(factor: float, monkeypatch: pytest.MonkeyPatch) -> None:
    right = Function.gradient

    def gradient(self: Function, *args: Any, **options: Any) -> tuple[list, list, list]:
        found, inputs, seeds = right(self, *args, **options)
        return [g * factor for g in found], inputs, seeds

    monkeypatch.setattr(Function, "gradient", gradient)


def test_a_wrong_factor_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    call, source = fixed_call(MUL, 0, scale=2)
    check_gradient(MUL, call, source.rng)
    wrong_by(1.00001, monkeypatch)
    with pytest.raises(AssertionError, match="mul: gradient"):
        check_gradient(MUL, call, source.rng)


def test_a_wrong_second_derivative_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    call, source = fixed_call(MUL, 0, scale=2)
    check_second_derivative(MUL, call, source.rng)
    right = _core.grad

    def grad(*args: Any, **options: Any) -> Any:
        found = right(*args, **options)
        return found if "create_graph" in options else [g * 1.00001 for g in found]

    monkeypatch.setattr(_core, "grad", grad)
    with pytest.raises(AssertionError, match="mul: second derivative"):
        check_second_derivative(MUL, call, source.rng)


def test_an_empty_tensor_is_contiguous_whatever_its_strides() -> None:
    assert _core.from_numpy(np.zeros((0, 2))).is_contiguous()
