"""Is one syndrome two? Signs of the crash, crossed with where it happened.

One bug may end in several ways, and which of them may depend on release, library, kernel or make of machine, for the
code is another then. But it does not depend on which of many machines alike it happens on. So a sign that goes with a
place, among crashes of the same work, release and make, is the mark of a second cause; signs that go with each other or
with a release are only several ends of one. What was tried otherwise is in docs/decisions/0007.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.population.families import LEAST, NARROW
from broadstreet.population.ground import Ground
from broadstreet.population.population import States
from broadstreet.records.outbreak import Split, Test
from broadstreet.statistics.margins import corner
from broadstreet.statistics.tables import fisher

Rows = NDArray[np.int64]

CHI_AT_FIRST = 4.0  # a table with less is far from any level that is used here; saves the exact test
MOST_FROM_NEAR = 8  # pairs
ERROR = 0.001  # 0 false splits in 1,000 syndromes of one cause are asked
ALIKE = ("service", "workload", "service_release", "sku")  # within which a sign must go with a place
ORDER = ("mechanism", "finding", "feature", "module", "frame")
MOST_SIGNS = 400  # different patterns; a syndrome has hardly a hundred
MOST_PLACES = 64  # of one exposure, those with most crashes


class Found(NamedTuple):
    """A split: the sign, and which episodes show it."""

    split: Split
    shows: NDArray[np.bool_]


def split(ground: Ground, syndrome: str, votes: Rows) -> Found | None:
    """The sign that parts these episodes best, if one does; asked of every sign and every place that could tell."""
    if len(votes) < 2 * LEAST:
        return None
    signs = _signs(ground, votes)
    places = list(_places(ground, votes))
    if not signs or not places:
        return None
    candidates, asked = _candidates(signs, places)
    for number, at in candidates[:MOST_FROM_NEAR]:
        attribute, value, here, known = places[number]
        shown = np.asarray(signs[at].cases == 1)
        test = _alike(ground, votes, signs[at].cases, here, known)
        if test is not None and test.p * asked < ERROR:
            told = replace(test, q=min(1.0, test.p * asked), family=f"splits of {syndrome}", asked=asked)
            part = int(shown.sum())
            return Found(Split(syndrome, signs[at].name, f"{attribute} {value}", part, len(votes) - part, told), shown)
    return None


class _Place(NamedTuple):
    attribute: str
    value: str
    here: NDArray[np.bool_]
    known: NDArray[np.bool_]


class _Sign(NamedTuple):
    name: str
    kind: str
    cases: States


def _candidates(signs: Sequence[_Sign], places: Sequence[_Place]) -> tuple[list[tuple[int, int]], int]:
    """Pairs of place and sign that go together at first sight, the surest first, and how many pairs were asked."""
    states = np.array([sign.cases for sign in signs])
    shows, lacks = (states == 1).astype(np.float32), (states == 0).astype(np.float32)  # counts below 2**24: exact
    here = np.array([place.here for place in places], np.float32)
    there = np.array([place.known & ~place.here for place in places], np.float32)
    a, b, c, d = here @ shows.T, here @ lacks.T, there @ shows.T, there @ lacks.T
    told = (a + c >= LEAST) & (b + d >= LEAST)
    with np.errstate(divide="ignore", invalid="ignore"):
        chi = (a * d - b * c) ** 2 / ((a + b) * (c + d)) * (a + b + c + d) / ((a + c) * (b + d))
    pairs = np.argwhere(told & (chi > CHI_AT_FIRST))
    at = tuple(pairs.T)
    p = fisher(a[at], b[at], c[at], d[at]).two_sided
    found = [
        (round(float(np.log10(max(chance, 1e-300)))), ORDER.index(signs[sign].kind), int(place), int(sign))
        for chance, (place, sign) in zip(p, pairs, strict=True)
        if chance < ERROR
    ]
    return [(place, sign) for *_, place, sign in sorted(found)], int(told.sum())


def _signs(ground: Ground, votes: Rows) -> list[_Sign]:
    """Each different pattern of what these crashes show, once, under the plainest of its names."""
    population = ground.population
    seen: dict[bytes, _Sign] = {}
    told = sorted(population.signs.values(), key=lambda sign: ORDER.index(sign.kind))
    every = [_Sign(sign.name, sign.kind, sign.cases[votes]) for sign in told]
    for sign in (*every, *_frames(ground, votes)):
        shown, lacking = int((sign.cases == 1).sum()), int((sign.cases == 0).sum())
        if shown >= LEAST and lacking >= LEAST:
            seen.setdefault(sign.cases.tobytes(), sign)
    return list(seen.values())[:MOST_SIGNS]


def _frames(ground: Ground, votes: Rows) -> Iterator[_Sign]:
    population = ground.population
    traces, trace = np.unique(population.trace[votes], return_inverse=True)
    holding: dict[str, list[int]] = {}
    for number, code in enumerate(traces):
        for frame in set(population.frames[code]) if code >= 0 else ():
            holding.setdefault(frame, []).append(number)
    lost = traces < 0
    for frame, numbers in holding.items():
        states = np.where(lost, -1, 0).astype(np.int8)
        states[numbers] = 1
        yield _Sign(f"frame {frame}", "frame", states[trace])


def _places(ground: Ground, votes: Rows) -> Iterator[_Place]:
    for name in NARROW:
        attribute = ground.population.exposures.get(name)
        if attribute is None:
            continue
        codes = attribute.cases[votes]
        values, counts = np.unique(codes[codes >= 0], return_counts=True)
        enough = (counts >= LEAST) & (counts <= len(votes) - LEAST)
        most = np.argsort(-counts[enough], kind="stable")[:MOST_PLACES]
        for value in values[enough][most]:
            yield _Place(name, attribute.values[value], codes == value, codes >= 0)


def _alike(
    ground: Ground, votes: Rows, states: States, here: NDArray[np.bool_], known: NDArray[np.bool_]
) -> Test | None:
    """The same among crashes of the same work, release and make; null where none are alike."""
    stratum = np.zeros(len(votes), np.int64)
    for name in _told(ground, votes):
        attribute = ground.population.exposures[name]
        stratum = stratum * (len(attribute.values) + 1) + attribute.cases[votes] + 1
    told = known & (states >= 0)
    if not told.any():
        return None
    _, dense = np.unique(stratum[told], return_inverse=True)
    size = int(dense.max()) + 1
    shows = states[told] == 1
    tables = [np.bincount(dense[flag], minlength=size) for flag in (here[told] & shows, here[told], shows)]
    total = np.bincount(dense, minlength=size)
    result = corner(tables[0], tables[1], tables[2], total)
    if not result.span:
        return None
    names = ("here_with", "here", "with_it", "total")
    given = {name: tuple(values.tolist()) for name, values in zip(names, (*tables, total), strict=True)}
    return Test("margins.corner", dict(given), min(1.0, 2 * min(result.greater, result.less)))


def _told(ground: Ground, votes: Rows) -> Sequence[str]:
    exposures = ground.population.exposures
    return [name for name in ALIKE if name in exposures and (exposures[name].cases[votes] >= 0).any()]
