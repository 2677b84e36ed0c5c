import itertools
import os
import subprocess
import sys

import numpy as np
import pytest

import minigrad as mg

SHAPES = [  # (m, k, n)
    (0, 4, 3),
    (3, 4, 0),
    (3, 0, 4),
    (1, 1, 1),
    (1, 64, 1),
    (1, 65, 1),
    (1, 200, 1),
    (1, 63, 5),
    (1, 64, 17),
    (1, 100, 300),
    (7, 64, 1),
    (20, 30, 1),
    (33, 131, 1),
    (2, 2, 2),
    (6, 8, 16),
    (7, 9, 17),
    (5, 7, 15),
    (13, 70, 33),
    (2, 1, 9),
    (30, 1, 50),
    (30, 2, 500),
    (11, 3, 20),
    (12, 4, 39),
    (8, 2, 3),
    (1, 30, 500),
    (2, 9, 130),
    (3, 9, 70),
    (4, 9, 70),
    (500, 30, 2),
    (70, 30, 3),
    (70, 5, 4),
    (64, 128, 10),
    (10, 128, 64),
    (64, 300, 64),
    (3, 257, 100),
    (150, 520, 40),
    (290, 40, 70),
    (5, 37, 100),
    (8, 70, 33),
    (60, 33, 45),
    (600, 100, 50),
    (1, 90, 10),
    (1, 150, 3100),
]
DTYPES = ["float32", "float64"]


def layouts(x):
    """The same values in every way they can lie in memory."""
    rows, columns = x.shape
    wide = np.full((rows, 2 * columns + 3), np.nan, x.dtype)
    wide[:, 1 : 1 + 2 * columns : 2] = x
    padded = np.full((rows + 1, columns + 5), np.nan, x.dtype)
    padded[:rows, 2 : 2 + columns] = x
    return {
        "dense": mg.tensor(x),
        "transposed": mg.tensor(np.ascontiguousarray(x.T)).T,
        "every other column": mg.tensor(wide)[:, 1 : 1 + 2 * columns : 2],
        "padded": mg.tensor(padded)[:rows, 2 : 2 + columns],
    }


def operands(m, k, n, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)


def tolerance(dtype, k):
    return (2e-6 if dtype == "float32" else 2e-14) * max(k, 1) ** 0.5


def in_order(a, b):
    """One chain of fused multiply-adds an output, in exact arithmetic rounded at each step."""
    from fractions import Fraction

    c = np.zeros((a.shape[0], b.shape[1]), a.dtype)
    for i, j in np.ndindex(c.shape):
        total = 0.0
        for p in range(a.shape[1]):
            exact = Fraction(float(a[i, p])) * Fraction(float(b[p, j])) + Fraction(total)
            total = float(exact)  # correctly rounded: float64 only
        c[i, j] = total
    return c


@pytest.fixture
def threads():
    before = mg.get_num_threads()
    yield mg.set_num_threads
    mg.set_num_threads(before)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_layout_is_right_and_gives_the_same_bits(shape, dtype):
    a, b = operands(*shape, dtype)
    want = a.astype(np.float64) @ b.astype(np.float64)
    bits = set()
    for (la, x), (lb, y) in itertools.product(layouts(a).items(), layouts(b).items()):
        got = (x @ y).numpy()
        assert got.shape == want.shape
        assert got.dtype == dtype
        np.testing.assert_allclose(
            got, want, rtol=0, atol=10 * tolerance(dtype, shape[1]), err_msg=f"{la} @ {lb}"
        )
        bits.add(got.tobytes())
    assert len(bits) == 1


@pytest.mark.skipif(mg.isa() == "baseline", reason="baseline has no fused multiply-add")
@pytest.mark.parametrize(
    "shape",
    [(7, 30, 19), (19, 30, 7), (1, 30, 9), (9, 30, 1), (9, 30, 2), (5, 2, 9), (5, 4, 9)],
    ids=str,
)
def test_each_output_is_one_chain_in_order(shape):
    a, b = operands(*shape, "float64")
    assert (mg.tensor(a) @ mg.tensor(b)).numpy().tobytes() == in_order(a, b).tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "shape", [(200, 150, 130), (7, 500, 600), (900, 64, 1), (1, 900, 900), (3000, 9, 32)], ids=str
)
def test_threads_do_not_change_a_bit(shape, dtype, threads):
    a, b = operands(*shape, dtype)
    x, y = mg.tensor(a), mg.tensor(b)
    weight, bias = mg.tensor(np.ascontiguousarray(b.T)), mg.tensor(b[0])
    results = []
    for n in (1, 2, 3, 5):
        threads(n)
        results.append((x @ y).numpy().tobytes() + mg.linear(x, weight, bias).numpy().tobytes())
    assert len(set(results)) == 1


