"""What follows products and convolutions goes over them while they are in the cache: same bits.

Every way in which the kernels go about a product or a convolution hands over all of its elements
once, for every thread count and instruction set.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import Tensor, _core

ISAS = _core.build_info()["isas"]
Function = Callable[..., Tensor | tuple[Tensor, ...]]


@pytest.fixture(autouse=True)
def restore_threads() -> Iterator[None]:
    before = _core.get_num_threads()
    yield
    _core.set_num_threads(before)


def values(*shape: int) -> np.ndarray:
    """Numbers, the first of them not finite."""
    x = np.random.default_rng(shape).standard_normal(shape).astype("float32")
    x.flat[: min(x.size, 3)] = [np.nan, np.inf, -0.0][: x.size]
    return x


def instructions(function: Function, *inputs: np.ndarray) -> list[str]:
    """The plan's instructions, once a replay with other values gave the bits of the function."""
    compiled = mg.compile(function)
    for sign in (1, -1):
        arrays = [x * sign for x in inputs]
        want, got = function(*map(mg.tensor, arrays)), compiled(*arrays)
        pair = [v if isinstance(v, tuple) else (v,) for v in (want, got)]
        for a, b in zip(*pair, strict=True):
            assert a.numpy().tobytes() == b.numpy().tobytes()
    return compiled.plans[0].instructions


# x and weight of products, as the kernels tell them apart.
PRODUCTS = {
    "few links": ((75, 2), (500, 2)),
    "narrow links": ((37, 3), (33, 3)),
    "few rows": ((3, 70), (130, 70)),
    "few columns": ((300, 70), (3, 70)),
    "one row": ((1, 200), (300, 200)),
    "one column": ((300, 200), (1, 200)),
    "no links": ((40, 0), (90, 0)),
    "small": ((700, 9), (32, 9)),
    "rows outside": ((900, 100), (64, 100)),
    "blocks": ((600, 40), (1030, 40)),
    "long rows": ((150, 8), (4200, 8)),
    "batched": ((3, 5, 7, 20), (130, 20)),
}
# x, weight and options of convolutions, as the kernels tell them apart.
CONVOLUTIONS = {
    "winograd": ((3, 8, 13, 9), (70, 8, 3, 3), {"padding": 1}),
    "winograd, in parts of images": ((5, 8, 28, 28), (70, 8, 3, 3), {"padding": 1}),
    "winograd, large images": ((2, 8, 50, 51), (66, 8, 3, 3), {}),
    "few channels": ((4, 1, 20, 20), (5, 1, 3, 3), {}),
    "narrow": ((40, 6, 4, 4), (40, 6, 3, 3), {"padding": 1}),
    "strided": ((2, 5, 11, 11), (50, 5, 5, 5), {"stride": 2, "padding": 2}),
    "points": ((2, 9, 7, 5), (33, 9, 1, 1), {}),
    "grouped": ((2, 6, 9, 9), (6, 3, 3, 3), {"groups": 2, "padding": 1}),
    "a filter a channel": ((5, 7, 12, 12), (7, 1, 3, 3), {"groups": 7, "padding": 1}),
    "two filters a channel": ((9, 5, 7, 7), (10, 1, 3, 3), {"groups": 5, "padding": 1}),
}
KEY = mg.tensor(np.array([3, 4]))
CHAINS: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "tanh": ("tanh", lambda y: y.tanh()),
    "gelu and dropout": ("gelu+dropout", lambda y: _core.dropout(mg.gelu(y), KEY, 0.5)),
    "dropout": ("dropout", lambda y: _core.dropout(y, KEY, 0.3)),
}


def check_product(name: str, chain: str, dtype: str) -> None:
    x, weight = (values(*shape).astype(dtype) for shape in PRODUCTS[name])
    bias = values(weight.shape[0]).astype(dtype)
    ops, after = CHAINS[chain]
    assert instructions(lambda x, w, b: after(mg.linear(x, w, b)), x, weight, bias) == [
        "linear+" + ops
    ]
    turned = np.ascontiguousarray(weight.T)
    assert instructions(lambda x, w: after(x @ w), x, turned) == ["matmul+" + ops]


