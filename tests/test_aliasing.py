"""The same tensor twice, and views that overlap in one buffer, are as good as copies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from case import Case
from checks import (
    DTYPES,
    PRESENT,
    apply,
    arrays_of,
    assert_close,
    assert_same_bits,
    case_id,
    differentiable,
    in_dtype,
    is_float,
    mutated,
    run,
    wrap,
)
from draws import Drawn
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad import _core


def twins(case: Case, inputs: list[Any]) -> tuple[int, int] | None:
    """Two inputs of one shape and dtype, of which none is written."""
    for i, a in enumerate(inputs):
        for j, b in enumerate(inputs[:i]):
            if is_float(a) and is_float(b) and a.shape == b.shape and a.dtype == b.dtype:
                return j, i
    return None


def candidates() -> list[Case]:
    names = ("add", "sub", "mul", "div", "pow", "where", "matmul", "concatenate", "stack")
    more = [c.op for c in PRESENT if "_backward" in c.op or c.op.endswith("_loss")]
    return [c for c in PRESENT if c.op in (*names, *more) and not mutated(c)]


@pytest.mark.parametrize("dtype", DTYPES, ids=case_id)
@pytest.mark.parametrize("case", candidates(), ids=case_id)
@given(data=st.data())
def test_one_tensor_twice(case: Case, dtype: Any, data: st.DataObject) -> None:
    call = case.draw(Drawn(data.draw))
    inputs = in_dtype(case, call, dtype)
    pair = twins(case, inputs)
    if pair is None:
        return
    first, second = pair
    inputs[second] = inputs[first].copy()

    apart, shared = wrap(inputs), wrap(inputs)
    shared[second] = shared[first]
    want, got = run(case, apart, call.attrs), run(case, shared, call.attrs)
    for i, (a, b) in enumerate(zip(got, want, strict=True)):
        assert_same_bits(a, b, f"{case.op}, output {i}")

    if not {first, second} <= set(differentiable(case, call)):
        return
    gradients = []
    for tensors in (apart, shared):
        for i in pair:
            tensors[i].requires_grad = True
        out = apply(case, tensors, call.attrs)
        seeds = [_core.from_numpy(np.full(o.shape, 0.5, dtype)) for o in out]
        chosen = [tensors[first]] if tensors is shared else [tensors[i] for i in pair]
        found = arrays_of(_core.grad(out, chosen, seeds, allow_unused=True))
        zero = np.zeros(inputs[first].shape)
        gradients.append(sum((g for g in found if g is not None), zero))
    tolerance = 1e-5 if dtype is np.float32 else 1e-12
    assert_close(gradients[1], gradients[0], tolerance, f"{case.op}, gradient")


@given(shift=st.integers(-5, 5), size=st.integers(1, 40), step=st.sampled_from([1, 2, -1]))
def test_copy_between_overlapping_views(shift: int, size: int, step: int) -> None:
    start = np.arange(100.0)
    t = _core.from_numpy(start.copy())
    want = start.copy()
    source = slice(40 + shift, 40 + shift + size)
    want[40 : 40 + size] = want[source][::step][:size] if step != 2 else want[source]
    t[40 : 40 + size] = t[source][::step][:size] if step != 2 else t[source]
    np.testing.assert_array_equal(t.numpy(), want)


def test_arrays_over_the_same_memory_are_known_to_overlap() -> None:
    numbers = np.arange(10.0)
    there, back = _core.from_numpy(numbers), _core.from_numpy(numbers[::-1])
    there.copy_(back)
    assert there.tolist() == list(range(9, -1, -1))


def test_a_plan_refuses_to_change_memory_that_two_tensors_hold() -> None:
    numbers = np.ones(4)
    there, back = _core.from_numpy(numbers), _core.from_numpy(numbers[::-1])

    @mg.compile
    def change(x: mg.Tensor) -> mg.Tensor:
        before = back * x
        there.add_(x)
        return before + back * x

    x = np.arange(4.0)
    wanted = np.ones(4) * x + (np.ones(4) + x)[::-1] * x
    assert change(x).tolist() == wanted.tolist()
    change(x)
    with pytest.raises(_core.CaptureError, match="whose memory another one holds"):
        change(x)
    assert numbers.tolist() == [1.0, 3.0, 5.0, 7.0]

    look = mg.compile(lambda x: (there + back + x).sum())
    for _ in range(2):
        assert look(np.zeros(4)).item() == 32.0
    assert look.plans


@pytest.mark.parametrize("part", [slice(None, None, -1), slice(1, None, 2), slice(5, 1, -2)])
def test_profile_puts_back_memory_of_any_strides(part: slice) -> None:
    numbers = np.arange(10.0)
    x = _core.from_numpy(numbers[part])

    @mg.compile
    def step(y: mg.Tensor) -> mg.Tensor:
        x.add_(y)
        return y.sum()

    step(np.float64(1) + np.zeros(1))
    before = numbers.copy()
    step.plans[0].profile(3)
    assert numbers.tolist() == before.tolist()


def test_optimizer_update_with_a_gradient_that_is_the_parameter() -> None:
    hyper = np.array([0, 0.1, 0, 0, 0, 0, 0, 0.0])
    p = _core.from_numpy(np.arange(1.0, 100))
    _core.sgd_(p, p, _core.from_numpy(hyper))
    np.testing.assert_allclose(p.numpy(), np.arange(1.0, 100) * 0.9)
