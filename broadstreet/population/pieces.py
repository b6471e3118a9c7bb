"""Which piece of time at risk a crash falls into, and how heavy the load was in it."""

import numpy as np
from numpy.typing import NDArray

from broadstreet.population.population import UNKNOWN, Codes, Floats

Numbers = NDArray[np.int64]
BANDS = 4


def together(first: Codes | Numbers, second: Codes, width: int) -> Numbers:
    """One number for each pair; -1 where the first is not known. The second, below `width` - 1, may be unknown."""
    return np.where(first == UNKNOWN, UNKNOWN, first.astype(np.int64) * width + second + 1)


def falls_in(group: Numbers, moment: Floats, of: Numbers, start: Floats, end: Floats) -> Numbers:
    """The row of the one piece of its group whose time the moment lies in; -1: none, or more than one.

    `group` and `moment` are of crashes, `of`, `start` and `end` of pieces.
    """
    result = np.full(len(group), UNKNOWN, np.int64)
    order = np.lexsort((start, of))
    order = order[of[order] != UNKNOWN]
    asked = np.flatnonzero((group != UNKNOWN) & ~np.isnan(moment))
    if not len(order) or not len(asked):
        return result
    of, start, end = of[order], start[order], end[order]
    alone = _alone(of, start, end)
    # One search over both: pieces before the crashes of the same group and moment, for a piece holds its start.
    merged = np.lexsort(
        (
            np.concatenate([np.zeros(len(of)), np.ones(len(asked))]),
            np.concatenate([start, moment[asked]]),
            np.concatenate([of, group[asked]]),
        )
    )
    is_piece = merged < len(of)
    last = np.cumsum(is_piece) - 1
    crash = merged[~is_piece] - len(of)
    at = last[~is_piece]
    which = asked[crash]
    inside = (at >= 0) & (of[at] == group[which]) & (moment[which] < end[at]) & alone[at]
    result[which[inside]] = order[at[inside]]
    return result


def load_bands(exceptions: Floats, hours: Floats) -> tuple[list[str], Codes]:
    """Quarters of the time at risk by exceptions an hour, and that of each piece; -1 where either is not told."""
    told = ~np.isnan(exceptions) & ~np.isnan(hours) & (hours > 0)
    codes = np.full(len(hours), UNKNOWN, np.int32)
    rate = exceptions[told] / hours[told]
    order = np.argsort(rate, kind="stable")
    reached = np.cumsum(hours[told][order])
    if not len(order):
        return [], codes
    wanted = reached[-1] * np.arange(1, BANDS) / BANDS
    bounds = np.unique(rate[order][np.minimum(np.searchsorted(reached, wanted, "right"), len(order) - 1)])
    bounds = bounds[bounds > rate.min()]
    codes[told] = np.searchsorted(bounds, rate, "right")
    names = [f"q{number + 1}: below {bound:,.4g}" for number, bound in enumerate(bounds)]
    return [*names, f"q{len(bounds) + 1}: {bounds[-1] if len(bounds) else 0:,.4g} and more"], codes


def _alone(of: Numbers, start: Floats, end: Floats) -> NDArray[np.bool_]:
    ranks = np.unique(of, return_inverse=True)[1]
    # The running maximum of ends within a group: groups are kept apart by a step that is longer than all time.
    step = float(end.max() - min(start.min(), end.min())) + 1.0
    reach = np.maximum.accumulate(end + ranks * step) - ranks * step
    clash = (of[1:] == of[:-1]) & (start[1:] < reach[:-1])
    result = np.ones(len(of), bool)
    result[1:][clash] = False
    result[:-1][clash] = False
    return result
