"""What tells the two halves of a syndrome apart: shares of cases over findings, features and exposures, tested.

Every value that was counted is a question of one family (population/differences.py). Values that part the same cases
in the same numbers say the same, and are one row.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import msgspec
from markupsafe import Markup

from broadstreet.population.differences import Counted, Difference, differences, discovered
from broadstreet.records.atlas import AtlasColumn
from broadstreet.records.selection import Selection
from broadstreet.store.atlas import Atlas
from broadstreet.store.parts import findings
from broadstreet.store.tallies import tallies, tallying, together
from broadstreet.surfaces.charts import dumbbell as chart
from broadstreet.surfaces.text import first_up
from broadstreet.surfaces.web.crash_told import brief
from broadstreet.surfaces.web.verdicts import Word
from broadstreet.verdict.again import two_sided
from broadstreet.verdict.figures import small
from broadstreet.verdict.words import exposure

MOST_VALUES = 50  # of a column that are counted; the rarer ones count as questions without an answer
MOST_ROWS = 12
MOST_OF_A_COLUMN = 2
FEW = 64  # values of a column of numbers: with more it is a measure, not a sign
HOLDS = "holds"
OF_CASE = ("mechanism", "site", "executable")
NOT_ASKED = ("fault_address", "abort_message", "replay_value", "sender_pid")
MARKS = 300.0  # pixels of the axis in a cell


class Apart(msgspec.Struct, frozen=True):
    """One value with its share in each half: `a` of `known_a` cases in which it is known, and `b` of `known_b`.

    `q` is Fisher's p, corrected for all questions; `python` prints the p. `same` are values with the same numbers.
    """

    column: str
    kind: Literal["finding", "feature", "exposure", "case"]
    value: str
    name: str
    a: int
    known_a: int
    b: int
    known_b: int
    q: float
    q_says: str
    python: str
    same: list[str]


class ApartTold(msgspec.Struct, frozen=True):
    """What tells two selections apart, the surest first, of so many questions asked; `query` counts the findings."""

    rows: list[Apart]
    found: int
    asked: int
    query: str
    queries: list[str]


def apart_told(atlas: Atlas, one: Selection, other: Selection) -> ApartTold:
    """What tells these two apart."""
    columns = list(_columns(atlas.about.columns))
    a, b = atlas.where(one), atlas.where(other)
    judged = findings(atlas, one, other)
    counted = [
        Counted(HOLDS, row["value"], row["a"], row["known_a"], row["b"], row["known_b"]) for row in judged.dicts()
    ]
    not_told = 0
    values: dict[str, int] = {}
    for row in tallies(atlas, columns, a, b, MOST_VALUES):
        values[row.column] = row.values
        if row.value is not None:
            counted.append(Counted(row.column, row.value, row.a, row.known_a, row.b, row.known_b))
    not_told = sum(max(0, count - MOST_VALUES) for count in values.values())
    every = differences(counted, not_told)
    found = discovered(every)
    return ApartTold(
        rows=list(_rows(atlas, found)),
        found=len(found),
        asked=every[0].test.asked if every else 0,
        query=judged.select,
        queries=[tallying(some, a, b, MOST_VALUES) for some in together([atlas.column(name) for name in columns])],
    )


def drawn(told: ApartTold, one: Word, other: Word) -> dict[str, object]:
    """The axis, the marks of each row for the cells of a table, and the shapes that stand for the halves.

    A half has the shape of its verdict, unless both have the same.
    """
    first, second = (("square" if word.shape == "square" else "circle") for word in (one, other))
    shapes: chart.Shapes = (first, second) if first != second else chart.SHAPES  # type: ignore[assignment]
    return {"axis": chart.axis(MARKS), "rows": [_marks(row, shapes) for row in told.rows], "shapes": shapes}


def name_of(column: str, kind: str, value: str) -> str:
    """A value as a reader calls it; a feature as it is written."""
    if kind == "finding":
        return f"{value.replace('_', ' ').capitalize()} holds"
    if kind == "feature":
        return f"{column} = {value}"
    if column == "mechanism":
        return f"Mechanism {value.replace('_', ' ')}"
    name = first_up(exposure(column))
    return f"{name} {brief(value) if column == 'site' else value}"


def _columns(columns: Iterable[AtlasColumn]) -> Iterator[str]:
    for column in columns:
        few = column.type in ("text", "bool") or (column.type == "int" and 0 < column.values <= FEW)
        asked = column.kind != "case" or column.name in OF_CASE
        if few and asked and column.name not in NOT_ASKED:
            yield column.name


def _rows(atlas: Atlas, found: Sequence[Difference]) -> Iterator[Apart]:
    """The surest, few of one column; those with the same numbers as one that is told stand beside it."""
    told: dict[tuple[int, int, int, int], list[Difference]] = {}
    for one in found:
        told.setdefault((one.of.a, one.of.known_a, one.of.b, one.of.known_b), []).append(one)
    of_column: dict[str, int] = {}
    shown = 0
    for first, *rest in told.values():
        if of_column.get(first.of.column, 0) >= MOST_OF_A_COLUMN:
            continue
        of_column[first.of.column] = of_column.get(first.of.column, 0) + 1
        shown += 1
        if shown > MOST_ROWS:
            return
        yield _apart(atlas, first, rest)


def _apart(atlas: Atlas, one: Difference, same: Sequence[Difference]) -> Apart:
    q = 1.0 if one.test.q is None else one.test.q
    return Apart(
        column=one.of.column,
        value=one.of.value,
        kind=_kind(atlas, one.of.column),
        name=_name(atlas, one.of),
        a=one.of.a,
        known_a=one.of.known_a,
        b=one.of.b,
        known_b=one.of.known_b,
        q=q,
        q_says=small(q),
        python=two_sided(one.test),
        same=[_name(atlas, each.of) for each in same],
    )


def _kind(atlas: Atlas, column: str) -> Literal["finding", "feature", "exposure", "case"]:
    return "finding" if column == HOLDS else atlas.column(column).kind


def _name(atlas: Atlas, of: Counted) -> str:
    return name_of(of.column, _kind(atlas, of.column), of.value)


def _marks(row: Apart, shapes: chart.Shapes) -> Markup:
    sign = chart.Dumbbell("", row.a / row.known_a, row.b / row.known_b, ("", ""))
    return chart.row(sign, MARKS, shapes)
