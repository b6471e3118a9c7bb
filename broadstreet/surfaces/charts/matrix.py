"""Two exposures against one another: the rate of each cell in its tone, with the count and the time at risk behind it.

A cell that never ran (no time at risk) is hatched and says so; one of which nothing is known is blank and says so.
Neither looks like a rate of zero.
"""

from dataclasses import dataclass

from markupsafe import Markup

from broadstreet.surfaces.charts.lettering import figure, fitted, text_width
from broadstreet.surfaces.charts.street_map import tone
from broadstreet.surfaces.charts.svg import drawing, element, hatch, link, path, text

_HIGH = 44.0
_GAP = 4.0
_HEAD = 22.0
_LEAST = 62.0  # pixels of a cell
_MOST = 150.0
_NAMES = 0.3  # of the width, at most


@dataclass(frozen=True)
class Cell:
    """`at_risk` 0 is never ran; a null `rate` or `at_risk` is not known. `under` is its count and time in words."""

    rate: float | None
    count: int | None
    at_risk: float | None
    under: str
    link: str | None = None


@dataclass(frozen=True)
class Matrix:
    """Rows of cells, one for each column; `limits` are the rates between the tones. `unit` is that of the rates."""

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[Cell | None, ...], ...]
    limits: tuple[float, float, float, float]
    unit: str = "per 100,000 host-hours"


def draw(matrix: Matrix, width: float, form: str = "") -> Markup:
    """The matrix; where its columns do not fit beside one another it goes on below, in as many parts as it takes."""
    names = min(max((text_width(row) for row in matrix.rows), default=0.0) + 14, width * _NAMES)
    fit = max(1, int((width - names + _GAP) / (_least(matrix) + _GAP)))
    parts = -(-max(1, len(matrix.columns)) // fit)
    each = -(-max(1, len(matrix.columns)) // parts)
    wide = min(_MOST, (width - names + _GAP) / each - _GAP)
    body, top = [], 0.0
    for part in range(parts):
        columns = range(part * each, min(len(matrix.columns), (part + 1) * each))
        for place, column in enumerate(columns):
            x = names + place * (wide + _GAP)
            label = matrix.columns[column]
            body.append(element("g", element("title", label), text(x + wide / 2, top + 13, fitted(label, wide), "mid")))
        for row, name in enumerate(matrix.rows):
            y = top + _HEAD + row * (_HIGH + _GAP)
            label = fitted(name, names - 10)
            body.append(element("g", element("title", name), text(0, y + _HIGH / 2 + 4, label, "ti")))
            for place, column in enumerate(columns):
                cell = matrix.cells[row][column]
                body.append(_cell(matrix, cell, row, column, (names + place * (wide + _GAP), y, wide)))
        top += _HEAD + len(matrix.rows) * (_HIGH + _GAP) + 12
    linked = any(cell and cell.link for row in matrix.cells for cell in row)
    return drawing(body, width, max(0.0, top - 12), matrix.title, says(matrix), form, linked)


def says(matrix: Matrix) -> str:
    """The matrix in a sentence, for who cannot see it; a table beside it has the numbers."""
    known = [
        (cell.rate, row, column)
        for row, cells in zip(matrix.rows, matrix.cells, strict=True)
        for column, cell in zip(matrix.columns, cells, strict=True)
        if cell is not None and cell.rate is not None and cell.at_risk
    ]
    size = f"{len(matrix.rows)} by {len(matrix.columns)} cells"
    if not known:
        return f"{size}; no rate is known."
    rate, row, column = max(known)
    return f"{size}, crashes {matrix.unit}. The highest rate is {figure(rate)}, at {row} and {column}."


def _cell(matrix: Matrix, cell: Cell | None, row: int, column: int, at: tuple[float, float, float]) -> Markup:
    x, y, wide = at
    middle = x + wide / 2
    place = element("title", f"{matrix.rows[row]}, {matrix.columns[column]}{': ' + cell.under if cell else ''}")
    room = {"x": x, "y": y, "width": wide, "height": _HIGH}
    if cell is not None and cell.at_risk == 0:
        shown = [element("rect", class_="hit", **room), path(hatch(x, y, wide, _HIGH), "ht never")]
        words = [text(middle, y + _HIGH / 2 + 4, "never ran", "aside mid halo")]
    elif cell is None or cell.rate is None or cell.at_risk is None:
        shown = [element("rect", class_="unknown", **room)]
        words = [text(middle, y + _HIGH / 2 + 4, "not known", "aside mid")]
    else:
        shown = [element("rect", class_=f"g{tone(cell.rate, matrix.limits)}", **room)]
        words = [
            text(middle, y + 18, figure(cell.rate), "bold big mid"),
            text(middle, y + 34, fitted(cell.under, wide - 4), "ti mid"),
        ]
    return link(cell.link if cell else None, place, *shown, *words, class_="cell")


def _least(matrix: Matrix) -> float:
    cells = [cell for row in matrix.cells for cell in row if cell is not None and cell.rate is not None]
    return max(_LEAST, max((text_width(cell.under) for cell in cells), default=0.0) + 6)
