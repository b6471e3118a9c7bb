"""Cases: every crash, narrowed by any column, and told one by one, the newest first."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from broadstreet.errors import UsageError
from broadstreet.formats.names import demangled
from broadstreet.records.atlas import AtlasColumn
from broadstreet.records.selection import EVERYTHING, Selection
from broadstreet.store.atlas import Atlas
from broadstreet.store.looking import counted, page, turned, without_each
from broadstreet.surfaces.text import plural
from broadstreet.surfaces.web.curves import CurveTold, curve_told, drawn, onsets, outages, period_of
from broadstreet.surfaces.web.downloads import FORMS, columns_of
from broadstreet.surfaces.web.facets import FACETS, Addresses, FacetTold, facets_told, hexed, label
from broadstreet.surfaces.web.found import investigation
from broadstreet.surfaces.web.page import Asked, Page, Parameter
from broadstreet.surfaces.web.rendering import link, part, period
from broadstreet.surfaces.web.selection import pairs_of
from broadstreet.surfaces.web.spoken import spoken

ROWS = 100  # of a page
MOST_FACETS = 40
MOST_COLUMNS = 40  # of the table; a download has as many as there are
SHORT = 8  # a selected time that is this many times shorter than all is drawn by itself
COLUMNS = ("time", "host", "mechanism", "site", "syndrome", "outbreak", "service_release")
PLACES = {"host": "/hosts/", "syndrome": "/syndromes/"}
KINDS = {"case": "What is told of every case", "exposure": "Where it happened", "feature": "What the machine was doing"}


class CellTold(msgspec.Struct, frozen=True):
    """A value of a row as it is shown; null: it is not known. `address` leads to what it names."""

    text: str | None
    address: str | None = None


class RowTold(msgspec.Struct, frozen=True):
    """A case: its place among all, the newest is 0, and the cells of the columns."""

    number: int
    case_id: str
    address: str
    cells: list[CellTold]


class ColumnTold(msgspec.Struct, frozen=True):
    """A column that there is; `shown`: it is in the table. `unknown` is what stands there where it is null."""

    name: str
    kind: str
    type: str
    meaning: str
    null: str
    unknown: str
    shown: bool


class TurnTold(msgspec.Struct, frozen=True):
    """Which rows these are, counted from 1, and where the others are; null where there are none."""

    first: int
    last: int
    newest: str | None
    newer: str | None
    older: str | None
    oldest: str | None


class WayOut(msgspec.Struct, frozen=True):
    """A limit that could be taken away, and the cases that there are then."""

    text: str
    cases: int
    address: str


class CasesTold(msgspec.Struct, frozen=True):
    """The cases that are selected: how many, when, how they are spread over columns, and one page of them.

    `downloads` has an address for each form: of the columns that are shown, and of all.
    """

    answer: str
    selected_in_words: str
    cases: int
    of: int
    hosts: int | None
    undated: int
    first: datetime | None
    last: datetime | None
    curve: CurveTold | None
    facets: list[FacetTold]
    columns: list[ColumnTold]
    rows: list[RowTold]
    turn: TurnTold | None
    ways_out: list[WayOut]
    compare: str | None
    downloads: dict[str, list[str]]
    queries: dict[str, str]


def tell(asked: Asked) -> CasesTold:
    """The cases that are selected."""
    atlas, selection = asked.atlas, asked.selection
    chosen = counted(atlas, selection)
    (known,) = chosen.dicts()
    columns = _shown(asked)
    rows = page(atlas, selection, columns, _after(asked), ROWS)
    turning = turned(atlas, selection, _after(asked), ROWS)
    extra = asked.all("facet")
    return CasesTold(
        answer=_answer(atlas, selection, known),
        selected_in_words=spoken(selection),
        cases=known["cases"],
        of=atlas.about.cases,
        hosts=known["hosts"],
        undated=known["undated"],
        first=known["first"],
        last=known["last"],
        curve=_curve(atlas, selection),
        facets=facets_told(atlas, _addresses(asked), _facets(atlas, extra), extra),
        columns=_columns(atlas, columns),
        rows=_rows(atlas, rows.dicts(), columns),
        turn=_turn(asked, rows.dicts(), turning.dicts()[0], known["cases"]),
        ways_out=_ways_out(asked) if not known["cases"] else [],
        compare=link("/compare", pairs=pairs_of(selection, "a.")) if selection != EVERYTHING else None,
        downloads=_downloads(asked, columns),
        queries={"cases": chosen.select, "rows": rows.select},
    )


def draw(told: CasesTold, asked: Asked) -> dict[str, object]:
    """The curve, each step a link to its cases."""
    curve = None if told.curve is None else drawn(told.curve, "Cases over time", "/cases", asked.selection)
    return {"curve": curve, "kinds": KINDS}


def _addresses(asked: Asked) -> Addresses:
    return Addresses("/cases", asked.selection, [pair for pair in asked.query if pair[0] != "after"])


def _after(asked: Asked) -> int | None:
    return asked.number("after", -1, -1, 10**12) if asked.one("after") else None


def _shown(asked: Asked) -> list[str]:
    named = asked.all("column")
    if len(named) > MOST_COLUMNS:
        raise UsageError(f"more than {MOST_COLUMNS} columns in a table", "A download has all of them.")
    if named:
        return [name for name in columns_of(asked.atlas, named) if name != "case_id"]
    return [name for name in COLUMNS if name in asked.atlas.columns]


def _facets(atlas: Atlas, extra: Sequence[str]) -> list[str]:
    if len(extra) > MOST_FACETS:
        raise UsageError(f"more than {MOST_FACETS} facets", "Take some away.")
    asked_for = [atlas.column(name).name for name in dict.fromkeys(extra)]
    return [*asked_for, *(name for name in FACETS if name in atlas.columns and name not in asked_for)]


def _answer(atlas: Atlas, selection: Selection, known: dict[str, Any]) -> str:
    cases = known["cases"]
    if not cases:
        return f"No crash of {atlas.about.cases:,} is all of this."
    said = plural(cases, "crash", "crashes")
    if selection != EVERYTHING:
        said = f"{cases:,} of {plural(atlas.about.cases, 'crash', 'crashes')}"
    if known["hosts"]:
        said += f" on {plural(known['hosts'], 'host')}"
    when = period(known["first"], known["last"])
    return f"{said}, {when}." if when else f"{said}."


def _curve(atlas: Atlas, selection: Selection) -> CurveTold | None:
    by = "outbreak" if investigation(atlas).outbreaks else "mechanism"
    whole = period_of(atlas)
    if whole is None:
        return None
    start, end = max(selection.start or whole[0], whole[0]), min(selection.end or whole[1], whole[1])
    short = timedelta(0) < end - start < (whole[1] - whole[0]) / SHORT
    return curve_told(atlas, selection, by, [*onsets(atlas), *outages(atlas)], period=(start, end) if short else whole)


def _columns(atlas: Atlas, shown: Sequence[str]) -> list[ColumnTold]:
    return [
        ColumnTold(one.name, one.kind, one.type, one.meaning, one.null, label(one.name, None), one.name in shown)
        for one in (
            *(atlas.column(name) for name in shown),
            *(one for one in atlas.columns.values() if one.name not in shown),
        )
    ]


def _rows(atlas: Atlas, rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> list[RowTold]:
    outbreaks = {one.rank: one.id for one in investigation(atlas).outbreaks}
    return [
        RowTold(
            number=row["number"],
            case_id=row["case_id"],
            address=f"/cases/{part(row['case_id'])}",
            cells=[_cell(atlas.column(name), row[name], outbreaks) for name in columns],
        )
        for row in rows
    ]


def _cell(column: AtlasColumn, value: Any, outbreaks: dict[int, str]) -> CellTold:
    if value is None or value == [] or value == "":
        return CellTold(None)
    if column.name == "outbreak":
        return CellTold(str(value), f"/outbreaks/{part(outbreaks[value])}" if value in outbreaks else None)
    if column.name in PLACES:
        return CellTold(value, PLACES[column.name] + part(value))
    return CellTold(_text(column, value))


def _text(column: AtlasColumn, value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(value)
    if column.name == "site":
        return demangled(value)
    return hexed(column, str(value)) or ""


def _turn(asked: Asked, rows: Sequence[dict[str, Any]], turning: dict[str, Any], cases: int) -> TurnTold | None:
    if not rows:
        return None
    newer, last = turning["newer"], turning["newer"] + len(rows)
    to = _addresses(asked)
    first_page = to.of(asked.selection)

    def at(number: int) -> str:
        return to.with_pair("after", str(number))

    return TurnTold(
        first=newer + 1,
        last=last,
        newest=first_page if newer else None,
        newer=(first_page if newer <= ROWS else at(turning["before"])) if newer else None,
        older=at(rows[-1]["number"]) if last < cases else None,
        oldest=at(turning["oldest"]) if last < cases else None,
    )


def _ways_out(asked: Asked) -> list[WayOut]:
    """The limits, each with what there would be without it; those that alone would help, first."""
    (without,) = without_each(asked.atlas, asked.selection).dicts()
    to = _addresses(asked)
    found = []
    for place, one in enumerate(asked.selection.conditions):
        left = tuple(some for some in asked.selection.conditions if some != one)
        words = spoken(Selection(conditions=(one,)))
        found.append(WayOut(words, without[f"c{place}"], to.of(asked.selection._replace(conditions=left))))
    if asked.selection.start or asked.selection.end:
        words = spoken(asked.selection._replace(conditions=()))
        found.append(WayOut(words, without["time"], to.of(asked.selection._replace(start=None, end=None))))
    return sorted(found, key=lambda one: -one.cases)


def _downloads(asked: Asked, columns: Sequence[str]) -> dict[str, list[str]]:
    shown = [("column", name) for name in ("case_id", *columns)]
    return {
        form: [link(f"/cases.{form}", asked.selection, shown), link(f"/cases.{form}", asked.selection)]
        for form in FORMS
    }


PAGE = Page(
    path="/cases",
    name="Cases",
    tab="Cases",
    told=CasesTold,
    tell=tell,
    template="cases.html",
    summary="The cases that are selected: when, how they are spread over any column, and page by page.",
    selects=("",),
    parameters=(
        Parameter("facet", "A column whose commonest values are told besides; may be repeated."),
        Parameter("all", "A facet of which up to 100 values are told; may be repeated."),
        Parameter("column", "A column of the table; may be repeated."),
        Parameter("after", "The number after which the page begins; the newest case is 0."),
    ),
    draw=draw,
    forms=FORMS,
)
