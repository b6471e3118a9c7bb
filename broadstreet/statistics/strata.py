"""Is a cohort hit more within each stratum: the same workload, service and release, not a mixture of them?

Within a stratum the cases that fell into the cohort are Bin(total, share): `share` is the part of that stratum's time
at risk that the cohort holds. A stratum where the cohort holds nothing or all tells nothing, whatever its cases. The
sum over strata is compared exactly, so that many small strata count as they are.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from broadstreet.records.weights import Interval
from broadstreet.statistics.tails import FLOOR, binomial_tail

Floats = NDArray[np.float64]
EXACT_UP_TO = 2000
"""Cases, up to which all strata are convolved; above it the saddlepoint (Lugannani and Rice, with the continuity
correction of Daniels) is within 1 % of that, also at p = 1e-100."""
FEW = 5
"""Cases inside or outside, under which the interval of Greenland and Robins is too short, and the exact is given."""
Z = 1.959963984540054
"""Of the normal distribution at 97.5 %."""
WIDEST = 60.0
"""Of log rate ratios that are tried."""


class Stratified(NamedTuple):
    """`p`: of so many inside or more, `p_two_sided`: twice the smaller tail. `ratio`: common to all strata.

    `informative` cases lie in strata that hold the cohort and others; of them `inside` in the cohort, where `expected`
    would be. With no such case p and ratio are null: the two cannot be separated.
    """

    p: float | None
    p_two_sided: float | None
    ratio: Interval | None
    informative: int
    inside: int
    expected: float


def stratified(inside: ArrayLike, total: ArrayLike, share: ArrayLike) -> Stratified:
    """A cohort against the rest in every stratum at once: cases inside, all cases, share of the time at risk."""
    a, n, q = (np.asarray(one, np.float64) for one in (inside, total, share))
    told = (q > 0) & (q < 1) & (n > 0)
    a, n, q = a[told], n[told], q[told]
    if not len(n):
        return Stratified(None, None, None, 0, 0, 0.0)
    q, which = np.unique(q, return_inverse=True)  # of equal shares, the sum is one binomial
    a = np.asarray(np.bincount(which.ravel(), weights=a), np.float64)
    n = np.asarray(np.bincount(which.ravel(), weights=n), np.float64)
    seen = int(a.sum())
    upper, lower = _tail(seen, n, q), _tail(int(n.sum()) - seen, n, 1 - q)
    return Stratified(
        upper, min(1.0, 2 * min(upper, lower)), _common_ratio(a, n, q), int(n.sum()), seen, float((n * q).sum())
    )


def _tail(least: int, n: Floats, q: Floats) -> float:
    """P(sum of Bin(n, q) >= least)."""
    if least <= 0:
        return 1.0
    if len(n) == 1:
        return float(binomial_tail(least, n[0], q[0]))
    p = _convolved(least, n, q) if n.sum() <= EXACT_UP_TO else _saddlepoint(least, n, q)
    return float(np.clip(p, FLOOR, 1.0))


def _convolved(least: int, n: Floats, q: Floats) -> float:
    whole = np.ones(1)
    for of, share in zip(n, q, strict=True):
        k = np.arange(int(of) + 1)
        log_p = special.gammaln(of + 1) - special.gammaln(k + 1) - special.gammaln(of - k + 1)
        whole = np.convolve(whole, np.exp(log_p + special.xlogy(k, share) + special.xlog1py(of - k, -share)))
    return float(whole[least:].sum())


def _saddlepoint(least: int, n: Floats, q: Floats) -> float:
    if least >= n.sum():
        return float(np.exp((n * np.log(q)).sum())) if least == n.sum() else 0.0

    def tilted(t: float) -> Floats:
        return np.asarray(special.expit(np.log(q) - np.log1p(-q) + t))

    t = _root(lambda t: float((n * tilted(t)).sum()) - least)
    exponent = t * least - float((n * np.logaddexp(np.log1p(-q), np.log(q) + t)).sum())
    spread = math.sqrt(float((n * tilted(t) * (1 - tilted(t))).sum()))
    w, u = math.copysign(math.sqrt(max(0.0, 2 * exponent)), t), -math.expm1(-t) * spread
    if abs(w) < 0.05:  # 1 / u - 1 / w cancels here: the normal with the continuity correction is as good
        sd = math.sqrt(float((n * q * (1 - q)).sum()))
        return float(special.ndtr((float((n * q).sum()) - least + 0.5) / sd))
    return float(special.ndtr(-w)) + math.exp(-exponent) / math.sqrt(2 * math.pi) * (1 / u - 1 / w)


def _common_ratio(a: Floats, n: Floats, q: Floats) -> Interval:
    weighted, against = float((a * (1 - q)).sum()), float(((n - a) * q).sum())
    value = weighted / against if against else math.inf
    if min(a.sum(), (n - a).sum()) < FEW:
        return Interval(value, *_exact_ratios(int(a.sum()), n, q))
    half = Z * math.sqrt(float((n * q * (1 - q)).sum()) / (weighted * against))
    return Interval(value, value * math.exp(-half), value * math.exp(half))


def _exact_ratios(seen: int, n: Floats, q: Floats) -> tuple[float, float]:
    def raised(log_ratio: float) -> Floats:
        return np.asarray(special.expit(np.log(q) - np.log1p(-q) + log_ratio))

    low, high = 0.0, math.inf
    if seen > 0:
        low = math.exp(_root(lambda r: _tail(seen, n, raised(r)) - 0.025))
    if seen < n.sum():
        high = math.exp(_root(lambda r: 0.025 - _tail(int(n.sum()) - seen, n, 1 - raised(r))))
    return low, high


def _root(rising: Callable[[float], float]) -> float:
    low, high = -WIDEST, WIDEST
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return (low + high) / 2
