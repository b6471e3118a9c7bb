"""Has a rate fallen, and if that cannot be told yet, when it can.

The rate before is no better known than its cases allow, so the comparison is the conditional binomial of both counts:
of all cases, how likely is it that so few fell into the time at risk after, if nothing changed? Two cases in a month
before and none in the month after tell nothing: that has a chance of one in four.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broadstreet.statistics.tails import binomial_tail, poisson_head

Floats = NDArray[np.float64]
LEVEL = 0.01
"""The p under which so few are not chance."""
DROP, POWER = 0.1, 0.8
"""A tenfold drop is what a fix is expected to make, and is to be seen with 80 %."""
LONGEST_DAYS = 3650
"""After which nobody waits."""


class Wait(NamedTuple):
    """Whole days more until it is known; null where that is not within ten years.

    `zero_more`: until it is, if not a single case follows. `tenfold`: until it is with 80 %, if the rate fell tenfold.
    """

    zero_more: int | None
    tenfold: int | None


def so_few(before: ArrayLike, after: ArrayLike, share: ArrayLike) -> Floats:
    """P of so few cases after or fewer, of all, where `share` of the time at risk lay after, if nothing changed."""
    first, second, part = np.broadcast_arrays(*(np.asarray(a, np.float64) for a in (before, after, share)))
    return binomial_tail(first, first + second, 1 - part)


def wait(before: int, after: int, at_risk_before: float, at_risk_after: float, at_risk_a_day: float) -> Wait:
    """How much longer to wait, if time at risk goes on by so much a day."""
    if not (before > 0 and at_risk_before > 0 and at_risk_a_day > 0):
        return Wait(None, None)
    days = np.arange(LONGEST_DAYS + 1)
    at_risk = at_risk_after + days * at_risk_a_day
    share = np.asarray(at_risk / (at_risk_before + at_risk), np.float64)
    zero = so_few(before, after, share) < LEVEL
    seen = _power(before, share, share / (1 - share) * DROP * before) >= POWER
    return Wait(_first(zero), _first(seen))


def _power(before: int, share: Floats, mean: Floats) -> Floats:
    """P that a count of this mean is so few that it is not chance."""
    low, high = np.full(len(share), -1), np.full(len(share), before + 1)  # of the counts that would be
    high = np.maximum(high, np.ceil(before * share / np.maximum(1 - share, 1e-12)).astype(np.int64) + 1)
    while np.any(high - low > 1):
        middle = (low + high) // 2
        enough = so_few(before, middle, share) < LEVEL
        low, high = np.where(enough, middle, low), np.where(enough, high, middle)
    return np.where(low >= 0, poisson_head(np.maximum(low, 0), mean), 0.0)


def _first(reached: NDArray[np.bool_]) -> int | None:
    return int(reached.argmax()) if reached.any() else None
