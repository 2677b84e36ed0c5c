"""Updates in a plan: with the product of their gradient, past the caches, together; the same bits.

A plan hands the gradient of a large weight to the optimizer's update piece by piece and never
stores it, unless somebody else reads it or the weight meanwhile. The updates of all other
parameters are one instruction.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import _core, nn, optim

RNG = np.random.default_rng(0)
BATCH, INPUTS = 30, 70
OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "sgd": lambda p: optim.SGD(p, lr=0.1, weight_decay=0.1),
    "nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, l1=0.01),
    "adam": lambda p: optim.Adam(p, lr=0.01, weight_decay=0.1),
    "adamw": lambda p: optim.AdamW(p, lr=0.01),
    "amsgrad": lambda p: optim.Adam(p, lr=0.01, amsgrad=True),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.01, centered=True, momentum=0.5),
}


@pytest.fixture(autouse=True)
def restore_threads() -> Iterator[None]:
    before = _core.get_num_threads()
    yield
    _core.set_num_threads(before)


class Training:
    """Steps of a network, called or replayed, and every bit that they leave."""

    def __init__(
        self,
        sizes: tuple[int, ...],
        make: Callable[[Any], Any] = OPTIMIZERS["adamw"],
        dtype: str = "float32",
        bias: bool = True,
        step: Callable[[Training, mg.Tensor], Any] | None = None,
    ) -> None:
        mg.seed(1)
        layers: list[nn.Module] = []
        for wide, wanted in itertools.pairwise(sizes):
            layers += [nn.Linear(wide, wanted, bias=bias), nn.ReLU()]
        self.model = nn.Sequential(*layers[:-1])
        if dtype == "float64":
            self.model.double()
        self.optimizer = make(self.model.parameters())
        self.take = step or Training.step
        self.dtype = dtype

    def step(self, x: mg.Tensor) -> Any:
        self.optimizer.zero_grad()
        y = self.model(x)
        loss = (y * y).mean()
        loss.backward()
        self.optimizer.step()
        return loss

    def bits(self, compiled: bool) -> tuple[list[bytes], list[str], str]:
        """Results, parameters and states after some steps; the plan's instructions and table."""
        function: Any = lambda x: self.take(self, x)  # noqa: E731
        if compiled:
            function = mg.compile(function)
        rng = np.random.default_rng(2)
        found = []
        for _ in range(3):
            x = rng.standard_normal((BATCH, self.model[0].weight.shape[1]))
            found.append(np.asarray(function(mg.tensor(x.astype(self.dtype)))).tobytes())
        found += [p.detach().numpy().tobytes() for p in self.model.parameters()]
        for state in self.optimizer.state_dict()["state"].values():
            found += [np.asarray(v).tobytes() for v in state.values()]
        plan = function.plans[0] if compiled else None
        return found, plan.instructions if plan else [], plan.describe() if plan else ""


def check(*args: Any, **options: Any) -> tuple[list[str], str]:
    """The plan's instructions and table, once its bits are those of calls."""
    want, _, _ = Training(*args, **options).bits(compiled=False)
    got, instructions, table = Training(*args, **options).bits(compiled=True)
    assert got == want
    return instructions, table


def joined(instructions: list[str]) -> list[str]:
    """The products that run together with an update."""
    return [name for name in instructions if "_grad+" in name or "matmul+" in name]


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_uses_up_the_gradient(name: str, dtype: str, threads: int) -> None:
    _core.set_num_threads(threads)
    instructions, _ = check((INPUTS, 321, 130, 3), OPTIMIZERS[name], dtype)
    op = {"nesterov": "sgd", "adamw": "adam", "amsgrad": "adam"}.get(name, name)
    assert joined(instructions) == [f"linear_weight_grad+{op}_"] * 2
    assert instructions[-1] == "+".join([f"{op}_"] * 4)  # of the biases and the last, small weight


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize(
    "sizes", [(1, 9000, 2), (9000, 1), (4500, 40, 5), (4099, 3, 1), (91, 91, 1), (500, 16, 600)]
)
def test_shapes(sizes: tuple[int, ...], threads: int) -> None:
    _core.set_num_threads(threads)
    assert joined(check(sizes)[0])


def test_without_bias() -> None:
    assert joined(check((INPUTS, 200, 1), bias=False)[0]) == ["matmul+adam_"]


def test_small_gradients_are_stored() -> None:
    assert not joined(check((INPUTS, 30, 1))[0])


