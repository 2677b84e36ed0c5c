"""What the passes make of a program: the same bits, in fewer instructions.

Random programs of elementwise ops, on every instruction set and with several thread counts, must
give in a replay what they give when they are called; chosen ones must be fused, or must not be.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from case import Case
from checks import DTYPES, PRESENT, apply, assert_same_bits, case_id, in_dtype, mutated, wrap
from draws import Drawn, Seeded, Source
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad import Tensor, _core

ISAS = _core.build_info()["isas"]
FLOAT64 = 1

Values = list[Tensor]

# What a step may do with two earlier values and a random key; `a` has the full shape.
STEPS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "add": lambda a, b, key: a + b,
    "sub": lambda a, b, key: b - a,
    "mul": lambda a, b, key: a * b,
    "div": lambda a, b, key: a / b,
    "maximum": lambda a, b, key: _core.maximum(a, b),
    "where": lambda a, b, key: _core.where(a > b, a, b),
    "logic": lambda a, b, key: _core.logical_or(a < 0, _core.isfinite(b)) * a,
    "relu": lambda a, b, key: a.relu(),
    "relu_backward": lambda a, b, key: _core.relu_backward(a, b),
    "tanh": lambda a, b, key: a.tanh(),
    "gelu": lambda a, b, key: _core.gelu(a, True),
    "clip": lambda a, b, key: a.clip(-1.0, None),
    "square": lambda a, b, key: a**2,
    "power": lambda a, b, key: a.abs() ** b,
    "scaled": lambda a, b, key: a * 0.3 + 1.5,
    "wide": lambda a, b, key: (a.double() * 1.1).float() if a.dtype == np.float32 else -a,
    "dropout": lambda a, b, key: _core.dropout(a, key, 0.5),
    "dropout rarely": lambda a, b, key: _core.dropout(a, key, 0.1) + b,
    "noise": lambda a, b, key: a + _core.normal(key, a.shape, int(a.dtype == np.float64)),
    "reshaped": lambda a, b, key: (a.reshape(-1) * 2).reshape(*a.shape) + b,
    "turned": lambda a, b, key: (a.T + 1).T + a,
    "sliced": lambda a, b, key: a[:, ::-1] + a,
    "summed": lambda a, b, key: a - a.sum(dim=0, keepdim=True),
    "centered": lambda a, b, key: (a - a.mean()).abs(),
    "penalty": lambda a, b, key: a + (a * a).sum() * (b - a).abs().mean(),
    "written": lambda a, b, key: copied(a) * b,
    "multiplied": lambda a, b, key: (a @ (a.T * 0.1)) @ a,
}


def copied(a: Tensor) -> Tensor:
    """Something that others read before and after it is overwritten."""
    target = a.clone()
    before = target + 1
    target.copy_(a * 2)
    return before + target


class Recipe:
    """A random program over a matrix, a row, a column, a number and a transposed matrix."""

    def __init__(self, source: Source, rows: int, columns: int, dtype: type) -> None:
        rng = np.random.default_rng(source.integer(0, 1000))
        shapes = [(rows, columns), (1, columns), (rows, 1), (), (columns, rows)]
        self.leaves = [np.asarray(rng.normal(0, 2, s)).astype(dtype) for s in shapes]
        self.steps = []
        for _ in range(source.integer(1, 12)):
            name = source.choice(sorted(STEPS))
            self.steps.append((name, source.integer(0, 99), source.integer(0, 99)))
        self.outputs = [source.integer(0, 99) for _ in range(source.integer(1, 3))]

    def function(self) -> Callable[..., Values]:
        """The program; its random state is its own and goes on from call to call."""
        state = mg.tensor(np.array([11, 0]))

        def function(*leaves: Tensor) -> Values:
            others = [*leaves[1:4], leaves[4].T]
            full = [leaves[0]]
            for name, i, j in self.steps:
                a = full[-1 - i % min(3, len(full))]
                both = [*full, *others]
                full.append(STEPS[name](a, both[j % len(both)], _core.next_key(state)))
            return [full[-1], *(full[i % len(full)] for i in self.outputs)]

        return function

    def check(self) -> None:
        """Two replays with other values give what calls give."""
        eager, compiled = self.function(), mg.compile(self.function())
        for shift in (0, 1, -2):
            leaves = [mg.tensor(leaf + leaf.dtype.type(shift)) for leaf in self.leaves]
            for want, got in zip(eager(*leaves), compiled(*leaves), strict=True):
                assert (want.shape, want.dtype) == (got.shape, got.dtype)
                assert want.numpy().tobytes() == got.numpy().tobytes(), self.steps
        assert len(compiled.plans) == 1


@pytest.fixture(autouse=True)
def restore_threads() -> Iterator[None]:
    before = _core.get_num_threads()
    yield
    _core.set_num_threads(before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data(), rows=st.integers(0, 9), columns=st.sampled_from([0, 1, 2, 7, 64, 500]))
def test_small_programs(data: st.DataObject, rows: int, columns: int, dtype: Any) -> None:
    Recipe(Drawn(data.draw), rows, columns, dtype).check()


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data(), rows=st.sampled_from([1, 127, 300]))
def test_programs_of_many_blocks(data: st.DataObject, rows: int, dtype: Any, threads: int) -> None:
    _core.set_num_threads(threads)
    Recipe(Drawn(data.draw), rows, 70000 // rows + 3, dtype).check()


def check_seeded() -> None:
    """What every instruction set is asked."""
    for seed in range(40):
        source = Seeded(seed, 1)
        rows = source.choice([1, 3, 30])
        columns = source.choice([1, 65, 500])
        Recipe(source, rows, columns, source.choice([np.float32, np.float64])).check()


@pytest.mark.parametrize("isa", ISAS)
def test_programs_on_every_instruction_set(isa: str) -> None:
    here = Path(__file__).parent
    code = f"import sys; sys.path[:0] = [{str(here)!r}]; import test_passes as t; t.check_seeded()"
    environment = {**os.environ, "MINIGRAD_ISA": isa}
    subprocess.run([sys.executable, "-P", "-c", code], env=environment, check=True)


@pytest.mark.parametrize("dtype", DTYPES, ids=case_id)
@pytest.mark.parametrize("case", [c for c in PRESENT if not mutated(c)], ids=case_id)
@given(data=st.data())
def test_every_op_between_others(case: Case, dtype: Any, data: st.DataObject) -> None:
    call = case.draw(Drawn(data.draw))
    inputs = in_dtype(case, call, dtype)

    def function(tensors: Values) -> Values:
        before = [t * 1 if isinstance(t, Tensor) and t.dtype == dtype else t for t in tensors]
        return [out for o in apply(case, before, call.attrs) for out in (o, _core.eq(o, o) * o)]

    compiled = mg.compile(function)
    for _ in range(2):
        want, got = function(wrap(inputs)), compiled(wrap(inputs))
        for i, (a, b) in enumerate(zip(got, want, strict=True)):
            assert_same_bits(a.numpy(), b.numpy(), f"{case.op}, result {i}")


# ---- What is fused, and what is not -------------------------------------------------------------

X = np.random.default_rng(0).standard_normal((30, 500)).astype("float32")
KEY = mg.tensor(np.array([3, 4]))


def instructions(function: Callable[[Tensor], Any], x: np.ndarray = X) -> list[str]:
    """The plan's instructions, after a check that its bits are right."""
    compiled = mg.compile(function)
    want, first, second = function(mg.tensor(x)), compiled(mg.tensor(x)), compiled(mg.tensor(x))
    for got in (first, second):
        for a, b in zip(*(v if isinstance(v, tuple) else (v,) for v in (want, got)), strict=True):
            assert a.numpy().tobytes() == b.numpy().tobytes()
    return compiled.plans[0].instructions


