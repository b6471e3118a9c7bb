"""What tells two halves apart: the share of each half's cases, 0 to 100%, with a line between.

The first half is a square, the second a circle; one in which nothing could be judged has no mark, and words say so.
`axis` and `row` are the parts, for a table of HTML with numbers of its own.
"""

from dataclasses import dataclass

from markupsafe import Markup

from broadstreet.surfaces.charts.lettering import fitted, text_width, wrapped
from broadstreet.surfaces.charts.rate import Shape
from broadstreet.surfaces.charts.svg import box, drawing, element, line, mark, path, text

Shapes = tuple[Shape, Shape]
NARROWEST = 640  # pixels: below, the marks of a row stand under its words
SHAPES: Shapes = ("square", "circle")
_EDGE = 6.0
_HIGH = 18.0
_ROW = 30.0


@dataclass(frozen=True)
class Dumbbell:
    """One sign. Shares are 0 to 1, null where no case could be judged; `counts` are their texts: 63 / 64."""

    label: str
    first: float | None
    second: float | None
    counts: tuple[str, str]
    q: str = ""


@dataclass(frozen=True)
class Dumbbells:
    """All signs of a split, with the names of its halves."""

    title: str
    names: tuple[str, str]
    rows: tuple[Dumbbell, ...]


def draw(chart: Dumbbells, width: float, form: str = "") -> Markup:
    """The signs as one drawing."""
    narrow = width < NARROWEST
    columns = [0.0, 0.0, 0.0] if narrow else _columns(chart)
    right = width - sum(columns)
    left = 0.0 if narrow else max(width * 0.26, right - 430)
    head = 58.0 if narrow else 34.0
    body = _head(chart, width, left, right, head, columns)
    top = head
    for sign in chart.rows:
        if narrow:
            lines = wrapped(sign.label, width - text_width(sign.q) - 12, 2)
            body += [text(0, top + 18 + place * 15, words, "ti") for place, words in enumerate(lines)]
            body.append(text(width, top + 18, sign.q, "end"))
            y = top + 18 + len(lines) * 15
            body.append(text(0, y + 2, f"{sign.counts[0]}", "ta"))
            body.append(text(width, y + 2, f"{sign.counts[1]}", "tb end"))
            high = y - top + 12 + _HIGH
            body += _marks(sign, left, right, y + 14)
        else:
            high = _ROW
            body.append(text(0, top + 19, fitted(sign.label, left - 14), "ti"))
            body += _marks(sign, left, right, top + _ROW / 2)
            ends = [right + columns[0], right + columns[0] + columns[1], width]
            said = zip(ends, (*sign.counts, sign.q), strict=True)
            body += [text(x, top + 19, words, "end") for x, words in said]
        top += high
        body.append(path(line(0, top - 0.5, width, top - 0.5), "sh"))
    return drawing(body, width, top + 2, chart.title, says(chart), form)


def axis(width: float) -> Markup:
    """The numbers of the axis, for the head of a table."""
    return mark(_axis(0, width, 12), width, 16)


def row(sign: Dumbbell, width: float, shapes: Shapes = SHAPES) -> Markup:
    """The marks of one sign, for a cell of a table; `shapes` are those of the halves where the page has others."""
    return mark(_marks(sign, 0, width, _HIGH / 2, shapes), width, _HIGH)


def says(chart: Dumbbells) -> str:
    """The shares in a sentence, for who cannot see them."""
    first, second = chart.names
    rows = [f"{sign.label}: {first} {sign.counts[0]}, {second} {sign.counts[1]}" for sign in chart.rows]
    return "Share of cases in which a sign holds, 0 to 100%. " + "; ".join(rows) + "."


def _columns(chart: Dumbbells) -> list[float]:
    texts = [[row.counts[0] for row in chart.rows], [row.counts[1] for row in chart.rows], [r.q for r in chart.rows]]
    heads = [*chart.names, "q"]
    return [
        min(150.0, max(text_width(words, bold=True) for words in [head, *column])) + 18
        for head, column in zip(heads, texts, strict=True)
    ]


def _head(chart: Dumbbells, width: float, left: float, right: float, head: float, columns: list[float]) -> list[Markup]:
    body = [*_axis(left, right, head - 14), path(line(0, head - 5.5, width, head - 5.5), "si")]
    first, second = chart.names
    if not columns[0]:
        half = width / 2 - 24
        return [
            *body,
            path(box(0, 5, 9, 9), "fa"),
            text(15, 14, fitted(first, half, bold=True), "bold"),
            element("circle", class_="fb", cx=width / 2 + 5, cy=9.5, r=4.8),
            text(width / 2 + 15, 14, fitted(second, half, bold=True), "bold"),
        ]
    one, two = right + columns[0], right + columns[0] + columns[1]
    return [
        *body,
        text(one, 20, fitted(first, columns[0] - 10, bold=True), "ta end bold"),
        text(two, 20, fitted(second, columns[1] - 10, bold=True), "tb end bold"),
        text(width, 20, "q" if any(row.q for row in chart.rows) else "", "end t3"),
    ]


def _axis(left: float, right: float, y: float) -> list[Markup]:
    return [
        text(left + _EDGE - 4, y, "0"),
        text((left + right) / 2, y, "50%", "mid"),
        text(right - _EDGE + 4, y, "100%", "end"),
    ]


def _marks(sign: Dumbbell, left: float, right: float, y: float, shapes: Shapes = SHAPES) -> list[Markup]:
    low, wide = left + _EDGE, right - left - 2 * _EDGE
    shown = [path(line(low, y, low + wide, y), "sh")]
    if sign.first is not None and sign.second is not None:
        shown.append(path(line(low + sign.first * wide, y, low + sign.second * wide, y), "s3"))
    if sign.first is not None:
        shown.append(_end(shapes[0], low + sign.first * wide, y, "fa"))
    if sign.second is not None:
        shown.append(_end(shapes[1], low + sign.second * wide, y, "fb"))
    if sign.first is None and sign.second is None:
        shown.append(text(low + 4, y + 4, "could not be judged", "aside halo"))
    return shown


def _end(shape: Shape, x: float, y: float, css: str) -> Markup:
    if shape == "square":
        return path(box(x - 4.5, y - 4.5, 9, 9), css)
    return element("circle", class_=css, cx=x, cy=y, r=4.8)
