"""mg.compile: a replay does what the function does, to the bit, or says why it cannot."""

from __future__ import annotations

import re
from collections import namedtuple

import numpy as np
import pytest
from learners import IMAGES, LEARNERS, RNG, X, bits, learner

import minigrad as mg
from minigrad import nn


@pytest.mark.parametrize("name", LEARNERS)
def test_replay_gives_the_bits_of_the_function(name):
    model, optimizer, step, x, y = learner(name)
    expected = []
    for i in range(6):
        optimizer.param_groups[0]["lr"] = 0.01 / (1 + i)
        expected.append(step(x, y)["loss"].item())
    wanted = bits(model)

    model, optimizer, step, x, y = learner(name)
    compiled = mg.compile(step)
    found = []
    for i in range(6):
        optimizer.param_groups[0]["lr"] = 0.01 / (1 + i)
        found.append(compiled(x, y)["loss"].item())
    assert found == expected
    assert bits(model) == wanted
    assert len(compiled.plans) == 1


def test_each_shape_and_mode_has_a_plan_of_its_own():
    model, _, _, x, _ = learner("mlp-adamw")
    forward = mg.compile(lambda x: model(x))
    model.eval()
    whole = forward(x).numpy()
    assert np.array_equal(forward(x[:5]).numpy(), whole[:5])
    assert np.array_equal(forward(x.numpy()).numpy(), whole)
    assert len(forward.plans) == 2
    model.train()
    assert not np.array_equal(forward(x).numpy(), whole)
    assert not np.array_equal(forward(x).numpy(), forward(x).numpy()), "each replay draws anew"
    assert len(forward.plans) == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda model: setattr(model[2], "p", 0.0),
        lambda model: model.__setitem__(1, nn.Tanh()),
        lambda model: model[0].requires_grad_(False),
    ],
)
def test_a_changed_module_is_recorded_anew(change):
    found = []
    for compiled in (True, False):
        model, _, step, x, y = learner("mlp-adamw")
        step = mg.compile(step) if compiled else step
        step(x, y), step(x, y)
        change(model)
        nn.Linear(2, 2)  # somebody else's module changes nothing here
        losses = [step(x, y)["loss"].item() for _ in range(3)]
        found.append((losses, bits(model)))
        if compiled:
            assert len(step.plans) == 1
    assert found[0] == found[1]


def test_a_changed_variable_is_seen():
    rate, weights = 2.0, mg.tensor([1.0])
    compiled = mg.compile(lambda x: x * rate + weights)
    assert compiled(X[:1, :1]).item() == X[0, 0] * 2 + 1
    rate = 3.0
    assert compiled(X[:1, :1]).item() == pytest.approx(X[0, 0] * 3 + 1)
    weights = mg.tensor([2.0])
    assert compiled(X[:1, :1]).item() == pytest.approx(X[0, 0] * 3 + 2)
    assert len(compiled.plans) == 1


def test_over_batches_is_the_loop_over_batches():
    order = np.random.default_rng(1).permutation(12)
    model, _, step, x, y = learner("mlp-adamw")
    total = 0.0
    for first in range(0, 12, 5):
        rows = order[first : first + 5]
        total += step(x[rows], y[rows])["loss"].item() * len(rows)
    wanted = bits(model)

    model, _, step, x, y = learner("mlp-adamw")
    sums = mg.compile(step).over_batches([x, y], order, 5)
    assert sums[0] == total
    assert bits(model) == wanted


def test_over_batches_sums_whole_numbers_and_truths_as_other_figures():
    x, y = np.arange(10.0), np.arange(10.0) % 3
    count = mg.compile(lambda x, y: ((x == y).sum(), (x >= 0).all(), x.mean(), x + y))
    for _ in range(2):  # the first batch is recorded, all others are replayed
        assert count.over_batches([x, y], np.arange(10), 2) == [2 * 3, 10, 45, 0]


@pytest.mark.parametrize(
    ("data", "order", "size", "error", "match"),
    [
        ([X, X[:5]], np.arange(5), 2, ValueError, r"the same number of rows, got shapes \(12, 6\)"),
        ([], np.arange(5), 2, ValueError, "got shapes of none"),
        ([X], np.arange(12) > 5, 2, TypeError, r"got bool of shape \(12,\); of a mask"),
        ([X], np.arange(4) + 0.5, 2, TypeError, "got float64"),
        ([X], np.zeros((2, 2), int), 2, TypeError, r"int64 of shape \(2, 2\)"),
        ([X], np.arange(5), 0, ValueError, "batch_size must be at least 1"),
    ],
)
def test_over_batches_names_what_is_wrong_with_its_rows(data, order, size, error, match):
    with pytest.raises(error, match=match):
        mg.compile(lambda *tensors: tensors[0].sum()).over_batches(data, order, size)


