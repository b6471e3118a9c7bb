"""Before and after a fix: on which side episodes and time at risk lie.

A date cuts the pieces of time at risk in two. A release does not: what ran it, or a later one, is after, whenever that
was, because it takes days to reach the last host. Later is what was first seen later.
"""

import shlex
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.errors import UsageError
from broadstreet.population.onsets import moment
from broadstreet.population.population import UNKNOWN, Attribute, Floats, Population
from broadstreet.records.fixed import Fix

Mask = NDArray[np.bool_]


class Sides(NamedTuple):
    """Which episodes lie after, and how much of each piece does (0 to 1); what neither is known of is out."""

    votes: NDArray[np.int64]
    after: Mask
    share: Floats
    known: Mask
    moment: float


def dated(population: Population, votes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of these episodes of which it is known when they happened, within what was observed."""
    time = population.time[votes]
    within = population.dated[votes] & (time >= population.start) & (time <= population.end)
    return votes[within]


def sides_of(population: Population, fix: Fix, votes: NDArray[np.int64]) -> Sides:
    """On which side of the fix these episodes and the time at risk lie."""
    if fix.release is not None:
        return _by_release(population, fix.release, votes)
    at = _moment(population, fix)
    if not population.start < at < population.end:
        first, last = (f"{moment(one):%Y-%m-%d %H:%M}" for one in (population.start, population.end))
        raise UsageError(
            f"{moment(at):%Y-%m-%d %H:%M} is not within what was observed", f"That is from {first} until {last} UTC."
        )
    pieces = population.at_risk
    share = np.zeros(0)
    if pieces is not None:
        length = np.maximum(pieces.end - pieces.start, 1e-9)
        share = np.clip((pieces.end - at) / length, 0.0, 1.0)
    return Sides(votes, population.time[votes] >= at, share, np.ones(len(share), bool), at)


def _by_release(population: Population, release: str, votes: NDArray[np.int64]) -> Sides:
    told = population.exposures.get("service_release")
    if told is None or release not in told.values:
        known = "" if told is None else ", ".join(list(told.values)[-5:])
        raise UsageError(f"nothing ran the release {release}", f"Known are {known}." if known else "broadstreet fleet")
    own = list(told.values).index(release)
    first = _first_seen(population, told)
    later = (first >= first[own]) & np.isfinite(first)
    codes = told.cases[votes]
    kept = codes != UNKNOWN
    share, known_pieces = np.zeros(0), np.zeros(0, bool)
    if population.at_risk is not None and told.at_risk is not None:
        known_pieces = told.at_risk != UNKNOWN
        share = np.append(later, False)[told.at_risk].astype(np.float64)
    return Sides(votes[kept], later[codes[kept]], share, known_pieces, float(first[own]))


def _first_seen(population: Population, told: Attribute) -> Floats:
    first = np.full(len(told.values), np.inf)
    known = (told.cases != UNKNOWN) & ~np.isnan(population.time)
    np.minimum.at(first, told.cases[known], population.time[known])
    if population.at_risk is not None and told.at_risk is not None:
        known = told.at_risk != UNKNOWN
        np.minimum.at(first, told.at_risk[known], population.at_risk.start[known])
    return first


def since_then(population: Population, host: str, at: float) -> tuple[int, bool]:
    """How many crashes there were on a host since, and whether the fleet tells that it was at risk since."""
    told = _place(population, host)
    value = list(told.values).index(host)
    crashes = int(((told.cases == value) & population.dated & (population.time >= at)).sum())
    if population.at_risk is None or told.at_risk is None:
        return crashes, False
    return crashes, bool((population.at_risk.end[told.at_risk == value] > at).any())


def _moment(population: Population, fix: Fix) -> float:
    told = None if fix.without_host is None else _place(population, fix.without_host)
    if fix.since is not None:
        return fix.since.timestamp()
    assert told is not None
    assert fix.without_host is not None
    return _removed(population, fix.without_host, told)


def _place(population: Population, host: str) -> Attribute:
    for name in ("physical_host", "host"):
        told = population.exposures.get(name)
        if told is not None and host in told.values:
            return told
    raise UsageError(f"there is no host {host}", "broadstreet hosts")


def _removed(population: Population, host: str, told: Attribute) -> float:
    """When a host, or the physical host, was at risk for the last time."""
    say = f"Say since when it takes no work: --without-host {shlex.quote(host)} --since DATE"
    own = None if told.at_risk is None else told.at_risk == list(told.values).index(host)
    if population.at_risk is None or own is None or not own.any():
        raise UsageError(f"nothing tells when {host} was taken out", say)
    last = float(population.at_risk.end[own].max())
    if last >= population.end:
        raise UsageError(f"{host} was at risk until the end", say)
    return last
