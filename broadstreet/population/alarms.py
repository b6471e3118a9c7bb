"""Alarms: a syndrome that comes oftener than it used to, told as soon as its days say so.

A chart of daily episodes (CUSUM) per syndrome, against the rate of its own past and the time at risk of each day. The
budget is one false alarm of a syndrome in five years. The past is short, so its rate is taken one standard error higher
than it was; the last week is no past yet, else a slow rise would be its own measure.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from broadstreet.population.ground import Ground
from broadstreet.population.population import Floats
from broadstreet.records.outbreak import Alarm
from broadstreet.statistics.cusum import reference, threshold

RATIO = 5.0  # what the chart is tuned to; other rises are found too, later
PAST, LAG = 28, 7  # days: as long must a syndrome have been watched, and so near is no past
LEAST_EPISODES = 5
GRID = 0.15  # of the logarithm of a mean: thresholds between two are those of the higher
NOTHING_SEEN = 0.5  # episodes, before the first


def alarms(ground: Ground) -> tuple[Alarm, ...]:
    """The days on which a syndrome was oftener than its past, in the order of time."""
    population = ground.population
    dated = ground.votes[population.dated[ground.votes] & (population.syndrome[ground.votes] >= 0)]
    dated = dated[(population.time[dated] >= population.start) & (population.time[dated] < population.end)]
    if not len(dated):
        return ()
    edges, exposure = ground.by_day(ground.measures[0] if ground.measures else "", None)
    at_risk = exposure / exposure.mean() if exposure.mean() > 0 else np.ones(len(exposure))
    day = np.searchsorted(edges, population.time[dated], side="right") - 1
    order = np.argsort(population.syndrome[dated], kind="stable")
    sizes = np.bincount(population.syndrome[dated], minlength=len(population.syndromes))
    found: list[Alarm] = []
    for code, end in enumerate(np.cumsum(sizes)):
        if sizes[code] >= LEAST_EPISODES:
            counts = np.bincount(day[order[end - sizes[code] : end]], minlength=len(at_risk))
            for first, last, expected in _risen(counts, at_risk):
                seen = int(counts[first : last + 1].sum())
                found.append(Alarm(population.syndromes[code], edges[first], edges[last + 1], seen, expected))
    return tuple(sorted(found, key=lambda one: (one.until, one.syndrome)))


def _risen(counts: NDArray[np.int64], at_risk: Floats) -> list[tuple[int, int, float]]:
    """Of each alarm the day when the chart began to rise, the day when it was sure, and how many were expected."""
    told, begun = [], 0
    seen, watched = np.concatenate([[0], np.cumsum(counts)]), np.concatenate([[0.0], np.cumsum(at_risk)])
    sum_, rising = 0.0, 0
    for today in range(len(counts)):
        past = today - LAG
        if past - begun < PAST - LAG or not at_risk[today] > 0:
            continue
        events = float(seen[past] - seen[begun]) + NOTHING_SEEN
        mean = (events + np.sqrt(events)) / float(watched[past] - watched[begun]) * float(at_risk[today])
        higher = float(np.exp(np.ceil(np.log(mean) / GRID) * GRID))
        if sum_ == 0.0:
            rising = today
        sum_ = max(0.0, sum_ + float(counts[today]) - float(reference(higher, RATIO)))
        if sum_ >= _threshold(higher):
            told.append((rising, today, mean * (today - rising + 1)))
            begun, sum_ = today + 1, 0.0
    return told


@cache
def _threshold(mean: float) -> float:
    return threshold(mean, RATIO)
