"""Two-by-two tables in several strata: is the one kind oftener here than there, where strata are alike?

Within a stratum the margins are given, and the corner is hypergeometric; the sum over strata is their convolution.
Exact, so that it holds for tables of three crashes; above `MOST` in all it is the normal approximation with its
continuity correction (Cochran, Mantel, Haenszel).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, ndtr

from broadstreet.records.weights import Interval

Counts = NDArray[np.int64]
NORMAL_95 = 1.959964
MOST = 4000  # the sum of the possible corners; a convolution of so many is milliseconds


class Corner(NamedTuple):
    """The chance of a corner at least as large, at most as small; the one that was expected; how many it could be."""

    greater: float
    less: float
    expected: float
    span: int


def corner(here_with: Counts, here: Counts, with_it: Counts, total: Counts) -> Corner:
    """Of `total` crashes in each stratum, `here` were here, `with_it` show it, `here_with` are both."""
    low = np.maximum(0, here + with_it - total)
    high = np.minimum(here, with_it)
    free = high > low
    span = int((high - low).sum())
    observed = int((here_with - low)[free].sum())
    share = np.divide(here * with_it, total, out=np.zeros(len(total)), where=total > 0)
    expected = float(share[free].sum())
    if not free.any():
        return Corner(1.0, 1.0, expected, 0)
    if span > MOST:
        return _normal(here_with[free], here[free], with_it[free], total[free], span)
    weights = np.ones(1)
    for at in np.flatnonzero(free):
        corners = np.arange(low[at], high[at] + 1)
        weights = np.convolve(weights, _chances(corners, here[at], with_it[at], total[at]))
    return Corner(
        min(1.0, float(weights[observed:].sum())), min(1.0, float(weights[: observed + 1].sum())), expected, span
    )


def odds_ratio(here_with: Counts, here: Counts, with_it: Counts, total: Counts) -> Interval | None:
    """How many times likelier a crash that shows it is to be here, alike in all strata (Mantel, Haenszel), with 95 %.

    The interval is that of Robins, Breslow and Greenland. Where a cell is empty in all strata together, half a crash
    is put into each cell of each stratum. Null where no stratum says anything.
    """
    told = (here > 0) & (here < total) & (with_it > 0) & (with_it < total)
    if not told.any():
        return None
    a = here_with[told].astype(float)
    b, c = here[told] - a, with_it[told] - a
    d = total[told] - a - b - c
    if min(a.sum(), b.sum(), c.sum(), d.sum()) == 0:
        a, b, c, d = a + 0.5, b + 0.5, c + 0.5, d + 0.5
    n = a + b + c + d
    r, s, p, q = a * d / n, b * c / n, (a + d) / n, (b + c) / n
    if r.sum() == 0 or s.sum() == 0:
        a, b, c, d = a + 0.5, b + 0.5, c + 0.5, d + 0.5
        n = a + b + c + d
        r, s, p, q = a * d / n, b * c / n, (a + d) / n, (b + c) / n
    value = float(r.sum() / s.sum())
    variance = (p * r).sum() / (2 * r.sum() ** 2) + (p * s + q * r).sum() / (2 * r.sum() * s.sum())
    variance += (q * s).sum() / (2 * s.sum() ** 2)
    width = float(np.exp(NORMAL_95 * np.sqrt(variance)))
    return Interval(value, value / width, value * width)


def _chances(corners: Counts, here: int, with_it: int, total: int) -> NDArray[np.float64]:
    logs = _choose(with_it, corners) + _choose(total - with_it, here - corners) - _choose(total, here)
    return np.asarray(np.exp(logs))


def _choose(n: int, k: Counts | int) -> NDArray[np.float64]:
    return np.asarray(gammaln(n + 1.0) - gammaln(np.asarray(k) + 1.0) - gammaln(n - np.asarray(k) + 1.0))


def _normal(
    here_with: NDArray[np.int64],
    here: NDArray[np.int64],
    with_it: NDArray[np.int64],
    total: NDArray[np.int64],
    span: int,
) -> Corner:
    n = total.astype(float)
    mean = here * with_it / n
    variance = mean * (n - here) * (n - with_it) / (n * np.maximum(n - 1, 1))
    gap, width = float((here_with - mean).sum()), float(np.sqrt(variance.sum()))
    if width == 0:
        return Corner(1.0, 1.0, float(mean.sum()), span)
    return Corner(float(ndtr(-(gap - 0.5) / width)), float(ndtr((gap + 0.5) / width)), float(mean.sum()), span)
