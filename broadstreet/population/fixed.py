"""Did the fix work? Crashes since, against those that the rate before would have made in the same time at risk.

Never by calendar days: load falls, fleets shrink, a release takes two weeks to reach the last host. A release is
compared by what ran it, whenever that was, with what ran an older one. And never where fewer crashes were captured:
a collector that fails looks like the best of fixes.

Without time at risk, the other crashes are the measure: of all episodes, is the share of this syndrome smaller since?
"""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.errors import UsageError
from broadstreet.population.capture import changed_around
from broadstreet.population.part import measure_of
from broadstreet.population.population import Floats, Population
from broadstreet.population.sides import Sides, dated, sides_of, since_then
from broadstreet.population.survey import votes_of
from broadstreet.records.capture import Capture, Changed
from broadstreet.records.fixed import Answer, Fix, Fixed, Side
from broadstreet.records.outbreak import Against, Test
from broadstreet.records.weights import Interval
from broadstreet.statistics.intervals import poisson_interval, rate_ratio
from broadstreet.statistics.reduction import DROP, LEVEL, Wait, so_few, wait
from broadstreet.statistics.strata import stratified
from broadstreet.statistics.tables import fisher

DAY = 86400.0
WITHIN = ("service", "workload")
MECHANISM = "mechanism "
TOLD = 0.8
"""Of the episodes, at least so many must lie in strata that have both sides; else the strata are left out."""
CAPTURED = 0.8
"""Under this share of crashes captured, fewer cases say nothing."""
OTHER_CAPTURE = 0.1
"""A share captured that differs by less than a tenth changes no answer, however certain the difference is."""
RECENT_DAYS = 14.0
"""The time at risk of a day is that of the last two weeks, as long as nobody says what is planned."""
DATES = 'A file\'s own time never does. "time" in NAME.json beside a core dump does, and scan --layout with {time}.'
Z = 1.959963984540054


class _Told(NamedTuple):
    before: Side
    after: Side
    against: Against
    measure: str
    ratio: Interval | None
    strata: tuple[str, ...]
    test: Test | None


def fixed(
    population: Population, syndrome: str, fix: Fix, capture: Capture | None, mechanism: str | None = None
) -> Fixed:
    """Whether crashes of this syndrome became fewer by this fix, or those of them with this mechanism.

    `capture` is null where no other channel counts crashes.
    """
    every = votes_of(population)
    mine = every[population.syndrome[every] == list(population.syndromes).index(syndrome)]
    mixed = _mechanisms(population, mine)
    if mechanism is not None:
        mine = _showing(population, mine, mechanism, mixed)
    told_when = dated(population, mine)
    if len(mine) and not len(told_when):
        which = f"crash of {syndrome}" if population.dated.any() else "crash of this casebook"
        raise UsageError(f"no {which} has a time that can date it", DATES)
    sides = sides_of(population, fix, told_when)
    needed = measure_of(population, mine)
    measure = needed or _usual(population)
    weights = _weights(population, measure)
    told = (
        _by_other_crashes(population, sides, sides_of(population, fix, dated(population, every)))
        if weights is None or measure is None
        else _by_time_at_risk(population, sides, weights, measure)
    )
    changed = None if capture is None else changed_around(capture, datetime.fromtimestamp(sides.moment, UTC))
    held = _held(sides, changed, capture) or (None if needed else _contradicted(population, sides, told))
    answer = "held" if held else _answer(told)
    more = _wait(population, sides, told, weights) if answer == "not known yet" else Wait(None, None)
    end = datetime.fromtimestamp(population.end, UTC)
    return Fixed(
        syndrome=syndrome,
        mechanism=mechanism,
        fix=fix,
        answer=answer,
        says=_says(answer, told, held, more),
        held=held,
        moment=datetime.fromtimestamp(sides.moment, UTC),
        start=datetime.fromtimestamp(population.start, UTC),
        end=end,
        before=told.before,
        after=told.after,
        measure=told.measure,
        against=told.against,
        expected=_expected(told),
        ratio=told.ratio,
        a_day=_a_day(population, sides),
        strata=told.strata,
        test=told.test,
        days_more=more.zero_more,
        days_more_tenfold=more.tenfold,
        known_on=None if more.zero_more is None else end + timedelta(days=more.zero_more),
        capture=changed,
        cases=tuple(population.case_ids[at] for at in sides.votes.tolist()),
        undated=len(mine) - len(told_when),
        notes=(
            *_notes(fix, sides, len(mine) - len(told_when), capture, {} if mechanism else mixed),
            *_still_there(population, fix, sides.moment),
        ),
    )


