"""Averages of weights: EMA and SWA follow their formulas and give the weights back."""

import contextlib

import numpy as np
import pytest
from optimizers import parameter

import minigrad as mg
from minigrad import optim


@pytest.mark.parametrize("warmup", [True, False])
def test_ema_follows_its_formula_and_gives_weights_back(warmup):
    p = parameter([1.0, 2.0])
    ema = optim.EMA([p], decay=0.9, warmup=warmup)
    average = p.detach().numpy().copy()
    for i in range(20):
        p.detach().numpy()[...] = [i, -i]
        ema.update()
        decay = min(0.9, 1 - 1 / (i + 1)) if warmup else 0.9
        average = decay * average + (1 - decay) * np.array([i, -i])
    with contextlib.suppress(KeyError), ema.applied():
        np.testing.assert_allclose(p.detach().numpy(), average, rtol=1e-12)
        raise KeyError
    assert p.tolist() == [19.0, -19.0]
    other = optim.EMA([p], decay=0.9)
    other.load_state_dict(ema.state_dict())
    assert other.n_averaged == 20
    assert other.averages[0].tolist() == ema.averages[0].tolist()


def test_swa_is_the_mean():
    p = parameter(np.zeros((2, 3)))
    swa = optim.SWA([p])
    values = np.random.default_rng(5).normal(size=(7, 2, 3))
    for v in values:
        p.detach().numpy()[...] = v
        swa.update()
    swa.copy_to()
    np.testing.assert_allclose(p.detach().numpy(), values.mean(0), rtol=1e-12)


@pytest.mark.parametrize("make", [optim.SWA, optim.EMA, lambda p: optim.EMA(p, 0.75, warmup=False)])
def test_an_average_is_part_of_a_compiled_step(make, monkeypatch):
    def averages():
        p = parameter([[4.0, -3.0]])
        optimizer, average = optim.SGD([p], lr=0.1), make([p])

        @mg.compile
        def step(x):
            optimizer.zero_grad()
            loss = ((p * x) ** 2).sum()
            loss.backward()
            optimizer.step()
            average.update()
            return loss

        for i in range(9):
            step(np.array([1.0, i]))
        return average, step

    average, step = averages()
    assert len(step.plans) == 1
    monkeypatch.setenv("MINIGRAD_EAGER", "1")
    eager, _ = averages()
    assert average.n_averaged == eager.n_averaged == 9
    assert average.averages[0].tolist() == eager.averages[0].tolist()


def test_averages_refuse_what_does_not_fit():
    p = parameter([1.0])
    with pytest.raises(ValueError, match=r"decay must be in \[0, 1\), got 1.0"):
        optim.EMA([p], 1.0)
    with pytest.raises(ValueError, match="SWA got no parameters"):
        optim.SWA([])
    with pytest.raises(TypeError, match="got one Tensor"):
        optim.SWA(p)
    with pytest.raises(ValueError, match="averages are of"):
        optim.SWA([p]).load_state_dict(optim.SWA([parameter([1.0, 2.0])]).state_dict())
