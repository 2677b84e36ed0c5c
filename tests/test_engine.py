"""The tape: what is recorded, what backward adds where, and what it refuses."""

from __future__ import annotations

import signal

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


def test_leaves_of_a_graph_of_gradients_share_none_either():
    x, y, seed = leaf(1.0, 2.0), leaf(3.0, 4.0), mg.tensor(np.ones(2))
    (x + y).backward(seed, create_graph=True)
    with mg.no_grad():
        x.grad.fill_(9.0)
    assert y.grad.tolist() == seed.tolist() == [1.0, 1.0]
    (x * y.detach()).sum().backward(create_graph=True)
    x.grad *= 2
    assert x.grad.tolist() == [24.0, 26.0]


def test_grad_leaves_alone_what_lies_behind_its_inputs():
    x, other = leaf(1.0, 2.0), leaf(5.0, 5.0)
    inner = x * x
    aside = (other * other).sum()
    (g,) = mg.grad((inner * inner).sum() + aside, inner)
    assert g.tolist() == [2.0, 8.0]
    inner.backward(g)
    aside.backward()
    assert x.grad.tolist() == [4.0, 32.0]
    assert other.grad.tolist() == [10.0, 10.0]
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        mg.grad(inner.sum(), x)


def test_a_signal_handler_within_backward_has_gradients_of_its_own():
    slopes = []

    def handler(*_):
        x = leaf(2.0)
        (x * x).backward()
        slopes.append(x.grad.tolist())

    w = mg.ones(256, 256, requires_grad=True)
    y = w
    for _ in range(200):
        y = (y @ w) * 0.001
    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
        y.sum().backward()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(slopes) > 1
    assert all(slope == [4.0] for slope in slopes)


def test_grad_by_a_value_and_by_what_it_was_made_of():
    x = leaf(3.0)
    y = x * x
    z = y * y
    by_z, by_y, by_x = mg.grad(z, [z, y, x])
    assert [by_z.item(), by_y.item(), by_x.item()] == [1.0, 18.0, 108.0]


@pytest.mark.parametrize("op", [_core.sign, _core.floor, _core.round])
def test_what_is_constant_in_pieces_has_gradient_0_whatever_follows(op):
    x = leaf(0.25)
    (op(x) * 0).sqrt().sum().backward()
    assert x.grad.tolist() == [0.0]
    (op(x) / 0).sum().backward()
    assert x.grad.tolist() == [0.0]


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


def test_grad_takes_what_a_model_yields():
    model = mg.nn.Linear(2, 1)
    loss = model(mg.ones(3, 2)).sum()
    wanted = [g.tolist() for g in mg.grad(loss, [model.weight, model.bias], retain_graph=True)]
    assert [g.tolist() for g in mg.grad(loss, model.parameters())] == wanted
    with pytest.raises(TypeError, match="grad: inputs must be a Tensor or several, got int"):
        mg.grad(loss, 3)
    with pytest.raises(TypeError, match="grad: inputs: expected a Tensor, got numpy"):
        mg.grad(loss, [np.ones(2)])
