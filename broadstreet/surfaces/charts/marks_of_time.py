"""What happened and when, written above a curve: onsets, releases, outages, each with two lines of words.

The words stand above the plot, each at the right or the left of its line. Where two would meet, or a line would run
through the words of another, one goes up a row. Of all ways to choose the sides, the one is taken in which no word
leaves the drawing, the fewest lie on a line, and there are the fewest rows.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from markupsafe import Markup

from broadstreet.surfaces.charts.axes import TimeScale
from broadstreet.surfaces.charts.lettering import fitted, text_width
from broadstreet.surfaces.charts.svg import STROKES, TEXTS, group, hatch, line, path, text

ROW = 32  # pixels of a row of words: two lines and air
_WORDS_FROM_LINE = 5
_BETWEEN = 8
_LONGEST = 0.62  # of the width: longer words are cut
_OUTSIDE = 0.5  # lines behind words (they have a halo) that a pixel outside the drawing weighs
_FEW = 7  # marks for which every way is tried: 128
_LINE = 14  # from one line of words to the next


@dataclass(frozen=True)
class Mark:
    """Something that happened at `at`. `low` and `high` are an onset's interval, `until` is an outage's end."""

    kind: Literal["onset", "release", "outage"]
    at: datetime
    title: str
    note: str = ""
    role: str = "other"
    low: datetime | None = None
    high: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Placed:
    """A mark with the room for its words: from `left` to `right`, in a row counted from the plot upwards."""

    mark: Mark
    x: float
    left: float
    right: float
    row: int
    words_left: bool


def placed(marks: tuple[Mark, ...], scale: TimeScale, width: float) -> list[Placed]:
    """The marks in the order of time, each with its row."""
    ordered = sorted(marks, key=lambda mark: mark.at)
    widths = [min(_LONGEST * width, _words_width(mark)) for mark in ordered]
    xs = [scale.x(mark.at) for mark in ordered]
    best: tuple[tuple[float, int, int], list[Placed]] | None = None
    for sides in _sides(len(ordered)):
        spans = [_span(*one) for one in zip(xs, widths, sides, strict=True)]
        outside = sum(max(0.0, -left) + max(0.0, right - width) for left, right in spans)
        if best is not None and outside * _OUTSIDE > best[0][0]:
            continue
        rows = _rows(xs, spans)
        cost = (outside * _OUTSIDE + _crossed(xs, spans, rows), max(rows, default=0), sum(sides))
        if best is None or cost < best[0]:
            placing = zip(ordered, xs, spans, rows, sides, strict=True)
            best = cost, [Placed(mark, x, *span, row, left) for mark, x, span, row, left in placing]
    return best[1] if best else []


def headroom(placing: list[Placed]) -> float:
    """Pixels that the words take above the plot."""
    return (max(place.row for place in placing) + 1) * ROW if placing else 0.0


def drawn(placing: list[Placed], scale: TimeScale, top: float, base: float) -> tuple[Markup, Markup]:
    """What lies behind the cases (outages), and what lies before them (lines and words)."""
    behind, before, onsets = [], [], 0
    for place in placing:
        mark = place.mark
        words_top = top - ROW * (place.row + 1)
        if mark.kind == "outage":
            until = scale.x(mark.until) if mark.until else scale.right
            behind.append(path(hatch(place.x, top, max(3.0, until - place.x), base - top), "ht"))
        if mark.kind == "onset":
            onsets += 1
            before.append(_interval(mark, scale, top - 3 + 7 * onsets))
        style = f"{STROKES[mark.role]} full" if mark.kind == "onset" else "dot"
        before.append(path(line(place.x, words_top, place.x, base), style))
    return group(*behind), group(*before, *(_words(place, top) for place in placing))


def _words(place: Placed, top: float) -> Markup:
    mark = place.mark
    y = top - ROW * (place.row + 1) + 11
    x = place.x - _WORDS_FROM_LINE if place.words_left else place.x + _WORDS_FROM_LINE
    side = " end" if place.words_left else ""
    room = place.right - place.left
    css = f"{TEXTS[mark.role]} bold halo{side}" if mark.kind == "onset" else f"bold halo{side}"
    lines = [text(x, y, fitted(mark.title, room, bold=True), css)]
    if mark.note:
        lines.append(text(x, y + _LINE, fitted(mark.note, room), f"halo{side}"))
    return group(*lines)


def _sides(marks: int) -> Iterable[tuple[bool, ...]]:
    # Whether words stand left of their line. Of many marks only those after some place do.
    if marks <= _FEW:
        return itertools.product((False, True), repeat=marks)
    return ((False,) * turn + (True,) * (marks - turn) for turn in range(marks, -1, -1))


def _interval(mark: Mark, scale: TimeScale, top: float) -> Markup:
    if mark.low is None or mark.high is None:
        return Markup("")
    low, high = scale.x(mark.low), scale.x(mark.high)
    y = top
    ends = line(low, y - 3, low, y + 3) + line(high, y - 3, high, y + 3)
    return path(line(low, y, high, y) + ends, f"{STROKES[mark.role]} full")


def _words_width(mark: Mark) -> float:
    return max(text_width(mark.title, bold=True), text_width(mark.note)) + 1


def _span(x: float, width: float, words_left: bool) -> tuple[float, float]:
    width += _WORDS_FROM_LINE
    return (x - width, x) if words_left else (x, x + width)


def _rows(xs: list[float], spans: list[tuple[float, float]]) -> list[int]:
    # A mark goes above every mark whose line its words would hide, until nothing moves; some move in a circle.
    rows = [0] * len(xs)
    for _ in range(len(xs) + 1):
        moved = False
        for i, (left, right) in enumerate(spans):
            for j, other in enumerate(spans):
                if i == j or rows[i] > rows[j]:
                    continue
                hides = left - _BETWEEN < xs[j] < right + _BETWEEN
                meets = rows[i] == rows[j] and _meet((left, right), other)
                if hides or (meets and i < j):
                    rows[i] = rows[j] + 1
                    moved = True
        if not moved:
            break
    rows = [sorted(set(rows)).index(row) for row in rows]
    done: list[int] = []
    for i in sorted(range(len(rows)), key=rows.__getitem__):  # after a circle two may still be in one row
        while any(rows[i] == rows[j] and _meet(spans[i], spans[j]) for j in done):
            rows[i] += 1
        done.append(i)
    return rows


def _meet(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] < other[1] + _BETWEEN and other[0] < one[1] + _BETWEEN


def _crossed(xs: list[float], spans: list[tuple[float, float]], rows: list[int]) -> int:
    return sum(
        left < xs[j] < right and rows[j] >= rows[i]
        for i, (left, right) in enumerate(spans)
        for j in range(len(xs))
        if i != j
    )
