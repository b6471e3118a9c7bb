"""Does the rate follow the dose? Halve what a hypothesis lives on, and the cases must halve.

Given all cases, each fell in a cohort with a probability proportional to its time at risk times dose ** slope. That
leaves one parameter, of which the likelihood is concave; the level of the rate cancels. Ratios of likelihoods are
judged by chi squared. Cohorts of dose 0 have no place on a slope and are asked for themselves.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from broadstreet.records.weights import Interval
from broadstreet.statistics.tails import FLOOR, binomial_tail

Floats = NDArray[np.float64]
STEEPEST = 50.0
"""Of the slopes that are tried."""
DROP = 1.920729410347062
"""Of the log likelihood at the ends of a 95 % interval: half of chi squared with one degree of freedom."""


class Trend(NamedTuple):
    """The slope of log rate over log dose, and the p of the counts if it were 0, were 1, or if nothing but it counted.

    Null where there are fewer than two doses over 0 (three for `p_fit`), or no case.
    """

    slope: Interval | None
    p_flat: float | None
    p_proportional: float | None
    p_fit: float | None


class Without(NamedTuple):
    """Cases in cohorts of dose 0, and the p of so few, were these as prone as the others."""

    cases: int
    p: float


def trend(dose: ArrayLike, cases: ArrayLike, at_risk: ArrayLike) -> Trend:
    """How the rate follows the dose, over cohorts with a dose and time at risk."""
    x, count, time = (np.asarray(a, np.float64) for a in (dose, cases, at_risk))
    told = (x > 0) & (time > 0)
    x, count, time = np.log(x[told]), count[told], time[told]
    if len(np.unique(x)) < 2 or not count.sum():
        return Trend(None, None, None, None)

    def score(slope: float) -> float:
        return float((count * x).sum() - count.sum() * (_shares(x, time, slope) * x).sum())

    def likelihood(slope: float) -> float:
        return float(special.xlogy(count, _shares(x, time, slope)).sum())

    best = _falling_root(score, -STEEPEST, STEEPEST)
    top = likelihood(best)
    low = _falling_root(lambda s: top - DROP - likelihood(s), -STEEPEST, best)
    high = _falling_root(lambda s: likelihood(s) - top + DROP, best, STEEPEST)
    saturated = float(special.xlogy(count, count / count.sum()).sum())
    free = len(x) - 2
    return Trend(
        Interval(best, low, high),
        _chance(2 * (top - likelihood(0.0)), 1),
        _chance(2 * (top - likelihood(1.0)), 1),
        _chance(2 * (saturated - top), free) if free > 0 else None,
    )


def without_dose(dose: ArrayLike, cases: ArrayLike, at_risk: ArrayLike) -> Without | None:
    """The negative control: cases where the dose is 0; null if there is no such cohort, or no case."""
    x, count, time = (np.asarray(a, np.float64) for a in (dose, cases, at_risk))
    none = x == 0
    if not (time[none].sum() > 0 and count.sum()):
        return None
    others = float(time[~none].sum() / time.sum())
    return Without(int(count[none].sum()), float(binomial_tail(count[~none].sum(), count.sum(), others)))


def _shares(x: Floats, time: Floats, slope: float) -> Floats:
    log_weights = np.log(time) + slope * x
    return np.asarray(special.softmax(log_weights), np.float64)


def _falling_root(of: Callable[[float], float], low: float, high: float) -> float:
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if of(middle) > 0 else (low, middle)
    return (low + high) / 2


def _chance(deviance: float, free: int) -> float:
    return float(np.clip(special.chdtrc(free, max(0.0, deviance)), FLOOR, 1.0))
