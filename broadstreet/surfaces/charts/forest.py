"""The forest: rate ratios of cohorts against everybody else, naive and adjusted, on one axis of octaves.

Two lines a row: naive is hollow and thin, adjusted is solid and bold. An arrow leaves the axis and the number says how
far. An adjusted ratio that could not be had is said in words ("no case left"), never drawn at 1.

`draw` is the whole table as one drawing; `axis` and `row` are its parts, for a table of HTML with numbers of its own.
"""

from dataclasses import dataclass

from markupsafe import Markup

from broadstreet.surfaces.charts.axes import LogScale
from broadstreet.surfaces.charts.lettering import fitted, text_width
from broadstreet.surfaces.charts.rate import Shape, interval, point
from broadstreet.surfaces.charts.svg import drawing, element, group, line, link, mark, path, text

LOW, HIGH = 0.25, 128.0
OCTAVES = (
    (0.25, "¼"), (0.5, "½"), (1, "1"), (2, "2"), (4, "4"), (8, "8"), (16, "16"), (32, "32"), (64, "64"), (128, "128")
)  # fmt: skip
NARROWEST = 560  # pixels: below, a row is label and number, and its marks on a line of their own
_EDGE = 9.0
_ROW = 40.0
_MARKS = 34.0
_HEAD = 44.0
_MOST_AXIS = 300.0
_MOST_NUMBERS = 0.5  # of the width


@dataclass(frozen=True)
class Ratio:
    """A ratio with its interval; `value` is null where it is without bound: then `low` says over how much."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Row:
    """One cohort. `numbers` is the text of the ratio, naive then adjusted; `words` stand where `adjusted` is null."""

    label: str
    note: str
    naive: Ratio | None
    adjusted: Ratio | None
    numbers: tuple[str, str]
    words: str = "no case left"
    link: str | None = None


@dataclass(frozen=True)
class Forest:
    """Cohorts of one syndrome, in its colour and the shape of its verdict."""

    title: str
    rows: tuple[Row, ...]
    role: str = "a"
    shape: Shape = "square"


def draw(forest: Forest, width: float, form: str = "") -> Markup:
    """The forest with its labels and numbers."""
    return _narrow(forest, width, form) if width < NARROWEST else _broad(forest, width, form)


def axis(width: float) -> Markup:
    """The numbers of the axis, for the head of a table."""
    return mark(_octaves(_scale(0, width), 12), width, 16)


def row(forest: Forest, ratios: Row, width: float) -> Markup:
    """The marks of one row, for a cell of a table that has the numbers."""
    return mark(_marks(forest, ratios, _scale(0, width), 0), width, _MARKS)


def _scale(left: float, right: float) -> LogScale:
    return LogScale(LOW, HIGH, left + _EDGE, right - _EDGE)


def _broad(forest: Forest, width: float, form: str) -> Markup:
    wide = min(_MOST_AXIS, width * 0.44)
    asked = max([text_width(words, bold=True) for row in forest.rows for words in row.numbers] + [60.0])
    numbers = min(asked, width * _MOST_NUMBERS)
    right = width - numbers - 16
    left = right - wide
    scale = _scale(left, right)
    body = [
        text(0, 14, "Cohort", "t3"),
        text(0, 31, "cases, share of time", "t3"),
        text(width, 14, "naive", "t3 end"),
        text(width, 31, "adjusted", "bold end"),
        group(*_octaves(scale, 31)),
        path(line(0, _HEAD - 5.5, width, _HEAD - 5.5), "si"),
    ]
    for place, ratios in enumerate(forest.rows):
        top = _HEAD + place * _ROW
        body += _labels(ratios, top, left - 14)
        body += _numbers(ratios, top, width, numbers)
        body += _marks(forest, ratios, scale, top)
        body.append(path(line(0, top + _ROW - 3.5, width, top + _ROW - 3.5), "sh"))
    linked = any(row.link for row in forest.rows)
    return drawing(body, width, _HEAD + len(forest.rows) * _ROW, forest.title, _says(forest), form, linked)


def _narrow(forest: Forest, width: float, form: str) -> Markup:
    scale = _scale(0, width)
    pitch = _ROW + _MARKS + 6
    body = [
        text(0, 14, "Cohort", "t3"),
        text(0, 29, "cases, share of time", "t3"),
        text(width, 14, "naive", "t3 end"),
        text(width, 29, "adjusted", "bold end"),
        group(*_octaves(scale, 50)),
        path(line(0, 57.5, width, 57.5), "si"),
    ]
    for place, ratios in enumerate(forest.rows):
        top = 62 + place * pitch
        numbers = min(max(text_width(words, bold=True) for words in ratios.numbers), width * _MOST_NUMBERS)
        body += _labels(ratios, top, width - numbers - 12)
        body += _numbers(ratios, top, width, numbers)
        body += _marks(forest, ratios, scale, top + 36)
        body.append(path(line(0, top + pitch - 3.5, width, top + pitch - 3.5), "sh"))
    linked = any(row.link for row in forest.rows)
    return drawing(body, width, 62 + len(forest.rows) * pitch, forest.title, _says(forest), form, linked)


def _labels(ratios: Row, top: float, room: float) -> list[Markup]:
    label = text(0, top + 14, fitted(ratios.label, room), "ti")
    whole = element("title", ratios.label)
    return [link(ratios.link, whole, label), text(0, top + 30, fitted(ratios.note, room), "t3")]


def _numbers(ratios: Row, top: float, width: float, room: float) -> list[Markup]:
    naive, adjusted = (fitted(words, room + 0.5, bold=True) for words in ratios.numbers)
    return [text(width, top + 14, naive, "end"), text(width, top + 30, adjusted, "bold end")]


def _octaves(scale: LogScale, y: float) -> list[Markup]:
    return [text(scale.x(at), y, label, "mid bold" if at == 1 else "mid") for at, label in OCTAVES]


def _marks(forest: Forest, ratios: Row, scale: LogScale, top: float) -> list[Markup]:
    grid = "".join(line(scale.x(at), top, scale.x(at), top + _MARKS) for at, _ in OCTAVES if at != 1)
    one = scale.x(1)
    shown = [path(grid, "sh"), path(line(one, top, one, top + _MARKS), "s3")]
    if ratios.naive:
        shown.append(_ratio(forest, ratios.naive, scale, top + 10, naive=True))
    if ratios.adjusted:
        shown.append(_ratio(forest, ratios.adjusted, scale, top + 25, naive=False))
    elif ratios.words:
        shown.append(text(one + 8, top + 29, ratios.words, "aside halo"))
    return shown


def _ratio(forest: Forest, ratio: Ratio, scale: LogScale, y: float, naive: bool) -> Markup:
    shown = []
    if ratio.low is not None:
        high = ratio.high if ratio.high is not None else scale.high * 2
        shown.append(
            interval(scale, min(ratio.low, scale.high * 0.7), high, y, forest.role, "thin" if naive else "solid")
        )
    if ratio.value is not None:
        shown.append(point(scale, ratio.value, y, forest.role, forest.shape, hollow=naive))
    return group(*shown)


def _says(forest: Forest) -> str:
    rows = [f"{row.label}: naive {row.numbers[0]}, adjusted {row.numbers[1]}" for row in forest.rows]
    return "Rate ratio against everybody else, 95% interval. " + "; ".join(rows) + "."
