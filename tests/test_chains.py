"""Ops that a plan computes by one kernel: the bits of one after the other, on every ISA."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import Tensor, _core

ISAS = _core.build_info()["isas"]

# Of four operands; every row of the table of chains is in one of them, commuted, too.
CHAINS: dict[str, Callable[..., Any]] = {
    "add relu": lambda a, b, c, d: (a + b).relu(),
    "add add": lambda a, b, c, d: (a + b) + c,
    "add to add": lambda a, b, c, d: c + (a + b),
    "add add relu": lambda a, b, c, d: (a + b + c).relu(),
    "add mul": lambda a, b, c, d: (a + b) * c,
    "sub mul": lambda a, b, c, d: c * (a - b),
    "mul mul": lambda a, b, c, d: (a * b) * c,
    "mul add": lambda a, b, c, d: c + a * b,
    "mul add relu": lambda a, b, c, d: (a * b + c).relu(),
    "mul from": lambda a, b, c, d: c - a * b,
    "sub mul mul add": lambda a, b, c, d: (a - b) * c * d + a,
    "both sides": lambda a, b, c, d: (a * b) + (c * d),
    "squared": lambda a, b, c, d: ((e := a - b) * e).sum(),
    "read twice": lambda a, b, c, d: ((e := a * b) + c, (e + d).relu()),
    "kept": lambda a, b, c, d: (e := a + b, e.relu(), e * c),
    "summed": lambda a, b, c, d: ((e := a * b).sum(), (e + c).relu().sum()),
    "reshaped": lambda a, b, c, d: ((a[::-1] + b).reshape(-1) * 2 + a.reshape(-1)).relu(),
    "written over": lambda a, b, c, d: (e := a + b, (e * c).relu(), e.__imul__(2), e + c + d),
}
# The operands' shapes, the first as large as the result: rows and blocks that end within vectors,
# rows long enough for calls of their own, everything shared but one.
SHAPES: dict[str, tuple[tuple[int, ...], ...]] = {
    "one": ((1,),) * 4,
    "few": ((3,),) * 4,
    "blocks": ((4099,),) * 4,
    "shared": ((2500,), (), (1,), (2500,)),
    "short rows": ((91, 33), (33,), (91, 1), (91, 33)),
    "long rows": ((5, 1030), (1030,), (5, 1), (5, 1030)),
    "rows of rows": ((3, 2, 1500), (2, 1500), (3, 1, 1), (1500,)),
    "rows that do not fit": ((2, 2, 1100), (2, 1100), (2, 1, 1100), (2, 1, 1)),
    "many rows": ((70, 1025), (1025,), (70, 1), (70, 1025)),
}


def operands(shapes: tuple[tuple[int, ...], ...], dtype: Any) -> list[Tensor]:
    rng = np.random.default_rng(0)
    made = []
    for shape in shapes:
        values = np.asarray(rng.standard_normal(shape) * 4).astype(dtype)
        if values.size > 100:
            at = rng.integers(0, values.size, 12)
            values.reshape(-1)[at] = [np.nan, np.inf, -np.inf, -0.0, 0.0, 1e-40] * 2
        made.append(mg.tensor(values))
    return made


def bits(results: Any) -> list[bytes]:
    """Of every result; NaNs all alike, as processors choose between two of them."""
    every = results if isinstance(results, tuple) else (results,)
    arrays = [r.numpy() for r in every]
    return [np.where(np.isnan(a), a.dtype.type(np.nan), a).tobytes() for a in arrays]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("name", CHAINS)
def test_bits_of_one_after_the_other(name: str, shapes: str, dtype: Any) -> None:
    function, args = CHAINS[name], operands(SHAPES[shapes], dtype)
    compiled = mg.compile(function)
    want = bits(function(*args))
    for _ in range(2):
        assert bits(compiled(*args)) == want


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_of_turned_and_spread_operands(dtype: Any) -> None:
    a, b, c, d = operands(((40, 1100), (1100, 40), (80, 1100), (1100,)), dtype)
    args = (a, b.T, c[::2], d[::-1])
    for name, function in CHAINS.items():
        compiled = mg.compile(function)
        compiled(*args)
        assert bits(compiled(*args)) == bits(function(*args)), name


@pytest.mark.parametrize("isa", [i for i in ISAS if i != _core.isa()])
def test_on_every_instruction_set(isa: str) -> None:
    command = [sys.executable, "-m", "pytest", "-qx", __file__, "-k", "spread or few or blocks"]
    run = subprocess.run(
        command, env={**os.environ, "MINIGRAD_ISA": isa}, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout
