"""The chart: its budget by simulation, and how soon it finds a rise."""

import numpy as np
import pytest

from broadstreet.statistics.cusum import FIVE_YEARS_OF_DAYS, alarms, reference, steps_to_alarm, threshold


def test_the_reference_by_hand() -> None:
    assert float(reference(0.2, 10)) == pytest.approx(1.8 / np.log(10))


def test_the_sum_by_hand() -> None:
    # k = 0.7817: 0, 1.218, 0.437, 2.655 (alarm), again from 0: 0, 2.218, then 1.437
    assert alarms([0, 2, 0, 3, 0, 3, 0], np.full(7, 0.2), 10, 2.5).tolist() == [3]
    assert alarms([0, 2, 0, 3, 0, 3, 2], np.full(7, 0.2), 10, 2.5).tolist() == [3, 6]


def test_with_a_single_state_the_alarm_comes_with_the_first_large_count() -> None:
    """h so small that S is 0 or over it: the wait is geometric with P(count > k) = P(Poisson(0.2) >= 1)."""
    assert steps_to_alarm(0.2, 10, 0.05) == pytest.approx(1 / (1 - np.exp(-0.2)))


@pytest.mark.parametrize(("mean", "ratio"), [(0.05, 10), (0.2, 10), (1, 3), (5, 2)])
def test_the_time_to_a_false_alarm_is_what_simulation_finds(mean: float, ratio: float) -> None:
    h = threshold(mean, ratio, 150)
    counts = np.random.default_rng(8).poisson(mean, 200_000)
    found = len(counts) / len(alarms(counts, np.full(len(counts), mean), ratio, h))
    assert found == pytest.approx(steps_to_alarm(mean, ratio, h), rel=0.12)
    assert found > 150 * 0.88


@pytest.mark.parametrize("mean", [1e-5, 1e-3, 0.05, 0.2, 1, 5, 100])
def test_one_false_alarm_in_five_years_is_kept_and_little_more_is_paid(mean: float) -> None:
    h = threshold(mean, 10)
    assert steps_to_alarm(mean, 10, h) >= FIVE_YEARS_OF_DAYS


def test_two_in_ten_days_that_become_two_a_day_alarm_within_three_days_at_the_median() -> None:
    h = threshold(0.2, 10)
    generator = np.random.default_rng(9)
    delays = []
    for _ in range(300):
        counts = np.concatenate([generator.poisson(0.2, 60), generator.poisson(2.0, 60)])
        found = alarms(counts, np.full(120, 0.2), 10, h)
        delays.append(int(found[found >= 60][0]) - 59)
    assert np.median(delays) <= 3
    assert np.quantile(delays, 0.9) <= 5


def test_after_the_alarm_the_sum_begins_anew() -> None:
    assert alarms([9, 0, 0, 9], np.full(4, 0.2), 10, 3.0).tolist() == [0, 3]


def test_time_at_risk_that_doubles_is_no_alarm() -> None:
    expected = np.concatenate([np.full(400, 0.5), np.full(400, 1.0)])
    counts = np.random.default_rng(1).poisson(expected)
    h = threshold(1.0, 5)
    assert len(alarms(counts, expected, 5, h)) <= 1


@pytest.mark.parametrize(("mean", "ratio"), [(0, 10), (1, 1)])
def test_a_chart_needs_a_mean_and_a_rise(mean: float, ratio: float) -> None:
    with pytest.raises(ValueError, match="wanted over 0 and over 1"):
        threshold(mean, ratio)
