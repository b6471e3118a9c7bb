"""Intervals against scipy.stats, and against the definition of a ratio."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from broadstreet.statistics.intervals import poisson_interval, rate_ratio, rate_ratios, share_interval


@given(st.integers(0, 300), st.integers(0, 300))
def test_the_interval_of_a_share_is_that_of_clopper_and_pearson(k: int, more: int) -> None:
    low, high = share_interval(k, k + more)
    if k + more == 0:
        assert (low, high) == (0, 1)
        return
    oracle = stats.binomtest(k, k + more).proportion_ci(0.95, "exact")
    assert (float(low), float(high)) == pytest.approx((oracle.low, oracle.high), abs=1e-9)


def test_the_interval_of_a_count_is_that_of_garwood() -> None:
    low, high = poisson_interval([0, 1, 10])
    assert low == pytest.approx([0, 0.0253, 4.795], abs=1e-3)
    assert high == pytest.approx([3.689, 5.572, 18.391], abs=1e-3)


def test_the_ratio_of_two_rates_by_hand() -> None:
    told = rate_ratio(9, 30, 50 / 2050)
    assert told.value == pytest.approx((9 / 50) / (30 / 2000))
    oracle = stats.binomtest(9, 39).proportion_ci(0.95, "exact")
    assert told.low == pytest.approx(oracle.low / (1 - oracle.low) * 40)
    assert told.high == pytest.approx(oracle.high / (1 - oracle.high) * 40)


def test_with_no_case_outside_the_ratio_is_infinite_with_an_exact_lower_bound() -> None:
    told = rate_ratio(5, 0, 0.01)
    assert (told.value, told.high) == (math.inf, math.inf)
    least = 0.025 ** (1 / 5)  # the share under which all 5 inside has 2.5 %
    assert told.low == pytest.approx(least / (1 - least) * 99)


def test_with_no_case_inside_the_ratio_is_zero() -> None:
    told = rate_ratio(0, 5, 0.5)
    assert (told.value, told.low) == (0, 0)
    assert told.high == pytest.approx(1 / 0.025 ** (1 / 5) - 1)


@pytest.mark.parametrize(("inside", "outside", "share"), [(0, 0, 0.5), (3, 2, 0.0), (3, 2, 1.0)])
def test_where_nothing_can_be_told_the_interval_is_everything(inside: int, outside: int, share: float) -> None:
    told = rate_ratio(inside, outside, share)
    assert math.isnan(told.value)
    assert (told.low, told.high) == (0, math.inf)


def test_the_interval_of_a_ratio_holds_the_truth_in_95_of_100() -> None:
    generator = np.random.default_rng(5)
    inside, outside = generator.poisson(3 * 4.0, 4000), generator.poisson(40.0, 4000)
    _, low, high = rate_ratios(inside, outside, 1 / 11)
    assert np.mean((low <= 3) & (high >= 3)) >= 0.95
