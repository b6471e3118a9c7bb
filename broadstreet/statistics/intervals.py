"""Shares, rates and ratios of rates, with exact intervals.

A ratio of two rates is judged by the conditional binomial: of inside + outside cases, how many fell where they did,
given the share of the time at risk that lay there. The two-sided test of `scipy.stats.poisson_means_test` is not that:
with 9 cases in 50 hours against 30 in 2,000 it gives p = 0.39 where the exact one is 3.3e-7.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from broadstreet.records.weights import Interval

Floats = NDArray[np.float64]
CONFIDENCE = 0.95


def share_interval(k: ArrayLike, n: ArrayLike, confidence: float = CONFIDENCE) -> tuple[Floats, Floats]:
    """Clopper-Pearson: the shares under which k of n is not too rare. Of nothing, 0 to 1."""
    held, of = np.broadcast_arrays(np.asarray(k, np.float64), np.asarray(n, np.float64))
    outside = (1 - confidence) / 2
    low = special.betaincinv(np.maximum(held, 1), of - np.maximum(held, 1) + 1, outside)
    below = np.minimum(held, of - 1)
    high = special.betaincinv(below + 1, of - below, 1 - outside)
    return np.where(held <= 0, 0.0, low), np.where(held >= of, 1.0, high)


def poisson_interval(k: ArrayLike, confidence: float = CONFIDENCE) -> tuple[Floats, Floats]:
    """The means under which a count of k is not too rare (Garwood)."""
    counted = np.asarray(k, np.float64)
    outside = (1 - confidence) / 2
    low = np.where(counted <= 0, 0.0, special.gammaincinv(np.maximum(counted, 1), outside))
    return low, np.asarray(special.gammainccinv(counted + 1, outside), np.float64)


def rate_ratios(
    inside: ArrayLike, outside: ArrayLike, share: ArrayLike, confidence: float = CONFIDENCE
) -> tuple[Floats, Floats, Floats]:
    """`rate_ratio` of many cohorts at once: values, lows, highs. NaN, 0 and infinity where nothing can be told."""
    within, without, part = np.broadcast_arrays(*(np.asarray(a, np.float64) for a in (inside, outside, share)))
    told = (part > 0) & (part < 1) & (within + without > 0)
    odds = np.where(told, (1 - part) / np.where(told, part, 1), np.nan)
    low, high = share_interval(within, within + without, confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = within / without * odds
        bounds = low / (1 - low) * odds, high / (1 - high) * odds
    return np.where(told, value, np.nan), np.where(told, bounds[0], 0.0), np.where(told, bounds[1], np.inf)


def rate_ratio(inside: int, outside: int, share: float, confidence: float = CONFIDENCE) -> Interval:
    """How many times higher the rate inside of a cohort is than outside, by the conditional binomial.

    The inside cases fell in `share` of the time at risk, the others in the rest of it. Infinite above where there are
    none outside. The value is NaN, and the interval everything, where there is no case or no such time at risk.
    """
    value, low, high = (float(one) for one in rate_ratios(inside, outside, share, confidence))
    return Interval(value, low, math.inf if outside == 0 else high)
