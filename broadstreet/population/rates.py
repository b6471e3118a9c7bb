"""Episodes by time at risk, as a rate with its interval."""

from collections.abc import Sequence

import numpy as np

from broadstreet.records.weights import Interval
from broadstreet.statistics.intervals import poisson_interval, rate_ratio
from broadstreet.statistics.shrinkage import shrunken

PER = 100_000  # hours at risk: a rate of most fleets is then a number between 0.01 and 10,000
TONES = (1.1, 1.5, 2.0, 3.0)  # times the mean: from where a place is drawn darker


def rate(episodes: int, at_risk: float | None) -> Interval | None:
    """Episodes per 100,000 of what time at risk is counted in; null where there was none, or nothing tells."""
    if not at_risk:
        return None
    low, high = poisson_interval(episodes)
    return Interval(*(float(value) * PER / at_risk for value in (episodes, low, high)))


def two_rates(inside: int, of: int, share: float, at_risk: float | None) -> tuple[Interval | None, Interval | None]:
    """The rate within a share of the time at risk, and that in the rest of it."""
    if at_risk is None:
        return None, None
    return rate(inside, share * at_risk), rate(of - inside, (1 - share) * at_risk)


def beside(one: tuple[int, float], other: tuple[int, float]) -> Interval | None:
    """How many times the rate of one population is that of another that shares nothing with it: each (episodes, time
    at risk). Null where either has no time at risk, or neither an episode."""
    (inside, share), (outside, rest) = one, other
    if share <= 0 or rest <= 0 or not inside + outside:
        return None
    return rate_ratio(inside, outside, share / (share + rest))


def of_places(episodes: Sequence[int], at_risk: Sequence[float | None]) -> list[float | None]:
    """The rates of many places, pulled to the mean where time at risk is short; null where none is told."""
    rates = shrunken(episodes, [hours or 0.0 for hours in at_risk])
    return [None if np.isnan(one) else float(one) * PER for one in rates]


def limits(mean: float) -> tuple[float, float, float, float]:
    """The rates between the five tones of a map."""
    first, second, third, fourth = (times * mean for times in TONES)
    return first, second, third, fourth
