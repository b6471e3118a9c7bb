"""An outbreak as it is told: case ids and names instead of rows and codes."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from broadstreet.population.arrivals import arrivals
from broadstreet.population.asking import Found
from broadstreet.population.ground import Ground
from broadstreet.population.population import Population
from broadstreet.records.outbreak import Outbreak

Rows = NDArray[np.int64]


def told(ground: Ground, one: Found, rank: int) -> Outbreak:
    """The outbreak with its cases, and those of the same part elsewhere; where that is not known they are neither."""
    population = ground.population
    part, votes = one.part, np.sort(one.votes)
    cases = _with_repeats(ground, votes)
    outside = _with_repeats(ground, _elsewhere(population, one))
    syndrome = part.syndrome or _commonest(population.syndromes, population.syndrome[votes])
    cohort = {name: population.exposures[name].values[value] for name, value in one.cohort}
    named = "|".join((syndrome, *(f"{name}={value}" for name, value in sorted(cohort.items())), *part.signs))
    return Outbreak(
        id="O-" + blake2b(named.encode("utf-8", "backslashreplace"), digest_size=3).hexdigest(),
        rank=rank,
        kind=one.kind,
        syndrome=syndrome,
        mechanism=_mechanism(population, votes),
        cohort=cohort,
        parts=part.signs,
        cases=tuple(population.case_ids[row] for row in cases),
        elsewhere=tuple(population.case_ids[row] for row in outside),
        episodes=len(votes),
        onset=one.onset,
        comparison=one.comparison,
        others=one.others,
        splits=part.splits,
        arrivals=arrivals(ground, one.onset, one.cohort),
    )


def _elsewhere(population: Population, one: Found) -> Rows:
    others = np.setdiff1d(one.part.votes, one.votes)
    told = np.zeros(len(others), np.bool_)
    for name, value in one.cohort:
        codes = population.exposures[name].cases[others]
        told |= (codes >= 0) & (codes != value)
    return others[told]


def _with_repeats(ground: Ground, votes: Rows) -> Rows:
    """The episodes and, where there were crash loops, the repeats that did not count."""
    repeats, keys = ground.repeats
    if not len(repeats) or not len(votes):
        return votes
    return np.union1d(votes, repeats[np.isin(keys[repeats], keys[votes])])


def _mechanism(population: Population, votes: Rows) -> str:
    counts = {
        sign.name.removeprefix("mechanism "): int((sign.cases[votes] == 1).sum())
        for sign in population.signs.values()
        if sign.kind == "mechanism"
    }
    return max(sorted(counts), key=lambda name: counts[name]) if any(counts.values()) else ""


def _commonest(names: Sequence[str], codes: NDArray[np.int32]) -> str:
    told = codes[codes >= 0]
    return names[int(np.bincount(told).argmax())] if len(told) else ""
