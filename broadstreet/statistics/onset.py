"""When did a rate rise, and did it fall again? The likeliest begin and end of a Poisson process.

Time is counted in time at risk, so that a fleet that doubles is no outbreak. The likelihood of a begin is largest at a
case, so only the cases are tried, and their order and spacing is all that matters: where nothing changed, n cases lie
as n uniform numbers, whatever the rate. So the p of the largest ratio that a search finds depends on n alone.

An interval with a begin and an end is the largest sum of (case - slope * time at risk) for the slope that goes with its
own two rates; a grid of slopes, each one pass, and then the slope of what was found until it stays.

Cases that come in clumps (one input that kills ten hosts within an hour) are fewer than they seem: ratios count for so
many times less as neighbouring stretches of exposure differ more than chance has it, which a rate that changes once or
slowly does not do.

The bounds are those of the likelihood at `DROP`. The usual 1.92 of one smooth parameter is too short for a change: on
each side of the truth the ratio is a random walk that exceeds x with exp(-x) at most, hence (1 - exp(-x))**2 = 95 %.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broadstreet.statistics.tails import FLOOR
from broadstreet.statistics.tree import scan_ratio

Floats = NDArray[np.float64]
DAY = 86400.0
DROP = -math.log(1 - math.sqrt(0.95))
ENDED = 0.01
"""The p, corrected, under which a second change is told beside the first."""
SLOPES = 40
"""Of the grid, from 1.05 times the mean rate to ten times as many cases as there are in one."""
CLUMPED = 2.0
"""Standard errors above chance, from which on neighbours are said to differ more than that."""
SHORTEST = DAY
"""Of a rise: dates are told to the day, and no time at all would be infinite evidence. Where nobody tells how long was
watched, that ends with the last case."""


class Estimate(NamedTuple):
    """A time with its 95 % interval, in the unit of the times given: seconds."""

    at: float
    low: float
    high: float


class Change(NamedTuple):
    """The likeliest interval with a higher rate. `begin` is null if it holds from the first day, `end` if it goes on.

    `rates` are cases per day of exposure before, within and after; null where there is no such part. `llr` is the log
    likelihood ratio against one rate throughout, `clumps` how many cases count as one, `p` that of so large a ratio,
    corrected for both and for having searched.
    """

    begin: Estimate | None
    end: Estimate | None
    rates: tuple[float | None, float, float | None]
    llr: float
    clumps: float
    p: float


class _Begin(NamedTuple):
    at: float
    low: float
    high: float
    llr: float


def change(times: ArrayLike, exposure_edges: ArrayLike, exposure: ArrayLike) -> Change | None:
    """The begin, and the end if there is one, of a higher rate; null where no part has a higher rate than the rest.

    `exposure` is what was at risk between each two of `exposure_edges`, for example hosts; constant 1 makes rates those
    per day. Times are in seconds; those outside of the edges do not count.
    """
    edges, at_risk = np.asarray(exposure_edges, np.float64), np.asarray(exposure, np.float64)
    clock = np.concatenate([[0.0], np.cumsum(np.diff(edges) * at_risk)])
    whole = float(clock[-1])
    if not whole > 0:
        raise ValueError("nothing was at risk between the edges")
    seen = np.sort(np.asarray(times, np.float64))
    seen = seen[(seen >= edges[0]) & (seen <= edges[-1])]
    if not len(seen):
        return None
    x = np.interp(seen, edges, clock) / whole
    shortest = SHORTEST / float(edges[-1] - edges[0])
    clumps = clumped(np.histogram(seen, edges)[0], np.diff(edges) * at_risk)
    found = _likeliest(x, shortest, clumps)
    if found is None:
        return None
    begin, end, llr, p = found

    def told(one: _Begin | None) -> Estimate | None:
        if one is None:
            return None
        return Estimate(*(float(np.interp(v * whole, clock, edges)) for v in (one.at, one.low, one.high)))

    return Change(told(begin), told(end), _rates(x, begin, end, shortest, whole / DAY), llr, clumps, p)


def clumped(counts: ArrayLike, exposure: ArrayLike) -> float:
    """How many cases count as one: the variance between neighbours over that of chance; 1 where chance explains it."""
    count, at_risk = np.asarray(counts, np.float64), np.asarray(exposure, np.float64)
    even = len(count) // 2 * 2
    left, both = count[:even:2], count[:even:2] + count[1:even:2]
    whole = at_risk[:even:2] + at_risk[1:even:2]
    share = np.divide(at_risk[:even:2], whole, out=np.zeros(even // 2), where=whole > 0)
    told = (both > 0) & (share > 0) & (share < 1)
    left, both, share = left[told], both[told], share[told]
    chance = share * (1 - share)
    seen = (left - both * share) ** 2 / chance  # `both` on average
    variance = 2 * both * (both - 1) + both * (1 / chance - 4)
    if seen.sum() - both.sum() <= CLUMPED * math.sqrt(variance.sum()):
        return 1.0
    return float(seen.sum() / both.sum())


def _rates(
    x: Floats, begin: _Begin | None, end: _Begin | None, shortest: float, days: float
) -> tuple[float | None, float, float | None]:
    first, last = begin.at if begin else 0.0, end.at if end else 1.0
    if end and last - first < shortest:
        last = min(1.0, first + shortest)
    before, until = (int(np.searchsorted(x, first, "left")), int(np.searchsorted(x, last, "right")))
    within = (until - before) / max((last - first) * days, FLOOR)
    return (
        (before / (first * days) if first > 0 else None) if begin else None,
        within,
        ((len(x) - until) / ((1 - last) * days) if last < 1 else None) if end else None,
    )


def _likeliest(x: Floats, shortest: float, clumps: float) -> tuple[_Begin | None, _Begin | None, float, float] | None:
    n = max(1, round(len(x) / clumps))
    rise, fall = _begin(x, clumps, shortest), _mirrored(_begin(_turned(x), clumps, shortest))
    first, last, both = _interval(x, shortest)
    one = max((one.llr for one in (rise, fall) if one), default=0.0)
    p = min(
        1.0,
        2 * p_of_one(n, rise.llr / clumps) if rise else 1.0,
        4 * p_of_one(n, fall.llr / clumps) if fall else 1.0,
        4 * p_of_two(n, both / clumps),
    )
    if both > one and p_of_one(n, (both - one) / clumps) < ENDED:
        # Where an end is set at a case, that case says nothing of the begin any more, and the other way round.
        inside = x[: np.searchsorted(x, last, "right") - 1]
        begin = _begin(inside / last, clumps, shortest / last, at=first / last) if last > 0 else None
        after = x[np.searchsorted(x, first, "left") + 1 :]
        end = _mirrored(
            _begin(_turned((after - first) / (1 - first)), clumps, shortest / (1 - first), at=(1 - last) / (1 - first))
        )
        return (
            _scaled(begin, 0.0, last) or _Begin(first, first, first, both),
            _scaled(end, first, 1 - first) or _Begin(last, last, last, both),
            both,
            p,
        )
    if rise and (fall is None or rise.llr >= fall.llr):
        return rise, None, rise.llr, p
    return (None, fall, fall.llr, p) if fall else None


def _begin(x: Floats, clumps: float, shortest: float, at: float | None = None) -> _Begin | None:
    """The likeliest begin in cases on 0 to 1, or the interval around the one given; null if no case begins a rise."""
    n = len(x)
    if not n:
        return None
    before = np.searchsorted(x, x, "left")
    ratios = _rise(before.astype(np.float64), n, x, shortest)
    best = int(ratios.argmax()) if at is None else int(np.argmin(np.abs(x - at)))
    if not ratios[best] > 0:
        return None
    least = float(ratios[best]) - DROP * clumps
    possible = np.flatnonzero(ratios >= least)
    low, high = int(possible[0]), int(possible[-1])
    left, right = float(x[before[low] - 1]) if before[low] else 0.0, float(x[low])
    for _ in range(60):
        middle = (left + right) / 2
        if float(_rise(np.asarray([float(before[low])]), n, np.asarray([middle]), shortest)[0]) >= least:
            right = middle
        else:
            left = middle
    return _Begin(float(x[best]), min(right, float(x[best])), float(x[high]), float(ratios[best]))


def _rise(before: Floats, n: int, at: Floats, shortest: float) -> Floats:
    return scan_ratio(n - before, n * np.clip(1 - at, shortest, 1.0), n)


def _interval(x: Floats, shortest: float) -> tuple[float, float, float]:
    """First and last case of the interval with the largest ratio of two rates, and the ratio; at least two cases."""
    n = len(x)
    best = (0.0, 1.0, 0.0)
    if n < 2:
        return best
    slopes = list(n * np.geomspace(1.05, 10 * n, SLOPES))
    while slopes:
        first, last = _densest(x, slopes.pop())
        cases = float(np.searchsorted(x, x[last], "right") - np.searchsorted(x, x[first], "left"))
        width = min(max(float(x[last] - x[first]), shortest), 1.0)
        llr = float(scan_ratio(cases, n * width, n))
        if cases >= 2 and llr > best[2] * (1 + 1e-12):
            best = (float(x[first]), float(x[last]), llr)
            inside, outside = cases / width, max((n - cases) / max(1 - width, FLOOR), 0.5)
            if inside > outside:
                slopes.append((inside - outside) / math.log(inside / outside))
    return best


def _densest(x: Floats, slope: float) -> tuple[int, int]:
    lifted = np.arange(len(x)) - slope * x
    lowest = np.minimum.accumulate(lifted)
    gains = lifted[1:] - lowest[:-1]
    last = int(gains.argmax()) + 1
    return int(lifted[:last].argmin()), last


def _turned(x: Floats) -> Floats:
    return 1 - x[::-1]


def _mirrored(one: _Begin | None) -> _Begin | None:
    return one and _Begin(1 - one.at, 1 - one.high, 1 - one.low, one.llr)


def _scaled(one: _Begin | None, start: float, size: float) -> _Begin | None:
    return one and _Begin(start + one.at * size, start + one.low * size, start + one.high * size, one.llr)


# From 400,000 (one) and 20,000 (two) simulated lists of n uniform numbers, fewer above 1,000, at p of 0.2 to 0.001: the
# constants for which `exp(constant + power * log(llr) - rate * llr)` is nowhere less than was seen. A pair of cases as
# close as chance will have it makes the tail of an interval fall half as fast. The last is extrapolated.
SIMULATED = (1, 2, 3, 5, 10, 30, 100, 300, 1000, 10_000, 100_000_000)
ONE = (0.0, 0.02, 0.1, 0.25, 0.4, 0.65, 0.9, 1.15, 1.4, 1.65, 2.85)
TWO = (1.0, 1.0, 1.1, 1.5, 2.3, 3.25, 4.45, 5.55, 6.7, 9.05, 18.45)


def p_of_one(n: int, llr: float) -> float:
    """P of a begin with this ratio or more anywhere, of n cases of which nothing changed the rate."""
    return _p(float(np.interp(math.log(n), np.log(SIMULATED), ONE)) + 0.5 * math.log(max(llr, 1.0)) - llr)


def p_of_two(n: int, llr: float) -> float:
    """The same of an interval with a begin and an end."""
    return _p(float(np.interp(math.log(n), np.log(SIMULATED), TWO)) - 0.5 * llr)


def _p(logarithm: float) -> float:
    return max(FLOOR, math.exp(min(0.0, logarithm)))
