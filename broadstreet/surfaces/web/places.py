"""The fleet as streets: which exposures make areas and streets, and what stands at each address."""

import math
from collections.abc import Container, Iterator, Sequence
from itertools import groupby
from typing import Any, Literal

import msgspec

from broadstreet.population.rates import limits, of_places, rate
from broadstreet.records.selection import Selection
from broadstreet.records.weights import Interval
from broadstreet.store.atlas import Atlas
from broadstreet.store.streets import addresses, cpus, streets, unplaced
from broadstreet.surfaces.charts.lettering import figure
from broadstreet.surfaces.charts.street_map import Crash, FleetMap, Region, Street
from broadstreet.surfaces.charts.suspects import Address, Suspect
from broadstreet.surfaces.text import plural
from broadstreet.surfaces.web.curves import ROLES
from broadstreet.surfaces.web.rendering import link
from broadstreet.surfaces.web.selection import narrowed

AREAS, STREETS = ("region", "zone", "rack"), ("rack", "zone", "physical_host")
SMALL = frozenset(("rack", "physical_host"))  # of so few hosts that each can be a street of its own
MOST_ADDRESSES = 20_000  # with crashes, that are told and drawn
ALL = "All hosts"
LABEL = 3  # letters at the end of a host's name, beside its crashes
NO_LIMITS = (math.inf,) * 4  # where no rate is higher than another


class RateTold(msgspec.Struct, frozen=True):
    """Episodes per 100,000 of what time at risk is counted in, with the 95% interval."""

    value: float
    low: float
    high: float


class CrashesTold(msgspec.Struct, frozen=True):
    """Cases at an address of one outbreak (its rank; null: of none)."""

    outbreak: int | None
    cases: int


class AddressTold(msgspec.Struct, frozen=True):
    """A host with crashes; `place` is which host of its street it is, by name."""

    place: int
    host: str
    crashes: list[CrashesTold]


class StreetTold(msgspec.Struct, frozen=True):
    """Hosts that stand together; `rate` is pulled to the mean where time at risk is short.

    It is that of the `rated` episodes, on hosts that were at risk. `idle` are the places of those that were not.
    """

    name: str | None
    hosts: int
    at_risk: float | None
    cases: int
    episodes: int
    rated: int
    rate: float | None
    idle: list[int]
    addresses: list[AddressTold]


class AreaTold(msgspec.Struct, frozen=True):
    """Streets that lie together; a name of null is not known, or there is only one area."""

    name: str | None
    hosts: int
    at_risk: float | None
    cases: int
    rate: RateTold | None
    streets: list[StreetTold]


class PlacesTold(msgspec.Struct, frozen=True):
    """The fleet by `area` and `street`, exposures both (null: there is none).

    `mean` is the rate of all; `limits` are the rates from which a street is drawn darker, null without time at risk or
    without a crash. `places` is what stands in a street: hosts, or the CPUs of one. `unplaced` cases are on none: on
    which of them they happened is not known. `cut`: there are more addresses with crashes than are told.
    """

    places: Literal["hosts", "cpus"]
    measure: str | None
    unplaced: int
    cut: bool
    area: str | None
    street: str | None
    hosts: int
    mean: float | None
    limits: tuple[float, float, float, float] | None
    areas: list[AreaTold]
    queries: list[str]


def levels(atlas: Atlas, selection: Selection, area: str, street: str) -> tuple[str | None, str | None]:
    """What makes an area and a street: as asked, else what is not the same everywhere in what is selected."""
    single = {one.column for one in selection.conditions if one.kind == "is" and len(one.values) == 1}
    known = {name for name, column in atlas.columns.items() if column.kind == "exposure" and column.values > 1}
    areas = [name for name in AREAS if name in known and name not in single]
    chosen_area = area if area in known else next(iter(areas), None)
    wanted = [name for name in STREETS if name in known - single and name != chosen_area]
    otherwise = "host" if single & SMALL and "host" in known else None
    chosen = street if street in known else next(iter(wanted), otherwise)
    return chosen_area, chosen


def places_told(atlas: Atlas, selection: Selection, area: str | None, street: str | None) -> PlacesTold:
    """What stands where."""
    by_street = streets(atlas, selection, area, street)
    crashed = addresses(atlas, selection, area, street, MOST_ADDRESSES)
    rows = by_street.dicts()
    lost = unplaced(atlas, selection, "host")
    rates = of_places([row["rated"] for row in rows], [row["at_risk"] for row in rows])
    whole = rate(sum(row["rated"] for row in rows), _sum(row["at_risk"] for row in rows))
    mean = None if whole is None else whole.value
    at = {key: list(some) for key, some in groupby(crashed.dicts(), lambda row: (row["area"], row["street"]))}
    told = [
        (row["area"], _street(row, one, at.get((row["area"], row["street"]), ())))
        for row, one in zip(rows, rates, strict=True)
    ]
    areas = [_area(name, [each for _, each in some]) for name, some in groupby(told, lambda pair: pair[0])]
    return PlacesTold(
        places="hosts",
        measure=next(iter(atlas.about.measures), None),
        unplaced=lost.dicts()[0]["cases"],
        cut=crashed.rows.num_rows == MOST_ADDRESSES,
        area=area,
        street=street,
        hosts=sum(one.hosts for one in areas),
        mean=mean,
        limits=limits(mean) if mean else None,
        areas=areas,
        queries=[by_street.select, crashed.select, lost.select],
    )


