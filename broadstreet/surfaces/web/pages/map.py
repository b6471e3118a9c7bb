"""The map: every crash at its address, by rate and not by count; a suspect machine over time; any two exposures."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from markupsafe import Markup

from broadstreet.population.rates import limits, rate
from broadstreet.records.selection import EVERYTHING, Selection
from broadstreet.store.atlas import Atlas
from broadstreet.store.looking import counted, crashed_of, placed, rates, suspects
from broadstreet.surfaces.charts import marks, matrix, placements, street_map
from broadstreet.surfaces.charts.suspects import Suspect
from broadstreet.surfaces.charts.svg import for_widths
from broadstreet.surfaces.investigation_json import ComparisonJson, OutbreakJson
from broadstreet.surfaces.text import first_up, plural, sentence
from broadstreet.surfaces.web.curves import MIDDLE, REST, CurveTold, brushed, curve_told
from broadstreet.surfaces.web.found import investigation
from broadstreet.surfaces.web.page import Asked, Page, Parameter
from broadstreet.surfaces.web.places import (
    NO_LIMITS,
    PlacesTold,
    RateTold,
    addresses_of,
    cpus_told,
    drawn_map,
    levels,
    places_told,
    rate_told,
    role_of,
    unit,
)
from broadstreet.surfaces.web.rendering import link, part
from broadstreet.surfaces.web.selection import narrowed
from broadstreet.verdict.figures import amount, ratio
from broadstreet.verdict.words import exposure

MOST_SUSPECTS = 5
MOST_PLACED = 40  # hosts of a machine that are drawn
MOST_OF_MATRIX = 14  # values of an exposure
MATRIX = (("sku", "kernel_release"), ("service_release", "region"), ("workload", "region"))
HALF = 592  # pixels of one of two columns
BEFORE = timedelta(days=7)  # that are drawn of a machine before its onset
SHADOW = 2.0  # a naive ratio so many times the adjusted one is mostly the shadow of something else


class SuspectTold(msgspec.Struct, frozen=True):
    """A place by how many more crashes it has than its time at risk explains; null where that is not known."""

    attribute: str
    value: str
    episodes: int
    hours: float | None
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    q: float | None
    asked: int


class PlacedTold(msgspec.Struct, frozen=True):
    """A host that was on the machine, from when until when, and its crashes there."""

    host: str
    start: datetime
    end: datetime
    cases: list[datetime]


class MachineTold(msgspec.Struct, frozen=True):
    """A machine that an outbreak points at, and the hosts on it one after another.

    Of the `addresses` with crashes the first are told; `others` had no crash. `cases` of the `of` that are inside of
    the outbreak happened there.
    """

    name: str
    outbreak: str
    rank: int
    role: str
    cases: int
    of: int
    onset: datetime | None
    hosts: list[PlacedTold]
    addresses: int
    others: int
    query: str


class CellTold(msgspec.Struct, frozen=True):
    """Two exposures together. `at_risk` of null: they never ran together, or nobody tells."""

    row: str | None
    column: str | None
    cases: int
    episodes: int
    at_risk: float | None
    rate: RateTold | None


class MatrixTold(msgspec.Struct, frozen=True):
    """Two exposures against each other; values beyond the first are left out, `more` says whether there are.

    `limits` are the rates from which a cell is drawn darker: those of the map, where it has any.
    """

    rows_of: str
    columns_of: str
    rows: list[str | None]
    columns: list[str | None]
    cells: list[CellTold]
    told: bool
    more: bool
    limits: tuple[float, float, float, float] | None
    query: str


class MapTold(msgspec.Struct, frozen=True):
    """The fleet with its crashes, what stands out, and what is to be read with care."""

    heading: str
    opening: str
    cases: int
    legend: list[tuple[str, str]]
    measure: str | None
    strip: CurveTold | None
    places: PlacesTold
    machine: MachineTold | None
    suspects: list[SuspectTold]
    suspects_query: str
    matrix: MatrixTold | None
    care: list[str]
    exposures: list[str]


def tell(asked: Asked) -> MapTold:
    """The map of what is selected."""
    atlas, selection = asked.atlas, asked.selection
    area, street = levels(atlas, selection, asked.one("area"), asked.one("street"))
    places = cpus_told(atlas, selection) if _one_host(selection) else places_told(atlas, selection, area, street)
    machine = _machine(atlas, asked.one("machine"))
    ranked = suspects(atlas, "physical_host" if "physical_host" in atlas.columns else "host", MOST_SUSPECTS)
    two = _matrix(atlas, selection, asked.one("rows"), asked.one("columns"), places)
    chosen = counted(atlas, selection).dicts()[0]
    return MapTold(
        heading=_heading(places, machine, selection, chosen),
        opening=_opening(places, atlas.about.cases),
        cases=chosen["cases"],
        legend=_legend(atlas),
        measure=next(iter(atlas.about.measures), None),
        strip=curve_told(atlas, selection, None),
        places=places,
        machine=machine,
        suspects=[SuspectTold(**row) for row in ranked.dicts()],
        suspects_query=ranked.select,
        matrix=two,
        care=[*_shadows(atlas, two), *_never(two, selection)],
        exposures=_exposures(atlas),
    )


def _exposures(atlas: Atlas) -> list[str]:
    """Those by which time at risk is told; where none is told at all, any."""
    exposures = [one for one in atlas.about.columns if one.kind == "exposure"]
    return [one.name for one in exposures if one.at_risk or not atlas.about.measures]


def draw(told: MapTold, asked: Asked) -> dict[str, object]:
    """The map, the strip above it, and the machine with its hosts over time."""
    machine = told.machine
    fleet = drawn_map(told.places, asked.selection, None if machine is None else _suspect(told, machine))
    return {
        "strip": None if told.strip is None else brushed(told.strip, "Cases over time"),
        "map": for_widths(street_map.draw, fleet, middle=MIDDLE),
        "caption": street_map.caption(fleet),
        "key": marks.key((marks.bars(role), name) for role, name in told.legend),
        "ground": None if told.places.limits is None else marks.key(marks.tones(told.places.limits)),
        "placements": _placements_drawn(machine, told.strip) if machine and machine.hosts and told.strip else None,
        "matrix": None if told.matrix is None else _matrix_drawn(told.matrix, told.measure, asked.selection),
    }


def _placements_drawn(machine: MachineTold, strip: CurveTold) -> Markup:
    rows = tuple(
        placements.Placement(one.host, one.start, one.end, tuple(one.cases), f"/hosts/{part(one.host)}")
        for one in machine.hosts
    )
    words = "" if machine.onset is None else f"Onset {machine.onset.day} {machine.onset:%b}"
    begin, end = min(one.start for one in machine.hosts), max(one.end for one in machine.hosts)
    start = max(strip.start, begin, *(() if machine.onset is None else (machine.onset - BEFORE,)))
    chart = placements.Placements(
        f"Hosts on machine {machine.name}", start, min(strip.end, end), rows, machine.onset, words, machine.role
    )
    return for_widths(placements.draw, chart, HALF)


def _matrix_drawn(told: MatrixTold, measure: str | None, selection: Selection) -> Markup:
    at = {(one.row, one.column): one for one in told.cells}
    cells = tuple(
        tuple(
            _cell(told, at.get((row, column)), (row, column), unit(measure), _of_cell(told, row, column, selection))
            for column in told.columns
        )
        for row in told.rows
    )
    chart = matrix.Matrix(
        f"{exposure(told.rows_of)} by {exposure(told.columns_of)}",
        tuple(row or "not known" for row in told.rows),
        tuple(column or "not known" for column in told.columns),
        cells,
        told.limits or NO_LIMITS,
        f"per 100,000 {(measure or 'hours').replace('_', '-')}",
    )
    return for_widths(matrix.draw, chart, HALF)


def _of_cell(told: MatrixTold, row: str | None, column: str | None, selection: Selection) -> str:
    return link("/cases", narrowed(narrowed(selection, told.rows_of, row), told.columns_of, column))


def _cell(
    told: MatrixTold, one: CellTold | None, pair: tuple[str | None, str | None], hours_in: str, address: str
) -> matrix.Cell:
    """Where time at risk is told, a pair of values without any never ran; of what is not known, nothing is said."""
    if one is None or (told.told and not one.at_risk and not one.cases):
        return matrix.Cell(None, 0, 0.0 if told.told and None not in pair else None, "", None)
    hours = "" if one.at_risk is None else f" in {amount(one.at_risk)} {hours_in}"
    at_risk = one.at_risk if one.at_risk else None
    return matrix.Cell(
        None if one.rate is None else one.rate.value, one.cases, at_risk, f"{one.cases:,}{hours}", address
    )


def _suspect(told: MapTold, machine: MachineTold) -> Suspect | None:
    addresses = addresses_of(told.places, {one.host for one in machine.hosts})
    if not addresses:
        return None
    notes = (
        f"{machine.cases:,} of {plural(machine.of, 'crash', 'crashes')} of outbreak {machine.rank},",
        f"{plural(machine.addresses, 'host')}, one machine",
    )
    return Suspect(machine.name, notes, machine.role, addresses, f"/machines/{part(machine.name)}")


def _one_host(selection: Selection) -> bool:
    of_host = [one.values for one in selection.conditions if one.column == "host" and one.kind == "is"]
    return any(len(values) == 1 and None not in values for values in of_host)


def _heading(places: PlacesTold, machine: MachineTold | None, selection: Selection, chosen: dict[str, Any]) -> str:
    if machine is not None and selection == EVERYTHING and machine.hosts:
        hosts = plural(machine.addresses, "address", "addresses")
        return f"{machine.cases:,} crashes, {hosts}, one machine."
    if not chosen["cases"]:
        return "No crash here." if selection != EVERYTHING else "No crashes yet."
    if places.places == "cpus":
        on = sum(len(street.addresses) for area in places.areas for street in area.streets)
        where = f"on {plural(on, 'CPU')} of one host" if on else "on one host; on which CPU is not known"
        return f"{plural(chosen['cases'], 'crash', 'crashes')} {where}."
    crashed = chosen["hosts"] or 0
    of = "" if crashed == places.hosts else f"{crashed:,} of "
    where = f" on {of}{plural(places.hosts, 'host')}" if crashed else ", on hosts that are not known"
    return f"{plural(chosen['cases'], 'crash', 'crashes')}{where}."


def _legend(atlas: Atlas) -> list[tuple[str, str]]:
    """The colour of each outbreak, and that of all else."""
    told = [
        (role_of(one.rank), f"{one.rank} {one.mechanism.replace('_', ' ')}") for one in investigation(atlas).outbreaks
    ]
    return [*(one for one in told if one[0] != "other"), ("other", REST if told else "Crashes")]


def _opening(places: PlacesTold, cases: int) -> str:
    if not cases:
        return "The fleet is drawn when there is a crash to be placed in it."
    if places.places == "cpus":
        return "Each dot is a CPU; each bar is a crash of a thread that ran on it last, away from the middle."
    if not places.hosts:
        return "No host of these is known: neither core dumps nor the fleet's tables tell any."
    if places.street is None:
        return "Each dot is a host; each bar is a crash at that address, away from the street."
    street = f"a {exposure(places.street)}"
    return (
        f"Each street is {street}. Each dot on it is a host; each bar is a crash at that address, away from the street."
    )


def _machine(atlas: Atlas, name: str) -> MachineTold | None:
    """The one that is asked for, else the first that an outbreak points at."""
    if not all(name in atlas.columns and atlas.column(name).at_risk for name in ("physical_host", "host")):
        return None
    outbreaks = investigation(atlas).outbreaks
    pointed = {one.cohort["physical_host"]: one for one in outbreaks if "physical_host" in one.cohort}
    machine = name if name in pointed else next(iter(pointed), None)
    if machine is None:
        return None
    outbreak = pointed[machine]
    there = placed(atlas, "physical_host", machine, "host")
    times = crashed_of(atlas, "physical_host", machine, outbreak.id)
    crashes: dict[str, list[datetime]] = {}
    for row in times.dicts():
        if row["host"] is not None and row["time"] is not None:
            crashes.setdefault(row["host"], []).append(row["time"].astimezone(UTC))
    known = [row for row in there.dicts() if row["value"] is not None]
    rows = [row for row in known if row["value"] in crashes]
    return MachineTold(
        name=machine,
        outbreak=outbreak.id,
        rank=outbreak.rank,
        role=role_of(outbreak.rank),
        cases=times.rows.num_rows,
        of=outbreak.case_count,
        onset=None if outbreak.onset is None else datetime.fromisoformat(outbreak.onset),
        hosts=[
            PlacedTold(row["value"], row["start"].astimezone(UTC), row["end"].astimezone(UTC), crashes[row["value"]])
            for row in rows[:MOST_PLACED]
        ],
        addresses=len(rows),
        others=len(known) - len(rows),
        query=there.select,
    )


def _matrix(atlas: Atlas, selection: Selection, rows_of: str, columns_of: str, places: PlacesTold) -> MatrixTold | None:
    pair = _pair(atlas, rows_of, columns_of)
    if pair is None:
        return None
    answer = rates(atlas, selection, pair)
    found = answer.dicts()
    (rows, more_rows), (columns, more_columns) = (_values(found, name) for name in pair)
    shown = {(row, column) for row in rows for column in columns}
    cells = [
        CellTold(
            one[pair[0]],
            one[pair[1]],
            one["cases"],
            one["episodes"],
            one["at_risk"],
            rate_told(rate(one["episodes"], one["at_risk"])),
        )
        for one in found
        if (one[pair[0]], one[pair[1]]) in shown
    ]
    return MatrixTold(
        *pair,
        rows,
        columns,
        cells,
        told=bool(atlas.about.measures) and all(atlas.column(name).at_risk for name in pair),
        more=more_rows or more_columns,
        limits=places.limits or _limits(cells),
        query=answer.select,
    )


def _limits(cells: list[CellTold]) -> tuple[float, float, float, float] | None:
    known = [(one.episodes, one.at_risk) for one in cells if one.at_risk]
    mean = rate(sum(episodes for episodes, _ in known), sum(at_risk for _, at_risk in known))
    return limits(mean.value) if mean is not None and mean.value else None


def _pair(atlas: Atlas, rows_of: str, columns_of: str) -> tuple[str, str] | None:
    exposures = {name for name, one in atlas.columns.items() if one.kind == "exposure"}
    if rows_of in exposures and columns_of in exposures and rows_of != columns_of:
        return rows_of, columns_of
    usual = {name for name in exposures if 1 < atlas.column(name).values <= MOST_OF_MATRIX}
    others = [one.name for one in atlas.about.columns if one.at_risk and one.values > 1 and one.name != "host"]
    any_two = (others[0], others[1]) if len(others) > 1 else None
    return next((pair for pair in MATRIX if set(pair) <= usual), any_two)


def _values(found: list[dict[str, Any]], name: str) -> tuple[list[str | None], bool]:
    """Those with most episodes, by name, what is not known last; and whether there are more."""
    episodes: dict[str | None, int] = {}
    for one in found:
        episodes[one[name]] = episodes.get(one[name], 0) + one["episodes"]
    many = sorted((value for value in episodes if value is not None), key=lambda value: (-episodes[value], value))
    unknown = [None] if None in episodes else []
    most = MOST_OF_MATRIX - len(unknown)
    return [*sorted(many[:most]), *unknown], len(many) > most


def _shadows(atlas: Atlas, two: MatrixTold | None) -> list[str]:
    """Values that stand out only because something else does."""
    said = []
    for outbreak in investigation(atlas).outbreaks:
        for one in (*filter(None, [outbreak.comparison]), *outbreak.others):
            if two is not None and one.attribute in (two.rows_of, two.columns_of) and _is_shadow(one):
                said.append(_shadow(outbreak, one))
    return list(dict.fromkeys(said))[:3]  # two outbreaks may say the same


def _is_shadow(one: ComparisonJson) -> bool:
    naive, adjusted = one.naive.value, one.adjusted.value if one.adjusted is not None else None
    return naive is not None and adjusted is not None and naive > SHADOW * adjusted


def _shadow(outbreak: OutbreakJson, one: ComparisonJson) -> str:
    assert one.adjusted is not None
    assert one.adjusted.value is not None
    assert one.naive.value is not None
    same = f"among equal {', '.join(exposure(name) for name in one.strata)}" if one.strata else "adjusted"
    kind = outbreak.mechanism.replace("_", " ")
    return sentence(
        f"{exposure(one.attribute)} {one.value} has {ratio(one.naive.value)} times the {kind} crashes of the others; "
        f"{same} it is {ratio(one.adjusted.value)}"
    )


def _never(two: MatrixTold | None, selection: Selection) -> list[str]:
    """What never ran together cannot be told apart."""
    if two is None or not two.told:
        return []
    ran = {(one.row, one.column) for one in two.cells if one.at_risk}
    known = [(row, column) for row in two.rows for column in two.columns if None not in (row, column)]
    row_of, column_of = exposure(two.rows_of), first_up(exposure(two.columns_of))
    where = "" if selection == EVERYTHING else " in what is selected"
    return [
        f"{column_of} {column} never ran on {row_of} {row}{where}: nothing can be said about the two together."
        for row, column in [one for one in known if one not in ran][:2]
    ]


PAGE = Page(
    "/map",
    "Map",
    "Map",
    MapTold,
    tell,
    "map.html",
    "The fleet as a map: rates with their time at risk, every crash at its address; any two exposures as a two.",
    selects=("",),
    parameters=(
        Parameter("area", "The exposure that makes an area: region, zone, ..."),
        Parameter("street", "The exposure that makes a street: rack, physical_host, ..."),
        Parameter("machine", "The machine whose hosts are shown over time."),
        Parameter("rows", "The exposure of the matrix's rows."),
        Parameter("columns", "The exposure of the matrix's columns."),
    ),
    draw=draw,
)
