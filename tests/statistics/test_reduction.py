"""Fewer cases than the rate before would make: the p, its level, and how long to wait."""

import numpy as np
import pytest
from scipy import stats

from broadstreet.statistics.reduction import so_few, wait


def test_two_in_a_month_and_none_in_the_next_have_one_chance_in_four() -> None:
    assert float(so_few(2, 0, 0.5)) == pytest.approx(0.25)


def test_the_p_is_that_of_the_conditional_binomial() -> None:
    assert float(so_few(30, 6, 0.4)) == pytest.approx(stats.binomtest(6, 36, 0.4, alternative="less").pvalue)


def test_the_uncertain_rate_before_does_not_break_the_level() -> None:
    generator = np.random.default_rng(1)
    before, after = generator.poisson(6.0, 20_000), generator.poisson(12.0, 20_000)
    assert np.mean(so_few(before, after, 2 / 3) < 0.01) <= 0.01


@pytest.mark.parametrize(("before", "days"), [(20, 8), (5, 46), (3, 110)])
def test_the_days_without_a_case_by_hand(before: int, days: int) -> None:
    """None of n may fall into the share d / (30 + d): (30 / (30 + d)) ** n under 1 %."""
    assert wait(before, 0, 30.0, 0.0, 1.0).zero_more == days
    assert (30 / (30 + days)) ** before < 0.01 <= (30 / (29 + days)) ** before


def test_more_cases_since_mean_a_longer_wait() -> None:
    waits = [wait(20, after, 30.0, 10.0, 1.0).zero_more for after in (0, 1, 3)]
    assert waits == sorted(waits, key=lambda one: one or 0)
    assert waits[0] == 0
    assert (waits[2] or 0) > 0


def test_what_is_waited_for_comes_in_four_of_five_if_the_rate_fell_tenfold() -> None:
    told = wait(10, 0, 30.0, 0.0, 1.0).tenfold
    assert told is not None
    counts = np.random.default_rng(2).poisson(0.1 * 10 / 30 * told, 20_000)
    seen = np.mean(so_few(10, counts, told / (30 + told)) < 0.01)
    assert seen == pytest.approx(0.8, abs=0.12)
    assert seen >= 0.79


@pytest.mark.parametrize(("before", "at_risk", "a_day"), [(0, 30.0, 1.0), (5, 0.0, 1.0), (5, 30.0, 0.0)])
def test_without_a_rate_before_or_time_to_come_nothing_will_be_known(before: int, at_risk: float, a_day: float) -> None:
    assert wait(before, 0, at_risk, 0.0, a_day) == (None, None)


def test_a_single_case_before_is_waited_for_long() -> None:
    assert wait(1, 0, 30.0, 0.0, 1.0).zero_more == 2971  # 30 / (30 + d) under 1 %
    assert wait(1, 0, 300.0, 0.0, 1.0).zero_more is None
