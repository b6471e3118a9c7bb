"""A rate on a logarithmic axis: its mark, its 95% interval as a line, and a black tick for what it is compared with."""

from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from broadstreet.surfaces.charts.axes import LogScale, decade
from broadstreet.surfaces.charts.lettering import figure, text_width
from broadstreet.surfaces.charts.svg import FULL, STROKES, box, drawing, element, line, path, text

Shape = Literal["square", "circle", "diamond"]
_EDGE = 7.0  # half of a mark and of an arrow: neither leaves the drawing
_Y = 12.5


@dataclass(frozen=True)
class Rate:
    """A rate with its interval; `against` is what it is compared with. Null where it is not known.

    `low_end` and `high_end` are powers of ten: charts that stand below one another have the same.
    """

    title: str
    value: float | None
    low: float | None
    high: float | None
    against: float | None
    unit: str
    role: str = "a"
    shape: Shape = "square"
    low_end: float = 0.01
    high_end: float = 10_000


def draw(rate: Rate, width: float, form: str = "") -> Markup:
    """The axis with the rate on it; what lies outside the axis is an arrow at its end."""
    scale = LogScale(rate.low_end, rate.high_end, _EDGE, width - _EDGE)
    body = [path(line(scale.left, _Y, scale.right, _Y), "sr"), *_ticks(scale)]
    if rate.low is not None and rate.high is not None:
        body.append(interval(scale, rate.low, rate.high, _Y, rate.role, "solid"))
    if rate.value is not None:
        body.append(point(scale, rate.value, _Y, rate.role, rate.shape))
    else:
        body.append(text(width / 2, _Y - 2, "not known", "aside mid halo"))
    if rate.against is not None:
        x = scale.x(rate.against)
        body.append(path(line(x, 4, x, 21), "si full"))
    return drawing(body, width, 34, rate.title, _says(rate), form)


def interval(scale: LogScale, low: float, high: float, y: float, role: str, css: str) -> Markup:
    """An interval as a line; an arrow leaves the axis where the interval does."""
    stroke, fill = STROKES[role], FULL[role]
    arrows = []
    if high > scale.high:
        arrows.append(path(arrow(scale.right, y, 1), f"{fill} arrow"))
    if low < scale.low:
        arrows.append(path(arrow(scale.left, y, -1), f"{fill} arrow"))
    return element("g", path(line(scale.x(low), y, scale.x(high), y), f"{stroke} {css}"), *arrows)


def arrow(x: float, y: float, way: int) -> str:
    """The head of an arrow that leaves an axis, to the right (1) or to the left (−1)."""
    return f"M{x - way:.2f} {y - 4:.2f}l{7 * way} 4l{-7 * way} 4z"


def point(scale: LogScale, value: float, y: float, role: str, shape: Shape, hollow: bool = False) -> Markup:
    """A value as a square, circle or diamond, filled or hollow; an arrow where it is off the axis."""
    if not scale.low <= value <= scale.high:
        way = 1 if value > scale.high else -1
        return path(arrow(scale.x(value), y, way), f"{FULL[role]} arrow")
    x = scale.x(value)
    css = f"{STROKES[role]} hollow" if hollow else FULL[role]
    if shape == "square":
        return path(box(x - 4.3, y - 4.3, 8.6, 8.6), css)
    if shape == "diamond":  # as of a verdict: open
        return path(f"M{x:.2f} {y - 5.6:.2f}l5.6 5.6l-5.6 5.6l-5.6 -5.6z", f"{STROKES[role]} hollow")
    return element("circle", class_=css, cx=x, cy=y, r=4.6)


def _ticks(scale: LogScale) -> list[Markup]:
    places = list(scale.tens())
    room = (scale.right - scale.left) / max(1, len(places) - 1)
    every = next((n for n in (1, 2, 3, 4) if room * n > text_width(decade(places[-1])) + 14), 4)
    shown = []
    for place, value in enumerate(places):
        x = scale.x(value)
        shown.append(path(line(x, _Y - 3, x, _Y + 3), "s3"))
        if place % every == 0:
            side = "" if place == 0 else " end" if place == len(places) - 1 else " mid"
            at = 0.0 if place == 0 else scale.right + _EDGE if place == len(places) - 1 else x
            shown.append(text(at, 31, decade(value), side.strip()))
    return shown


def _says(rate: Rate) -> str:
    if rate.value is None:
        return f"The rate per {rate.unit} is not known."
    sentence = f"{figure(rate.value)} per {rate.unit}"
    if rate.low is not None and rate.high is not None:
        sentence += f", 95% interval {figure(rate.low)} to {figure(rate.high)}"
    if rate.against is not None:
        sentence += f", against {figure(rate.against)}"
    return f"{sentence}. The axis is logarithmic, {decade(rate.low_end)} to {decade(rate.high_end)}."
