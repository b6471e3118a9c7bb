"""Likelihood ratios: how many times likelier each observation is under one cause than under the other.

A bar runs from 1 on a logarithmic axis. Against: hollow, to the left, first. For: filled, to the right. The interval is
a line; a ratio that was capped says so. What lies beyond the axis has an arrow. `axis` and `row` are for a table.
"""

import math
from dataclasses import dataclass

from markupsafe import Markup

from broadstreet.surfaces.charts.axes import LogScale, decade
from broadstreet.surfaces.charts.lettering import figure, text_width, wrapped
from broadstreet.surfaces.charts.rate import arrow
from broadstreet.surfaces.charts.svg import box, drawing, group, line, mark, path, text

NARROWEST = 760  # pixels: below, the words of a row stand over its bar
_HIGH = 26.0
_BAR = 14.0
_EDGE = 9.0
_WORDS = 17.0


@dataclass(frozen=True)
class LikelihoodRatio:
    """One item of evidence: over 1 speaks for the claim. `numbers` is its text, `odds` those after it."""

    says: str
    value: float
    low: float | None
    high: float | None
    capped: bool = False
    numbers: str = ""
    odds: str = ""


@dataclass(frozen=True)
class Ratios:
    """The argument, on an axis from `low_end` to `high_end`, which `ends` finds. `prior` stands before all evidence."""

    title: str
    items: tuple[LikelihoodRatio, ...]
    prior: str = ""
    prior_odds: str = ""
    low_end: float = 0.1
    high_end: float = 1_000


def ends(items: tuple[LikelihoodRatio, ...]) -> tuple[float, float]:
    """Powers of ten that hold every ratio, from at most 0.1 to at least 10; ends that are further are arrows."""
    values = [item.value for item in items if item.value > 0] or [1.0]
    low = 10.0 ** math.floor(math.log10(min(values)) - 0.15)
    high = 10.0 ** math.ceil(math.log10(max(values)) + 0.15)
    return max(1e-6, min(0.1, low)), min(1e6, max(10.0, high))


def draw(ratios: Ratios, width: float, form: str = "") -> Markup:
    """The argument as one drawing: evidence against first, then evidence for."""
    narrow = width < NARROWEST
    numbers = max([text_width(_numbers(item), bold=True) for item in ratios.items] + [80.0])
    odds = max([text_width(item.odds) for item in ratios.items] + [text_width("odds so far")])
    right = width if narrow else width - numbers - odds - 40
    left = 0.0 if narrow else right - min(470.0, width * 0.38)
    scale = _scale(ratios, left, right)
    body, top = _head(ratios, scale, width, narrow)
    for name, items in (
        ("Against", [i for i in ratios.items if i.value < 1]),
        ("For", [i for i in ratios.items if i.value >= 1]),
    ):
        if not items:
            continue
        body += [text(0, top + 22, name, "bold"), path(line(0, top + 31.5, width, top + 31.5), "sr")]
        top += 32
        for item in items:
            drawn, top = _under(item, scale, top, width) if narrow else _beside(item, scale, top, width, odds)
            body += drawn
    return drawing(body, width, top + 2, ratios.title, _says(ratios), form)


def axis(ratios: Ratios, width: float) -> Markup:
    """The numbers of the axis, for the head of a table."""
    return mark(_ticks(_scale(ratios, 0, width), 12), width, 16)


def row(ratios: Ratios, item: LikelihoodRatio, width: float) -> Markup:
    """The bar of one item, for a cell of a table that has its words and numbers."""
    return mark(_bar(item, _scale(ratios, 0, width), 0), width, _HIGH)


def _scale(ratios: Ratios, left: float, right: float) -> LogScale:
    return LogScale(ratios.low_end, ratios.high_end, left + _EDGE, right - _EDGE)


def _head(ratios: Ratios, scale: LogScale, width: float, narrow: bool) -> tuple[list[Markup], float]:
    if narrow:
        words = wrapped(ratios.prior, width, 2)
        body = [text(0, 14 + place * _WORDS, words_, "t3") for place, words_ in enumerate(words)]
        y = 14 + len(words) * _WORDS
        odds = f"odds before: {ratios.prior_odds}" if ratios.prior_odds else ""
        body += [text(0, y, odds, "t3"), group(*_ticks(scale, y + 20))]
        return [*body, path(line(0, y + 27.5, width, y + 27.5), "si")], y + 28
    body = [
        text(0, 31, ratios.prior, "t3"),
        text(width, 14, "odds so far", "t3 end"),
        text(width, 31, ratios.prior_odds, "end"),
        group(*_ticks(scale, 31)),
        path(line(0, 38.5, width, 38.5), "si"),
    ]
    return body, 39


