"""Did the fix work? Crashes since, against those that the rate before would have made in the same time at risk.

Never by calendar days: load falls, fleets shrink, a release takes two weeks to reach the last host. A release is
compared by what ran it, whenever that was, with what ran an older one. And never where fewer crashes were captured:
a collector that fails looks like the best of fixes.

Without time at risk, the other crashes are the measure: of all episodes, is the share of this syndrome smaller since?
"""

import math
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.errors import UsageError
from broadstreet.population.capture import changed_around
from broadstreet.population.onsets import moment
from broadstreet.population.part import measure_of
from broadstreet.population.population import UNKNOWN, Attribute, Floats, Population
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
TOLD = 0.8
"""Of the episodes, at least so many must lie in strata that have both sides; else the strata are left out."""
CAPTURED = 0.8
"""Under this share of crashes captured, fewer cases say nothing."""
OTHER_CAPTURE = 0.1
"""A share captured that differs by less than a tenth changes no answer, however certain the difference is."""
RECENT_DAYS = 14.0
"""The time at risk of a day is that of the last two weeks, as long as nobody says what is planned."""
Z = 1.959963984540054
Mask = NDArray[np.bool_]


class _Sides(NamedTuple):
    """Which episodes lie after, and how much of each piece does (0 to 1); what neither is known of is out."""

    votes: NDArray[np.int64]
    after: Mask
    share: Floats
    known: Mask
    moment: float


class _Told(NamedTuple):
    before: Side
    after: Side
    against: Against
    measure: str
    ratio: Interval | None
    strata: tuple[str, ...]
    test: Test | None


def fixed(population: Population, syndrome: str, fix: Fix, capture: Capture | None) -> Fixed:
    """Whether crashes of this syndrome became fewer by this fix; `capture` is null where no other channel counts."""
    code = list(population.syndromes).index(syndrome)
    every = votes_of(population)
    mine = every[population.syndrome[every] == code]
    dated = _dated(population, mine)
    sides = _sides(population, fix, dated)
    measure = measure_of(population, mine) or _usual(population)
    weights = _weights(population, measure)
    told = (
        _by_other_crashes(population, sides, _sides(population, fix, _dated(population, every)))
        if weights is None or measure is None
        else _by_time_at_risk(population, sides, weights, measure)
    )
    changed = None if capture is None else changed_around(capture, datetime.fromtimestamp(sides.moment, UTC))
    held = _held(sides, told, changed, capture)
    answer = "held" if held else _answer(told)
    more = _wait(population, sides, told, weights) if answer == "not known yet" else Wait(None, None)
    end = datetime.fromtimestamp(population.end, UTC)
    return Fixed(
        syndrome=syndrome,
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
        undated=len(mine) - len(dated),
        notes=tuple(_notes(fix, sides, len(mine) - len(dated), capture)),
    )


def _dated(population: Population, votes: NDArray[np.int64]) -> NDArray[np.int64]:
    time = population.time[votes]
    within = population.dated[votes] & (time >= population.start) & (time <= population.end)
    return votes[within]


def _sides(population: Population, fix: Fix, votes: NDArray[np.int64]) -> _Sides:
    if fix.release is not None:
        return _by_release(population, fix.release, votes)
    at = fix.since.timestamp() if fix.since is not None else _removed(population, fix.without_host or "")
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
    return _Sides(votes, population.time[votes] >= at, share, np.ones(len(share), bool), at)


def _by_release(population: Population, release: str, votes: NDArray[np.int64]) -> _Sides:
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
    return _Sides(votes[kept], later[codes[kept]], share, known_pieces, float(first[own]))


def _first_seen(population: Population, told: Attribute) -> Floats:
    first = np.full(len(told.values), np.inf)
    known = (told.cases != UNKNOWN) & ~np.isnan(population.time)
    np.minimum.at(first, told.cases[known], population.time[known])
    if population.at_risk is not None and told.at_risk is not None:
        known = told.at_risk != UNKNOWN
        np.minimum.at(first, told.at_risk[known], population.at_risk.start[known])
    return first


