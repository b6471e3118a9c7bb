"""The fleet as streets: which exposures make areas and streets, and what stands at each address."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import msgspec

from broadstreet.population.rates import of_places, rate, tone
from broadstreet.records.selection import Selection
from broadstreet.records.weights import Interval
from broadstreet.store.atlas import Atlas
from broadstreet.store.looking import addresses, streets
from broadstreet.surfaces.web.curves import ROLES

AREAS, STREETS = ("region", "zone", "rack"), ("rack", "zone", "physical_host")
MOST_ADDRESSES = 20_000  # with crashes, that are told and drawn
MOST_VALUES = 2_000  # streets; with more of them nothing can be read


class RateTold(msgspec.Struct, frozen=True):
    """Crashes per 100,000 of what time at risk is counted in, with the 95 % interval."""

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
    """Hosts that stand together; `rate` is pulled to the mean where time at risk is short, `tone` from 0 to 3."""

    name: str | None
    hosts: int
    hosts_at_risk: int
    at_risk: float | None
    cases: int
    episodes: int
    rate: float | None
    tone: int | None
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
    """The fleet by `area` and `street`, exposures both (null: everything is one); `mean` is the rate of all."""

    area: str | None
    street: str | None
    hosts: int
    mean: float | None
    areas: list[AreaTold]
    queries: list[str]


def levels(atlas: Atlas, selection: Selection, area: str, street: str) -> tuple[str | None, str | None]:
    """What makes an area and a street: as asked, else what is not the same everywhere in what is selected."""
    single = {one.column for one in selection.conditions if one.kind == "is" and len(one.values) == 1}
    known = {name for name, column in atlas.columns.items() if column.kind == "exposure" and column.values > 1}
    areas = [name for name in AREAS if name in known and name not in single]
    chosen_area = area if area in known else next(iter(areas), None)
    wanted = [name for name in STREETS if name in known - single and name != chosen_area]
    chosen = street if street in known else next(iter(wanted), None)
    return chosen_area, chosen


def places_told(atlas: Atlas, selection: Selection, area: str | None, street: str | None) -> PlacesTold:
    """What stands where."""
    by_street = streets(atlas, selection, area, street)
    crashed = addresses(atlas, selection, area, street, MOST_ADDRESSES)
    rows = by_street.dicts()
    rates = of_places([row["episodes"] for row in rows], [row["at_risk"] for row in rows])
    whole = rate(sum(row["episodes"] for row in rows), _sum(row["at_risk"] for row in rows))
    mean = None if whole is None else whole.value
    at = {key: list(some) for key, some in groupby(crashed.dicts(), lambda row: (row["area"], row["street"]))}
    told = [
        (row["area"], _street(row, one, mean, at.get((row["area"], row["street"]), ())))
        for row, one in zip(rows, rates, strict=True)
    ]
    areas = [_area(name, [each for _, each in some]) for name, some in groupby(told, lambda pair: pair[0])]
    return PlacesTold(area, street, sum(one.hosts for one in areas), mean, areas, [by_street.select, crashed.select])


def role_of(outbreak: int | None) -> str:
    """The colour of an outbreak."""
    return ROLES[outbreak - 1] if outbreak is not None and outbreak <= len(ROLES) else "other"


def rate_told(one: Interval | None) -> RateTold | None:
    """A rate as a page has it."""
    return None if one is None else RateTold(one.value, one.low, one.high)


def _street(row: dict[str, Any], of: float | None, mean: float | None, at: Sequence[dict[str, Any]]) -> StreetTold:
    return StreetTold(
        name=row["street"],
        hosts=row["hosts"],
        hosts_at_risk=row["hosts_at_risk"],
        at_risk=row["at_risk"],
        cases=row["cases"],
        episodes=row["episodes"],
        rate=of,
        tone=tone(of, mean),
        addresses=list(_addresses(at)),
    )


def _addresses(at: Sequence[dict[str, Any]]) -> Iterator[AddressTold]:
    for (place, host), some in groupby(at, lambda row: (row["place"], row["host"])):
        yield AddressTold(place, host, [CrashesTold(row["outbreak"], row["cases"]) for row in some])


def _area(name: str | None, told: list[StreetTold]) -> AreaTold:
    at_risk = _sum(one.at_risk for one in told)
    episodes = sum(one.episodes for one in told)
    return AreaTold(
        name,
        sum(one.hosts for one in told),
        at_risk,
        sum(one.cases for one in told),
        rate_told(rate(episodes, at_risk)),
        told,
    )


def _sum(values: Iterator[float | None]) -> float | None:
    known = [one for one in values if one is not None]
    return sum(known) if known else None
