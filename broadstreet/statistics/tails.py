"""How likely a count this large, or this small, is by chance alone.

Every tail is computed as itself and never as one minus the other, so that 1e-200 is a figure and not a zero. `FLOOR` is
the smallest that is told: also an impossible count has that p, and a logarithm can always be taken. A result is NaN
only where an argument is.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]
FLOOR = 1e-300
"""Far under every p that a correction for any number of questions could bring back, far over the smallest double."""
NEARLY_POISSON = 1e-9
"""Dispersion times the larger of mean and count, under which a negative binomial is the Poisson to 1e-8."""


def binomial_tail(k: ArrayLike, n: ArrayLike, share: ArrayLike) -> Floats:
    """P(Bin(n, share) >= k): k of n cases or more in a cohort that holds this share of the time at risk."""
    least, of, part = np.broadcast_arrays(*(np.asarray(a, np.float64) for a in (k, n, share)))
    possible = (least > 0) & (least <= of)
    tail = special.betainc(np.where(possible, least, 1), np.where(possible, of - least + 1, 1), part)
    return _told(np.where(possible, tail, np.where(least <= 0, 1.0, 0.0)), least + of + part)


def poisson_tail(k: ArrayLike, mean: ArrayLike) -> Floats:
    """P(Poisson(mean) >= k)."""
    least, expected = np.broadcast_arrays(np.asarray(k, np.float64), np.asarray(mean, np.float64))
    tail = special.gammainc(np.where(least > 0, least, 1), expected)
    return _told(np.where(least > 0, tail, 1.0), least + expected)


def poisson_head(k: ArrayLike, mean: ArrayLike) -> Floats:
    """P(Poisson(mean) <= k)."""
    most, expected = np.broadcast_arrays(np.asarray(k, np.float64), np.asarray(mean, np.float64))
    head = special.gammaincc(np.where(most >= 0, most, 0) + 1, expected)
    return _told(np.where(most >= 0, head, 0.0), most + expected)


def negative_binomial_tail(k: ArrayLike, mean: ArrayLike, dispersion: ArrayLike) -> Floats:
    """P(X >= k) of a count with variance mean + dispersion * mean**2; dispersion 0 is the Poisson."""
    least, expected, spread = np.broadcast_arrays(*(np.asarray(a, np.float64) for a in (k, mean, dispersion)))
    nearly = spread * np.maximum(np.maximum(expected, least), 1) <= NEARLY_POISSON
    size = 1 / np.where(nearly, 1.0, spread)
    tail = special.betainc(np.where(least > 0, least, 1), size, expected / (size + expected))
    spread_out = _told(np.where(least > 0, tail, 1.0), least + expected + spread)
    return np.where(nearly, poisson_tail(least, expected), spread_out)


def _told(p: Floats, arguments: Floats) -> Floats:
    return np.where(np.isnan(arguments), np.nan, np.clip(p, FLOOR, 1.0))