def _beside(
    item: LikelihoodRatio, scale: LogScale, top: float, width: float, odds: float
) -> tuple[list[Markup], float]:
    lines = wrapped(item.says, scale.left - _EDGE - 20, 3)
    high = max(38.0, 12 + len(lines) * _WORDS + 4)
    middle = top + high / 2
    first = middle - (len(lines) - 1) * _WORDS / 2 + 4
    body = [text(0, first + place * _WORDS, words, "ti") for place, words in enumerate(lines)]
    body += _bar(item, scale, middle - _HIGH / 2)
    body.append(text(width - odds - 20, middle + 4, _numbers(item), "end ti"))
    body.append(text(width, middle + 4, item.odds, "end"))
    return [*body, path(line(0, top + high - 0.5, width, top + high - 0.5), "sh")], top + high


def _under(item: LikelihoodRatio, scale: LogScale, top: float, width: float) -> tuple[list[Markup], float]:
    lines = wrapped(item.says, width, 4)
    body = [text(0, top + 20 + place * _WORDS, words, "ti") for place, words in enumerate(lines)]
    y = top + 20 + len(lines) * _WORDS
    said = f"odds so far {item.odds}" if item.odds else ""
    body += [text(0, y, _numbers(item), "bold"), text(width, y, said, "end")]
    body += _bar(item, scale, y + 8)
    bottom = y + 8 + _HIGH + 8
    return [*body, path(line(0, bottom - 0.5, width, bottom - 0.5), "sh")], bottom


def _ticks(scale: LogScale, y: float) -> list[Markup]:
    places = list(scale.tens())
    room = (scale.right - scale.left) / max(1, len(places) - 1)
    widest = max(text_width(decade(place)) for place in places)
    every = next((n for n in (1, 2, 3, 4) if room * n > widest + 12), 6)
    shown = []
    for value in places:
        if round(math.log10(value)) % every == 0:  # counted from 1, so that 1 has its number
            half = text_width(decade(value)) / 2
            x = min(max(scale.x(value), half), scale.right + _EDGE - half)
            shown.append(text(x, y, decade(value), "mid bold" if value == 1 else "mid"))
    return shown


def _bar(item: LikelihoodRatio, scale: LogScale, top: float) -> list[Markup]:
    one, x, middle = scale.x(1), scale.x(item.value), top + _HIGH / 2
    grid = "".join(line(scale.x(at), top, scale.x(at), top + _HIGH) for at in scale.tens() if at != 1)
    bar = box(min(one, x), middle - _BAR / 2, abs(x - one), _BAR)
    shown = [path(grid, "sh")]
    if item.value < 1:
        shown.append(path(box(x, middle - _BAR / 2 + 1, one - x, _BAR - 2), "fp si thin against"))
    else:
        shown += [path(bar, "g4 for"), path(line(x, middle - _BAR / 2, x, middle + _BAR / 2), "si solid")]
    if item.low is not None and item.high is not None and not item.capped:
        shown.append(path(line(scale.x(item.low), middle, scale.x(item.high), middle), "si full"))
    reach = [item.value, *([item.low, item.high] if not item.capped else [])]
    if any(at is not None and at > scale.high for at in reach):
        shown.append(path(arrow(scale.right, middle, 1), "fi arrow"))
    if any(at is not None and at < scale.low for at in reach):
        shown.append(path(arrow(scale.left, middle, -1), "fi arrow"))
    return [*shown, path(line(one, top, one, top + _HIGH), "si")]


def _numbers(item: LikelihoodRatio) -> str:
    said = item.numbers or figure(item.value)
    return said if not item.capped or "cap" in said else f"{said} cap"


def _says(ratios: Ratios) -> str:
    rows = [f"{item.says}: {_numbers(item)}" for item in ratios.items]
    return "Likelihood ratios, over 1 for the claim, under 1 against it, logarithmic axis. " + "; ".join(rows) + "."
