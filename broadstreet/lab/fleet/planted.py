"""What is known of a fleet because we made it: a line for each core dump, a line for each crash, a page for the fleet.

They lie in `truth/`, where nothing looks that reads core dumps or tables.
"""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct

from broadstreet.lab.fleet.declaration import Cause, Part, Scenario
from broadstreet.lab.fleet.hazard import EXPOSURES, NAMED, Chosen
from broadstreet.lab.fleet.incidents import Incident
from broadstreet.lab.fleet.tables import Table, iso
from broadstreet.lab.truth import Truth


class Planted(Truth, frozen=True, kw_only=True, omit_defaults=True):
    """A core dump of a fleet: what made it, and on which host, as part of which cause and episode.

    `cause` is true of this core dump alone, `is` of the outbreak: a bad host may be played by a bug that looks alike.
    `cpu` is the CPU to which the process was pinned, null where this machine has no such CPU. `attempts` counts the
    orders until one crashed.
    """

    incident: int
    outbreak: str
    side: str = msgspec.field(name="is")
    episode: int
    time: str
    host: str
    physical_host: str
    cpu: int | None
    attempts: int


class Planned(Struct, frozen=True, kw_only=True):
    """A cause as it was drawn. `onset` and `end` are when its hazard begins and ends, `first` and `last` crashes.

    `only` and `multiply` are its exposures, with the names that the seed chose.
    """

    name: str
    side: str = msgspec.field(name="is")
    background: bool
    onset: str
    end: str
    only: dict[str, object]
    multiply: list[dict[str, object]]
    crashes: int
    episodes: int
    captured: int
    made: int
    hosts: int
    physical_hosts: int
    first: str | None
    last: str | None


class Page(Struct, frozen=True, kw_only=True):
    """The truth of a whole fleet."""

    title: str
    naive: str
    scenario: str
    seed: int
    start: str
    days: int
    host_hours: float
    rows: dict[str, int]
    chosen: Chosen
    unrecorded: list[int]
    not_made: dict[int, str]
    causes: list[Planned]


def moment(scenario: Scenario, second: int) -> str:
    """A second of the period as UTC time."""
    return iso(int(scenario.start.timestamp()) + second)


def planted(truth: Truth, core: str, crash: Incident, scenario: Scenario, cpu: int | None, attempts: int) -> Planted:
    """The truth of a core dump, with its place in the fleet."""
    return Planted(
        **{**msgspec.structs.asdict(truth), "core": core},
        incident=crash.number,
        outbreak=crash.cause.name,
        side=crash.cause.side,
        episode=crash.episode,
        time=moment(scenario, crash.second),
        host=crash.stay.host,
        physical_host=crash.stay.physical_host,
        cpu=cpu,
        attempts=attempts,
    )


def causes(scenario: Scenario, crashes: Sequence[Incident], chosen: Chosen, made: set[int]) -> list[Planned]:
    """Each cause, with what came of it."""
    return [
        _cause(scenario, cause, [one for one in crashes if one.cause is cause], chosen, made)
        for cause in scenario.cause
    ]


def _cause(scenario: Scenario, cause: Cause, of_it: list[Incident], chosen: Chosen, made: set[int]) -> Planned:
    return Planned(
        name=cause.name,
        side=cause.side,
        background=cause.background,
        onset=moment(scenario, scenario.second(cause.begin) if cause.begin else 0),
        end=moment(scenario, scenario.second(cause.until) if cause.until else scenario.seconds),
        only=_resolved(cause.only, chosen),
        multiply=[_resolved(one, chosen) for one in cause.multiply],
        crashes=len(of_it),
        episodes=len({one.episode for one in of_it}),
        captured=sum(one.captured for one in of_it),
        made=sum(one.number in made for one in of_it),
        hosts=len({one.stay.host for one in of_it}),
        physical_hosts=len({one.stay.physical_host for one in of_it}),
        first=moment(scenario, of_it[0].second) if of_it else None,
        last=moment(scenario, of_it[-1].second) if of_it else None,
    )


def _resolved(part: Part, chosen: Chosen) -> dict[str, object]:
    found = dict(msgspec.to_builtins(part))
    for name in EXPOSURES:
        if name in found:
            keys = [found[name]] if isinstance(found[name], str) else found[name]
            found[name] = [one for key in keys for one in (chosen[key] if name in NAMED else (key,))]
    return found


COLUMNS = {
    "number": "count",
    "core": "text",
    "outbreak": "text",
    "is": "text",
    "episode": "count",
    "captured": "text",
    "time": "time",
    "host": "text",
    "physical_host": "text",
    "cpu": "count",
    **dict.fromkeys(("rack", "zone", "region", "sku", "cpu_model", "microcode", "kernel_release"), "text"),
    "boot_time": "time",
    "uptime_seconds": "count",
    **dict.fromkeys(("service", "service_release", "workload", "tenant"), "text"),
    **dict.fromkeys(("family", "mechanism", "program", "build", "variant"), "text"),
}


def every_crash(scenario: Scenario, crashes: Sequence[Incident], slim: bool) -> Table:
    """Every crash that happened, captured or not, with all that was true of its host at that moment."""
    return Table("incidents", COLUMNS, _rows(scenario, crashes, slim))


def _rows(scenario: Scenario, crashes: Sequence[Incident], slim: bool) -> Iterator[tuple[object, ...]]:
    start = int(scenario.start.timestamp())
    for one in crashes:
        stay = one.stay
        core = one.core(slim) if one.captured else ""
        yield (
            *(one.number, core, one.cause.name, one.cause.side, one.episode, "yes" if one.captured else "no"),
            *(start + one.second, stay.host, stay.physical_host, one.cpu),
            *(stay.rack, stay.zone, stay.region, stay.sku, stay.cpu_model, stay.microcode, stay.kernel_release),
            *(start + stay.boot, one.second - stay.boot),
            *(stay.service, stay.service_release, stay.workload, stay.tenant),
            *one.plan,
        )
