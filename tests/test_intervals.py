"""Confidence intervals against scipy, and by how often they hold the truth."""

import math

import numpy as np
import pytest
from scipy import stats

from minigrad.intervals import mean_interval, t_quantile


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 9, 10, 49, 1000])
@pytest.mark.parametrize("confidence", [0.01, 0.5, 0.9, 0.95, 0.999])
def test_quantiles_are_scipys(freedom, confidence):
    expected = stats.t.ppf((1 + confidence) / 2, freedom)
    assert t_quantile(confidence, freedom) == pytest.approx(expected, rel=1e-9)


def test_the_interval_is_scipys():
    values = np.random.default_rng(0).normal(size=12)
    got = mean_interval(values, 0.9)
    expected = stats.t.interval(0.9, 11, values.mean(), stats.sem(values))
    np.testing.assert_allclose((got.low, got.high), expected, rtol=1e-12)


def test_intervals_hold_the_truth_as_often_as_they_say():
    draws = np.random.default_rng(0).normal(3.0, 2.0, size=(4000, 5))
    held = [i.low <= 3.0 <= i.high for i in map(mean_interval, draws)]
    assert np.mean(held) == pytest.approx(0.95, abs=0.015)


def test_shared_training_rows_widen_it():
    plain, wider = mean_interval([1.0, 2.0, 4.0]), mean_interval([1.0, 2.0, 4.0], test_share=0.5)
    assert (wider.high - wider.mean) / (plain.high - plain.mean) == pytest.approx(
        math.sqrt((1 / 3 + 0.5) / (1 / 3))
    )


def test_one_value_and_nan_have_no_bounds():
    assert mean_interval([2.0]).mean == 2.0
    for values in ([2.0], [1.0, math.nan]):
        interval = mean_interval(values)
        assert math.isnan(interval.low)
        assert math.isnan(interval.high)
        assert not interval.excludes_zero


def test_a_sure_difference_excludes_zero():
    assert mean_interval([1.0, 1.1, 0.9]).excludes_zero
    assert mean_interval([-1.0, -1.1, -0.9]).excludes_zero
    assert not mean_interval([1.0, -1.1, 0.9]).excludes_zero


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mean_interval([]), "list of numbers"),
        (lambda: mean_interval([1.0, 2.0], 1.0), r"confidence = 1.0 must be in \(0, 1\)"),
        (lambda: mean_interval([1.0, 2.0], test_share=-1), "test_share"),
        (lambda: t_quantile(0.95, 0), "freedom must be at least 1"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
