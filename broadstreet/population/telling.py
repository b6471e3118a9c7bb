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
    outside, unplaced = (_with_repeats(ground, rows) for rows in _others(population, one))
    syndrome = part.syndrome or _commonest(population.syndromes, population.syndrome[votes])
    cohort = {name: population.exposures[name].values[value] for name, value in one.cohort}
    named = "|".join((syndrome, *(f"{name}={value}" for name, value in sorted(cohort.items())), *part.signs))
    mechanism, of_mechanism = mechanism_of_most(population, votes)
    return Outbreak(
        id="O-" + blake2b(named.encode("utf-8", "backslashreplace"), digest_size=3).hexdigest(),
        rank=rank,
        kind=one.kind,
        syndrome=syndrome,
        mechanism=mechanism,
        cohort=cohort,
        parts=part.signs,
        cases=tuple(population.case_ids[row] for row in cases),
        elsewhere=tuple(population.case_ids[row] for row in outside),
        episodes=len(votes),
        onset=one.onset,
        comparison=one.comparison,
        others=one.others,
        splits=part.splits,
        unplaced=tuple(population.case_ids[row] for row in unplaced),
        of_mechanism=of_mechanism,
        arrivals=arrivals(ground, one.onset, one.cohort),
    )


def _others(population: Population, one: Found) -> tuple[Rows, Rows]:
    """Of the same part: those outside of the cohort, and those of which it is not known."""
    if not one.cohort:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    others = np.setdiff1d(one.part.votes, one.votes)
    outside, known = np.zeros(len(others), np.bool_), np.ones(len(others), np.bool_)
    for name, value in one.cohort:
        codes = population.exposures[name].cases[others]
        outside |= (codes >= 0) & (codes != value)
        known &= codes >= 0
    return others[outside], others[~outside & ~known]


def _with_repeats(ground: Ground, votes: Rows) -> Rows:
    """The episodes and, where there were crash loops, the repeats that did not count."""
    repeats, keys = ground.repeats
    if not len(repeats) or not len(votes):
        return votes
    return np.union1d(votes, repeats[np.isin(keys[repeats], keys[votes])])


def mechanism_of_most(population: Population, votes: Rows) -> tuple[str, int]:
    """The mechanism of most of these crashes, and how many have it; empty where none is known."""
    counts = {
        sign.name.removeprefix("mechanism "): int((sign.cases[votes] == 1).sum())
        for sign in population.signs.values()
        if sign.kind == "mechanism"
    }
    most = max(sorted(counts), key=lambda name: counts[name], default="")
    return (most, counts[most]) if counts.get(most) else ("", 0)


def _commonest(names: Sequence[str], codes: NDArray[np.int32]) -> str:
    told = codes[codes >= 0]
    return names[int(np.bincount(told).argmax())] if len(told) else ""