def diamond(x: Tensor) -> Tensor:
    a, b = x.exp(), x.tanh()
    return a * b + a


FUSED: dict[str, tuple[Callable[[Tensor], Any], list[str]]] = {
    "chain": (lambda x: (x * 2 + 1).abs().sigmoid(), ["mul+add+abs+sigmoid"]),
    "diamond": (diamond, ["exp+tanh+mul+add"]),
    "dropout": (lambda x: _core.dropout(x.relu(), KEY, 0.5), ["relu+dropout"]),
    "noise": (lambda x: x + _core.normal(KEY, x.shape) * 0.1, ["normal+mul+add"]),
    "result that others want too": (lambda x: ((a := x.exp()), a + 1), ["exp+add"]),
    "other readers of the input": (lambda x: (x.exp(), x.abs()), ["exp+abs"]),
    "row": (lambda x: (x + x[0]).relu(), ["add+relu"]),
    "column": (lambda x: (x * x[:, 1:2]).relu(), ["mul+relu"]),
    "bool": (lambda x: _core.where(x > 0, x, x * 0.1), ["gt+mul+where"]),
    "two types": (lambda x: (x.double() * 0.1).float() + x, ["cast+mul+cast+add"]),
    "other shape of the same elements": (lambda x: x.exp().reshape(-1).abs(), ["exp+abs"]),
    "around another op": (
        lambda x: (x.exp().sum() + x.exp().abs().sum()).sqrt(),
        ["exp+exp+abs+sum", "sum", "add+sqrt"],
    ),
    "sum of squares": (lambda x: (x * x).sum(), ["mul+sum"]),
    "mean of what others want too": (lambda x: ((e := x.exp()).abs(), e.mean()), ["exp+abs+mean"]),
}

SEPARATE: dict[str, tuple[Callable[[Tensor], Any], list[str]]] = {
    "turned": (lambda x: x.exp().T.abs(), ["exp", "abs"]),
    "reversed": (lambda x: x.exp()[::-1].abs(), ["exp", "abs"]),
    "part": (lambda x: x.exp()[:3].abs(), ["exp", "abs"]),
    "broadcast": (lambda x: x[:1].exp() + x, ["exp", "add"]),
    "sum of rows": (lambda x: x.exp().sum(dim=1), ["exp", "sum"]),
    "sum of other layout": (lambda x: x.exp().T.sum(), ["exp", "sum"]),
    "sum between": (lambda x: (e := x.exp()) / e.sum(), ["exp+sum", "div"]),
    "integer powers": (lambda x: (_core.cast(x, 2) ** 2).abs(), ["cast", "pow", "abs"]),
}


@pytest.mark.parametrize("name", [*FUSED, *SEPARATE])
def test_what_is_fused(name: str) -> None:
    function, expected = (FUSED | SEPARATE)[name]
    assert instructions(function) == expected


def test_long_chains_are_cut_and_need_no_memory_between() -> None:
    def function(x: Tensor) -> Tensor:
        for _ in range(40):
            x = x + 1
        return x

    compiled = mg.compile(function)
    assert np.array_equal(compiled(X).numpy(), compiled(X).numpy())
    plan = compiled.plans[0]
    assert plan.instructions == ["+".join(["add"] * n) for n in (16, 16, 8)]
    assert plan.arena_bytes <= 2 * X.nbytes + 128
    description = plan.describe().splitlines()
    assert sum("fused" in line for line in description) == 3
    assert sum(line.startswith("     add") for line in description) == 40


def test_programs_longer_than_what_is_fused_at_once() -> None:
    def unrolled(x: Tensor, w: Tensor) -> Values:
        h = x
        for i in range(500):
            h = (h * w + x).tanh() if i % 7 else (h @ w).sin()
        return [h, *mg.grad((h * h).sum(), [x, w])]

    leaves = [mg.randn(5, 5, requires_grad=True), mg.randn(5, 5, requires_grad=True)]
    fast = mg.compile(unrolled)
    wanted = unrolled(*leaves)
    for _ in range(2):
        for want, got in zip(wanted, fast(*leaves), strict=True):
            assert_same_bits(got.numpy(), want.detach().numpy(), "replay")


def test_what_is_written_in_place_is_read_before_and_after() -> None:
    def function(x: Tensor) -> tuple[Tensor, Tensor]:
        target = x.clone()
        before = target.exp()
        target.copy_(x * 2)
        after = target.abs()
        return before.sqrt() + after, before

    names = instructions(function)
    assert names.index("copy_") > names.index("exp+sqrt")
    assert names.index("copy_") < next(i for i, n in enumerate(names) if "abs" in n)


def test_replays_of_a_step_need_fewer_instructions() -> None:
    from minigrad import nn, optim

    model = nn.Sequential(nn.Linear(500, 20), nn.GELU(), nn.Tanh(), nn.Linear(20, 1))
    optimizer = optim.SGD(model.parameters(), lr=0.1)

    def step(x: Tensor) -> Tensor:
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    compiled = mg.compile(step)
    for _ in range(3):
        compiled(mg.tensor(X))
    names = compiled.plans[0].instructions
    assert "linear+gelu+tanh" in names
    assert "matmul+tanh_backward+gelu_backward" in names
