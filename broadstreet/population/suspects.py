"""Which machines crash more than their share: every host with a crash, ranked by the lower bound of its rate ratio.

What a host would have without a fault of its own is the sum over the strata that it worked in (workload, service,
release and week): a host that only does what crashes everywhere is no suspect. Two counts are asked of each: all of
its episodes, and those with a finding that failing hardware makes and software hardly ever does. Software hits hosts
unevenly for many reasons, so where that shows the chance of the first count is that of a negative binomial. It is not
that of the second: one bad machine behind many hosts would be taken for a restless fleet.

Where nothing tells the time at risk, only the second is asked, with the other crashes as controls.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.population.cells import UNEVEN, UNEVEN_FROM
from broadstreet.population.ground import Ground
from broadstreet.population.population import Attribute, Floats, Population
from broadstreet.population.survey import votes_of
from broadstreet.records.suspect import Excess, Suspect
from broadstreet.records.weights import STRICT, Interval
from broadstreet.statistics.discoveries import q_values
from broadstreet.statistics.dispersion import dispersion
from broadstreet.statistics.intervals import rate_ratios
from broadstreet.statistics.margins import odds_ratio
from broadstreet.statistics.tables import fisher
from broadstreet.statistics.tails import binomial_tail, negative_binomial_tail

Rows = NDArray[np.int64]
TOLD = 0.5  # of the episodes, at least so many lie in strata with time at risk; else strata are left out

HOSTS = ("host", "physical_host")


class _Asked(NamedTuple):
    """One count of every place: episodes, what was expected, ratios with bounds, p and q. NaN: not known."""

    episodes: Rows
    expected: Floats
    ratio: tuple[Floats, Floats, Floats]
    p: Floats
    q: Floats


def suspects(population: Population, attribute: str = "host") -> tuple[Suspect, ...]:
    """Every place with a crash, the most suspect first; none where no place is known."""
    place = population.exposures.get(attribute)
    if place is None:
        return ()
    ground = Ground(population, votes_of(population))
    known = ground.votes[place.cases[ground.votes] >= 0]
    strict = known[_shows_hardware(population)[known]]
    told = ground.told(place)
    hours = ground.hours(place, ground.measures[0]) if told else np.full(len(place.values), np.nan)
    if told:
        asked = int((hours > 0).sum())
        every = _by_time(ground, place, known, hours, asked, uneven=True)
        hardware = _by_time(ground, place, strict, hours, asked, uneven=False)
    else:
        asked = len(np.unique(place.cases[known]))
        every, hardware = _counted(place, known), _by_crashes(place, known, strict, asked)
    codes = place.cases[known]
    sites = _distinct(codes, _sites(population)[known], len(place.values))
    syndromes = _distinct(codes, population.syndrome[known], len(place.values))
    found = [
        Suspect(
            attribute=attribute,
            value=place.values[at],
            rank=0,
            hours=float(hours[at]) if told else None,
            measure=ground.measures[0] if told else None,
            every=_excess(every, at),
            hardware=_excess(hardware, at),
            against="time at risk" if told else "other crashes",
            sites=int(sites[at]),
            syndromes=int(syndromes[at]),
            asked=asked,
        )
        for at in np.unique(codes)
    ]
    return tuple(_ranked(found))


def lower_bound(suspect: Suspect) -> float:
    """What a suspect is ranked by: the higher of the lower bounds of its two ratios; 0 where neither is known."""
    return max((one.ratio.low for one in (suspect.every, suspect.hardware) if one.ratio is not None), default=0.0)


def _ranked(found: Sequence[Suspect]) -> list[Suspect]:
    ordered = sorted(found, key=lambda one: (-lower_bound(one), -one.every.episodes, one.value))
    return [Suspect(**{**vars(one), "rank": rank}) for rank, one in enumerate(ordered, 1)]


def _shows_hardware(population: Population) -> NDArray[np.bool_]:
    shows = np.zeros(len(population), bool)
    for label in STRICT:
        sign = population.signs.get(f"finding {label}")
        if sign is not None:
            shows |= sign.cases == 1
    return shows


def _by_time(ground: Ground, place: Attribute, votes: Rows, hours: Floats, asked: int, uneven: bool) -> _Asked:
    """Each place's episodes against those that its strata have for its time at risk. Only those are counted; of a place
    without any, all are, and compared with nothing."""
    size, every = len(place.values), np.bincount(place.cases[votes], minlength=len(place.values))
    votes = votes[(hours > 0)[place.cases[votes]]]
    strata = ground.strata(ground.strata_names(place.name))
    pieces = (strata.pieces >= 0) & (ground.codes(place) >= 0)
    weights, of = ground.weights(ground.measures[0])[pieces], strata.pieces[pieces]
    whole = np.bincount(of, weights, strata.count)
    at_risk = (strata.cases[votes] >= 0) & (whole > 0)[strata.cases[votes]]
    if len(votes) and at_risk.mean() >= TOLD:
        cases = np.bincount(strata.cases[votes][at_risk], minlength=strata.count)
        rate = np.divide(cases, whole, out=np.zeros(strata.count), where=whole > 0)
        expected: Floats = np.bincount(ground.codes(place)[pieces], weights * rate[of], size).astype(np.float64)
        votes = votes[at_risk]
    else:
        expected = hours / hours.sum() * len(votes)
    episodes = np.bincount(place.cases[votes], minlength=size)
    total = len(votes)
    # The sum of binomials over strata varies less than one binomial of their mean share: this p is not too small.
    share = expected / total if total else np.zeros(size)
    p = binomial_tail(episodes, total, share)
    told = hours > 0
    if uneven and told.sum() >= UNEVEN_FROM and total >= UNEVEN_FROM:
        estimate = dispersion(episodes[told], expected[told])
        if estimate.p < UNEVEN:
            p = np.maximum(p, negative_binomial_tail(episodes, expected, estimate.value))
    p = np.where(told, p, np.nan)
    return _Asked(
        np.where(told, episodes, every),
        np.where(told, expected, np.nan),
        rate_ratios(episodes, total - episodes, share),
        p,
        _corrected(p, asked),
    )


def _counted(place: Attribute, votes: Rows) -> _Asked:
    """How many, with nothing to hold them against."""
    unknown = np.full(len(place.values), np.nan)
    episodes = np.bincount(place.cases[votes], minlength=len(place.values))
    return _Asked(episodes, unknown, (unknown, unknown, unknown), unknown, unknown)


def _by_crashes(place: Attribute, votes: Rows, strict: Rows, asked: int) -> _Asked:
    """Crashes with hardware findings against those without: how much of each a place has."""
    size = len(place.values)
    every, hardware = (np.bincount(place.cases[rows], minlength=size) for rows in (votes, strict))
    others, strict_elsewhere = every - hardware, len(strict) - hardware
    rest = len(votes) - len(strict) - others
    p = fisher(hardware, strict_elsewhere, others, rest).greater
    ratio: list[Floats] = [np.full(size, np.nan) for _ in range(3)]
    for at in np.flatnonzero(hardware):
        table = (np.array([n]) for n in (hardware[at], every[at], len(strict), len(votes)))
        found = odds_ratio(*table)
        for into, value in zip(ratio, (found.value, found.low, found.high) if found else (), strict=False):
            into[at] = value
    expected = np.asarray(every * (len(strict) / max(1, len(votes))), np.float64)
    return _Asked(hardware, expected, (ratio[0], ratio[1], ratio[2]), p, _corrected(p, asked))


def _corrected(p: Floats, asked: int) -> Floats:
    q = np.full(len(p), np.nan)
    told = ~np.isnan(p)
    q[told] = q_values(p[told], max(asked, int(told.sum())))
    return q


def _excess(asked: _Asked, at: int) -> Excess:
    value, low, high = (float(one[at]) for one in asked.ratio)
    known = not np.isnan(value)
    return Excess(
        int(asked.episodes[at]),
        _known(asked.expected[at]),
        Interval(value, low, high) if known else None,
        _known(asked.p[at]),
        _known(asked.q[at]),
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _sites(population: Population) -> Rows:
    """The innermost frame of each crash as a code; -1 where there is none."""
    names: dict[str, int] = {}
    of_trace = [names.setdefault(frames[0], len(names)) if frames else -1 for frames in population.frames]
    trace = population.trace
    return np.where(trace >= 0, np.asarray([*of_trace, -1], np.int64)[trace], -1)


def _distinct(codes: NDArray[np.integer], things: NDArray[np.integer], size: int) -> Rows:
    known = things >= 0
    pairs = np.unique(codes[known].astype(np.int64) + size * things[known].astype(np.int64))
    return np.bincount(pairs % size, minlength=size)
