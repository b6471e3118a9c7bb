"""The epidemic curve: cases over time, stacked from the axis, each one a block.

Up to 2,000 cases a block is one case and can be counted. Above that, or where a column would be so tall that its blocks
run into one another, a block is 10, 100 or 1,000 cases, and the caption says so; a block that is not full is lower.
A step in which something was not observed is hatched above what was: it is not a step without cases.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from markupsafe import Markup

from broadstreet.surfaces.charts import marks_of_time
from broadstreet.surfaces.charts.axes import TimeScale, round_steps
from broadstreet.surfaces.charts.lettering import figure, iso, moment, text_width, until
from broadstreet.surfaces.charts.marks_of_time import Mark
from broadstreet.surfaces.charts.svg import FILLS, box, drawing, element, group, hatch, line, link, path, text
from broadstreet.surfaces.text import plural

MOST_BLOCKS = 2_000  # the design language: above it one block is 10 cases
TALLEST = 60  # blocks in a column: at 190 pixels a block is then 2.5 pixels and its gap 0.6
GAP = 0.2  # of a block's pitch
_PLOT = 190
_LOW_PLOT = 76  # of one of several
_GRID = 22  # pixels from one grid line to the next, at least
_STRIP = 46
_AXIS = 22
_STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}


@dataclass(frozen=True)
class Series:
    """One kind of cases. `counts` has one number a step; null where the step was not observed."""

    name: str
    role: str
    counts: tuple[int | None, ...]


@dataclass(frozen=True)
class Strip:
    """A second quantity on its own axis below the curve; null where it was not observed."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Curve:
    """Cases in steps from `start`; series are stacked in their order.

    `selected` is a range of time that is asked for elsewhere on the page; `links` has one for each step. `top` and
    `block` are set by `on_one_scale`: the cases that the height stands for, and the cases of one block.
    """

    title: str
    start: datetime
    end: datetime
    step: Literal["hour", "day", "week"]
    series: tuple[Series, ...]
    marks: tuple[Mark, ...] = ()
    strip: Strip | None = None
    selected: tuple[datetime, datetime] | None = None
    links: tuple[str | None, ...] = ()
    top: int | None = None
    block: int | None = None


def draw(curve: Curve, width: float, form: str = "") -> Markup:
    """The curve with its marks above it and its strip below it."""
    return _draw(curve, width, form, _PLOT)


def draw_low(curve: Curve, width: float, form: str = "") -> Markup:
    """The curve as one of several that stand together: low, without marks and strip, its columns not one by one."""
    return _draw(replace(curve, marks=(), strip=None), width, form, _LOW_PLOT)


def on_one_scale(curves: Sequence[Curve]) -> tuple[Curve, ...]:
    """The curves such that equal heights are equal numbers, and a block is the same in each."""
    top = max((tallest(curve) for curve in curves), default=1)
    block = max((block_of(curve) for curve in curves), default=1)
    return tuple(replace(curve, top=top, block=block) for curve in curves)


def tallest(curve: Curve) -> int:
    """The most cases in one step; 1 where there is none."""
    return max([1, *(sum(count or 0 for count in counts) for counts in _columns(curve))])


def block_of(curve: Curve) -> int:
    """How many cases one block is: a power of ten."""
    if curve.block is not None:
        return curve.block
    cases = sum(map(sum, ((count or 0 for count in series.counts) for series in curve.series)))
    block = 1
    while cases / block > MOST_BLOCKS or tallest(curve) / block > TALLEST:
        block *= 10
    return block


def caption(curve: Curve) -> str:
    """What the chart is: Cases per day, one block a case."""
    block = block_of(curve)
    return f"Cases per {curve.step}, " + ("one block a case" if block == 1 else f"one block is {block:,} cases")


def says(curve: Curve) -> str:
    """The chart in one or two sentences, for who cannot see it."""
    parts = [f"{series.name} {sum(count or 0 for count in series.counts):,}" for series in curve.series]
    columns = [sum(count or 0 for count in counts) for counts in _columns(curve)]
    sentence = f"{caption(curve)}, {moment(curve.start)} to {until(curve.end)}: {'; '.join(parts) or 'no cases'}."
    if any(columns):
        most = columns.index(max(columns))
        sentence += f" Most on {moment(curve.start + most * _STEPS[curve.step])}: {plural(columns[most], 'case')}."
    unknown = sum(None in counts for counts in _columns(curve))
    if unknown:
        sentence += f" {plural(unknown, curve.step)} not observed."
    return sentence + "".join(f" {mark.title}." for mark in curve.marks)


def _columns(curve: Curve) -> list[tuple[int | None, ...]]:
    return list(zip(*(series.counts for series in curve.series), strict=True))


def _draw(curve: Curve, width: float, form: str, plot: float) -> Markup:
    block = block_of(curve)
    top = max(curve.top or 0, tallest(curve))
    # A block is never taller than 10 pixels: few cases do not fill the room, and leave it.
    unit = min(10.0 / block, plot / top)
    steps = round_steps(top, max(1, min(3, int(top * unit / _GRID))))
    left = max((text_width(f"{step:,.0f}") for step in steps), default=8.0) + 8
    scale = TimeScale(curve.start, curve.end, left, width)
    placing = marks_of_time.placed(curve.marks, scale, width)
    head = marks_of_time.headroom(placing) + 10
    base = head + max(top * unit, plot / 3)
    below = axis_of(scale, base)
    height = base + _AXIS
    if curve.strip:
        below = below + _strip(curve, curve.strip, scale, height + 8)
        height += _STRIP + 27
    behind, before = marks_of_time.drawn(placing, scale, head, base)
    body = [
        *_grid(steps, unit, base, left, width),
        behind,
        *(_stacks if plot == _PLOT or curve.links else _whole)(curve, scale, base, head, unit, block),
        path(line(left, base + 0.5, width, base + 0.5), "si"),
        below,
        before,
        _brackets(curve, scale, head, base),
    ]
    return drawing(body, width, height, curve.title, says(curve), form, linked=any(curve.links))