def test_rows_of_a_batch_do_not_see_each_other():
    a, b = operands(40, 300, 50, "float32")
    whole = (mg.tensor(a) @ mg.tensor(b)).numpy()
    for begin, end in [(0, 2), (3, 13), (20, 40)]:
        part = (mg.tensor(a[begin:end]) @ mg.tensor(b)).numpy()
        assert part.tobytes() == whole[begin:end].tobytes()


def test_all_isas_give_the_same_bits():
    script = """
import hashlib, numpy as np, minigrad as mg
rng = np.random.default_rng(1)
digest = hashlib.sha256()
for m, k, n in [
    *[(1, 100, 37), (37, 100, 1), (5, 7, 3), (33, 70, 50), (30, 500, 65), (2, 600, 2)],
    *[(30, 1, 50), (30, 2, 50), (7, 3, 50), (7, 4, 50), (50, 30, 2), (50, 30, 3), (1, 30, 50)],
    *[(1, 150, 3100), (6, 70, 100), (200, 9, 100), (8, 40, 8)],
    *[(1, 300, 256), (1, 407, 128), (1, 407, 192)],
]:
    for dtype in ("float32", "float64"):
        a = mg.tensor(rng.standard_normal((m, k)).astype(dtype))
        b = mg.tensor(rng.standard_normal((n, k)).astype(dtype))
        digest.update((a @ b.T).numpy().tobytes())
        digest.update((a @ mg.tensor(b.numpy().T.copy())).numpy().tobytes())
        digest.update(mg.linear(a, b, b.T[0]).numpy().tobytes())
print(mg.isa(), digest.hexdigest())
"""
    digests = {}
    for isa in {"reference", mg.isa()} - {"baseline"}:
        out = subprocess.run(
            [sys.executable, "-P", "-c", script],
            env=os.environ | {"MINIGRAD_ISA": isa},
            capture_output=True,
            text=True,
            check=True,
        )
        ran, digests[isa] = out.stdout.split()
        assert ran == isa
    assert len(set(digests.values())) == 1


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((4,), (4,)),
        ((4,), (4, 3)),
        ((2, 4), (4,)),
        ((5, 2, 4), (4,)),
        ((4,), (5, 4, 3)),
        ((5, 2, 4), (4, 3)),
        ((2, 4), (5, 4, 3)),
        ((5, 2, 4), (5, 4, 3)),
        ((5, 1, 2, 4), (3, 4, 6)),
        ((1, 2, 4), (7, 1, 4, 3)),
        ((0, 2, 4), (4, 3)),
        ((3, 1, 70), (70, 5)),
        ((3, 1, 70), (3, 70, 5)),
    ],
    ids=str,
)
def test_shapes_follow_numpy(left, right):
    rng = np.random.default_rng(2)
    a, b = rng.standard_normal(left), rng.standard_normal(right)
    got = (mg.tensor(a) @ mg.tensor(b)).numpy()
    want = a @ b
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)


def test_broadcast_operands_are_used_where_they_lie():
    rng = np.random.default_rng(3)
    row, b = rng.standard_normal(70), rng.standard_normal((70, 20))
    x = mg.tensor(row).expand(12, 70)
    np.testing.assert_allclose((x @ mg.tensor(b)).numpy(), np.tile(row @ b, (12, 1)), rtol=1e-12)


def test_a_batch_that_cannot_be_flattened_gives_the_bits_of_one_that_can():
    rng = np.random.default_rng(4)
    a, b = rng.standard_normal((6, 5, 1, 80)), rng.standard_normal((80, 9))
    x = mg.tensor(np.ascontiguousarray(a.transpose(1, 0, 2, 3))).transpose(0, 1)
    assert (x @ mg.tensor(b)).numpy().tobytes() == (mg.tensor(a) @ mg.tensor(b)).numpy().tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(7,), (1, 7), (30, 2), (64, 100), (3, 4, 70), (0, 5), (4, 0)])
@pytest.mark.parametrize("out", [1, 10, 33])
def test_linear(shape, out, dtype):
    rng = np.random.default_rng(5)
    x = rng.standard_normal(shape).astype(dtype)
    weight = rng.standard_normal((out, shape[-1])).astype(dtype)
    bias = rng.standard_normal(2 * out).astype(dtype)
    want = x.astype(np.float64) @ weight.astype(np.float64).T
    atol = 10 * tolerance(dtype, shape[-1])
    got = mg.linear(mg.tensor(x), mg.tensor(weight)).numpy()
    np.testing.assert_allclose(got, want, rtol=0, atol=atol)
    got = mg.linear(mg.tensor(x), mg.tensor(weight), mg.tensor(bias)[::2]).numpy()
    np.testing.assert_allclose(got, want + bias[::2], rtol=0, atol=atol)


