"""Since when, and until when: the likeliest change of a rate against time at risk, with its interval."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from broadstreet.population.ground import Cohort, Ground
from broadstreet.records.outbreak import Onset, Test
from broadstreet.statistics.onset import change

LEAST_DATED = 3
LEVEL = 0.01


def onset(
    ground: Ground, votes: NDArray[np.int64], cohort: Sequence[Cohort] = (), without: Sequence[Cohort] = ()
) -> Onset | None:
    """When these episodes began against the time at risk of their cohort; null where fewer than three are dated."""
    population = ground.population
    dated = votes[population.dated[votes]]
    times = np.sort(population.time[dated])
    times = times[(times >= population.start) & (times <= population.end)]
    if len(times) < LEAST_DATED:
        return None
    edges, exposure = ground.by_day(ground.measures[0] if ground.measures else "", _pieces(ground, cohort, without))
    found = change(times, edges, exposure)
    if found is None:
        return None
    test = Test("onset.change", {"times": tuple(times.tolist()) if len(times) <= 64 else len(times)}, found.p)
    if found.p >= LEVEL:
        return Onset(None, None, None, None, None, None, (None, found.rates[1], None), test)
    begin, end = (
        (None, None, None) if one is None else (one.at, one.low, one.high) for one in (found.begin, found.end)
    )
    return Onset(*map(moment, begin), *map(moment, end), rates=found.rates, test=test)  # type: ignore[misc]


def moment(seconds: float | None) -> datetime | None:
    """A time as a person reads it; null stays null."""
    return None if seconds is None or np.isnan(seconds) else datetime.fromtimestamp(seconds, UTC)


def _pieces(ground: Ground, cohort: Sequence[Cohort], without: Sequence[Cohort]) -> NDArray[np.bool_] | None:
    kept = ground.kept(without)
    for name, value in cohort:
        attribute = ground.population.exposures[name]
        if ground.told(attribute):
            own = ground.codes(attribute) == value
            kept = own if kept is None else kept & own
    return kept