def test_arguments_that_only_compare_equal_have_plans_of_their_own():
    scaled = mg.compile(lambda x, k: x * k[0])
    x = mg.arange(3)
    for k, dtype in ((1, "int64"), (1.0, "float32"), (True, "int64")):
        assert scaled(x, (k,)).dtype == dtype
    assert len(scaled.plans) == 3
    assert scaled(x, [1]).dtype == "int64"
    signed = mg.compile(lambda x, k: x / k)
    assert signed(mg.ones(1), 0.0).item() == np.inf
    assert signed(mg.ones(1), -0.0).item() == -np.inf
    for _ in range(3):
        assert np.isnan(signed(mg.ones(1), float("nan")).item())
    assert len(signed.plans) == 3


def test_wrong_input_changes_nothing():
    model, _, step, x, y = learner("mlp-adamw")
    compiled = mg.compile(step)
    compiled(x, y)
    before = bits(model)
    with pytest.raises(ValueError, match="plan: input 0 was recorded as float32"):
        compiled.plans[0].replay([x[:3], y])
    with pytest.raises(IndexError, match="row 99 of 12"):
        compiled.over_batches([x, y], np.full(12, 99), 12)
    assert bits(model) == before


def test_eager_switch(monkeypatch):
    monkeypatch.setenv("MINIGRAD_EAGER", "1")
    compiled = mg.compile(lambda x: x * 2)
    assert np.array_equal(
        compiled(X).numpy() if hasattr(compiled(X), "numpy") else compiled(X), X * 2
    )
    assert compiled.plans == []


def test_describe_and_profile_leave_the_model_alone():
    model, _, step, x, y = learner("mlp-adamw")
    compiled = mg.compile(step)
    compiled(x, y)
    plan, before = compiled.plans[0], bits(model)
    assert len(plan.profile(3)) == len(plan.instructions)
    assert bits(model) == before


def test_profile_before_the_first_replay():
    table = nn.Embedding(10, 4)
    look_up = mg.compile(lambda rows: table(rows).sum())
    look_up(np.array([1, 2, 3]))
    assert len(look_up.plans[0].profile(1)) == len(look_up.plans[0].instructions)


def test_describe_is_a_table_with_estimates_and_rates():
    weight = mg.tensor(RNG.standard_normal((4, 6)).astype("float32"))
    images = mg.tensor(IMAGES[:, :, :3, :3])

    def function(x):
        product = nn.functional.linear(x, weight)
        return product, nn.functional.conv2d(images, images[:1]), (x * 2).sum(dim=0)

    compiled = mg.compile(function)
    compiled(X)
    compiled(X)
    plan = compiled.plans[0]
    lines = plan.describe().splitlines()
    cells = [re.split(r"  +", line.strip()) for line in lines]
    assert cells[0] == ["instruction", "shapes", "flop", "bytes"]
    found = {c[1]: c[2:] for c in cells if len(c) == 5}
    assert found["linear"] == ["12x6, 4x6 -> 12x4", str(2 * 12 * 6 * 4), str(4 * (72 + 24 + 48))]
    assert found["conv2d"] == ["6x2x3x3, 1x2x3x3 -> 6x1x1x1", str(2 * 6 * 18), str(4 * 132)]
    assert found["sum"] == ["12x6 -> 6", "72", str(4 * (72 + 6))]
    assert lines[-1] == f"arena {plan.arena_bytes} bytes"
    assert len({len(line) for line in lines[:-1]}) == 1, "the last column ends in a line"

    times = [1000.0] * len(plan.instructions)
    timed = plan.describe(times).splitlines()
    assert re.split(r"  +", timed[0])[4:] == ["time", "share", "GFLOP/s", "GB/s"]
    linear = next(line for line in timed if "linear" in line)
    share = 100 / len(times)
    assert linear.split()[-5:] == ["1.0", "us", f"{share:.1f}%", "0.58", "0.58"]
    with pytest.raises(ValueError, match=f"2 times for {len(times)} instructions"):
        plan.describe([1.0, 2.0])
    with pytest.raises(ValueError, match="repeats must be at least 1, got 0"):
        plan.profile(0)


def test_dead_work_is_dropped_and_memory_is_shared():
    def function(x):
        unused = x.exp().sum()  # noqa: F841
        for _ in range(20):
            x = x.softmax(1)
        return x

    compiled = mg.compile(function)
    assert np.array_equal(compiled(X).numpy(), compiled(X).numpy())
    plan = compiled.plans[0]
    assert plan.instructions == ["softmax"] * 20
    assert plan.arena_bytes <= 3 * X.nbytes


def test_many_plans_are_told_of():
    compiled = mg.compile(lambda x, scale: x * scale)
    for scale in range(63):
        compiled(X, scale)
    with pytest.warns(UserWarning, match="has recorded 64 plans.* as a tensor or array"):
        compiled(X, 63)
    for scale in range(64, 70):
        compiled(X, scale)
    assert len(compiled.plans) == 70
    for scale in range(70):
        compiled(X, np.array(scale))
    assert len(compiled.plans) == 71


def test_a_named_tuple_passes_through():
    Pair = namedtuple("Pair", ["mean", "total"])

    @mg.compile
    def both(pair):
        return Pair(pair.mean.mean(), pair.total.sum())

    x = mg.ones(2, 3)
    for _ in range(2):
        result = both(Pair(x, x))
        assert type(result) is Pair
        assert (result.mean.item(), result.total.item()) == (1, 6)
