"""The strip under which a page's range of time is chosen: cases over all time, the range between two brackets.

A script may move the brackets by the times in the attributes; without one the form beside the strip does the same.
"""

from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from broadstreet.surfaces.charts.axes import TimeScale
from broadstreet.surfaces.charts.lettering import day, iso, moment, text_width, until
from broadstreet.surfaces.charts.svg import drawing, element, group, line, link, number, path, text
from broadstreet.surfaces.text import plural

_PLOT = 28.0
_BASE = 34.0


@dataclass(frozen=True)
class Brush:
    """Cases in equal steps from `start` to `end`, and the range that is chosen; null counts are not observed."""

    title: str
    start: datetime
    end: datetime
    counts: tuple[int | None, ...]
    chosen: tuple[datetime, datetime]
    hint: str = ""
    links: tuple[str | None, ...] = ()


def draw(brush: Brush, width: float, form: str = "") -> Markup:
    """The strip with its brackets, its ends and their dates."""
    scale = TimeScale(brush.start, brush.end, 2, width - 2)
    begin, end = (scale.x(at) for at in brush.chosen)
    step = (brush.end - brush.start) / max(1, len(brush.counts))
    most = max([1, *(count or 0 for count in brush.counts)])
    inside: list[str] = []
    outside: list[str] = []
    columns: list[Markup] = []
    for place, count in enumerate(brush.counts):
        begins, ends = brush.start + place * step, brush.start + (place + 1) * step
        x, wide = scale.x(begins), scale.x(ends) - scale.x(begins)
        high = (count or 0) / most * _PLOT
        bar = f"M{number(x)} {number(_BASE)}v{number(-high)}h{number(wide)}v{number(high)}z" if count else ""
        (inside if brush.chosen[0] <= begins + step / 2 < brush.chosen[1] else outside).append(bar)
        room = element("rect", class_="hit", x=x, y=_BASE - _PLOT, width=wide, height=_PLOT)
        said = "not observed" if count is None else plural(count, "case")
        href = brush.links[place] if place < len(brush.links) else None
        title = element("title", f"{moment(begins)}: {said}")
        columns.append(link(href, title, room, class_="col", data_from=iso(begins), data_to=iso(ends)))
    body = [
        path("".join(outside), "g2"),
        path("".join(inside), "g4"),
        path(line(0, _BASE + 0.5, width, _BASE + 0.5), "si"),
        *columns,
        _grip("from", begin, 1, brush.chosen[0]),
        _grip("to", end, -1, brush.chosen[1]),
        *_words(brush, width),
    ]
    return drawing(body, width, 52, brush.title, says(brush), form, linked=any(brush.links))


def says(brush: Brush) -> str:
    """The strip in a sentence, for who cannot see it."""
    cases = sum(count or 0 for count in brush.counts)
    whole = f"{plural(cases, 'case')}, {moment(brush.start)} to {until(brush.end)}"
    return f"{whole}; chosen {moment(brush.chosen[0])} to {until(brush.chosen[1])}."


def _grip(name: str, x: float, way: int, at: datetime) -> Markup:
    bracket = path(f"M{number(x + 5 * way)} 8H{number(x)}V{number(_BASE)}", "si bracket")
    # Wider than it looks: a finger is 24 pixels.
    room = element("rect", class_="hit", x=x - 12, y=0, width=24, height=_BASE + 6)
    return group(bracket, room, class_="grip", data_grip=name, data_at=iso(at))


def _words(brush: Brush, width: float) -> list[Markup]:
    first, last = day(brush.start, year=True), until(brush.end)
    room = width - text_width(first) - text_width(last) - 24
    hint = brush.hint if text_width(brush.hint) <= room else ""
    shown = [text(0, 49, first), text(width, 49, last, "end")]
    return [*shown, text(width / 2, 49, hint, "mid t3")] if hint else shown
