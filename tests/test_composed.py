"""Functions made of ops: what numpy says, gradients, and the same bits in a plan."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minigrad as mg

RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 4, 5))
MASK = X > 0.5
INDEX = RNG.integers(-4, 4, (3, 2, 5))

# name -> what mg gives of x, what numpy gives
CASES = {
    "split": (lambda x: x.split(2, 1), lambda x: np.split(x, [2], 1)),
    "split, a rest": (lambda x: mg.split(x, 3, dim=-1), lambda x: np.split(x, [3], 2)),
    "split, sizes": (lambda x: x.split([1, 0, 4], 2), lambda x: np.split(x, [1, 1], 2)),
    "chunk": (lambda x: x.chunk(3, 2), lambda x: np.split(x, [2, 4], 2)),
    "chunk, fewer": (lambda x: x.chunk(7), lambda x: np.split(x, [1, 2])),
    "unbind": (lambda x: x.unbind(1), lambda x: [x[:, i] for i in range(4)]),
    "flip": (lambda x: x.flip(0, -1), lambda x: np.flip(x, (0, 2))),
    "flip, a list": (lambda x: x.flip([1]), lambda x: np.flip(x, 1)),
    "roll": (lambda x: x.roll(2, 1), lambda x: np.roll(x, 2, 1)),
    "roll, flat": (lambda x: x.roll(-7), lambda x: np.roll(x, -7)),
    "roll, two": (lambda x: x.roll((1, -3), (0, 2)), lambda x: np.roll(x, (1, -3), (0, 2))),
    "repeat": (lambda x: x.repeat(2, 1, 1, 3), lambda x: np.tile(x, (2, 1, 1, 3))),
    "tile": (lambda x: x.tile(2, 2), lambda x: np.tile(x, (2, 2))),
    "movedim": (lambda x: x.movedim(0, -1), lambda x: np.moveaxis(x, 0, -1)),
    "movedim, two": (lambda x: x.movedim((0, 2), (1, 0)), lambda x: np.moveaxis(x, (0, 2), (1, 0))),
    "expand_as": (
        lambda x: x[:, :1].expand_as(x),
        lambda x: np.broadcast_to(x[:, :1], x.shape),
    ),
    "outer": (lambda x: x[0, 0].outer(x[0, :, 0]), lambda x: np.outer(x[0, 0], x[0, :, 0])),
    "tril": (lambda x: x.tril(), np.tril),
    "tril, above": (lambda x: x.tril(2), lambda x: np.tril(x, 2)),
    "triu": (lambda x: x.triu(-1), lambda x: np.triu(x, -1)),
    "gather": (lambda x: x.gather(1, mg.tensor(INDEX)), lambda x: np.take_along_axis(x, INDEX, 1)),
    "sort": (lambda x: x.sort(1), lambda x: (np.sort(x, 1), np.argsort(x, 1))),
    "topk": (
        lambda x: x.topk(2),
        lambda x: (np.sort(x)[..., :-3:-1], np.argsort(x)[..., :-3:-1]),
    ),
    "topk, smallest": (lambda x: x.topk(2, 0, False).values, lambda x: np.sort(x, 0)[:2]),
    "masked_fill": (lambda x: x.masked_fill(mg.tensor(MASK), 7), lambda x: np.where(MASK, 7, x)),
    "any": (lambda x: (x > 2).any(), lambda x: (x > 2).any()),
    "any, along": (lambda x: (x > 1).any(1), lambda x: (x > 1).any(1)),
    "all, along": (lambda x: (x > -1).all(-1, True), lambda x: (x > -1).all(-1, keepdims=True)),
    "square": (lambda x: x.square(), np.square),
    "rsqrt": (lambda x: (x * x + 1).rsqrt(), lambda x: 1 / np.sqrt(x * x + 1)),
    "tan": (lambda x: x.tan(), np.tan),
    "log2": (lambda x: (x * x + 1).log2(), lambda x: np.log2(x * x + 1)),
    "log10": (lambda x: (x * x + 1).log10(), lambda x: np.log10(x * x + 1)),
    "norm": (lambda x: x.norm(), lambda x: np.linalg.norm(x.ravel())),
    "norm, along": (lambda x: mg.norm(x, dim=-1), lambda x: np.linalg.norm(x, axis=-1)),
    "norm, two": (
        lambda x: x.norm(2, (0, 2), keepdim=True),
        lambda x: np.sqrt((x * x).sum((0, 2), keepdims=True)),
    ),
    "norm, 1": (lambda x: x.norm(1, 1), lambda x: np.linalg.norm(x, 1, axis=1)),
    "norm, 3": (lambda x: x.norm(3, 0), lambda x: (np.abs(x) ** 3).sum(0) ** (1 / 3)),
    "norm, largest": (lambda x: x.norm(np.inf, 1), lambda x: np.abs(x).max(1)),
    "norm, smallest": (lambda x: x.norm(-np.inf, (0, 1)), lambda x: np.abs(x).min((0, 1))),
    "norm, count": (lambda x: (x * (x > 0)).norm(0, 1), lambda x: (x > 0).sum(1)),
    "isinf": (lambda x: (x / 0).isinf(), lambda x: np.isinf(x / np.zeros(()))),
}


def listed(value):
    return list(value) if isinstance(value, tuple | list) else [value]


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize("name", CASES)
def test_values_gradients_and_plan(name):
    ours, numpys = CASES[name]
    x = mg.tensor(X, requires_grad=True)
    found, wanted = listed(ours(x)), listed(numpys(X))
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b, rtol=1e-13)
    parts = [part for part in found if part.requires_grad]
    if parts:
        weights = [RNG.standard_normal(part.shape) for part in parts]
        total = sum((p * w).sum() for p, w in zip(parts, weights, strict=True))
        total.backward()
        step = RNG.standard_normal(X.shape)

        def at(t):
            outs = [o for o in listed(ours(mg.tensor(X + t * step))) if o.dtype.kind == "f"]
            return sum((o.numpy() * w).sum() for o, w in zip(outs, weights, strict=True))

        slope = (at(1e-6) - at(-1e-6)) / 2e-6
        np.testing.assert_allclose((x.grad.numpy() * step).sum(), slope, rtol=1e-5, atol=1e-6)
    compiled = mg.compile(lambda x: listed(ours(x)))
    for _ in range(2):
        for a, b in zip(compiled(X), found, strict=True):
            assert a.numpy().tobytes() == np.ascontiguousarray(b.detach().numpy()).tobytes()
    assert len(compiled.plans) == 1


A, B, C = (RNG.standard_normal(shape) for shape in ((4, 3), (3, 4, 5), (5, 5, 2)))
EQUATIONS = {
    "abc->cab": [X],
    "abc->b": [X],
    "abc": [X],
    "cba": [X],
    "...c->c...": [X],
    "...a->...": [X],
    "abc->": [X],
    "aab->ab": [C],
    "aab->b": [C],
    "aab": [C],
    "ij,jik->k": [A, B],
    "ij,jki": [C[:, :3, 0], B],
    "ij,kl->ijkl": [A, A],
    "ij,ij->ij": [A, A],
    "ij,ij->j": [A, A],
    "ij,ij->": [A, A],
    "ij,i,kj->": [A, A[:, 0], A],
    "ij,kj->ik": [A, A],
    "bij,bjk->bik": [X, X.swapaxes(1, 2)],
    "bij,bkj->kib": [X, X],
    "...ij,...jk->...ik": [X, C[0]],
    "...ij,j...": [X, X[:, 0].T],
    "abc,cd,ae->de": [X, C[..., 0], A.T],
    "abc,cc,ab->ba": [X, C[..., 1], X[..., 0]],
    "ij,ij->ij, sizes of 1": [A[:1], A[:, :1]],
    "ij,jk->ik, sizes of 1": [A[:, :1], A.T],
    "i,->i": [A[0], np.array(3.0)],
    " i j , j k -> i k ": [A, A.T],
    "iJ,Ji->J": [A, A.T],
    "ij,jk->ik, empty": [A[:0], A.T],
    "ij,jk->ik, nothing to sum": [A[:, :0], A.T[:0]],
}


@pytest.mark.parametrize("name", EQUATIONS)
def test_einsum_is_numpys(name):
    """Values; the gradient, as einsum is linear in each operand; and the bits of a plan."""
    equation, operands = name.split(", s")[0].split(", e")[0].split(", n")[0], EQUATIONS[name]
    tensors = [mg.tensor(x, requires_grad=True) for x in operands]
    found, wanted = mg.einsum(equation, *tensors), np.einsum(equation, *operands)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found.detach().numpy(), wanted, rtol=1e-12, atol=1e-13)
    weight = RNG.standard_normal(wanted.shape)
    (found * weight).sum().backward()
    for i, x in enumerate(tensors):
        step = RNG.standard_normal(x.shape)
        moved = np.einsum(equation, *operands[:i], step, *operands[i + 1 :])
        np.testing.assert_allclose((x.grad.numpy() * step).sum(), (moved * weight).sum(), atol=1e-9)
    compiled = mg.compile(lambda *xs: mg.einsum(equation, xs))
    for _ in range(2):
        assert (
            compiled(*operands).numpy().tobytes() == found.contiguous().detach().numpy().tobytes()
        )


def test_triangles_keep_the_dtype():
    for x in (mg.ones(3, 3), mg.arange(9).reshape(3, 3), mg.ones(3, 3) > 0):
        assert x.tril().dtype == x.triu().dtype == x.dtype
        assert np.array_equal(x.triu(1).numpy(), np.triu(x.numpy(), 1))


def test_the_norm_of_nothing_but_zeros_has_gradient_0():
    for p in (1.5, 2, 3):
        x = mg.zeros(2, 3, requires_grad=True)
        found = x.norm(p, 1)
        found.sum().backward()
        assert found.tolist() == [0, 0]
        assert x.grad.tolist() == [[0] * 3] * 2
    assert mg.zeros(0).norm().item() == 0
    assert np.isnan(mg.tensor([np.nan, 0.0]).norm().item())
    assert mg.tensor([[3.0, 4.0]], dtype="float32").norm(dim=0).dtype == np.float32


@pytest.mark.parametrize(
    ("equation", "shapes", "text"),
    [
        ("ij,jk->ik", [(2, 3)], "names 2 operands, and there are 1"),
        ("ij->i", [(2, 3, 4)], "'ij' in 'ij->i' does not fit an operand of shape"),
        ("ij...->i", [(2,)], "does not fit an operand of shape"),
        ("ij,jk->ik", [(2, 3), (4, 5)], "'j' is 3 and 4 for operands of shapes"),
        ("ij->ik", [(2, 3)], "has 'k', which must be in an operand"),
        ("ij->ii", [(2, 3)], "has 'i', which must be in an operand and once"),
        ("i1->i", [(2, 3)], "must be letters"),
        ("i......->i", [(2, 3)], "'...' at most once"),
        ("...ij->ij", [(4, 2, 3)], "leaves out the dimensions of '...'"),
    ],
)
def test_equations_that_do_not_fit_are_refused(equation, shapes, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        mg.einsum(equation, *[mg.zeros(*shape) for shape in shapes])


def test_parts_are_views():
    x = mg.zeros(4, 2)
    x.split(2)[1].fill_(1)
    x.unbind(1)[0].fill_(2)
    assert x.tolist() == [[2, 0], [2, 0], [2, 1], [2, 1]]


def test_empty_ones():
    x = mg.zeros(0, 3)
    assert [p.shape for p in x.split(2)] == [(0, 3)]
    assert x.unbind(0) == ()
    assert x.flip(0).shape == x.roll(1, 0).shape == x.sort(0).values.shape == (0, 3)
    assert x.gather(0, mg.zeros(0, 3, dtype="int64")).shape == (0, 3)
    assert x.repeat(2, 0).shape == (0, 0)
    assert not x.any().item()
    assert x.all().item()
    assert mg.tensor(2.0).repeat(3).tolist() == [2, 2, 2]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: x.split([1, 1]), ValueError, r"sizes \[1, 1\] add up to 2, dimension 0 is 3"),
        (lambda x: x.split(0), ValueError, "split_size must be at least 1, got 0"),
        (lambda x: x.split(1, 3), IndexError, "dim 3 is out of range"),
        (lambda x: x.unbind(-4), IndexError, "dim -4 is out of range"),
        (lambda x: x.roll((1, 2)), ValueError, "2 shifts need dims"),
        (lambda x: x.roll((1, 2), 0), ValueError, "2 shifts for 1 dims"),
        (lambda x: x.repeat(2), ValueError, "1 numbers for 3 dimensions"),
        (lambda x: x.movedim((0, 0), (1, 2)), ValueError, "each dimension once"),
        (lambda x: x.outer(x), ValueError, "two vectors"),
        (lambda x: x[0, 0].tril(), ValueError, "takes matrices"),
        (lambda x: x.norm("fro"), TypeError, "p must be a number, got 'fro'"),
        (lambda x: x.topk(9), ValueError, "k = 9 of 5 elements along dimension 2"),
        (lambda x: x.masked_fill(x, 0), TypeError, "the mask must be bool, got float64"),
        (lambda x: x.gather(1, mg.zeros(3, dtype="int64")), ValueError, "must have the 3 dim"),
        (lambda x: x.gather(0, mg.full((1, 4, 5), 9)), IndexError, "index 9 at position 0"),
        (lambda x: mg.tensor([1]).norm(), TypeError, "norm: x is int64"),
        (lambda x: mg.tensor([1]) // 0, ValueError, "an integer is divided by 0"),
    ],
)
def test_errors_say_what_is_wrong(call, error, text):
    with pytest.raises(error, match=text):
        call(mg.tensor(X))


def test_integers_divide_as_in_python():
    values = [-7, -6, -1, 0, 1, 6, 7, 2**62, -(2**63)]
    x = mg.tensor(np.array(values))
    for by in (-3, -1, 2, 7):
        if by != -1:  # -2^63 by -1 overflows in numpy, too
            assert (x // by).tolist() == [v // by for v in values]
        assert (x % by).tolist() == [v % by for v in values]
    assert (7 % mg.tensor([3, -3])).tolist() == [1, -2]
    assert (7 // mg.tensor([2.0])).tolist() == [3.0]
    exact = mg.tensor(np.array([1.0]))
    assert ((exact % 0.1).item(), (exact // 0.1).item()) == (1.0 % 0.1, 1.0 // 0.1)


def test_allclose():
    x = mg.tensor([1.0, float("nan")], requires_grad=True)
    assert not x.allclose(x)
    assert x.allclose(x, equal_nan=True)
    assert not mg.allclose(mg.ones(2), mg.ones(2) + 1e-3)


def test_data_is_the_memory_without_gradients():
    weight = mg.tensor([1.0, 2.0], requires_grad=True)

    def step(x):
        loss = (weight * x).sum()
        loss.backward()
        weight.data -= 0.5 * weight.grad
        weight.grad = None
        return loss

    compiled = mg.compile(step)
    for i, run in enumerate((step, compiled, compiled, compiled), 1):
        run(mg.ones(2))
        assert weight.tolist() == [1 - 0.5 * i, 2 - 0.5 * i]
    assert weight.requires_grad
    assert weight.is_leaf
    weight.data = mg.zeros(2)
    assert weight.tolist() == [0, 0]
    with pytest.raises(ValueError, match=r"data has shape \(3,\)"):
        weight.data = mg.zeros(3)