def _grid(steps: list[float], unit: float, base: float, left: float, width: float) -> list[Markup]:
    shown = []
    for step in steps:
        y = base - step * unit
        shown.append(path(line(left, y, width, y), "sh"))
        shown.append(text(left - 7, y + 4, f"{step:,.0f}", "end"))
    return shown


def _stacks(curve: Curve, scale: TimeScale, base: float, head: float, unit: float, block: int) -> list[Markup]:
    step = _STEPS[curve.step]
    shown = []
    for place, counts in enumerate(_columns(curve)):
        begins = curve.start + place * step
        ends = min(begins + step, curve.end)
        x, wide = scale.x(begins), scale.x(ends) - scale.x(begins)
        bar = wide * (1 - GAP) if wide > 3 else wide
        paths = [element("title", _told(curve, begins, counts)), path(box(x, head, wide, base - head), "hit")]
        if None in counts:
            known = base - sum(count or 0 for count in counts) * unit
            paths.append(path(hatch(x, head, wide, known - head), "ht"))
        below = 0
        for series, count in zip(curve.series, counts, strict=True):
            css = FILLS[series.role]
            paths.append(path(_blocks(x, base - below * unit, bar, count or 0, unit, block, css in ("fo", "fc")), css))
            below += count or 0
        href = curve.links[place] if place < len(curve.links) else None
        shown.append(link(href, *paths, class_="col", data_from=iso(begins), data_to=iso(ends)))
    return shown


def _whole(curve: Curve, scale: TimeScale, base: float, head: float, unit: float, block: int) -> list[Markup]:
    step = _STEPS[curve.step]
    runs: dict[str, list[str]] = {css: [] for css in ("ht", *FILLS.values())}
    for place, counts in enumerate(_columns(curve)):
        begins = curve.start + place * step
        x, wide = scale.x(begins), scale.x(min(begins + step, curve.end)) - scale.x(begins)
        bar = wide * (1 - GAP) if wide > 3 else wide
        below = 0
        for series, count in zip(curve.series, counts, strict=True):
            css = FILLS[series.role]
            runs[css].append(_blocks(x, base - below * unit, bar, count or 0, unit, block, css in ("fo", "fc")))
            below += count or 0
        if None in counts:
            runs["ht"].append(hatch(x, head, wide, base - below * unit - head))
    return [path("".join(run), css) for css, run in runs.items()]


def _told(curve: Curve, begins: datetime, counts: tuple[int | None, ...]) -> str:
    parts = [
        f"{series.name} {'not observed' if count is None else format(count, ',')}"
        for series, count in zip(curve.series, counts, strict=True)
        if count != 0
    ]
    return f"{moment(begins)}: {', '.join(parts) or 'no cases'}"


def _blocks(x: float, base: float, wide: float, count: int, unit: float, block: int, outline: bool) -> str:
    pitch = block * unit
    inset = 0.5 if outline and wide > 3 and pitch > 3 else 0.0
    parts = []
    for place in range(-(-count // block)):
        share = min(1.0, (count - place * block) / block)
        high = max(0.5, pitch * share * (1 - GAP if pitch > 1.5 else 1))
        y = base - place * pitch - high
        parts.append(box(x + inset, y + inset, wide - 2 * inset, max(0.5, high - 2 * inset)))
    return "".join(parts)


def axis_of(scale: TimeScale, base: float) -> Markup:
    """The ticks of a time axis whose line is at `base`, with their labels below it."""
    shown = []
    for tick in scale.ticks():
        shown.append(path(line(tick.at, base, tick.at, base + (6 if tick.major else 3.5)), "s3"))
        if tick.label:
            shown.append(text(tick.at + 4, base + 15, tick.label))
    return group(*shown)


def _strip(curve: Curve, strip: Strip, scale: TimeScale, top: float) -> Markup:
    step = _STEPS[curve.step]
    known = [value for value in strip.values if value is not None]
    most = max([*known, 0.0]) or 1.0
    base = top + 16 + _STRIP
    d, pen = [], "M"
    for place, value in enumerate(strip.values):
        if value is None:
            pen = "M"
            continue
        x = scale.x(min(curve.end, curve.start + place * step + step / 2))
        d.append(f"{pen}{x:.1f} {base - value / most * _STRIP:.1f}")
        pen = "L"
    shown = [
        path(line(scale.left, base, scale.right, base), "sr"),
        path("".join(d), "si thick"),
        text(scale.left - 7, base + 4, "0", "end"),
    ]
    name = strip.name + (f": {figure(known[0])} to {figure(known[-1])}{_peak(known)}" if known else ": unknown")
    shown.append(text(scale.left, top + 8, name, "halo"))
    return group(*shown)


def _peak(known: Sequence[float]) -> str:
    shown = figure(max(known))
    return "" if shown in (figure(known[0]), figure(known[-1])) else f", at most {shown}"


def _brackets(curve: Curve, scale: TimeScale, head: float, base: float) -> Markup:
    if curve.selected is None:
        return Markup("")
    begins, ends = (scale.x(at) for at in curve.selected)
    left = f"M{begins + 6:.1f} {head:.1f}h-6V{base:.1f}h6"
    right = f"M{ends - 6:.1f} {head:.1f}h6V{base:.1f}h-6"
    return path(left + right, "si bracket")
