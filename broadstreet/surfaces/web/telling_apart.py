"""What tells the two halves of a syndrome apart: the surest of all that a comparison of the two asks.

Values that part the same cases in the same numbers say the same, and are one row; of one column there are two at most.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec
from markupsafe import Markup

from broadstreet.population.differences import Counted, Difference, discovered
from broadstreet.records.selection import Selection
from broadstreet.store.atlas import Atlas
from broadstreet.surfaces.charts import dumbbell as chart
from broadstreet.surfaces.charts.rate import Shape
from broadstreet.surfaces.text import first_up
from broadstreet.surfaces.web.compared import JUDGED, Pair, asked_of, difference_told, pair_of
from broadstreet.surfaces.web.crash_told import brief
from broadstreet.surfaces.web.verdicts import Word
from broadstreet.verdict.words import exposure

MOST_ROWS = 12
MOST_OF_A_COLUMN = 2
MARKS = 300.0  # pixels of the axis in a cell
Kind = Literal["finding", "feature", "exposure", "case"]


class Apart(msgspec.Struct, frozen=True):
    """One value with its share in each half: `a` of `known_a` cases in which it is known, and `b` of `known_b`.

    `q` is Fisher's p, corrected for all questions; `python` prints the p, `query` counts again. `same` are values with
    the same numbers.
    """

    column: str
    kind: Kind
    value: str
    name: str
    a: int
    known_a: int
    b: int
    known_b: int
    q: float
    python: str
    query: str
    same: list[str]


class ApartTold(msgspec.Struct, frozen=True):
    """What tells two selections apart, the surest first: `found` of so many questions asked differ."""

    rows: list[Apart]
    found: int
    asked: int


def apart_told(atlas: Atlas, one: Selection, other: Selection) -> ApartTold:
    """What tells these two apart."""
    pair = pair_of(atlas, one, other)
    every = asked_of(atlas, pair)
    found = discovered(every)
    rows = [_apart(atlas, pair, first, rest) for first, *rest in _rows(found)]
    return ApartTold(rows, len(found), every[0].test.asked if every else 0)


def drawn(told: ApartTold, one: Word, other: Word) -> dict[str, object]:
    """The axis, the marks of each row for the cells of a table, and the shapes that stand for the halves.

    A half has the shape of its verdict, unless both have the same.
    """
    first, second = map(_shape, (one, other))
    shapes = (first, second) if first != second else chart.SHAPES
    return {"axis": chart.axis(MARKS), "rows": [_marks(row, shapes) for row in told.rows], "shapes": shapes}


def _shape(word: Word) -> Shape:
    return "square" if word.shape == "square" else "circle"


def _rows(found: Sequence[Difference]) -> Iterator[list[Difference]]:
    """The surest, each with those that have the same numbers."""
    told: dict[tuple[int, int, int, int], list[Difference]] = {}
    for one in found:
        told.setdefault((one.of.a, one.of.known_a, one.of.b, one.of.known_b), []).append(one)
    of_column: dict[str, int] = {}
    shown = 0
    for alike in told.values():
        column = alike[0].of.column
        of_column[column] = of_column.get(column, 0) + 1
        if of_column[column] <= MOST_OF_A_COLUMN and shown < MOST_ROWS:
            shown += 1
            yield alike


def _apart(atlas: Atlas, pair: Pair, one: Difference, same: Sequence[Difference]) -> Apart:
    told = difference_told(atlas, pair, one)
    return Apart(
        column=told.column,
        kind=_kind(atlas, told.column),
        value=told.value,
        name=_name(atlas, one.of),
        a=told.a,
        known_a=told.known_a,
        b=told.b,
        known_b=told.known_b,
        q=told.q,
        python=told.python,
        query=told.query,
        same=[_name(atlas, each.of) for each in same],
    )


def _kind(atlas: Atlas, column: str) -> Kind:
    return "finding" if column == JUDGED else atlas.column(column).kind


def _name(atlas: Atlas, of: Counted) -> str:
    """A value as a reader calls it; a feature as it is written."""
    kind = _kind(atlas, of.column)
    if kind == "finding":
        return f"{of.value.replace('_', ' ').capitalize()} holds"
    if kind == "feature":
        return f"{of.column} = {of.value}"
    if of.column == "mechanism":
        return f"Mechanism {of.value.replace('_', ' ')}"
    return f"{first_up(exposure(of.column))} {brief(of.value) if of.column == 'site' else of.value}"


def _marks(row: Apart, shapes: chart.Shapes) -> Markup:
    sign = chart.Dumbbell("", row.a / row.known_a, row.b / row.known_b, ("", ""))
    return chart.row(sign, MARKS, shapes)