def check_convolution(name: str, chain: str, dtype: str) -> None:
    x, weight = (values(*shape).astype(dtype) for shape in CONVOLUTIONS[name][:2])
    bias, options = values(weight.shape[0]).astype(dtype), CONVOLUTIONS[name][2]
    ops, after = CHAINS[chain]
    forward = lambda x, w, b: after(mg.conv2d(x, w, b, **options))  # noqa: E731
    assert instructions(forward, x, weight, bias) == ["conv2d+" + ops]
    g = mg.conv2d(mg.tensor(x), mg.tensor(weight), mg.tensor(bias), **options).numpy()
    high, wide = x.shape[2:]

    def backward(g: Tensor, w: Tensor) -> Tensor:
        return after(_core.conv2d_input_grad(g, w, high, wide, **options))

    assert instructions(backward, g, weight) == ["conv2d_input_grad+" + ops]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("name", PRODUCTS)
def test_products(name: str, chain: str, threads: int, dtype: str) -> None:
    _core.set_num_threads(threads)
    check_product(name, chain, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions(name: str, chain: str, threads: int, dtype: str) -> None:
    _core.set_num_threads(threads)
    check_convolution(name, chain, dtype)


def check_all() -> None:
    """What every instruction set is asked."""
    for name in PRODUCTS:
        check_product(name, "gelu and dropout", "float32")
    for name in CONVOLUTIONS:
        check_convolution(name, "gelu and dropout", "float32")


@pytest.mark.parametrize("isa", ISAS)
def test_every_instruction_set(isa: str) -> None:
    here = Path(__file__).parent
    code = f"import sys; sys.path[:0] = [{str(here)!r}]; import test_passes_finish as t"
    environment = {**os.environ, "MINIGRAD_ISA": isa}
    subprocess.run(
        [sys.executable, "-P", "-c", code + "; t.check_all()"], env=environment, check=True
    )


X, W, OTHER = values(40, 30), values(50, 30), values(40, 50)
SLOPES = {
    "relu": (lambda y: y.relu(), "relu_dropout_backward"),
    "leaky_relu": (mg.leaky_relu, "leaky_relu_backward"),
    "sigmoid": (mg.sigmoid, "sigmoid_backward"),
    "tanh": (mg.tanh, "tanh_backward"),
    "gelu": (mg.gelu, "gelu_backward"),
    "silu": (mg.silu, "silu_backward"),
    "elu": (mg.elu, "elu_backward"),
}


@pytest.mark.parametrize("dropped", [False, True])
@pytest.mark.parametrize("name", SLOPES)
def test_gradients_of_activations(name: str, dropped: bool) -> None:
    """They go over the gradient that the product behind them makes, after that of dropout."""
    activation, slope = SLOPES[name]
    state = mg.tensor(np.array([3, 4]))

    def function(x: Tensor, w: Tensor, v: Tensor) -> tuple[Tensor, ...]:
        y = activation(mg.linear(x, w))
        y = _core.dropout(y, _core.next_key(state), 0.5) if dropped else y
        return tuple(_core.grad([(mg.linear(y, v) ** 2).sum()], [w, v]))

    compiled = mg.compile(function)
    leaves = [
        mg.tensor(np.nan_to_num(values(*shape), posinf=1.0), requires_grad=True)
        for shape in ((40, 30), (50, 30), (20, 50))
    ]
    for _ in range(2):
        got = []
        for call in (function, compiled):
            state.copy_(mg.tensor(np.array([3, 4])))
            got.append([g.numpy().tobytes() for g in call(*leaves)])
        assert got[0] == got[1]
    made = compiled.plans[0].instructions
    after = "+dropout" if dropped else ""
    assert (f"linear_relu{after}" if name == "relu" else f"linear+{name}{after}") in made
    if name == "relu":
        assert "matmul_relu_dropout_backward" in made
    else:
        assert f"matmul{after}+{slope}" in made


def test_a_residual_is_added() -> None:
    assert instructions(lambda x, w, r: mg.linear(x, w).tanh() + r, X, W, OTHER) == [
        "linear+tanh+add"
    ]
    rows = lambda x, w, r: mg.linear(x, w) * r[:, 3:4] + r[2]  # noqa: E731
    assert instructions(rows, X, W, OTHER) == ["linear+mul+add"]


def test_the_product_is_stored_where_the_result_will_be() -> None:
    def arena(function: Function) -> int:
        compiled = mg.compile(function)
        compiled(X, W)
        return compiled.plans[0].arena_bytes

    alone = arena(lambda x, w: mg.linear(x, w))
    assert arena(lambda x, w: mg.linear(x, w).tanh()) == alone
    assert arena(lambda x, w: _core.dropout(mg.gelu(mg.linear(x, w)), KEY, 0.5)) == alone
    assert arena(lambda x, w: (y := mg.linear(x, w)).tanh() * y) == alone
    # Two results, or one of other elements, have places of their own.
    assert arena(lambda x, w: (y := mg.linear(x, w), y.tanh())) == 2 * alone
    assert arena(lambda x, w: mg.linear(x, w) > 0) > alone


def test_what_others_read_is_stored() -> None:
    def function(x: Tensor, w: Tensor) -> tuple[Tensor, ...]:
        y = mg.linear(x, w)
        return y.exp() * y, y, y.sum(0)

    assert instructions(function, X, W) == ["linear+exp+mul", "sum"]
    several = lambda x, w: ((y := mg.linear(x, w)).exp(), y.tanh(), y > 0)  # noqa: E731
    assert instructions(several, X, W) == ["linear+exp+tanh+gt"]


APART: dict[str, tuple[Function, list[str]]] = {
    "turned": (lambda x, w: mg.linear(x, w).T.tanh(), ["linear", "tanh"]),
    "reshaped": (lambda x, w: mg.linear(x, w).reshape(-1).tanh(), ["linear", "tanh"]),
    "a part": (lambda x, w: mg.linear(x, w)[:9].tanh(), ["linear", "tanh"]),
    "also turned": (
        lambda x, w: (y := mg.linear(x, w[:40, :])) + y.T.tanh(),
        ["linear", "tanh+add"],
    ),
    "repeated": (lambda x, w: mg.linear(x, w[:1]) + x, ["linear", "add"]),
    "read before": (lambda x, w: (y := mg.linear(x, w)) / y.sum(), ["linear", "sum", "div"]),
    "a sum": (lambda x, w: mg.linear(x, w).tanh().sum(), ["linear", "tanh+sum"]),
}


@pytest.mark.parametrize("name", APART)
def test_what_stays_apart(name: str) -> None:
    function, expected = APART[name]
    assert instructions(function, X, W) == expected


def test_what_is_changed_meanwhile_is_multiplied_before() -> None:
    scratch = mg.tensor(W)

    def function(x: Tensor, w: Tensor) -> Tensor:
        scratch.copy_(w)
        y = mg.linear(x, scratch)
        scratch.copy_(w * 2)
        return y.tanh()

    made = instructions(function, X, W)
    assert "linear" in made
    assert not any(name.startswith("linear+") for name in made)


def test_one_of_two_products_is_gone_over() -> None:
    both = lambda x, w, r: (mg.linear(x, w) + mg.linear(r[:, :30], w)).tanh()  # noqa: E731
    assert instructions(both, X, W, OTHER) == ["linear", "linear+add+tanh"]


def test_plans_show_what_is_fused() -> None:
    compiled = mg.compile(lambda x, w: mg.gelu(mg.linear(x, w)))
    compiled(X, W)
    lines = [line.split() for line in compiled.plans[0].describe().splitlines()]
    assert [line[:2] for line in lines[2:5]] == [
        ["0", "fused"],
        ["linear", "40x30,"],
        ["gelu", "40x50"],
    ]
