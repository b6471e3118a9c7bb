"""The epidemic curve of any selection: what it says, and how it is drawn."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec
from markupsafe import Markup

from broadstreet.records.selection import Selection
from broadstreet.store.atlas import Atlas
from broadstreet.store.looking import curve
from broadstreet.surfaces.charts import brush
from broadstreet.surfaces.charts import curve as chart
from broadstreet.surfaces.charts.curve import Curve, Series, Strip
from broadstreet.surfaces.charts.marks_of_time import Mark
from broadstreet.surfaces.charts.svg import WIDE, for_widths
from broadstreet.surfaces.text import plural
from broadstreet.surfaces.web.found import capture, investigation
from broadstreet.surfaces.web.rendering import link

MIDDLE = 920  # pixels, for pages between 1,000 and 1,310
HOURS = {"hour": 1, "day": 24, "week": 168}
LONGEST = {"hour": timedelta(days=4), "day": timedelta(days=400)}  # of a period that is drawn in such steps
MOST_SERIES = 3  # that are told apart; the others are everything else
ROLES = ("a", "b", "c")
REST = "Everything else"
BY = ("outbreak", "mechanism", "syndrome")


class SeriesTold(msgspec.Struct, frozen=True):
    """One kind of cases: its value of the column (null: all others), and its cases in each step."""

    name: str
    value: str | None
    role: str
    cases: int
    counts: list[int]


class MarkTold(msgspec.Struct, frozen=True):
    """Something that happened: an onset with its interval, a release, or an outage until a time."""

    kind: Literal["onset", "release", "outage"]
    at: datetime
    title: str
    note: str = ""
    role: str = "other"
    low: datetime | None = None
    high: datetime | None = None
    until: datetime | None = None


class StripTold(msgspec.Struct, frozen=True):
    """A second quantity in the same steps; null where nothing tells it."""

    name: str
    values: list[float | None]


class CurveTold(msgspec.Struct, frozen=True):
    """Cases over time in steps from `start`, stacked by a column.

    `undated` cases have no place on it, and `outside` are those of other times; null: that was not asked.
    """

    step: Literal["hour", "day", "week"]
    start: datetime
    end: datetime
    by: str | None
    series: list[SeriesTold]
    marks: list[MarkTold]
    strip: StripTold | None
    selected: tuple[datetime, datetime] | None
    caption: str
    query: str
    undated: int | None = None
    outside: int | None = None


def curve_told(
    atlas: Atlas,
    selection: Selection,
    by: str | None = None,
    marks: Sequence[MarkTold] = (),
    strip: StripTold | None = None,
    period: tuple[datetime, datetime] | None = None,
    values: Sequence[tuple[str, str]] | None = None,
) -> CurveTold | None:
    """The curve of a selection over its whole period, however short the selected time; null where nothing is dated.

    `values` are the values of `by` that are told apart, each with its name; else the commonest are.
    """
    whole = period or period_of(atlas)
    if whole is None:
        return None
    step = step_of(*whole)
    start = begin(whole[0], step)
    length = timedelta(hours=HOURS[step])
    count = max(1, -((start - whole[1]) // length))
    answer = curve(atlas, selection._replace(start=None, end=None), start, HOURS[step], by)
    found = answer.dicts()
    rows = [row for row in found if row["bin"] is not None and 0 <= row["bin"] < count]
    undated = sum(row["cases"] for row in found if row["bin"] is None)
    outside = sum(row["cases"] for row in found) - undated - sum(row["cases"] for row in rows)
    series = _series(atlas, rows, count, by, values)
    told = CurveTold(
        step=step,
        start=start,
        end=start + count * length,
        by=by,
        series=series,
        marks=[one for one in marks if start <= (one.until or one.at) and one.at < start + count * length],
        strip=strip,
        selected=_selected(selection, start, start + count * length),
        caption="",
        query=answer.select,
        undated=undated,
        outside=outside,
    )
    without = f"; {plural(undated, 'case')} without a time not on it" if undated else ""
    without += f"; {plural(outside, 'case')} of other times not on it" if outside and period is None else ""
    return msgspec.structs.replace(told, caption=chart.caption(_chart(told, "")) + without)


def drawn(told: CurveTold, title: str, page: str | None = None, selection: Selection | None = None) -> Markup:
    """The curve twice: for a wide page and for a narrow one. Each step links to `page` with that time selected."""
    made = _chart(told, title, page, selection)
    return for_widths(chart.draw, made, middle=MIDDLE)


def drawn_low(told: CurveTold, title: str, width: float = WIDE) -> Markup:
    """The curve as one of several, or as a strip to be brushed."""
    made = _chart(told, title)
    return for_widths(chart.draw_low, made, width)


def brushed(told: CurveTold, title: str) -> Markup:
    """The strip on which a part of the time is chosen: all cases of each step, the chosen part between brackets."""
    made = brush.Brush(
        title,
        told.start,
        told.end,
        tuple(sum(counts) for counts in zip(*(one.counts for one in told.series), strict=True)),
        told.selected or (told.start, told.end),
        "drag over it",
    )
    return for_widths(brush.draw, made)


def period_of(atlas: Atlas) -> tuple[datetime, datetime] | None:
    """What was observed; null where no case is dated and no fleet is told."""
    about = atlas.about
    if not about.start or not about.end or (about.newest is None and about.at_risk is None):
        return None
    return _utc(about.start), _utc(about.end)


def step_of(start: datetime, end: datetime) -> Literal["hour", "day", "week"]:
    """The step in which a period is drawn."""
    length = end - start
    return "hour" if length <= LONGEST["hour"] else "day" if length <= LONGEST["day"] else "week"


def begin(at: datetime, step: str) -> datetime:
    """The begin of the step that a moment lies in."""
    day = (
        at.replace(minute=0, second=0, microsecond=0)
        if step == "hour"
        else at.replace(hour=0, minute=0, second=0, microsecond=0)
    )
    return day - timedelta(days=day.weekday()) if step == "week" else day


def outages(atlas: Atlas) -> list[MarkTold]:
    """When few of the crashes were captured."""
    known = capture(atlas)
    return [
        MarkTold(
            "outage",
            one.start,
            f"{'Collector' if one.kind == 'collector' else 'Counting'} down{_in(one.regions)}",
            f"{one.captured:,} of {one.fatal:,} crashes captured",
            until=one.end,
        )
        for one in ((*known.dropouts,) if known else ())
    ]


def onsets(atlas: Atlas) -> list[MarkTold]:
    """When the outbreaks began, each in the colour of its outbreak."""
    found = []
    for one, role in zip(investigation(atlas).outbreaks, ROLES, strict=False):
        if one.onset is not None:
            low, high = map(_utc, one.onset_interval) if one.onset_interval else (None, None)
            at = _utc(one.onset)
            name = one.mechanism.replace("_", " ").capitalize()
            interval = f"95% interval {_short(low)} to {_short(high)}" if low and high else ""
            found.append(MarkTold("onset", at, f"{name} begins {_short(at)}", interval, role, low, high))
    return found


def _series(
    atlas: Atlas,
    rows: Sequence[dict[str, object]],
    count: int,
    by: str | None,
    values: Sequence[tuple[str, str]] | None,
) -> list[SeriesTold]:
    counts: dict[str | None, list[int]] = {}
    for row in rows:
        value = row["value"]
        counts.setdefault(None if value is None else str(value), [0] * count)[int(str(row["bin"]))] += int(
            str(row["cases"])
        )
    named = values if values is not None else _commonest(atlas, counts, by)
    told = [
        SeriesTold(name, value, role, sum(counts.get(value, ())), counts.pop(value, [0] * count))
        for (value, name), role in zip(named, ROLES, strict=False)
    ]
    rest = [sum(column) for column in zip(*counts.values(), strict=True)] if counts else [0] * count
    if sum(rest) or not told:
        told.append(SeriesTold(REST if told else "Cases", None, "other", sum(rest), rest))
    return told


def _commonest(atlas: Atlas, counts: dict[str | None, list[int]], by: str | None) -> list[tuple[str, str]]:
    known = sorted(((sum(some), value) for value, some in counts.items() if value is not None), reverse=True)
    if by == "outbreak":  # in the order of their rank, so that a colour stays with its outbreak
        ranks = {str(one.rank): one for one in investigation(atlas).outbreaks[:MOST_SERIES]}
        return [(rank, f"{rank} {one.mechanism.replace('_', ' ')}") for rank, one in ranks.items()]
    return [(value, value.replace("_", " ") if by == "mechanism" else value) for _, value in known[:MOST_SERIES]]


def _chart(told: CurveTold, title: str, page: str | None = None, selection: Selection | None = None) -> Curve:
    step = timedelta(hours=HOURS[told.step])
    links: tuple[str, ...] = ()
    if page is not None:
        some = selection or Selection()
        starts = (told.start + place * step for place in range(len(told.series[0].counts)))
        links = tuple(link(page, some._replace(start=at, end=at + step)) for at in starts)
    return Curve(
        title=title,
        start=told.start,
        end=told.end,
        step=told.step,
        series=tuple(Series(one.name, one.role, tuple(one.counts)) for one in told.series),
        marks=tuple(
            Mark(one.kind, max(one.at, told.start), one.title, one.note, one.role, one.low, one.high, one.until)
            for one in told.marks
        ),
        strip=None if told.strip is None else Strip(told.strip.name, tuple(told.strip.values)),
        selected=told.selected,
        links=links,
    )


def _selected(selection: Selection, start: datetime, end: datetime) -> tuple[datetime, datetime] | None:
    if selection.start is None and selection.end is None:
        return None
    first, last = max(selection.start or start, start), min(selection.end or end, end)
    return (first, last) if first < last else None


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _short(at: datetime | None) -> str:
    return "" if at is None else f"{at.day} {at:%b}"


def _in(regions: Sequence[str]) -> str:
    return f" in {', '.join(regions)}" if regions else ""
