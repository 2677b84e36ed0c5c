"""The tape: what is recorded, what backward adds where, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad import _core


def leaf(*values: float) -> mg.Tensor:
    return mg.tensor(np.array(values), requires_grad=True)


def test_gradients_add_up_until_they_are_cleared():
    x = leaf(1.0, 2.0)
    (x * x).sum().backward()
    (x * 3).sum().backward()
    assert x.grad.tolist() == [5.0, 7.0]
    x.grad = None
    (x * 3).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_two_leaves_never_share_a_gradient():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (x + y).sum().backward()
    with mg.no_grad():
        x.grad.fill_(9.0)
    assert y.grad.tolist() == [1.0, 1.0]


def test_a_graph_serves_one_backward_unless_it_is_retained():
    x = leaf(2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [8.0]
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        y.backward()


def test_gradient_of_a_gradient():
    x = leaf(1.0, 2.0)
    (first,) = mg.grad((x**3).sum(), [x], create_graph=True)
    (second,) = mg.grad(first.sum(), [x])
    assert second.tolist() == [6.0, 12.0]
    assert x.grad is None


def test_grad_of_what_takes_no_part():
    x, other = leaf(1.0), leaf(1.0)
    with pytest.raises(ValueError, match=r"input 1 .* takes no part"):
        mg.grad((x * 2).sum(), [x, other])
    used, unused = mg.grad((x * 2).sum(), [x, other], allow_unused=True)
    assert used.tolist() == [2.0]
    assert unused is None
    for outputs, inputs in [(x, [None]), ([None], [x]), (x, "x")]:
        with pytest.raises(TypeError, match="grad: "):
            _core.grad(outputs, inputs)


def test_nothing_is_recorded_without_gradients():
    x = leaf(1.0)
    with mg.no_grad():
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad
    assert not x.detach().requires_grad
    assert (x * 2).grad_fn == "mul"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: x.backward(), ValueError, "reduce it to one number first"),
        (lambda x: (x * 2).detach().sum().backward(), ValueError, "does not depend on any tensor"),
        (lambda x: (x > 0).backward(), TypeError, "only float32 and float64"),
        (lambda x: (x * 2).backward(mg.tensor([1.0])), ValueError, "gradient has shape"),
        (lambda x: x.fill_(0.0), RuntimeError, "requires a gradient"),
        (lambda x: x.__setitem__(0, 1.0), RuntimeError, "requires a gradient"),
        (
            lambda x: mg.zeros(2, dtype="float64").__setitem__(slice(None), x * 2),
            *(RuntimeError, "'source' requires a gradient"),
        ),
        (lambda x: (x * 2).requires_grad_(False), RuntimeError, "result of an op"),
        (lambda x: mg.tensor([1, 2], requires_grad=True), TypeError, "only float32 and float64"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call(leaf(1.0, 2.0))


@pytest.mark.parametrize("changed", ["input", "result"])
def test_a_value_changed_in_place_is_noticed(changed):
    x = leaf(1.0, 2.0)
    inner = x * 1
    y = inner.exp() if changed == "result" else inner * inner
    with mg.no_grad():
        (y if changed == "result" else inner).fill_(0.0)
    with pytest.raises(RuntimeError, match="was changed in place"):
        y.sum().backward()
    assert x.grad is None


def test_a_chain_of_100_000_ops_needs_no_deep_stack():
    x = leaf(1.0)
    y = x
    for _ in range(100_000):
        y = y + 1
    y.sum().backward()
    assert x.grad.tolist() == [1.0]
    y = x
    for _ in range(100_000):
        y = y + 1
    del y  # freed without backward
