"""Schedules against PyTorch's formulas, written down as recurrences."""

import itertools
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad import optim
from minigrad.optim import lr_scheduler as sched


def make(lr=0.5, momentum=0.9, groups=1):
    params = [{"params": [mg.ones(2, requires_grad=True)], "lr": lr * 2**-i} for i in range(groups)]
    return optim.SGD(params, momentum=momentum)


def run(scheduler, n):
    rates = [scheduler.get_last_lr()[0]]
    for _ in range(n):
        scheduler.step()
        rates.append(scheduler.get_last_lr()[0])
    return np.array(rates)


def cosine_recurrence(n, lr, t_max, low):
    rates = [lr]
    for t in range(1, n + 1):
        ratio = (1 + math.cos(math.pi * t / t_max)) / (1 + math.cos(math.pi * (t - 1) / t_max))
        rates.append(ratio * (rates[-1] - low) + low)
    return rates


N = 25
CASES = [
    (lambda o: sched.StepLR(o, 7, 0.3), [0.5 * 0.3 ** (t // 7) for t in range(N + 1)]),
    (
        lambda o: sched.MultiStepLR(o, [4, 4, 9], 0.3),
        [0.5 * 0.3 ** (2 * (t >= 4) + (t >= 9)) for t in range(N + 1)],
    ),
    (lambda o: sched.ExponentialLR(o, 0.9), [0.5 * 0.9**t for t in range(N + 1)]),
    (
        lambda o: sched.LinearLR(o, 0.25, 0.75, 10),
        [0.5 * (0.25 + 0.05 * min(t, 10)) for t in range(N + 1)],
    ),
    (lambda o: sched.ConstantLR(o, 0.25, 3), [0.5 * (0.25 if t < 3 else 1) for t in range(N + 1)]),
    (
        lambda o: sched.PolynomialLR(o, 10, 2.0),
        [0.5 * (1 - min(t, 10) / 10) ** 2 for t in range(N + 1)],
    ),
    (lambda o: sched.LambdaLR(o, lambda t: 1 / (1 + t)), [0.5 / (1 + t) for t in range(N + 1)]),
    (lambda o: sched.CosineAnnealingLR(o, 30, 0.01), cosine_recurrence(N, 0.5, 30, 0.01)),
    (
        lambda o: sched.CosineAnnealingWarmRestarts(o, 5, 1, 0.1),
        [0.1 + 0.2 * (1 + math.cos(math.pi * (t % 5) / 5)) for t in range(N + 1)],
    ),
    (
        lambda o: sched.SequentialLR(
            o, [sched.LinearLR(o, 0.1, total_iters=5), sched.ExponentialLR(o, 0.8)], [6]
        ),
        [0.5 * (0.1 + 0.18 * min(t, 5)) if t < 6 else 0.5 * 0.8 ** (t - 6) for t in range(N + 1)],
    ),
]


@pytest.mark.parametrize(("build", "expected"), CASES)
def test_rates_follow_the_formula(build, expected):
    np.testing.assert_allclose(run(build(make()), N), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("build", "expected"), CASES)
def test_a_resumed_schedule_gives_the_same_bits(build, expected):
    whole = run(build(make()), N)
    first = build(make())
    run(first, 9)
    optimizer = make()
    second = build(optimizer)
    second.load_state_dict(first.state_dict())
    assert optimizer.param_groups[0]["lr"] == whole[9]
    np.testing.assert_array_equal(run(second, N - 9), whole[9:])


def test_every_group_has_its_rate():
    optimizer = make(groups=3)
    scheduler = sched.LambdaLR(optimizer, [lambda t: 1, lambda t: 2, lambda t: t])
    scheduler.step()
    assert scheduler.get_last_lr() == [0.5, 0.5, 0.125]
    with pytest.raises(ValueError, match="2 functions for 3 parameter groups"):
        sched.LambdaLR(optimizer, [lambda t: 1, lambda t: 2])


def test_the_rate_reaches_the_update():
    optimizer = make(lr=1.0, momentum=0.0)
    p = optimizer.param_groups[0]["params"][0]
    scheduler = sched.StepLR(optimizer, 1, 0.5)
    for _ in range(3):
        p.grad = mg.ones(2)
        optimizer.step()
        scheduler.step()
    assert p.tolist() == [1 - 1.75] * 2


@pytest.mark.parametrize("strategy", ["cos", "linear"])
@pytest.mark.parametrize("three_phase", [False, True])
def test_one_cycle(strategy, three_phase):
    optimizer = make()
    total, top = 20, 0.8
    scheduler = sched.OneCycleLR(
        optimizer,
        top,
        epochs=4,
        steps_per_epoch=5,
        pct_start=0.25,
        anneal_strategy=strategy,
        three_phase=three_phase,
    )
    low, last = top / 25, top / 25 / 1e4
    knots = [(0, low, 0.95), (4, top, 0.85), (19, last, 0.95)]
    if three_phase:
        knots = [*knots[:2], (8, low, 0.95), (19, last, 0.95)]

    def between(t, column):
        for a, b in itertools.pairwise(knots):
            if t <= b[0]:
                share = (t - a[0]) / (b[0] - a[0])
                share = (1 - math.cos(math.pi * share)) / 2 if strategy == "cos" else share
                return a[column] + (b[column] - a[column]) * share
        raise AssertionError

    for t in range(total):
        assert scheduler.get_last_lr()[0] == pytest.approx(between(t, 1), rel=1e-12)
        assert optimizer.param_groups[0]["momentum"] == pytest.approx(between(t, 2), rel=1e-12)
        scheduler.step()
    with pytest.raises(ValueError, match="step 21 of a cycle of total_steps = 20"):
        scheduler.step()


def test_one_cycle_moves_adams_first_beta():
    optimizer = optim.Adam([mg.ones(2, requires_grad=True)])
    sched.OneCycleLR(optimizer, 0.1, total_steps=10)
    assert optimizer.param_groups[0]["betas"] == (0.95, 0.999)
    with pytest.raises(ValueError, match="momentum above 0"):
        sched.OneCycleLR(make(momentum=0.0), 0.1, total_steps=10)
    with pytest.raises(ValueError, match="total_steps, or epochs"):
        sched.OneCycleLR(optimizer, 0.1)


def test_plateau_waits_and_cools_down():
    optimizer = make(lr=1.0)
    scheduler = sched.ReduceLROnPlateau(optimizer, factor=0.5, patience=2, cooldown=2, min_lr=0.2)
    rates = []
    for metric in [5, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4]:
        scheduler.step(metric)
        rates.append(scheduler.get_last_lr()[0])
    # Three bad steps lower the rate; two more are not counted.
    assert rates == [1.0] * 4 + [0.5] * 5 + [0.25] * 5 + [0.2] * 4


def test_plateau_thresholds():
    def better(best, metric, **options):
        scheduler = sched.ReduceLROnPlateau(make(), threshold=0.1, **options)
        scheduler.best = best
        return scheduler.is_better(metric)

    assert better(10.0, 8.9)
    assert not better(10.0, 9.1)
    assert better(-10.0, -11.1)  # a share of the magnitude, for negative metrics too
    assert not better(-10.0, -10.9)
    assert better(10.0, 11.1, mode="max")
    assert better(10.0, 9.85, threshold_mode="abs")
    assert not better(10.0, 9.95, threshold_mode="abs")
    assert not better(math.inf, math.nan)
    assert better(math.inf, 3.0)


def test_plateau_round_trip():
    first, second = (sched.ReduceLROnPlateau(make(), patience=3) for _ in range(2))
    for metric in (3.0, 2.0, 2.5, 2.5):
        first.step(metric)
    second.load_state_dict(first.state_dict())
    assert second.state_dict() == first.state_dict()
    assert second.best == 2.0
    assert second.num_bad_epochs == 2


BAD = [
    (lambda o: sched.StepLR(o, 0), ValueError, "step_size must be at least 1, got 0"),
    (lambda o: sched.StepLR(o, 1, math.nan), ValueError, "gamma must be finite"),
    (lambda o: sched.MultiStepLR(o, [-1]), ValueError, "milestones must be at least 0"),
    (lambda o: sched.LinearLR(o, 0.0), ValueError, "start_factor must be in"),
    (lambda o: sched.CosineAnnealingLR(o, 2.5), TypeError, "T_max must be an integer, got 2.5"),
    (lambda o: sched.StepLR("sgd", 1), TypeError, "needs an Optimizer, got 'sgd'"),
    (lambda o: sched.StepLR(o, 1, last_epoch=3), ValueError, "group 0 has no 'initial_lr'"),
    (lambda o: sched.SequentialLR(o, [sched.StepLR(o, 1)], [1]), ValueError, "need 0 milestones"),
    (
        lambda o: sched.SequentialLR(o, [sched.StepLR(make(), 1)], []),
        ValueError,
        "scheduler 0 is no schedule of this optimizer",
    ),
    (lambda o: sched.ReduceLROnPlateau(o, factor=1.0), ValueError, "factor must be below 1"),
    (lambda o: sched.ReduceLROnPlateau(o, mode="up"), ValueError, "mode must be one of"),
]


@pytest.mark.parametrize(("build", "error", "message"), BAD)
def test_wrong_arguments_are_named(build, error, message):
    with pytest.raises(error, match=message):
        build(make())


def test_wrong_state_is_refused():
    scheduler = sched.StepLR(make(), 3)
    with pytest.raises(ValueError, match="not a state of StepLR: T_max, eta_min"):
        scheduler.load_state_dict(sched.CosineAnnealingLR(make(), 3).state_dict())
