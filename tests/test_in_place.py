"""x += y and x.add_(y) change x's memory, keep its shape and dtype, and tell gradients of it."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad._core import CaptureError

A = np.arange(1.0, 7.0, dtype="float32").reshape(2, 3)
B = np.array([2.0, 0.5, -1.0], "float32")

PAIRS = [
    (operator.iadd, "add_", operator.add),
    (operator.isub, "sub_", operator.sub),
    (operator.imul, "mul_", operator.mul),
    (operator.itruediv, "div_", operator.truediv),
    (operator.ipow, "pow_", operator.pow),
]


@pytest.mark.parametrize("other", [3, 1.5, B, mg.tensor(B), mg.tensor(B.astype("float64"))])
@pytest.mark.parametrize(("symbol", "method", "plain"), PAIRS)
def test_operators_and_methods_write_where_x_is(symbol, method, plain, other):
    for change in (symbol, lambda x, y: getattr(x, method)(y)):
        x = mg.tensor(A)
        alias, view = x, x[1]
        out = change(x, other)
        wanted = plain(A, np.asarray(other)).astype("float32")
        assert out is alias
        assert out.dtype == "float32"
        np.testing.assert_allclose(alias.numpy(), wanted, rtol=1e-6)
        assert np.array_equal(view.numpy(), alias.numpy()[1])


def test_masks():
    x = mg.tensor([True, True, False])
    alias = x
    x &= mg.tensor([True, False, True])
    assert alias.tolist() == [True, False, False]
    x |= mg.tensor([False, False, True])
    assert alias.tolist() == [True, False, True]


def test_alpha_and_zero():
    x = mg.tensor(A)
    assert x.add_(mg.tensor(B), alpha=-2) is x
    assert np.array_equal(x.numpy(), A - 2 * B)
    assert np.array_equal(x.sub_(mg.tensor(B), alpha=-2).numpy(), A)
    assert x.zero_() is x
    assert x.tolist() == [[0.0] * 3] * 2


def test_x_and_its_views_on_both_sides():
    x = mg.tensor(A)
    x += x
    assert np.array_equal(x.numpy(), 2 * A)
    x = mg.tensor(np.arange(5.0))
    x[1:] += x[:-1]
    assert x.tolist() == [0, 1, 3, 5, 7]
    x = mg.tensor(A)
    x.T.mul_(mg.tensor([10.0, 1.0]))
    assert np.array_equal(x.numpy(), A * [[10], [1]])


@pytest.mark.parametrize(
    ("x", "change", "error", "message"),
    [
        (np.arange(3), lambda x: x.div_(2), TypeError, "div_: the result is float32, x is int64"),
        (np.arange(3), lambda x: x.add_(0.5), TypeError, "the result is float32, x is int64"),
        (np.array([True]), lambda x: x.add_(1), TypeError, "the result is int64, x is bool"),
        (B, lambda x: x.add_(mg.tensor(A)), ValueError, r"result has shape \(2, 3\), x has \(3,\)"),
        (A, lambda x: x.add_(mg.ones(4)), ValueError, "do not broadcast"),
        (A, lambda x: x.add_("x"), TypeError, "add_: expected a Tensor, a number"),
        (A, lambda x: operator.iadd(x, None), TypeError, "unsupported operand"),
        (B, lambda x: x.expand(2, 3).add_(1), ValueError, "one place in memory"),
    ],
)
def test_refusals_leave_x_alone(x, change, error, message):
    t = mg.tensor(x)
    with pytest.raises(error, match=message):
        change(t)
    assert np.array_equal(t.numpy(), x)


def test_a_leaf_learns_under_no_grad_and_refuses_under_recording():
    p = mg.tensor(A, requires_grad=True)
    (p * p).sum().backward()
    kept = p
    with mg.no_grad():
        p -= 0.1 * p.grad
    assert kept is p
    np.testing.assert_allclose(p.detach().numpy(), 0.8 * A, rtol=1e-6)
    for change in (operator.iadd, operator.imul):
        with pytest.raises(RuntimeError, match=r"leaf that requires a gradient.*no_grad"):
            change(p, 1.0)
    p.grad *= 0.5
    np.testing.assert_allclose(p.grad.numpy(), A, rtol=1e-6)


def w():
    return mg.tensor(A, requires_grad=True)


@pytest.mark.parametrize(
    ("in_place", "plain"),
    [
        (lambda p, y: operator.iadd(p + 1, y), lambda p, y: (p + 1) + y),
        (lambda p, y: operator.imul(p + 1, 3.0), lambda p, y: (p + 1) * 3.0),
        (lambda p, y: operator.iadd(p.sum(), (y * y).sum()), lambda p, y: p.sum() + (y * y).sum()),
        (lambda p, y: operator.isub(mg.ones(2, 3), p * y), lambda p, y: 1 - p * y),
        (lambda p, y: (p + y).mul_(2).add_(p).sub_(y, alpha=3), lambda p, y: 3 * p - y),
    ],
)
def test_the_result_of_an_op_goes_on_with_its_gradients(in_place, plain):
    found, wanted = (w(), w()), (w(), w())
    one, other = in_place(*found), plain(*wanted)
    np.testing.assert_allclose(one.detach().numpy(), other.detach().numpy(), rtol=1e-6)
    one.sum().backward()
    other.sum().backward()
    for a, b in zip(found, wanted, strict=True):
        assert (a.grad is None) == (b.grad is None)
        if b.grad is not None:
            np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-6)


def test_doubling_itself_in_the_graph():
    p = w()
    x = p * 1
    x += x
    x.sum().backward()
    assert np.array_equal(p.grad.numpy(), np.full((2, 3), 2.0))


def test_a_saved_value_that_was_changed_is_refused_by_backward():
    p = w()
    x = p.exp()
    x += 1.0
    with pytest.raises(RuntimeError, match="changed in place"):
        x.sum().backward()
    p, c = w(), mg.ones(2, 3)
    y = p * c
    c += 1.0
    with pytest.raises(RuntimeError, match="changed in place"):
        y.sum().backward()


def consumed(p):
    x = p * 2
    return x, x + 1


def viewed(p):
    x = p * 2
    return x[0], x


def beside(p):
    x = mg.zeros(2, 3)
    return x[0], x


@pytest.mark.parametrize(
    ("make", "message"),
    [(consumed, "was used before"), (viewed, "shares its memory"), (beside, "shares its memory")],
)
def test_what_the_graph_knows_already_is_refused(make, message):
    p = w()
    x, other = make(p)
    before = x.detach().clone().tolist()
    with pytest.raises(RuntimeError, match=rf"{message}.*x = x \+ y"):
        x += (p * 1).sum()
    assert x.tolist() == before
    assert other.shape == (2, 3)


def test_a_compiled_step_by_hand_comes_to_the_same_bits():
    def training(compiled):
        mg.seed(0)
        model = nn.Linear(3, 1)
        speed = [mg.zeros_like(p) for p in model.parameters()]
        optimizer = optim.SGD(model.parameters(), lr=0.0)

        def step(x, y):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x), y)
            loss += 0.01 * (model.weight * model.weight).sum()
            loss.backward()
            with mg.no_grad():
                for p, v in zip(model.parameters(), speed, strict=True):
                    v *= 0.9
                    v += p.grad
                    p -= 0.005 * v
            return loss

        run = mg.compile(step) if compiled else step
        x, y = A, np.ones((2, 1), "float32")
        losses = [run(x, y).item() for _ in range(5)]
        return losses, model.weight.tolist()

    assert training(True) == training(False)
    losses, _ = training(True)
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(
    ("value", "spec"), [(2.34567, ".3f"), (3, "5d"), (True, ""), (2.5, ""), (1e-9, ">12.2e")]
)
def test_one_number_is_formatted_as_pythons(value, spec):
    t = mg.tensor(value, dtype="float64" if isinstance(value, float) else None)
    assert f"{t:{spec}}" == f"{value:{spec}}"
    if spec:
        assert f"{t.reshape(1, 1):{spec}}" == f"{value:{spec}}"


def test_numbers_and_texts_of_tensors():
    assert f"{mg.tensor([1.0, 2.0])}" == "tensor([1., 2.])"
    assert f"{mg.tensor([1.0])}" == "tensor([1.])"
    with pytest.raises(TypeError, match=r"'.3f' is for one number, this tensor has shape \(2,\)"):
        f"{mg.tensor([1.0, 2.0]):.3f}"
    x = mg.tensor([2.567], dtype="float64", requires_grad=True)
    assert (round(x), round(x, 2), complex(x), float(x), int(x)) == (3, 2.57, 2.567, 2.567, 2)
    with pytest.raises(ValueError, match="only a tensor of one element"):
        round(mg.ones(2))


@pytest.mark.parametrize(
    ("alias", "name", "arguments"),
    [
        ("cat", "concatenate", ([A, A], 1)),
        ("clamp", "clip", (A, 2, 4)),
        ("view", "reshape", (A, (3, 2))),
    ],
)
def test_torchs_names_of_ops(alias, name, arguments):
    data, *rest = arguments
    x = [mg.tensor(d) for d in data] if isinstance(data, list) else mg.tensor(data)
    wanted = getattr(mg, name)(x, *rest)
    assert np.array_equal(getattr(mg, alias)(x, *rest).numpy(), wanted.numpy())
    assert alias in dir(mg)
    if isinstance(x, mg.Tensor):
        assert np.array_equal(getattr(x, alias)(*rest).numpy(), wanted.numpy())


@pytest.mark.parametrize("read", [print, str, "{:.3f}".format, round, complex, int])
def test_reading_under_compile_is_an_error(read):
    def function(x):
        total = x.sum()
        read(total)
        return total

    with pytest.raises(CaptureError, match="may not read the values"):
        mg.compile(function)(A)
