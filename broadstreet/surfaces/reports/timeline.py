"""What happened when: the curve of cases, and a line for each moment that matters."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from broadstreet.records.selection import EVERYTHING
from broadstreet.store.atlas import Atlas
from broadstreet.store.looking import counted
from broadstreet.surfaces.charts.curve import Curve, Series
from broadstreet.surfaces.charts.marks_of_time import Mark
from broadstreet.surfaces.investigation_json import InvestigationJson
from broadstreet.surfaces.judgement_text import judgement_sentences
from broadstreet.surfaces.reports.parts import Part, begins, dated
from broadstreet.surfaces.reports.record import Block, Chart, Table, Words
from broadstreet.surfaces.text import plural
from broadstreet.surfaces.web.curves import CurveTold, MarkTold, curve_told, outages
from broadstreet.surfaces.web.found import capture
from broadstreet.surfaces.web.verdicts import utc
from broadstreet.verdict.figures import ratio, short_day
from broadstreet.verdict.words import exposure

MOST_DRAWN = 3  # outbreaks that have a series of their own
MOST_ARRIVALS = 2  # of an outbreak that are marked; the timeline has them all
MOST_LINES = 200


class Moment(NamedTuple):
    """Something that happened, of these outbreaks (by rank; none: of the fleet)."""

    at: datetime
    what: str
    of: tuple[int, ...] = ()


def chart(atlas: Atlas, parts: Sequence[Part]) -> Chart | None:
    """Cases over time, the first outbreaks apart from all else; null where nothing is dated."""
    shown = parts[:MOST_DRAWN]
    marks = [mark for part in shown for mark in _marks(part)]
    marks += outages(atlas)
    values = [(str(part.outbreak.rank), _name(part, len(parts))) for part in shown]
    told = curve_told(atlas, EVERYTHING, "outbreak", marks, values=values)
    if told is None:
        return None
    drawn = _curve(told)
    undated = atlas.about.cases - atlas.about.dated
    lost = f" {plural(undated, 'case')} without a time that can be trusted are not shown." if undated else ""
    return Chart(drawn, f"Times are UTC.{lost}")


def timeline(atlas: Atlas, found: InvestigationJson, parts: Sequence[Part]) -> Iterator[Block]:
    """A table of moments, in order."""
    every = sorted({*_of_fleet(atlas, found, parts), *(one for part in parts for one in _of_part(part))})
    if not every:
        yield Words("Nothing that is known of has a time that can be trusted.")
        return
    several = len(parts) > 1
    head = ("when, UTC", *(("outbreak",) if several else ()), "what")
    rows = [
        (f"{short_day(one.at)} {one.at:%Y %H:%M}", *((", ".join(map(str, one.of)),) if several else ()), one.what)
        for one in every[:MOST_LINES]
    ]
    yield Table(head, tuple(rows))
    if len(every) > MOST_LINES:
        yield Words(f"And {len(every) - MOST_LINES:,} more.", small=True)


def _of_part(part: Part) -> Iterator[Moment]:
    one, rank = part.outbreak, (part.outbreak.rank,)
    at, end = utc(one.onset), utc(one.end)
    if part.first is not None and part.last is not None:
        yield Moment(part.first.astimezone(UTC), "The first of these crashes that was read.", rank)
        yield Moment(part.last.astimezone(UTC), "The last of these crashes that was read.", rank)
    for arrival in one.arrivals:
        when = utc(arrival.at)
        if when is not None:
            yield Moment(when, f"New then: {exposure(arrival.attribute)} {arrival.value}.", rank)
    if at is not None:
        what = "It begins" if begins(one) else "They come oftener from here on"
        yield Moment(at, f"{what}{_between(one.onset_interval)}.", rank)
    if end is not None:
        yield Moment(end, f"It ends{_between(one.end_interval)}.", rank)
    if one.judgement is not None:
        yield Moment(datetime.fromisoformat(one.judgement.made), " ".join(judgement_sentences(one)), rank)


def _of_fleet(atlas: Atlas, found: InvestigationJson, parts: Sequence[Part]) -> Iterator[Moment]:
    ranks: dict[str, list[int]] = {}
    for part in parts:
        ranks.setdefault(part.outbreak.syndrome, []).append(part.outbreak.rank)
    for alarm in found.alarms:
        at = utc(alarm.at)
        if at is not None and (not parts or alarm.syndrome in ranks):
            what = (
                f"Alarm: {alarm.syndrome} comes oftener than its own past, {alarm.seen:,} crashes where "
                f"{ratio(alarm.expected)} were likely."
            )
            yield Moment(at, what, tuple(ranks.get(alarm.syndrome, ())))
    if not parts:
        row = counted(atlas, dated(EVERYTHING)).dicts()[0]
        if row["first"] is not None:
            yield Moment(row["first"].astimezone(UTC), "The first crash that was read.")
            yield Moment(row["last"].astimezone(UTC), "The last crash that was read.")
    known = capture(atlas)
    for one in known.dropouts if known else ():
        where = f" in {', '.join(one.regions)}" if one.regions else ""
        lost = "Crashes are not captured" if one.kind == "collector" else "Nobody counts crashes"
        until = f"until {short_day(one.end)} {one.end:%H:%M}"
        yield Moment(one.start, f"{lost}{where}, {until}: {one.captured:,} of {one.fatal:,} became a case.")


def _marks(part: Part) -> Iterator[MarkTold]:
    one = part.outbreak
    at = utc(one.onset)
    if at is not None:
        low, high = (utc(end) for end in one.onset_interval or (None, None))
        note = f"95% interval {short_day(low)} to {short_day(high)}" if low and high else ""
        name = one.mechanism.replace("_", " ").capitalize()
        how = "begins" if begins(one) else "oftener from"
        yield MarkTold("onset", at, f"{name} {how} {short_day(at)}", note, part.word.role, low, high)
    for arrival in one.arrivals[:MOST_ARRIVALS]:
        when = utc(arrival.at)
        if when is not None:
            yield MarkTold("release", when, f"{exposure(arrival.attribute)} {arrival.value}", f"new {short_day(when)}")


def _name(part: Part, of: int) -> str:
    kind = part.outbreak.mechanism.replace("_", " ").capitalize() or "Crashes"
    return kind if of == 1 else f"{part.outbreak.rank} {kind}"


def _curve(told: CurveTold) -> Curve:
    marks = {(one.kind, one.at, one.title): one for one in told.marks}.values()  # a release may come before several
    return Curve(
        title="Cases over time",
        start=told.start,
        end=told.end,
        step=told.step,
        series=tuple(Series(one.name, one.role, tuple(one.counts)) for one in told.series),
        marks=tuple(Mark(m.kind, m.at, m.title, m.note, m.role, m.low, m.high, m.until) for m in marks),
    )


def _between(interval: list[str] | None) -> str:
    low, high = (utc(end) for end in interval or (None, None))
    return f" (95% interval {short_day(low)} {low:%H:%M} to {short_day(high)} {high:%H:%M})" if low and high else ""