def clipped(training: Training, x: mg.Tensor) -> Any:
    training.optimizer.zero_grad()
    loss = (training.model(x) ** 2).mean()
    loss.backward()
    optim.clip_grad_norm_(training.model.parameters(), 0.01)
    training.optimizer.step()
    return loss


def reading_the_gradient(training: Training, x: mg.Tensor) -> Any:
    training.optimizer.zero_grad()
    (training.model(x) ** 2).mean().backward()
    training.optimizer.step()
    return training.model[0].weight.grad.sum()


def used_twice(training: Training, x: mg.Tensor) -> Any:
    training.optimizer.zero_grad()
    loss = (training.model(training.model(x)) ** 2).mean()
    loss.backward()
    training.optimizer.step()
    return loss


@pytest.mark.parametrize(
    ("step", "sizes"),
    [
        (clipped, (INPUTS, 200, 1)),
        (reading_the_gradient, (INPUTS, 200, 1)),
        (used_twice, (200, 200)),
    ],
)
def test_what_others_need_is_stored(step: Callable[..., Any], sizes: tuple[int, ...]) -> None:
    assert not joined(check(sizes, step=step)[0])


def read_before(training: Training, x: mg.Tensor) -> Any:
    training.optimizer.zero_grad()
    (training.model(x) ** 2).mean().backward()
    size = training.model[0].weight.detach().abs().sum()
    training.optimizer.step()
    return size


def read_after(training: Training, x: mg.Tensor) -> Any:
    Training.step(training, x)
    return training.model[0].weight.detach().abs().sum()


@pytest.mark.parametrize("step", [read_before, read_after])
def test_who_reads_the_weight_sees_it_as_it_is_there(step: Callable[..., Any]) -> None:
    assert joined(check((INPUTS, 200, 1), step=step)[0])


def test_a_gradient_of_what_is_updated_is_stored() -> None:
    """The product reads the very weight that the update would change meanwhile."""
    weight = mg.tensor(RNG.standard_normal((128, 128)).astype("float32"), requires_grad=True)
    optimizer = optim.SGD([weight], lr=1e-3)

    def step() -> mg.Tensor:
        optimizer.zero_grad()
        loss = (weight @ weight.detach()).sum()
        loss.backward()
        optimizer.step()
        return loss

    start = weight.detach().numpy().copy()
    want = [step().item() for _ in range(3)] + [weight.detach().numpy().tobytes()]
    with mg.no_grad():
        weight.copy_(mg.tensor(start))
    compiled = mg.compile(step)
    assert [compiled().item() for _ in range(3)] + [weight.detach().numpy().tobytes()] == want
    assert not joined(compiled.plans[0].instructions)


def test_long_steps_can_be_interrupted_before_their_updates() -> None:
    """As it is not interrupted between two updates, no more than so much work may follow one."""
    mg.seed(1)
    model = nn.Sequential(nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 1024))
    optimizer = optim.SGD(model.parameters(), lr=1e-6)

    @mg.compile
    def step(x: mg.Tensor) -> mg.Tensor:
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    x = RNG.standard_normal((1024, 1024)).astype("float32")
    step(x)
    step(x[:64])
    long, short = (joined(plan.instructions) for plan in step.plans)
    assert len(short) == 2
    assert len(long) == 1  # the last one, behind which there is no more work


# ---- Past the caches ----------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1, 15, 16, 1000, 40_003])
@pytest.mark.parametrize("offset", [0, 1, 16])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("threads", [1, 2])
def test_streaming_changes_no_bit(n: int, offset: int, dtype: str, threads: int) -> None:
    _core.set_num_threads(threads)
    start = [RNG.uniform(0.1, 1, n + offset).astype(dtype) for _ in range(4)]
    for name, states in (("sgd_", 0), ("sgd_", 1), ("adam_", 2), ("rmsprop_", 1)):
        results = []
        for stream in (False, True):
            p, g, *kept = (mg.tensor(a)[offset:] for a in start)
            cells = mg.tensor(np.array([1, 0.1, 0.1, 0.01, 0.9, 0.99, 0.1, 1]))
            update = getattr(_core, name)
            if name == "sgd_":
                update(p, g, cells, kept[0] if states else None, stream=stream)
            else:
                update(p, g, *kept[:states], cells, stream=stream)
            results.append([a.numpy().tobytes() for a in (p, *kept, cells)])
        assert results[0] == results[1]