def _removed(population: Population, host: str) -> float:
    """When a host, or the physical host, was at risk for the last time."""
    for name in ("physical_host", "host"):
        told = population.exposures.get(name)
        if told is None or host not in told.values:
            continue
        if population.at_risk is None or told.at_risk is None:
            raise UsageError(f"nothing tells when {host} was taken out", "Say it: --since DATE")
        last = float(population.at_risk.end[told.at_risk == list(told.values).index(host)].max(initial=-np.inf))
        if last >= population.end:
            raise UsageError(f"{host} was at risk until the end", "Say since when it takes no work: --since DATE")
        return last
    raise UsageError(f"there is no host {host}", "broadstreet hosts")


def _usual(population: Population) -> str | None:
    return None if population.at_risk is None else next(iter(population.at_risk.measures), None)


def _weights(population: Population, measure: str | None) -> Floats | None:
    if population.at_risk is None or measure is None:
        return None
    weights = np.nan_to_num(population.at_risk.measures[measure])
    return weights if weights.sum() > 0 else None


def _by_time_at_risk(population: Population, sides: _Sides, weights: Floats, measure: str) -> _Told:
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
    population: Population, sides: _Sides, weights: Floats, names: tuple[str, ...]
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


def _by_other_crashes(population: Population, mine: _Sides, every: _Sides) -> _Told:
    a, b = int(mine.after.sum()), int((~mine.after).sum())
    c, d = int(every.after.sum()) - a, int((~every.after).sum()) - b
    first, second = _lengths(population, mine)
    p = float(fisher(b, a, d, c).greater)
    test = Test("tables.fisher.greater", {"a": b, "b": a, "c": d, "d": c}, p)
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


def _lengths(population: Population, sides: _Sides) -> tuple[float, float]:
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


def _a_day(population: Population, sides: _Sides) -> float | None:
    first, second = _lengths(population, sides)
    since = population.time[sides.votes] >= sides.moment
    before = int((~since).sum()) / first if first > 0 else 0.0
    return int(since.sum()) / second / before if before > 0 and second > 0 else None


def _held(sides: _Sides, told: _Told, changed: Changed | None, capture: Capture | None) -> str | None:
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


def _answer(told: _Told) -> Answer:
    if told.test is None or told.ratio is None or not told.before.episodes:
        return "not known yet"
    if told.test.p < LEVEL:
        return "fixed" if told.ratio.value <= DROP else "fewer"
    return "not fixed" if told.ratio.low > DROP else "not known yet"


def _wait(population: Population, sides: _Sides, told: _Told, weights: Floats | None) -> Wait:
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
        return "not known: there was no such crash before, so there is nothing to compare with"
    if told.test is None or told.ratio is None:
        return "not known: one side has no time at risk"
    if answer == "not known yet":
        return _until(more)
    fell = f"{1 - told.ratio.value:.0%} fewer" if told.ratio.value < 1 else f"{told.ratio.value:.1f} times as many"
    return {
        "fixed": "fixed: none since" if not told.after.episodes else f"fixed: {fell} than before",
        "fewer": f"fewer, not gone: {fell} than before",
        "not fixed": f"not fixed: {fell} than before, and a tenfold drop is ruled out",
    }[answer]


def _until(more: Wait) -> str:
    if more.zero_more is None:
        return "not known, and not within ten years: there were too few such crashes before"
    said = f"not known yet: in {more.zero_more:,} days, if there is none until then"
    if more.tenfold:
        said += f"; in {more.tenfold:,} days with 80 %, if the rate fell tenfold"
    return said


def _notes(fix: Fix, sides: _Sides, undated: int, capture: Capture | None) -> list[str]:
    notes = []
    if fix.release is not None:
        notes.append(f"what ran {fix.release}, or a release that came later, is compared with what ran an older one")
    if undated:
        notes.append(f"{undated:,} episodes have no time, or only that of a file, and are left out")
    if capture is None:
        notes.append("nothing counts the crashes that were not captured: broadstreet fleet add fatal_signals FILE")
    if not len(sides.share):
        notes.append("nothing tells the time at risk; the other crashes are the measure: broadstreet fleet add at_risk")
    return notes
