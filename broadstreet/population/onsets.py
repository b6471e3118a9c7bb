"""Since when, and until when: the likeliest change of a rate against time at risk, with its interval."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from broadstreet.population.ground import Cohort, Ground
from broadstreet.records.outbreak import Onset, Test
from broadstreet.statistics.onset import Estimate, change

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
    edges, exposure = ground.by_day(ground.measures[0] if ground.measures else "", pieces(ground, cohort, without))
    if not exposure.sum() > 0:
        return None
    found = change(times, edges, exposure / np.diff(edges))
    if found is None:
        return None
    test = Test("onset.change", {"times": tuple(times.tolist()) if len(times) <= 64 else len(times)}, found.p)
    if found.p >= LEVEL:
        return Onset(None, None, None, None, None, None, (None, found.rates[1], None), test)
    begin, end = _estimated(found.begin), _estimated(found.end)
    return Onset(begin[0], begin[1], begin[2], end[0], end[1], end[2], found.rates, test)


def _estimated(one: Estimate | None) -> tuple[datetime | None, datetime | None, datetime | None]:
    return (None, None, None) if one is None else (moment(one.at), moment(one.low), moment(one.high))


def moment(seconds: float | None) -> datetime | None:
    """A time as a person reads it; null stays null."""
    return None if seconds is None or np.isnan(seconds) else datetime.fromtimestamp(seconds, UTC)


def pieces(ground: Ground, cohort: Sequence[Cohort], without: Sequence[Cohort] = ()) -> NDArray[np.bool_] | None:
    """The pieces of time at risk of a cohort; null: all."""
    kept = ground.kept(without)
    for name, value in cohort:
        attribute = ground.population.exposures[name]
        if ground.told(attribute):
            own = ground.codes(attribute) == value
            kept = own if kept is None else kept & own
    return kept