def test_linear_is_matmul_plus_bias_to_the_bit():
    a, b = operands(30, 500, 128, "float32")
    x, weight = mg.tensor(a), mg.tensor(np.ascontiguousarray(b.T))
    bias = mg.tensor(b[1])
    assert mg.linear(x, weight, bias).numpy().tobytes() == (x @ weight.T + bias).numpy().tobytes()


def numeric(f, arrays, i, weights, step=1e-6):
    """The gradient of sum(f * weights) with respect to arrays[i], by central differences."""
    grad = np.zeros_like(arrays[i])
    for at in np.ndindex(grad.shape):
        sides = []
        for sign in (1, -1):
            moved = [a.copy() for a in arrays]
            moved[i][at] += sign * step
            sides.append((f(*moved) * weights).sum())
        grad[at] = (sides[0] - sides[1]) / (2 * step)
    return grad


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((3,), (3,)),
        ((3,), (3, 2)),
        ((4, 3), (3,)),
        ((4, 3), (3, 2)),
        ((2, 4, 3), (3, 2)),
        ((4, 3), (2, 3, 2)),
        ((2, 1, 4, 3), (5, 3, 2)),
        ((3,), (2, 3, 2)),
        ((2, 4, 3), (3,)),
        ((2, 4, 3), (1, 3, 2)),
    ],
    ids=str,
)
def test_matmul_gradients(left, right):
    rng = np.random.default_rng(6)
    arrays = [rng.standard_normal(left), rng.standard_normal(right)]
    x, y = (mg.tensor(a, requires_grad=True) for a in arrays)
    out = x @ y
    weights = rng.standard_normal(out.shape)
    (out * mg.tensor(weights)).sum().backward()
    for i, t in enumerate((x, y)):
        want = numeric(lambda a, b: a @ b, arrays, i, weights)
        assert t.grad.shape == want.shape
        np.testing.assert_allclose(t.grad.numpy(), want, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 5, 3)])
def test_linear_gradients(shape):
    rng = np.random.default_rng(7)
    arrays = [rng.standard_normal(shape), rng.standard_normal((2, 3)), rng.standard_normal(2)]
    tensors = [mg.tensor(a, requires_grad=True) for a in arrays]
    out = mg.linear(*tensors)
    weights = rng.standard_normal(out.shape)
    (out * mg.tensor(weights)).sum().backward()
    for i, t in enumerate(tensors):
        want = numeric(lambda x, w, b: x @ w.T + b, arrays, i, weights)
        np.testing.assert_allclose(t.grad.numpy(), want, rtol=1e-6, atol=1e-8)


def test_second_derivative():
    rng = np.random.default_rng(8)
    a, b = rng.standard_normal((4, 3)), rng.standard_normal((3, 2))
    x, y = mg.tensor(a, requires_grad=True), mg.tensor(b, requires_grad=True)
    out = x @ y
    (gx,) = mg.grad((out * out).sum(), [x], create_graph=True)
    (gy,) = mg.grad(gx.sum(), [y])
    # d/dY of sum(2 (X Y) Y^T) is 2 (X^T 1 Y + (X Y)^T 1 ...), checked by differences.
    want = numeric(lambda q: 2 * (a @ q) @ q.T, [b], 0, np.ones_like(a))
    np.testing.assert_allclose(gy.numpy(), want, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("left", "right", "text"),
    [
        ((2, 3), (4, 5), r"\(2, 3\).*\(4, 5\).*reshape"),
        ((2, 3), (5, 3), r"y\.transpose\(-1, -2\) would fit"),
        ((3, 2), (3, 5), r"x\.transpose\(-1, -2\) @ y would fit"),
        ((), (3,), r"multiply by it with \*"),
        ((2, 4, 3), (5, 3, 2), "batch"),
    ],
)
def test_shapes_that_do_not_fit_are_named(left, right, text):
    with pytest.raises(ValueError, match=text):
        mg.matmul(mg.tensor(np.zeros(left)), mg.tensor(np.zeros(right)))


@pytest.mark.parametrize(
    ("x", "weight", "bias", "text"),
    [
        ((5, 3), (10, 4), None, r"\(5, 3\).*\(10, 4\).*last dimension of 4"),
        ((5, 4), (4,), None, r"\(out_features, in_features\)"),
        ((), (10, 4), None, "a last dimension of 4"),
        ((5, 4), (10, 4), (4,), r"needs the shape \(10,\)"),
    ],
)
def test_linear_says_what_fits(x, weight, bias, text):
    b = None if bias is None else mg.tensor(np.zeros(bias))
    with pytest.raises(ValueError, match=text):
        mg.linear(mg.tensor(np.zeros(x)), mg.tensor(np.zeros(weight)), b)


def test_integers_are_refused():
    with pytest.raises(TypeError, match=r"\.float\(\)"):
        mg.tensor([[1, 2]]) @ mg.tensor([[1], [2]])
