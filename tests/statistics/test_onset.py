"""Begins and ends: their level, their dates and their intervals, by simulation; and the edges of what can be asked."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from broadstreet.statistics.onset import DAY, Change, change, clumped

YEAR = (0.0, 365 * DAY)
Times = NDArray[np.float64]


def found(times: Times, edges: tuple[float, ...] = YEAR, exposure: tuple[float, ...] = (1.0,)) -> Change:
    told = change(times, edges, exposure)
    assert told is not None
    return told


def uniform(generator: np.random.Generator, rate: float, start: float, end: float) -> Times:
    return (start + generator.random(generator.poisson(rate * (end - start))) * (end - start)) * DAY


@pytest.mark.parametrize("n", [1, 2, 3, 8, 40, 300])
def test_a_steady_rate_is_called_a_change_no_oftener_than_the_p_says(n: int) -> None:
    generator = np.random.default_rng(n)
    told = [change(generator.random(n) * YEAR[1], YEAR, [1.0]) for _ in range(400)]
    ps = np.asarray([1.0 if one is None else one.p for one in told])
    assert np.mean(ps <= 0.05) <= 0.07
    assert np.mean(ps <= 0.01) <= 0.025


def test_a_tenfold_rise_is_dated_to_the_day_and_within_its_interval() -> None:
    generator = np.random.default_rng(1)
    errors, held = [], []
    for _ in range(200):
        times = np.concatenate([uniform(generator, 0.2, 0, 200), uniform(generator, 2, 200, 230)])
        told = found(times, (0, 230 * DAY))
        assert told.begin is not None
        assert told.end is None
        errors.append(abs(told.begin.at / DAY - 200))
        held.append(told.begin.low <= 200 * DAY <= told.begin.high)
    assert np.median(errors) < 1
    assert np.mean(held) >= 0.95


def test_an_outbreak_that_ended_has_its_end_dated() -> None:
    generator = np.random.default_rng(2)
    errors, held = [], []
    for _ in range(100):
        parts = [(0.2, 0, 200), (2, 200, 230), (0.2, 230, 330)]
        told = found(np.concatenate([uniform(generator, *part) for part in parts]), (0, 330 * DAY))
        assert told.begin is not None
        assert told.end is not None
        errors.append(abs(told.end.at / DAY - 230))
        held.append(told.end.low <= 230 * DAY <= told.end.high)
        assert told.rates[1] > 5 * max(told.rates[0] or 0, told.rates[2] or 0)
    assert np.median(errors) < 1
    assert np.mean(held) >= 0.93


def test_a_fleet_that_doubles_is_no_outbreak() -> None:
    generator = np.random.default_rng(3)
    edges, exposure = (0.0, 100 * DAY, 200 * DAY), (1.0, 10.0)
    ps = []
    for _ in range(100):
        times = np.concatenate([uniform(generator, 0.3, 0, 100), uniform(generator, 3.0, 100, 200)])
        ps.append(found(times, edges, exposure).p)
        assert found(times, (0.0, 200 * DAY)).p < 1e-6
    assert np.mean(np.asarray(ps) <= 0.05) <= 0.1


def test_rates_are_per_day_of_exposure() -> None:
    times = np.concatenate([np.linspace(1, 50, 10), np.linspace(100, 199.5, 300)]) * DAY
    told = found(times, (0.0, 200 * DAY), (50.0,))
    assert told.rates[0] == pytest.approx(10 / (100 * 50))
    assert told.rates[1] == pytest.approx(300 / (100 * 50))
    assert told.rates[2] is None


def test_the_ratio_of_one_case_by_hand() -> None:
    told = found(np.asarray([0.9 * YEAR[1]]))
    assert told.llr == pytest.approx(math.log(10))
    assert 2 * 0.1 <= told.p < 0.31  # half of the error is spent on a begin without an end; the rest is a bound
    assert told.rates[0] == 0


def test_cases_at_one_time_are_an_interval_of_no_more_than_a_day() -> None:
    told = found(np.full(50, 100 * DAY))
    assert told.begin is not None
    assert told.end is not None
    assert (told.begin.at, told.end.at) == pytest.approx((100 * DAY, 100 * DAY))
    assert told.rates == (0, pytest.approx(50), 0)
    assert told.p < 1e-30


def test_what_began_before_the_first_day_has_an_end_only() -> None:
    told = found(uniform(np.random.default_rng(5), 2, 0, 30))
    assert told.begin is None
    assert told.end is not None
    assert told.end.high / DAY < 35
    assert told.end.low <= 30 * DAY <= told.end.high + 1


def test_three_hundred_thousand_cases_are_dated_to_the_hour() -> None:
    generator = np.random.default_rng(6)
    times = np.concatenate([generator.random(200_000) * 365, 200 + generator.random(100_000) * 50]) * DAY
    told = found(times)
    assert told.begin is not None
    assert told.end is not None
    assert abs(told.begin.at / DAY - 200) < 1 / 24
    assert abs(told.end.at / DAY - 250) < 1 / 24


def test_no_case_is_no_change() -> None:
    assert change([], YEAR, [1.0]) is None


def test_cases_outside_of_what_was_observed_do_not_count() -> None:
    inside = np.asarray([10.0, 300, 301, 302, 303, 304]) * DAY
    assert found(np.concatenate([inside, [-5 * DAY, 400 * DAY]])) == found(inside)


def test_nothing_at_risk_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing was at risk"):
        change([1.0], YEAR, [0.0])


DAYS = tuple(float(at) * DAY for at in range(101))


def test_clumps_of_a_steady_rate_are_no_change_though_single_cases_would_be() -> None:
    """Forty inputs in a hundred days, each of which kills eight hosts within three hours."""
    generator = np.random.default_rng(3)
    ps, as_if_single = [], []
    for _ in range(100):
        starts = generator.random(40) * 99 * DAY
        times = np.sort((starts[:, None] + generator.random((40, 8)) * 10_800).ravel())
        ps.append(found(times, DAYS, (1.0,) * 100).p)
        as_if_single.append(found(times, (0, 100 * DAY)).p)  # one stretch has no neighbour to compare with
    assert np.mean(np.asarray(as_if_single) < 0.01) > 0.5
    assert np.mean(np.asarray(ps) < 0.01) <= 0.03


def test_a_rise_is_not_taken_for_clumps() -> None:
    generator = np.random.default_rng(4)
    for _ in range(50):
        times = np.concatenate([uniform(generator, 1, 0, 70), uniform(generator, 10, 70, 100)])
        assert found(times, DAYS, (1.0,) * 100).clumps < 2


@pytest.mark.parametrize(
    ("counts", "exposure", "clumps"),
    [
        ([], [], 1.0),
        ([5], [1], 1.0),
        ([10, 0, 0, 10, 10, 0], [1] * 6, 10.0),  # each pair: (10 - 5)**2 / 0.25 = 100, of 10
        ([5, 5, 4, 6], [1] * 4, 1.0),
        ([10, 0], [1, 0], 1.0),  # nothing at risk beside it: no neighbour
    ],
)
def test_clumps_are_the_variance_between_neighbours(counts: list[int], exposure: list[float], clumps: float) -> None:
    assert clumped(counts, exposure) == pytest.approx(clumps)
