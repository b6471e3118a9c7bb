"""One machine, and the hosts that were placed on it: each a line from begin to end, its crashes as bars upon it.

Seen by host no address may be worth a look; seen by machine there is one line of crashes. A placement without a
recorded end or begin is open: its line has no stroke there.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from broadstreet.surfaces.charts.axes import TimeScale
from broadstreet.surfaces.charts.curve import axis_of
from broadstreet.surfaces.charts.lettering import fitted, moment, text_width, until
from broadstreet.surfaces.charts.svg import FULL, STROKES, TEXTS, box, drawing, element, group, line, link, path, text
from broadstreet.surfaces.text import plural

_ROW = 25.0
_BAR = 4.4  # pixels of a crash with its gap
_WIDE = 8.0
_NAME = 0.34  # of the width, at most


@dataclass(frozen=True)
class Placement:
    """A host on the machine from `begin` to `end` (null: open), and when it crashed there."""

    host: str
    begin: datetime | None
    end: datetime | None
    crashes: tuple[datetime, ...]
    link: str | None = None


@dataclass(frozen=True)
class Placements:
    """All hosts of one machine, in the order that the page wants; `onset` is when its outbreak began."""

    title: str
    start: datetime
    end: datetime
    rows: tuple[Placement, ...]
    onset: datetime | None = None
    onset_words: str = ""
    role: str = "a"


def draw(chart: Placements, width: float, form: str = "") -> Markup:
    """One row a placement, time from left to right."""
    names = max((text_width(row.host) for row in chart.rows), default=0.0)
    left = min(names, width * _NAME) + 14
    scale = TimeScale(chart.start, chart.end, left, width - 2)
    day = (scale.right - scale.left) / max(1.0, (chart.end - chart.start).total_seconds() / 86_400)
    bar = max(3.0, min(_WIDE, day))
    body, y = [], 18.0
    for row in chart.rows:
        shown, y = _row(chart, row, scale, y, bar, left - 13)
        body.append(shown)
    base = y + 10
    body += [path(line(left, base + 0.5, width, base + 0.5), "si"), axis_of(scale, base)]
    if chart.onset is not None:
        body.append(_onset(chart, chart.onset, scale, base))
    linked = any(row.link for row in chart.rows)
    return drawing(body, width, base + 22, chart.title, says(chart), form, linked)


def says(chart: Placements) -> str:
    """The chart in a sentence, for who cannot see it."""
    crashes = sum(len(row.crashes) for row in chart.rows)
    rows = "; ".join(f"{row.host} {len(row.crashes)}" for row in chart.rows)
    began = f" The outbreak began {moment(chart.onset)}." if chart.onset else ""
    sentence = f"{plural(crashes, 'crash', 'crashes')} in {plural(len(chart.rows), 'placement')}, "
    return f"{sentence}{moment(chart.start)} to {until(chart.end)}: {rows}.{began}"


def _row(
    chart: Placements, row: Placement, scale: TimeScale, y: float, bar: float, room: float
) -> tuple[Markup, float]:
    bars, highest = _bars(row, scale, bar)
    y += max(_ROW, highest * _BAR + 10)
    begin = scale.left if row.begin is None else scale.x(row.begin)
    end = scale.right if row.end is None else scale.x(row.end)
    ends = "" if row.begin is None else line(begin, y - 3.5, begin, y + 3.5)
    ends += "" if row.end is None else line(end, y - 3.5, end, y + 3.5)
    name = link(row.link, element("title", row.host), text(0, y + 4, fitted(row.host, room), "ti"))
    d = "".join(box(x, y - 1 - (place + 1) * _BAR, bar, _BAR * 0.8) for x, place in bars)
    return group(name, path(line(begin, y, end, y) + ends, "s3"), path(d, FULL[chart.role])), y


def _bars(row: Placement, scale: TimeScale, bar: float) -> tuple[list[tuple[float, int]], int]:
    # Crashes that would overlap share a place and are stacked.
    width = bar * 1.2
    least = scale.left if row.begin is None else scale.x(row.begin)
    stacks: Counter[int] = Counter()
    bars = []
    for at in sorted(row.crashes):
        place = int((scale.x(at) - scale.left) / width)
        bars.append((max(least, min(scale.left + place * width, scale.right - bar)), stacks[place]))
        stacks[place] += 1
    return bars, max(stacks.values(), default=0)


def _onset(chart: Placements, onset: datetime, scale: TimeScale, base: float) -> Markup:
    x = scale.x(onset)
    left = x + 6 + text_width(chart.onset_words, bold=True) > scale.right
    words = fitted(chart.onset_words, scale.right, bold=True)
    css = f"bold {TEXTS[chart.role]} halo" + (" end" if left else "")
    return group(
        path(line(x, 3, x, base), f"{STROKES[chart.role]} full"), text(x - 6 if left else x + 6, 13, words, css)
    )