def cpus_told(atlas: Atlas, selection: Selection) -> PlacesTold:
    """The CPUs of one host, by NUMA node; how many it has is not known, only on which threads crashed."""
    answer, lost = cpus(atlas, selection), unplaced(atlas, selection, "cpu")
    nodes = []
    for node, some in groupby(answer.dicts(), lambda row: row["numa_node"]):
        rows = [row for row in some if row["cpu"] is not None]
        crashed = [
            AddressTold(cpu, f"CPU {cpu}", [CrashesTold(row["outbreak"], row["cases"]) for row in each])
            for cpu, each in groupby(rows, lambda row: row["cpu"])
        ]
        if crashed:
            cases, episodes = (sum(row[name] for row in rows) for name in ("cases", "episodes"))
            name = "CPUs" if node is None else f"node {node}"
            nodes.append(StreetTold(name, crashed[-1].place + 1, None, cases, episodes, 0, None, [], crashed))
    return PlacesTold(
        places="cpus",
        measure=None,
        unplaced=lost.dicts()[0]["cases"],
        cut=False,
        area=None,
        street=None,
        hosts=sum(one.hosts for one in nodes),
        mean=None,
        limits=None,
        areas=[_area(None, nodes)] if nodes else [],
        queries=[answer.select, lost.select],
    )


def drawn_map(told: PlacesTold, selection: Selection, suspect: Suspect | None = None) -> FleetMap:
    """The map as a chart; each street and area links to itself."""
    regions = []
    for area in told.areas:
        inside = selection if told.area is None else narrowed(selection, told.area, area.name)
        note = plural(area.hosts, "host") if told.places == "hosts" else ""
        if area.rate is not None:
            note += f" · {figure(area.rate.value)} per 100,000 {unit(told.measure)}"
        drawn = tuple(_drawn_street(one, told, inside) for one in area.streets)
        address = None if told.area is None else link("/map", inside)
        regions.append(Region(area.name if told.area else ALL, note, drawn, address))
    suspects = () if suspect is None else (suspect,)
    return FleetMap("Every crash at its address", tuple(regions), told.limits or NO_LIMITS, suspects)


def addresses_of(told: PlacesTold, hosts: Container[str]) -> tuple[Address, ...]:
    """Where these hosts are on the map."""
    return tuple(
        Address(at, place, one.place, one.host[-LABEL:])
        for at, area in enumerate(told.areas)
        for place, street in enumerate(area.streets)
        for one in street.addresses
        if one.host in hosts
    )


def _drawn_street(one: StreetTold, told: PlacesTold, inside: Selection) -> Street:
    note = f"{plural(one.hosts, 'host')}, {plural(one.cases, 'crash', 'crashes')}"
    note += "" if one.rate is None else f", {figure(one.rate)} per 100,000 {unit(told.measure)}"
    crashes = tuple(Crash(at.place, role_of(some.outbreak), some.cases) for at in one.addresses for some in at.crashes)
    address = None if told.street is None else link("/map", narrowed(inside, told.street, one.name))
    return Street(one.name or "not known", one.hosts, one.rate, crashes, note, address, frozenset(one.idle))


def unit(measure: str | None) -> str:
    """What time at risk is counted in, beside a number."""
    return "h" if measure is None or measure.endswith("_hours") else measure.replace("_", " ")


def role_of(outbreak: int | None) -> str:
    """The colour of an outbreak."""
    return ROLES[outbreak - 1] if outbreak is not None and outbreak <= len(ROLES) else "other"


def rate_told(one: Interval | None) -> RateTold | None:
    """A rate as a page has it."""
    return None if one is None else RateTold(one.value, one.low, one.high)


def _street(row: dict[str, Any], of: float | None, at: Sequence[dict[str, Any]]) -> StreetTold:
    return StreetTold(
        name=row["street"],
        hosts=row["hosts"],
        at_risk=row["at_risk"],
        cases=row["cases"],
        episodes=row["episodes"],
        rated=row["rated"],
        rate=of,
        idle=row["idle"] or [],
        addresses=list(_addresses(at)),
    )


def _addresses(at: Sequence[dict[str, Any]]) -> Iterator[AddressTold]:
    for (place, host), some in groupby(at, lambda row: (row["place"], row["host"])):
        yield AddressTold(place, host, [CrashesTold(row["outbreak"], row["cases"]) for row in some])


def _area(name: str | None, told: list[StreetTold]) -> AreaTold:
    at_risk = _sum(one.at_risk for one in told)
    return AreaTold(
        name,
        sum(one.hosts for one in told),
        at_risk,
        sum(one.cases for one in told),
        rate_told(rate(sum(one.rated for one in told), at_risk)),
        told,
    )


def _sum(values: Iterator[float | None]) -> float | None:
    known = [one for one in values if one is not None]
    return sum(known) if known else None