def _mechanisms(population: Population, votes: NDArray[np.int64]) -> dict[str, int]:
    """The mechanisms of these episodes, and of how many each is, the most first."""
    found = {
        name.removeprefix(MECHANISM): int((sign.cases[votes] == 1).sum())
        for name, sign in population.signs.items()
        if name.startswith(MECHANISM)
    }
    return {name: count for name, count in sorted(found.items(), key=lambda one: -one[1]) if count}


def _showing(
    population: Population, votes: NDArray[np.int64], mechanism: str, mixed: dict[str, int]
) -> NDArray[np.int64]:
    if mechanism not in mixed:
        known = ", ".join(mixed) or "nothing tells its crashes apart"
        raise UsageError(f"the syndrome has no {mechanism}", f"It has {known}." if mixed else known)
    shown = population.signs[MECHANISM + mechanism].cases[votes] == 1
    return np.asarray(votes[shown], np.int64)


def _usual(population: Population) -> str | None:
    return None if population.at_risk is None else next(iter(population.at_risk.measures), None)


def _weights(population: Population, measure: str | None) -> Floats | None:
    if population.at_risk is None or measure is None:
        return None
    weights = np.nan_to_num(population.at_risk.measures[measure])
    return weights if weights.sum() > 0 else None


def _by_time_at_risk(population: Population, sides: Sides, weights: Floats, measure: str) -> _Told:
    weights = np.where(sides.known, weights, 0.0)
    after, whole = float((weights * sides.share).sum()), float(weights.sum())
    seen, cases = int(sides.after.sum()), len(sides.votes)
    first, second = _lengths(population, sides)
    before_side, after_side = Side(cases - seen, whole - after, first), Side(seen, after, second)
    nothing = _Told(before_side, after_side, "time at risk", measure, None, (), None)
    share = after / whole if whole else 0.0
    if not (0 < share < 1 and cases):
        return nothing
    strata = tuple(n for n in WITHIN if n in population.exposures and population.exposures[n].at_risk is not None)
    inside, total, shares = _strata(population, sides, weights, strata)
    both = total > 0
    inside, total, shares = inside[both], total[both], shares[both]
    told = stratified(total - inside, total, 1 - shares)
    if strata and told.p is not None and told.ratio is not None and told.informative >= TOLD * cases:
        columns = zip(("inside", "total", "share"), (total - inside, total, 1 - shares), strict=True)
        test = Test("strata.stratified", {name: tuple(some.tolist()) for name, some in columns}, told.p)
        return nothing._replace(ratio=_turned(told.ratio), strata=strata, test=test)
    p = float(so_few(cases - seen, seen, share))
    test = Test("reduction.so_few", {"before": cases - seen, "after": seen, "share": share}, p)
    return nothing._replace(ratio=rate_ratio(seen, cases - seen, share), test=test)


