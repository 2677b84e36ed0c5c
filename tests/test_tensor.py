"""Tensors as containers: made from anything, shared with numpy, indexed like numpy."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minigrad as mg
from minigrad import _core

A = np.arange(24, dtype="float32").reshape(2, 3, 4)


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1.5, "float32"),
        ([1.0, 2.0], "float32"),
        ([1, 2], "int64"),
        (True, "bool"),
        ([], "float32"),
        (np.float64(2), "float64"),
        (np.zeros(2, "float16"), "float32"),
        (np.zeros(2, "int8"), "int64"),
        (np.zeros(2, "uint32"), "int64"),
        (np.zeros((2, 3), ">f8"), "float64"),
    ],
)
def test_dtype_of_what_it_is_made_from(data, dtype):
    assert mg.tensor(data).dtype == dtype
    assert np.array_equal(mg.tensor(data).numpy(), np.asarray(data))


@pytest.mark.parametrize(
    "data", [np.zeros(2, "complex64"), np.zeros(2, "uint64"), np.array(["a"]), object()]
)
def test_what_cannot_be_a_tensor(data):
    with pytest.raises(TypeError, match="cannot be a tensor"):
        mg.tensor(data)


def test_a_list_of_floats_keeps_its_digits_in_float64():
    assert mg.tensor([0.1], dtype="float64").item() == 0.1


def test_numpy_shares_memory_both_ways():
    t = mg.tensor(A)
    t.numpy()[0, 0, 0] = 7
    assert t[0, 0, 0].item() == 7
    assert A[0, 0, 0] == 0, "tensor() copies"
    own = A.copy()
    shared = _core.from_numpy(own[:, ::-1])
    own[1, 2, 3] = -1
    assert shared[1, 0, 3].item() == -1


def test_dlpack_both_ways():
    t = mg.tensor(A)
    seen = np.from_dlpack(t)
    assert np.shares_memory(seen, t.numpy())
    own = A.copy()
    assert np.shares_memory(mg.from_dlpack(own).numpy(), own)


def test_memory_outlives_its_first_owner():
    view = mg.tensor(A).numpy()[1]
    tensor = _core.from_numpy(np.arange(5.0))
    assert np.array_equal(view, A[1])
    assert tensor.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "other", [2, 2.5, True, np.float64(2), np.int64(3), A, mg.tensor([1, 2, 3, 4])]
)
def test_dtypes_of_mixed_operands(other):
    t = mg.tensor(A)
    expected = "float32"
    assert (t * other).dtype == expected
    assert (other * t).dtype == expected
    assert np.array_equal((t * other).numpy(), A * np.asarray(other, "float32"))


def test_integers_keep_all_their_digits():
    big = 2**53 + 1
    t = mg.tensor([0])
    assert (t + big).item() == (t + np.int64(big)).item() == big


@pytest.mark.parametrize("other", [None, "x", object(), [1, 2]])
def test_foreign_operands(other):
    t = mg.tensor([1.0, 2.0])
    assert (t == other) is False
    assert (t != other) is True
    with pytest.raises(TypeError, match="unsupported operand"):
        t + other


def equal(found: mg.Tensor, expected: np.ndarray) -> None:
    assert found.shape == expected.shape
    assert np.array_equal(found.numpy(), expected)


@given(hnp.basic_indices(A.shape, allow_newaxis=True, allow_ellipsis=True))
def test_basic_indices(index):
    equal(mg.tensor(A)[index], A[index])


@given(st.lists(st.integers(-2, 1)), st.lists(st.integers(-3, 2), min_size=1, max_size=4))
def test_integer_arrays(rows, columns):
    rows = np.array(rows, "int64")
    t = mg.tensor(A)
    equal(t[rows], A[rows])
    equal(t[:, np.array(columns)], A[:, columns])
    pair = np.resize(rows, len(columns)) if len(rows) else np.zeros(len(columns), "int64")
    equal(t[pair, np.array(columns)], A[pair, columns])


@given(hnp.arrays(bool, (2, 3)))
def test_masks(mask):
    equal(mg.tensor(A)[mask], A[mask])
    assert mg.tensor(A)[mg.tensor(A) > 5].tolist() == A[A > 5].tolist()


def test_masks_of_some_dimensions() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=(3, 4, 5, 6))
    t = mg.tensor(a)
    for begin, end in itertools.combinations(range(5), 2):
        for share in (0, 0.3, 1):
            mask = rng.uniform(size=a.shape[begin:end]) < share
            before = (slice(None),) * begin
            equal(t[(*before, mask)], a[(*before, mask)])
            equal(t[(*before, mg.tensor(mask.T).T)], a[(*before, mask)])
    mask, index = rng.uniform(size=(4, 5)) < 0.5, np.array([-1])
    equal(t[:, mask, index], a[:, mask, index])
    equal(t[np.array([1]), mask], a[np.array([1]), mask])
    equal(t[1:, None, mask, 2], a[1:, None, mask, 2])
    x = mg.tensor(a, requires_grad=True)
    x[:, mask].sum().backward()
    equal(x.grad, np.broadcast_to(mask[None, :, :, None], a.shape).astype(float))
    with pytest.raises(_core.CaptureError, match="a mask"):
        mg.compile(lambda v: v[v > 0])(t)


@given(hnp.basic_indices(A.shape))
def test_setting_items(index):
    expected, t = A.copy(), mg.tensor(A)
    expected[index] = 5
    t[index] = 5
    equal(t, expected)


def test_setting_by_mask_and_from_overlapping_memory():
    expected, t = A.copy(), mg.tensor(A)
    expected[expected > 3] = -1
    t[t > 3] = -1
    equal(t, expected)
    for source in (lambda t: t, lambda t: t.numpy()):
        t = mg.tensor([0.0, 1.0, 2.0, 3.0])
        t[1:] = source(t)[:-1]
        assert t.tolist() == [0, 0, 1, 2]
        t[:] = source(t)[::-1]
        assert t.tolist() == [2, 1, 0, 0]


@pytest.mark.parametrize(
    "index",
    [
        (0, slice(None), [1, 2]),  # numpy would have the array's dimension first
        (slice(None), 0, [1]),
        (..., [2], None),
        ([0, 1], slice(None, None, -1), -1),
        (None, slice(None), np.array([True, False, True])),
        (slice(None), mg.tensor([-1])),  # numpy would take it for an integer
        (slice(None), mg.tensor([2]), mg.tensor([0])),
    ],
)
def test_setting_by_an_array_writes_what_reading_gives(index):
    t = mg.tensor(np.zeros((2, 3, 3)))
    part = t[index]
    values = np.arange(1.0, part.numel() + 1).reshape(part.shape)
    t[index] = values
    equal(t[index], values)
    assert t.sum().item() == values.sum()
    t[index] = mg.tensor(values[..., :1])
    equal(t[index], np.broadcast_to(values[..., :1], part.shape))
    t[index] = t[index] + 1
    assert t.sum().item() == part.numel() + np.broadcast_to(values[..., :1], part.shape).sum()


def test_setting_by_an_array_refuses_what_loses_a_gradient():
    x, leaf = mg.zeros(3), mg.ones(1, requires_grad=True)
    for target, value in [(x, leaf), (x, leaf[0]), (mg.zeros(3, requires_grad=True), 1.0)]:
        with pytest.raises(RuntimeError, match="requires a gradient"):
            target[[0]] = value
    with mg.no_grad():
        x[[0, 2]] = leaf
    assert x.tolist() == [1.0, 0.0, 1.0]
    product = (x * leaf).sum()
    x[[0]] = 5.0
    with pytest.raises(RuntimeError, match="changed in place"):
        product.backward()


def test_filling_keeps_all_digits():
    x = mg.tensor([0])
    assert x.fill_(2**60 + 1).tolist() == [2**60 + 1]
    assert x.fill_(1.9).tolist() == [1]
    assert x.fill_(mg.tensor(3.0)).tolist() == [3]
    with pytest.raises(OverflowError):
        x.fill_(2**63)
    assert mg.zeros(1).double().fill_(0.1).tolist() == [0.1]


class Numbers:
    """A sequence that makes its items as it is asked for them."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, i: int) -> Any:
        return np.int64(self.numbers[i])


