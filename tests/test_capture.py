"""mg.compile: what a replay would not do is an error that says so, and says what to do."""

from __future__ import annotations

import numpy as np
import pytest
from learners import X, bits, learner

import minigrad as mg
from minigrad._core import CaptureError


@pytest.mark.parametrize(
    ("read", "what"),
    [
        (lambda t: t.item(), "item"),
        (lambda t: float(t), r"float\(\)"),
        (lambda t: bool(t > 0), r"bool\(\)"),
        (lambda t: t.numpy(), "numpy"),
        (lambda t: np.asarray(t), "numpy"),
        (lambda t: t.tolist(), "tolist"),
        (lambda t: print(t), "printing"),
        (lambda t: f"{t:.3f}", "formatting"),
    ],
)
def test_reading_a_value_is_an_error_that_says_why(read, what):
    def function(x):
        total = x.sum()
        read(total)
        return total

    with pytest.raises(CaptureError, match=f"{what}: .* may not read the values"):
        mg.compile(function)(X)
    assert mg.tensor(X).sum().item() == pytest.approx(X.sum(), rel=1e-5), "recording has ended"


def test_what_is_kept_beyond_the_call_is_named_before_anything_runs():
    calls = []

    def function(x):
        calls.append(x * 2)
        return x + 1

    compiled = mg.compile(function)
    compiled(X)
    compiled(X)
    with pytest.raises(CaptureError, match=r"shape \(12, 6\) made by 'mul' is kept beyond"):
        compiled(X)
    assert len(calls) == 2


def test_gradients_that_add_up_are_refused():
    w, b = (mg.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))

    def function(x):
        loss = (w * x + b).sum()
        loss.backward()
        return loss

    compiled = mg.compile(function)
    x = np.ones(2, "float32")
    compiled(x)
    compiled(x)
    assert w.grad.tolist() == b.grad.tolist() == [2.0, 2.0]
    with pytest.raises(CaptureError, match="adds up over calls"):
        compiled(x)


def test_gradients_of_arguments_are_asked_for():
    compiled = mg.compile(lambda x: mg.grad((x**3).sum(), [x])[0])
    for value in (1.0, 2.0, 3.0):
        x = mg.full((2,), value).detach()
        x.requires_grad = True
        assert compiled(x).tolist() == [3 * value**2] * 2
        assert x.grad is None
    assert len(compiled.plans) == 1
    with pytest.raises(ValueError, match="requires_grad=True"):
        compiled(x.detach())


@pytest.mark.parametrize("result", [False, True])
def test_gradients_that_arguments_keep_are_refused(result):
    def function(x):
        (x * x).sum().backward()
        return x.sum()

    compiled = mg.compile(function)
    leaf = mg.tensor([1.0, 2.0], requires_grad=True)
    for calls in (1, 2):
        compiled(leaf * 1 if result else leaf)
        assert leaf.grad.tolist() == [2.0 * calls, 4.0 * calls]
    with pytest.raises(CaptureError, match=r"return mg.grad\(loss, \[argument\]\)"):
        compiled(leaf)


@pytest.mark.parametrize("make", [mg.tensor, np.asarray])
def test_arguments_that_are_changed_are_refused(make):
    def function(x, y):
        x *= 2
        return x + y

    compiled = mg.compile(function)
    x, y = make(np.ones(3, "float32")), make(np.ones(3, "float32"))
    for value in (2.0, 4.0):
        assert compiled(x, y).tolist() == [value + 1] * 3
        assert x.tolist() == [value] * 3
    with pytest.raises(CaptureError, match=r"an argument of shape \(3,\) is changed by"):
        compiled(x, y)
    assert x.tolist() == [4.0] * 3


@pytest.mark.parametrize("kept", [False, True])
def test_the_gradient_of_a_leaf_made_inside_goes_with_it(kept):
    """As of the points between real and false ones in a gradient penalty."""
    found, leaves = [], []
    for compiled in (True, False):
        model, optimizer, _, x, _ = learner("mlp-adamw")

        def step(x, model=model, optimizer=optimizer):
            optimizer.zero_grad()
            between = (x * 0.5).detach()
            between.requires_grad = True
            leaves[:] = [between] if kept else []
            (slope,) = mg.grad(model(between).sum(), [between], create_graph=True)
            loss = ((slope * slope).sum(1).sqrt() - 1).square().mean() + model(between).mean()
            loss.backward()
            optimizer.step()
            return loss

        run = mg.compile(step) if compiled else step
        if compiled and kept:
            run(x), run(x)
            with pytest.raises(CaptureError, match=r"shape \(12, 6\)"):
                run(x)
            return
        losses = [run(x).item() for _ in range(4)]
        found.append((losses, bits(model)))
        assert not compiled or len(run.plans) == 1
    assert found[0] == found[1]