def _strata(
    population: Population, sides: Sides, weights: Floats, names: tuple[str, ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Episodes after, all episodes, and the share of the time at risk that lay after, of each stratum."""
    cases, pieces = np.zeros(len(sides.votes), np.int64), np.zeros(len(weights), np.int64)
    count = 1
    for name in names:
        told = population.exposures[name]
        assert told.at_risk is not None
        size = len(told.values) + 1  # what is not known is a stratum too: it has both sides
        cases, pieces = cases * size + told.cases[sides.votes] + 1, pieces * size + told.at_risk + 1
        count *= size
    inside = np.bincount(cases[sides.after], minlength=count)
    total = np.bincount(cases, minlength=count)
    whole = np.bincount(pieces, weights, count)
    after = np.bincount(pieces, weights * sides.share, count)
    share = np.divide(after, whole, out=np.zeros(count), where=whole > 0)
    return inside.astype(np.int64), total.astype(np.int64), share


def _by_other_crashes(population: Population, mine: Sides, every: Sides) -> _Told:
    a, b = int(mine.after.sum()), int((~mine.after).sum())
    c, d = int(every.after.sum()) - a, int((~every.after).sum()) - b
    first, second = _lengths(population, mine)
    p = float(fisher(b, a, d, c).greater)
    test = Test("tables.fisher", {"a": b, "b": a, "c": d, "d": c}, p)
    ratio = None
    if a + b and c + d:
        # Of odds, with half a case added to each cell (Gart): the interval of a 2 x 2 table with empty cells.
        cells = [cell + 0.5 for cell in (a, d, b, c)]
        value = cells[0] * cells[1] / (cells[2] * cells[3])
        half = Z * math.sqrt(sum(1 / cell for cell in cells))
        exact = a * d / (b * c) if b and c else value
        ratio = Interval(exact, value * math.exp(-half), value * math.exp(half))
    sides = Side(b, float(d), first), Side(a, float(c), second)
    return _Told(*sides, "other crashes", "other crashes", ratio, (), test if ratio else None)


def _lengths(population: Population, sides: Sides) -> tuple[float, float]:
    return (sides.moment - population.start) / DAY, (population.end - sides.moment) / DAY


def _turned(ratio: Interval) -> Interval:
    def inverse(value: float) -> float:
        return math.inf if value == 0 else 1 / value

    return Interval(inverse(ratio.value), inverse(ratio.high), inverse(ratio.low))


def _expected(told: _Told) -> Interval | None:
    if not told.before.at_risk:
        return None
    times = told.after.at_risk / told.before.at_risk
    low, high = (float(end) * times for end in poisson_interval(told.before.episodes))
    return Interval(told.before.episodes * times, low, high)


def _a_day(population: Population, sides: Sides) -> float | None:
    first, second = _lengths(population, sides)
    since = population.time[sides.votes] >= sides.moment
    before = int((~since).sum()) / first if first > 0 else 0.0
    return int(since.sum()) / second / before if before > 0 and second > 0 else None


def _held(sides: Sides, changed: Changed | None, capture: Capture | None) -> str | None:
    if changed is None or capture is None:
        return None
    for fall in capture.dropouts:
        if fall.kind == "collector" and fall.end.timestamp() > sides.moment:
            where = f" in {', '.join(fall.regions)}" if fall.regions else ""
            return (
                f"from {fall.start:%Y-%m-%d} until {fall.end:%Y-%m-%d} only {fall.captured:,} of {fall.fatal:,} crashes"
                f"{where} were captured: a collector that fails looks like a fix"
            )
    before, after = changed.before.ratio, changed.after.ratio
    if after is not None and after.value < CAPTURED:
        return f"since then only {after.value:.0%} of the crashes were captured, and {CAPTURED:.0%} are needed"
    if before is None or after is None or changed.test.p >= LEVEL:
        return None
    if abs(after.value - before.value) <= OTHER_CAPTURE * before.value:
        return None
    return f"{before.value:.0%} of the crashes were captured before, {after.value:.0%} since"


def _contradicted(population: Population, sides: Sides, told: _Told) -> str | None:
    """Where nobody knows what makes these crashes, fewer by one measure has to be fewer by all that are told."""
    if population.at_risk is None or told.test is None or told.test.p >= LEVEL or told.against == "other crashes":
        return None
    for name in population.at_risk.measures:
        weights = _weights(population, name)
        if name == told.measure or weights is None:
            continue
        other = _by_time_at_risk(population, sides, weights, name)
        if other.test is not None and other.ratio is not None and other.test.p >= LEVEL:
            return (
                f"fewer by {told.measure}, but {other.ratio.value:.1f} times as many by {name}: the load changed, and "
                "nobody knows which of the two these crashes go by"
            )
    return None


def _answer(told: _Told) -> Answer:
    if told.test is None or told.ratio is None:
        return "not known yet"
    if told.test.p < LEVEL:
        return "fixed" if told.ratio.value <= DROP else "fewer"
    return "not fixed" if told.ratio.low > DROP else "not known yet"


def _wait(population: Population, sides: Sides, told: _Told, weights: Floats | None) -> Wait:
    days = min(RECENT_DAYS, told.after.days)
    if weights is None or population.at_risk is None or not days > 0:
        a_day = told.after.at_risk / told.after.days if told.after.days > 0 else 0.0
        return wait(told.before.episodes, told.after.episodes, told.before.at_risk, told.after.at_risk, a_day)
    pieces = population.at_risk
    length = np.maximum(pieces.end - pieces.start, 1e-9)
    recent = np.clip((pieces.end - (population.end - days * DAY)) / length, 0.0, 1.0)
    a_day = float((np.where(sides.known, weights, 0.0) * np.minimum(recent, sides.share)).sum()) / days
    return wait(told.before.episodes, told.after.episodes, told.before.at_risk, told.after.at_risk, a_day)


def _says(answer: Answer, told: _Told, held: str | None, more: Wait) -> str:
    if held:
        return f"held: {held}"
    if not told.before.episodes:
        since = f"not fixed: none before, {told.after.episodes:,} since"
        unknown = "not known: there was no such crash before, so there is nothing to compare with"
        return since if answer == "not fixed" else unknown
    if told.test is None or told.ratio is None:
        lacks = "there are no other crashes to compare with" if told.against == "other crashes" else None
        return f"not known: {lacks or 'one side has no time at risk'}"
    if answer == "not known yet":
        return _until(more)
    value = told.ratio.value
    fell = f"{1 - value:.0%} fewer than" if value < 1 else f"{value:.1f} times as many as"
    return {
        "fixed": "fixed: none since" if not told.after.episodes else f"fixed: {fell} before",
        "fewer": f"fewer, not gone: {fell} before",
        "not fixed": f"not fixed: {fell} before, and a tenfold drop is ruled out",
    }[answer]


def _until(more: Wait) -> str:
    if more.zero_more is None:
        return "not known, and not within ten years: there were too few such crashes before"
    said = f"not known yet: in {more.zero_more:,} days, if there is none until then"
    if more.tenfold:
        said += f"; in {more.tenfold:,} days with 80 %, if the rate fell tenfold"
    return said


def _notes(fix: Fix, sides: Sides, undated: int, capture: Capture | None, mixed: dict[str, int]) -> list[str]:
    notes = []
    if len(mixed) > 1:
        of = ", ".join(f"{count:,} {name}" for name, count in mixed.items())
        notes.append(f"it holds {of}, which need not have one cause; each alone: --mechanism NAME")
    if fix.release is not None:
        notes.append(f"what ran {fix.release}, or a release that came later, is compared with what ran an older one")
    if undated:
        notes.append(f"{undated:,} episodes have no time, or only that of a file, and are left out")
    if capture is None:
        notes.append("nothing counts the crashes that were not captured: broadstreet fleet add fatal_signals FILE")
    if not len(sides.share):
        notes.append(
            "nothing tells the time at risk; the other crashes are the measure: broadstreet fleet add at_risk FILE"
        )
    return notes


def _still_there(population: Population, fix: Fix, moment: float) -> Iterator[str]:
    """What speaks against it that a host took no work since a date."""
    if fix.since is None or fix.without_host is None:
        return
    crashes, at_risk = since_then(population, fix.without_host, moment)
    if crashes:
        yield f"{crashes:,} crashes on {fix.without_host} came since then: it did take work"
    if at_risk:
        yield f"the fleet tells that {fix.without_host} was at risk since then too, and that time is counted"
