"""Causes of crashes, declared, and the crashes that each makes in a fleet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tests.simulation.crashes import Crashes
from tests.simulation.fleet import Fleet, Floats, Numbers

Says = Literal["hardware", "software"]
ANY = "*"
"""In a cohort: one of its values, by chance."""
ATTEMPTS_WITHIN = 3.0 / 24.0  # a poison pill is tried again from host to host within so many days
LOOP_GAP = 4.0 / 1440.0  # between two crashes of a loop, in days


@dataclass(frozen=True)
class Look:
    """What the crashes of a cause look like: real ones of these sets. `kinds`: of so many kinds, by chance; 0: of all.

    `extra` are signs that no real crash gave: with what probability each is there. `syndrome`: all of one; null: each
    of its own site. `by`: each value of that attribute has a build of its own, in the order of their names.
    """

    sets: tuple[str, ...]
    programs: tuple[str, ...] = ()
    kinds: int = 0
    named: tuple[str, ...] = ()
    builds: tuple[str, ...] = ()
    by: str | None = None
    syndrome: str | None = None
    extra: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Cause:
    """One thing that makes processes crash: `crashes` in all, or `a_day` at a constant hazard while it lasts.

    `within` keeps it to a cohort; `times` multiplies the hazard of values of an attribute. `outbreak`: there is
    something to find, and `within` or its beginning is what. `hidden`: shape of a gamma that spreads the hazard over
    physical hosts, told to nobody. `loop`: mean crashes in a row. `pill`: mean attempts of one poisonous request.
    `spread`: over so many physical hosts of the cohort at most.
    """

    name: str
    says: Says
    look: Look
    crashes: int | None = None
    a_day: float | None = None
    within: Mapping[str, str] = field(default_factory=dict)
    times: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    since: float | None = None
    until: float | None = None
    outbreak: bool = True
    hidden: float | None = None
    loop: float = 1.0
    pill: float = 0.0
    cpu: bool = False
    spread: int = 0


@dataclass(frozen=True, eq=False)
class Made:
    """The crashes of one cause: when (days), in which piece, on which CPU, with the signs of which row of the pool.

    `vote` numbers what is one failure: the crashes of a loop share one. `cohort` is what chance took for ANY.
    """

    day: Floats
    piece: Numbers
    cpu: Numbers
    row: Numbers
    vote: Numbers
    cohort: Mapping[str, str]


def made(cause: Cause, fleet: Fleet, pool: Crashes, rng: np.random.Generator) -> Made:
    """What this cause does in this fleet."""
    since = 0.0 if cause.since is None else cause.since
    until = fleet.shape.days if cause.until is None else cause.until
    start, end = np.maximum(fleet.start, since), np.minimum(fleet.end, until)
    weight = np.maximum(end - start, 0.0) / (fleet.end - fleet.start) * fleet.process_hours
    cohort, inside = _cohort(cause, fleet, weight, rng)
    weight = np.where(inside, weight, 0.0)
    for attribute, factors in cause.times.items():
        factor = np.ones(len(fleet.values[attribute]))
        for value, times in factors.items():
            factor[fleet.code(attribute, value)] = times
        weight = weight * factor[fleet.codes[attribute]]
    if cause.hidden is not None:
        hosts = len(fleet.values["physical_host"])
        weight = weight * rng.gamma(cause.hidden, 1 / cause.hidden, hosts)[fleet.codes["physical_host"]]
    count = cause.crashes if cause.crashes is not None else int(rng.poisson((cause.a_day or 0.0) * (until - since)))
    if weight.sum() <= 0.0:
        count = 0
    if cause.pill:
        piece, day = _pills(count, cause.pill, weight, start, end, fleet, rng)
        vote = np.arange(count)
    else:
        piece = _chosen(weight, count, rng)
        day = start[piece] + rng.random(count) * (end[piece] - start[piece])
        piece, day, vote = _looped(piece, day, end, cause.loop, rng)
    cpu = rng.integers(0, fleet.shape.cpus, len(piece))
    if cause.cpu:
        bad = int(rng.integers(0, fleet.shape.cpus))
        cpu = np.where(rng.random(len(piece)) < 0.97, bad, cpu)  # now and then the thread moved before it died
        cohort["cpu"] = str(bad)
    rows = _rows(cause.look, pool, rng)
    if cause.look.by is None:
        row = _drawn(rows, vote, rng)
    else:
        row = _drawn_by(pool.builds, rows, fleet.codes[cause.look.by][piece], rng)
    return Made(day, piece, cpu, row, vote, cohort)


def _rows(look: Look, pool: Crashes, rng: np.random.Generator) -> Numbers:
    rows = pool.rows(*look.sets, programs=look.programs)
    if look.named:
        rows = rows[np.isin(pool.kinds[rows], look.named)]
    if look.builds:
        rows = rows[np.isin(pool.builds[rows], look.builds)]
    if look.kinds:
        kinds = np.unique(pool.kinds[rows])
        rows = rows[np.isin(pool.kinds[rows], rng.choice(kinds, min(look.kinds, len(kinds)), replace=False))]
    if not len(rows):
        raise LookupError(f"no crash in the pool looks like {look}")
    return rows


def _drawn(rows: Numbers, vote: Numbers, rng: np.random.Generator) -> Numbers:
    """None twice before all came once; the crashes of one vote look the same."""
    votes, of = np.unique(vote, return_inverse=True)
    rounds = max(-(-len(votes) // len(rows)), 1)
    return np.concatenate([rng.permutation(rows) for _ in range(rounds)])[of]


def _drawn_by(builds: NDArray[np.str_], rows: Numbers, code: Numbers, rng: np.random.Generator) -> Numbers:
    names = np.unique(builds[rows])
    row = np.zeros(len(code), np.int64)
    for value in np.unique(code):
        mine = rows[builds[rows] == names[value % len(names)]]
        row[code == value] = rng.choice(mine, int((code == value).sum()))
    return row


def _cohort(
    cause: Cause, fleet: Fleet, weight: Floats, rng: np.random.Generator
) -> tuple[dict[str, str], NDArray[np.bool_]]:
    cohort: dict[str, str] = {}
    inside = np.ones(len(weight), np.bool_)
    for attribute, wanted in cause.within.items():
        value = wanted
        if wanted == ANY:
            at_risk = np.bincount(fleet.codes[attribute], np.where(inside, weight, 0.0))
            value = fleet.values[attribute][int(rng.choice(np.flatnonzero(at_risk > 0)))]
        cohort[attribute] = value
        inside &= fleet.codes[attribute] == fleet.code(attribute, value)
    if cause.spread:
        physical = np.unique(fleet.codes["physical_host"][inside & (weight > 0)])
        chosen = rng.choice(physical, min(cause.spread, len(physical)), replace=False)
        inside &= np.isin(fleet.codes["physical_host"], chosen)
    return cohort, inside


def _chosen(weight: Floats, count: int, rng: np.random.Generator) -> Numbers:
    total = np.cumsum(weight)
    at = np.searchsorted(total, rng.random(count) * (total[-1] if count else 0.0), side="right")
    return np.minimum(at, len(weight) - 1)


def _looped(
    piece: Numbers, day: Floats, end: Floats, mean: float, rng: np.random.Generator
) -> tuple[Numbers, Floats, Numbers]:
    if mean <= 1.0:
        return piece, day, np.arange(len(piece))
    length = rng.geometric(1 / mean, len(piece))
    vote = np.repeat(np.arange(len(piece)), length)
    nth = np.arange(len(vote)) - np.repeat(np.cumsum(length) - length, length)
    gaps = np.where(nth > 0, rng.exponential(LOOP_GAP, len(vote)), 0.0)
    since = np.cumsum(gaps)
    since -= np.repeat(since[np.flatnonzero(nth == 0)], length)
    repeated = piece[vote]
    return repeated, np.minimum(day[vote] + since, end[repeated] - 1e-9), vote


def _pills(
    count: int, attempts: float, weight: Floats, start: Floats, end: Floats, fleet: Fleet, rng: np.random.Generator
) -> tuple[Numbers, Floats]:
    pieces, days = [np.zeros(0, np.int64)], [np.zeros(0)]
    made_ = 0
    tenant = fleet.codes["tenant"]
    while made_ < count:
        first = int(_chosen(weight, 1, rng)[0])
        begun = start[first] + rng.random() * (end[first] - start[first])
        tries = min(int(rng.geometric(1 / attempts)), count - made_)
        day = begun + np.append(0.0, np.sort(rng.random(tries - 1)) * ATTEMPTS_WITHIN)
        alive = np.flatnonzero((weight > 0) & (tenant == tenant[first]) & (start <= begun) & (end > day[-1]))
        piece = np.append(first, rng.choice(alive, tries - 1) if len(alive) else np.full(tries - 1, first))
        pieces.append(piece)
        days.append(np.minimum(day, end[piece] - 1e-9))
        made_ += tries
    return np.concatenate(pieces)[:count], np.concatenate(days)[:count]
