"""Rates per 100,000 hours, and what is no rate at all."""

import pytest

from broadstreet.population.rates import limits, of_places, rate, two_rates


def test_a_rate_is_per_hundred_thousand_with_the_exact_interval() -> None:
    told = rate(3, 1000.0)
    assert told is not None
    # Garwood's limits for 3 events, from any table of Poisson limits: 0.6187 and 8.7673.
    assert (told.value, told.low, told.high) == pytest.approx((300, 61.87, 876.73), rel=1e-3)


def test_no_episode_in_some_time_is_a_rate_with_an_upper_limit() -> None:
    told = rate(0, 1000.0)
    assert told is not None
    assert (told.value, told.low) == (0, 0)
    assert told.high == pytest.approx(368.888, rel=1e-3)  # -ln 0.025 = 3.68888


@pytest.mark.parametrize("at_risk", [None, 0.0])
def test_without_time_at_risk_there_is_no_rate(at_risk: float | None) -> None:
    assert rate(3, at_risk) is None


@pytest.mark.parametrize(("share", "known"), [(0.0, (False, True)), (1.0, (True, False)), (0.5, (True, True))])
def test_of_a_share_without_time_no_rate_is_told(share: float, known: tuple[bool, bool]) -> None:
    inside, outside = two_rates(4, 10, share, 1000.0)
    assert (inside is not None, outside is not None) == known


def test_two_rates_split_episodes_and_time() -> None:
    inside, outside = two_rates(4, 10, 0.25, 1000.0)
    assert inside is not None
    assert outside is not None
    assert (inside.value, outside.value) == pytest.approx((4 / 250 * 1e5, 6 / 750 * 1e5))


def test_nobody_tells_time_at_risk_so_neither_rate_is_known() -> None:
    assert two_rates(4, 10, 0.25, None) == (None, None)


def test_places_without_time_at_risk_have_null() -> None:
    assert of_places([1, 1, 1], [100.0, None, 0.0]) == [pytest.approx(1000.0), None, None]
    assert of_places([], []) == []


def test_limits_rise_from_just_above_the_mean() -> None:
    assert limits(10.0) == pytest.approx((11, 15, 20, 30))
