"""Intervals for few rows: they cover what they should, also where a plain bootstrap does not."""

import math

import numpy as np
import pytest

from minigrad.table.chance import gap, paired, paired_shares, share


def test_the_interval_covers_and_groups_widen_it():
    random = np.random.default_rng(0)
    inside = 0
    for _ in range(40):
        a, b = random.normal(1.0, 1.0, 80), random.normal(0.8, 1.0, 80)
        d = paired(a, b, None)
        inside += d.low <= 0.2 <= d.high
    assert 34 <= inside <= 40
    groups = np.repeat(np.arange(20), 20)
    a = np.repeat(random.normal(size=20), 20)  # rows of a group say the same
    narrow, wide = paired(a, 0 * a, None), paired(a, 0 * a, groups)
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)
    assert (wide.rows, narrow.rows) == (20, 400)
    assert wide.value == pytest.approx(narrow.value)


def test_few_rows_do_not_find_a_gap_where_none_is():
    """Of ten test rows against thirty, of skewed losses of one mean: at most 2.5 % and noise."""
    random = np.random.default_rng(1)
    draws = [(random.exponential(size=10), random.exponential(size=30)) for _ in range(200)]
    assert sum(gap(test, train).low > 0 for test, train in draws) <= 10
    assert all(gap(test + 20, train).low > 0 for test, train in draws[:20])


def test_widening_is_that_of_students_t():
    """For normal values the half-width is near t * s / sqrt(n)."""
    values = np.random.default_rng(2).normal(size=12)
    d = paired(values, 0 * values, None)
    expected = 2.201 * values.std(ddof=1) / math.sqrt(12)
    assert (d.high - d.low) / 2 == pytest.approx(expected, rel=0.1)


def test_many_rows_are_resampled_in_piles():
    random = np.random.default_rng(3)
    a, b = random.exponential(size=50_000), random.exponential(size=100_000)
    d = gap(a, b)
    expected = 1.96 * math.sqrt(a.var() / len(a) + b.var() / len(b))
    assert (d.high - d.low) / 2 == pytest.approx(expected, rel=0.1)
    assert d.value == pytest.approx(a.mean() - b.mean())


def test_shares():
    low, high = share(8, 10)  # Agresti and Coull (1998)
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)
    assert share(0, 5)[0] == 0
    first, second = np.r_[np.ones(12), np.zeros(8)], np.r_[np.ones(9), np.zeros(11)]
    d = paired_shares(first, second)
    gained, lost, n = 4 / 22, 1 / 22, 22
    reach = 1.959964 * math.sqrt((gained + lost - (gained - lost) ** 2) / n)
    assert d.value == pytest.approx(0.15)
    assert (d.low, d.high) == pytest.approx((gained - lost - reach, gained - lost + reach))


def test_one_group_tells_nothing():
    d = paired(np.ones(5), np.zeros(5), np.zeros(5))
    assert (d.value, d.low, d.high) == (1.0, -math.inf, math.inf)