def test_weights_that_threads_cut_across_are_streamed() -> None:
    """The second layer's is read for its output and for the gradient of its input."""
    _, table = check((INPUTS, 300, 100, 1))
    assert table.count("streamed") == 1
    line = next(line for line in table.splitlines() if "streamed" in line)
    assert "100x300" in line
    assert "streamed" not in check((INPUTS, 30, 10, 1))[1]


# ---- Several parameters together ----------------------------------------------------------------


def trained(
    params: list[mg.Tensor], optimizers: list[Any], compiled: bool, counts: tuple[int, ...]
) -> tuple[list[bytes], list[str]]:
    """Every bit after a step with each of these numbers of threads; the plan's instructions."""

    def step() -> mg.Tensor:
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss = mg.stack([((p.double() + 1) ** 2).sum() for p in params]).sum()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        return loss

    function = mg.compile(step) if compiled else step
    found = []
    for threads in counts:
        _core.set_num_threads(threads)
        found.append(function().numpy().tobytes())
    found += [p.detach().numpy().tobytes() for p in params]
    for optimizer in optimizers:
        for state in optimizer.state_dict()["state"].values():
            found += [np.asarray(v).tobytes() for v in state.values()]
    return found, function.plans[0].instructions if compiled else []


def parameters(sizes: list[Any], dtypes: tuple[str, ...] = ("float32",)) -> list[mg.Tensor]:
    rng = np.random.default_rng(3)
    return [
        mg.tensor(rng.standard_normal(n).astype(dtypes[i % len(dtypes)]), requires_grad=True)
        for i, n in enumerate(sizes)
    ]


def groups(instructions: list[str]) -> list[str]:
    return [name for name in instructions if "sgd_" in name or "adam_" in name or "rms" in name]


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize(
    "sizes",
    [
        [1, 1],
        [(3, 5), 0, 63, 64, 65, (2, 2)],
        [40_000, 1, 16_384, 3, (200, 100), 5],  # threads share them, and cut within one
    ],
)
def test_parameters_are_updated_together(name: str, sizes: list[Any]) -> None:
    counts = (1, 2, 5)  # changed between replays
    results = []
    for compiled in (False, True):
        params = parameters(sizes, ("float32", "float64"))
        optimizer = OPTIMIZERS[name](params)
        optimizer.add_param_group({"params": parameters([7]), "lr": 0.5})
        own = [slot.param for group in optimizer.param_groups for slot in group.slots]
        results.append(trained(own, [optimizer], compiled, counts if compiled else (1, 1, 1)))
    (want, _), (got, instructions) = results
    assert got == want
    op = {"nesterov": "sgd", "adamw": "adam", "amsgrad": "adam"}.get(name, name)
    assert groups(instructions) == ["+".join([f"{op}_"] * (len(sizes) + 1))]


def test_updates_of_two_optimizers_are_one() -> None:
    results = []
    for compiled in (False, True):
        params = parameters([5, 6, 7, 8])
        both = [optim.SGD(params[:2], lr=0.1), optim.Adam(params[2:], lr=0.1)]
        results.append(trained(params, both, compiled, (2, 2)))
    assert results[0][0] == results[1][0]
    assert groups(results[1][1]) == ["sgd_+sgd_+adam_+adam_"]


def test_a_parameter_of_two_optimizers_is_updated_by_one_after_the_other() -> None:
    results = []
    for compiled in (False, True):
        params = parameters([40_000, 6])
        both = [optim.SGD(params, lr=0.1), optim.Adam(params, lr=0.1)]
        results.append(trained(params, both, compiled, (2, 2)))
    assert results[0][0] == results[1][0]
    assert groups(results[1][1]) == ["sgd_+sgd_", "adam_+adam_"]


def test_parameters_and_gradients_with_gaps_are_updated_alone() -> None:
    results = []
    for compiled in (False, True):
        params = parameters([5, (6, 4), 7])
        params[1] = params[1].detach()[:, ::2].requires_grad_()
        results.append(trained(params, [optim.SGD(params, lr=0.1)], compiled, (1, 1)))
    assert results[0][0] == results[1][0]
    assert groups(results[1][1]) == ["sgd_"] * 3


def test_the_table_tells_what_is_updated_together() -> None:
    table = check((3, 4, 1))[1]
    lines = [line.split() for line in table.splitlines() if "adam_" in line]
    assert [line[:4] for line in lines] == [
        ["adam_", "4", "of", shape] for shape in ("4x3,", "4,", "1x4,", "1,")
    ]
