"""Runs cases: one place that knows how to call an op, differentiate it and compare."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from case import Case
from cases import CASES
from draws import Call, Seeded, Source

from minigrad import _core

Tensor = _core.Tensor
ROWS = {row["name"]: row for row in _core.ops()}
# Cases whose op this build has; test_cases tells of the rest.
PRESENT = [case for case in CASES if case.op in ROWS]
DTYPES = [np.float32, np.float64]


def case_id(value: Any) -> str:
    return value.op if isinstance(value, Case) else getattr(value, "__name__", str(value))


def is_float(array: np.ndarray | None) -> bool:
    return array is not None and array.dtype.kind == "f"


def tensor_names(case: Case) -> list[str]:
    """The parameters that are tensors, as the signature writes them."""
    text = ROWS[case.op]["signature"]
    names = text[text.index("(") + 1 : text.rindex(")")].split(", ")
    return [name for name in names if ":" not in name]


def mutated(case: Case) -> list[int]:
    """The inputs that the op changes in place, by the '!' of its signature."""
    return [i for i, name in enumerate(tensor_names(case)) if "!" in name]


def differentiable(case: Case, call: Call) -> list[int]:
    if not ROWS[case.op]["differentiable"]:
        return []
    if case.wrt is not None:
        return [i for i in case.wrt if call.inputs[i] is not None]
    return [i for i, a in enumerate(call.inputs) if is_float(a)]


def in_dtype(case: Case, call: Call, dtype: Any) -> list[np.ndarray | None]:
    """The inputs, the floating ones in dtype, in memory of their own."""
    return [
        None if a is None else np.array(a, dtype if is_float(a) and i not in case.fixed else None)
        for i, a in enumerate(call.inputs)
    ]


def apply(case: Case, tensors: Sequence[Any], attrs: dict[str, Any]) -> list[Any]:
    """The outputs of the op as a list of tensors."""
    names = tensor_names(case)
    if names[0].startswith("*"):
        out = getattr(_core, case.op)(*tensors, **attrs)
    else:
        given = {name.rstrip("!?"): t for name, t in zip(names, tensors, strict=True)}
        out = getattr(_core, case.op)(**given, **attrs)
    if out is None:
        return []
    return list(out) if isinstance(out, tuple) else [out]


def wrap(inputs: Sequence[np.ndarray | None]) -> list[Any]:
    return [None if a is None else _core.from_numpy(a) for a in inputs]


def run(case: Case, tensors: Sequence[Any], attrs: dict[str, Any]) -> list[np.ndarray]:
    """Outputs, then what the op wrote in place, as arrays."""
    outputs = apply(case, tensors, attrs)
    changed = [tensors[i] for i in mutated(case) if tensors[i] is not None]
    return [np.array(t.numpy()) for t in [*outputs, *changed]]


def expected(case: Case, call: Call, dtype: Any) -> list[np.ndarray]:
    """What numpy gives in float64 for the inputs rounded to dtype."""
    assert case.forward is not None
    inputs = [a.astype(np.float64) if is_float(a) else a for a in in_dtype(case, call, dtype)]
    with np.errstate(all="ignore"):
        out = case.forward(*inputs, **call.attrs)
    return [np.asarray(o) for o in (out if isinstance(out, (tuple, list)) else [out])]


def assert_close(got: np.ndarray, want: np.ndarray, tolerance: float, what: str) -> None:
    assert got.shape == want.shape, f"{what}: shape {got.shape}, expected {want.shape}"
    if want.dtype.kind != "f":
        np.testing.assert_array_equal(got, want, err_msg=what)
        return
    finite = np.abs(want[np.isfinite(want)])
    scale = max(1.0, float(finite.max())) if finite.size else 1.0
    np.testing.assert_allclose(got, want, tolerance, tolerance * scale, err_msg=what)


def assert_same_bits(got: np.ndarray, want: np.ndarray, what: str) -> None:
    assert got.shape == want.shape, f"{what}: shape {got.shape}, expected {want.shape}"
    assert got.dtype == want.dtype, f"{what}: dtype {got.dtype}, expected {want.dtype}"
    if got.tobytes() != want.tobytes():
        np.testing.assert_array_equal(got, want, err_msg=what)
        raise AssertionError(f"{what}: equal values, but zeros or NaNs of other signs")


# ---- Derivatives ------------------------------------------------------------------------------

H = 3e-4  # the formula's error is H**4 / 30 * f''''', its rounding 1e-16 / H


def slope(f: Callable[[float], float]) -> float:
    """f'(0) by central differences of fourth order."""
    return (8 * (f(H) - f(-H)) - (f(2 * H) - f(-2 * H))) / (12 * H)