def test_any_sequence_of_integers_is_a_shape():
    for shape in (range(300, 302), np.array([300, 301]), Numbers(300, 301)):
        assert mg.zeros(301, 300).reshape(shape).shape == (300, 301)


def test_a_list_that_shrinks_while_it_is_read():
    parts = [mg.ones(1000) for _ in range(5)]

    class Dim:
        def __index__(self) -> int:
            parts.clear()
            return 0

    assert mg.concatenate(parts, dim=Dim()).shape == (5000,)


def test_a_list_of_tensors_by_its_name():
    assert mg.concatenate(tensors=[mg.ones(1), mg.ones(2)]).shape == (3,)
    with pytest.raises(TypeError, match="'tensors' is given twice"):
        mg.concatenate([mg.ones(1)], tensors=[mg.ones(2)])
    with pytest.raises(TypeError, match="has no argument"):
        mg.relu(mg.ones(1), **{"\ud800": 1})


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: t[2], IndexError, "index 2 is out of range for dimension 0 of shape"),
        (lambda t: t[0, 0, 0, 0], IndexError, "too many indices: 4"),
        (lambda t: t[..., ...], IndexError, "one ... only"),
        (lambda t: t[True], TypeError, "True and False are no index"),
        (lambda t: t["x"], TypeError, "an index must be"),
        (lambda t: t[np.array([0.5])], TypeError, "must be int64 or bool"),
        (lambda t: t[np.array([5])], IndexError, "index 5 at position 0"),
        (lambda t: t[np.zeros((3, 3), bool)], IndexError, "a mask of shape"),
        (lambda t: t.reshape(5, 5), ValueError, "cannot have shape"),
        (lambda t: t.reshape((2**70,)), OverflowError, "int"),
        (lambda t: t.expand((2**40, 2, 3, 4)).clone(), MemoryError, f"allocate {96 << 40} bytes"),
        (lambda t: t.expand((2**40, 2**40, 2, 3, 4)).numel(), ValueError, "more elements"),
        (lambda t: t.permute(0, 1), ValueError, "must name each of the 3 dimensions"),
        (lambda t: t.transpose(0, 3), IndexError, "dim 3 is out of range"),
        (lambda t: t + mg.ones(5), ValueError, "do not broadcast: 4 against 5"),
        (lambda t: _core.cast(t, 9), ValueError, "dtype 9 is none of"),
        (lambda t: t.to("int32"), TypeError, "dtype int32 is not supported"),
        (lambda t: t.item(), ValueError, "only a tensor of one element"),
        (lambda t: bool(t), ValueError, "only a tensor of one element"),
        (lambda t: len(mg.tensor(1.0)), TypeError, "0-d"),
        (lambda t: _core.relu_backward(t, t.double()), TypeError, "float32 and float64"),
        (
            lambda t: _core.take_backward(mg.ones(50, 4), mg.tensor([0]), (3, 4), 0),
            *(ValueError, r"g must be float of shape \(1, 4\)"),
        ),
        (lambda t: t.sum(axes=1), TypeError, "has no argument 'axes'"),
        (lambda t: t.copy_(mg.ones(3)), ValueError, "do not broadcast: 4 against 3"),
    ],
)
def test_refusals_name_what_is_wrong(call, error, message):
    t = mg.tensor(A)
    with pytest.raises(error, match=message):
        call(t)
    equal(t, A)


def test_views_share_and_copies_do_not():
    t = mg.tensor(A)
    for view in (t.T, t[1:], t.reshape(6, 4), t.permute(2, 0, 1), t.unsqueeze(0), t.detach()):
        assert np.shares_memory(view.numpy(), t.numpy())
    for own in (t.clone(), t.T.reshape(-1), t.to("float64"), copy.deepcopy(t)):
        assert not np.shares_memory(own.numpy(), t.numpy())


def test_repr_and_small_things():
    t = mg.tensor([[1.0, 2.0]], requires_grad=True)
    assert repr(t) == "tensor([[1., 2.]], requires_grad=True)"
    assert repr(t.double() * 2) == "tensor([[2., 4.]], dtype=float64, grad_fn=mul)"
    assert [row.tolist() for row in t] == [[1.0, 2.0]]
    assert {t: 1}[t] == 1
    assert int(mg.tensor(3)) == 3
    assert [10, 20][mg.tensor(1)] == 20
    assert float(mg.tensor(2.5)) == 2.5


def test_arrays_of_other_libraries_are_named_with_their_library() -> None:
    theirs = type("Tensor", (), {"__module__": "torch"})
    with pytest.raises(TypeError, match=r"exp: expected .*, got torch\.Tensor; mg.tensor\(x\)"):
        mg.exp(theirs())


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool", "int8", "float16"])
@pytest.mark.parametrize("shape", [(), 0, 7, np.int64(3), [2, 3], (1, 5), (3, 0), (300_001,)])
def test_constants_are_numpys(shape, dtype):
    for value in (0, 1, 3, -7, 2.5):
        want = np.full(shape, value, dtype)
        got = mg.full(shape, value, dtype=dtype)
        assert got.shape == want.shape
        np.testing.assert_array_equal(got.numpy(), want)
    got[...] = 0  # memory of its own
    assert not got.any().item()
    np.testing.assert_array_equal(mg.full((2, 2), [1.0, 2.0]).numpy(), [[1, 2], [1, 2]])
    assert mg.full(3, (1 << 62) + 1).tolist() == [(1 << 62) + 1] * 3
    with pytest.raises(ValueError, match="negative dimensions"):
        mg.full((2, -1), 0)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
def test_copies_of_one_number_everywhere(dtype):
    for sizes in [(1,), (3, 5), (70_001, 3)]:
        one = mg.tensor(np.ones(1, dtype))
        np.testing.assert_array_equal(one.expand(sizes).clone().numpy(), np.ones(sizes, dtype))
        x = mg.zeros(*sizes, 2, dtype=dtype)
        x[..., 1] = one.expand(sizes)
        np.testing.assert_array_equal(x.numpy(), np.arange(2) * np.ones((*sizes, 1)))


def test_truths_of_arrays_and_numbers_on_the_left():
    x, y = mg.tensor([True, True, False]), np.array([True, False, False])
    assert (y & x).tolist() == [True, False, False]
    assert (y | x).tolist() == (True & x).tolist() == [True, True, False]
    assert (True | x).tolist() == [True, True, True]