def random_like(rng: np.random.Generator, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [rng.normal(0, 1, a.shape) for a in arrays]


def dot(a: Sequence[np.ndarray | None], b: Sequence[np.ndarray]) -> float:
    return float(sum(np.vdot(x, y) for x, y in zip(a, b, strict=True) if x is not None))


def weight_of(a: Sequence[np.ndarray | None], b: Sequence[np.ndarray]) -> float:
    """How large the terms of dot are: what its rounding is relative to."""
    return float(sum(np.abs(x * y).sum() for x, y in zip(a, b, strict=True) if x is not None))


def arrays_of(tensors: Sequence[Any]) -> list[np.ndarray | None]:
    return [None if t is None else np.array(t.numpy()) for t in tensors]


class Function:
    """An op as a function of its differentiable inputs, the rest held."""

    def __init__(self, case: Case, call: Call) -> None:
        self.case, self.attrs = case, call.attrs
        self.held = in_dtype(case, call, np.float64)
        self.wrt = differentiable(case, call)
        self.at = [self.held[i] for i in self.wrt]

    def outputs(self, at: Sequence[Any], requires_grad: bool = False) -> tuple[list, list]:
        """Floating outputs at a point, and the tensors they were computed from."""
        tensors = wrap([None if a is None else a.copy() for a in self.held])
        for i, a in zip(self.wrt, at, strict=True):
            tensors[i] = a if isinstance(a, Tensor) else _core.from_numpy(np.array(a))
            tensors[i].requires_grad = requires_grad
        out = apply(self.case, tensors, self.attrs)
        return [o for o in out if o.dtype.kind == "f"], [tensors[i] for i in self.wrt]

    def gradient(
        self, at: Sequence[Any], weights: Sequence[np.ndarray], create_graph: bool = False
    ) -> tuple[list, list, list]:
        """Gradients of sum(weights * outputs), the inputs and the weights, as tensors."""
        out, inputs = self.outputs(at, requires_grad=True)
        seeds = [_core.from_numpy(np.array(w)) for w in weights]
        for seed in seeds:
            seed.requires_grad = create_graph
        found = _core.grad(out, inputs, seeds, create_graph=create_graph, allow_unused=True)
        return list(found), inputs, seeds


def averages_nothing(call: Call, outputs: Sequence[np.ndarray | None]) -> bool:
    """The mean of nothing is NaN: it has no derivatives to compare with."""
    empty = any(a.size == 0 for a in call.inputs if a is not None and is_float(a))
    undefined = any(np.isnan(o).any() for o in outputs if o is not None)
    return empty and (undefined or call.attrs.get("reduction") == 1)


def check_gradient(
    case: Case, call: Call, rng: np.random.Generator, layout: Callable[[Any], Any] | None = None
) -> None:
    """The gradient of a random weighting of the outputs against finite differences."""
    f = Function(case, call)
    out = arrays_of(f.outputs(f.at)[0])
    if not f.wrt or not out:
        return
    weights = random_like(rng, out)
    start = f.at if layout is None else [layout(a) for a in f.at]
    gradient = arrays_of(f.gradient(start, weights)[0])
    for g, x in zip(gradient, f.at, strict=True):
        assert g is None or g.shape == x.shape, f"{case.op}: gradient {g.shape} of {x.shape}"
    if averages_nothing(call, out):
        return

    directions = random_like(rng, f.at)
    for only in [None, *range(len(f.at))]:
        chosen = [d if only in (None, i) else 0 * d for i, d in enumerate(directions)]

        def along(t: float, chosen: list[np.ndarray] = chosen) -> float:
            values = arrays_of(f.outputs([x + t * d for x, d in zip(f.at, chosen, strict=True)])[0])
            return dot(values, weights)

        scale = 1 + weight_of(gradient, chosen) + weight_of(out, weights)
        want, got = slope(along), dot(gradient, chosen)
        which = "all inputs" if only is None else f"input {f.wrt[only]}"
        assert abs(got - want) <= 1e-8 * scale, (
            f"{case.op}: gradient for {which} is {got} along a direction, differences say {want}"
        )


def check_second_derivative(case: Case, call: Call, rng: np.random.Generator) -> None:
    """The gradient of the gradient (in the inputs and in the incoming gradient) likewise."""
    f = Function(case, call)
    out = arrays_of(f.outputs(f.at)[0])
    if not f.wrt or not out or averages_nothing(call, out):
        return
    weights = random_like(rng, out)
    first, inputs, seeds = f.gradient(f.at, weights, create_graph=True)
    again = random_like(rng, f.at)
    tracked = [
        (g, v) for g, v in zip(first, again, strict=True) if g is not None and g.requires_grad
    ]
    if not tracked:
        return
    second = arrays_of(
        _core.grad(
            [g for g, _ in tracked],
            [*inputs, *seeds],
            [_core.from_numpy(v) for _, v in tracked],
            allow_unused=True,
        )
    )
    points, directions = [*f.at, *weights], random_like(rng, [*f.at, *weights])

    def along(t: float) -> float:
        moved = [x + t * d for x, d in zip(points, directions, strict=True)]
        found = f.gradient(moved[: len(f.at)], moved[len(f.at) :])[0]
        return dot(arrays_of(found), again)

    want, got = slope(along), dot(second, directions)
    scale = 1 + weight_of(second, directions) + weight_of(arrays_of(first), again)
    assert abs(got - want) <= 1e-8 * scale, (
        f"{case.op}: second derivative is {got} along a direction, differences say {want}"
    )


# ---- Fixed calls, the same in every process ---------------------------------------------------


def fixed_call(case: Case, number: int, scale: int = 1) -> tuple[Call, Source]:
    source = Seeded(zlib.crc32(case.op.encode()) + number, scale)
    return case.draw(source), source


def everything(case: Case, call: Call, dtype: Any, rng: np.random.Generator) -> list[np.ndarray]:
    """Outputs, in-place results and gradients of a call: all that must have the same bits."""
    inputs = in_dtype(case, call, dtype)
    results = run(case, wrap([None if a is None else a.copy() for a in inputs]), call.attrs)
    wrt = differentiable(case, call)
    if not wrt:
        return results
    tensors = wrap(inputs)
    for i in wrt:
        tensors[i].requires_grad = True
    out = [o for o in apply(case, tensors, call.attrs) if o.dtype.kind == "f" and o.requires_grad]
    if not out:
        return results
    seeds = [_core.from_numpy(rng.normal(0, 1, o.shape).astype(o.dtype)) for o in out]
    found = _core.grad(out, [tensors[i] for i in wrt], seeds, allow_unused=True)
    return results + [g for g in arrays_of(found) if g is not None]
