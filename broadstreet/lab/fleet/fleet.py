"""From a scenario and a seed to a folder: core dumps with their sidecars, the tables of the fleet, and the truth."""

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

import msgspec

from broadstreet.errors import UsageError
from broadstreet.lab import truth
from broadstreet.lab.fleet import incidents, placing, planted, tables
from broadstreet.lab.fleet.consistency import checked
from broadstreet.lab.fleet.declaration import HOUR, Scenario, declared, place_of
from broadstreet.lab.fleet.hazard import Chosen
from broadstreet.lab.fleet.incidents import Incident
from broadstreet.lab.fleet.tables import Format, Gaps
from broadstreet.lab.fleet.world import World, members, world
from broadstreet.lab.order import PROGRAMS, Workshop
from broadstreet.lab.portable import keep_binaries
from broadstreet.lab.process import enough_room
from broadstreet.lab.score.judged import scanned

CORES, TABLES, TRUTH, BINARIES = "cores", "fleet", "truth", "binaries"
PAGE, SCENARIO = "fleet.json", "scenario.toml"


class Drawn(NamedTuple):
    """A scenario played with one seed: all but the core dumps."""

    scenario: Scenario
    world: World
    chosen: Chosen
    crashes: list[Incident]
    unrecorded: list[Incident]
    gaps: Gaps


class Asked(NamedTuple):
    """How a fleet is to be made."""

    seed: int
    form: Format = "csv"
    slim: bool = False
    table_only: bool = False
    jobs: int | None = None


class Result(NamedTuple):
    """What was made."""

    crashes: int
    captured: int
    made: int
    not_made: dict[int, str]
    host_hours: float


def read(name: str) -> tuple[Scenario, str]:
    """A scenario by its name or path, checked, and its text."""
    place = place_of(name)
    try:
        text = place.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is no text: {error.reason}", "A scenario is a TOML file in UTF-8.") from error
    return checked(declared(text, place.name), place.name), text


def drawn(scenario: Scenario, seed: int) -> Drawn:
    """Play a scenario. The same seed gives the same fleet and the same crashes."""
    there = world(scenario, str(seed))
    chosen = members(scenario, there, str(seed))
    crashes = incidents.incidents(scenario, there, chosen, str(seed))
    missing, gaps = _unrecorded(scenario, crashes, Random(f"{seed}/unrecorded"))
    return Drawn(scenario, there, chosen, crashes, missing, gaps)


def make(name: str, folder: Path, asked: Asked, tell: Callable[[str], None]) -> Result:
    """Make a fleet in an empty folder."""
    scenario, text = read(name)
    if not asked.table_only:
        placing.refuse_what_this_machine_lacks(scenario)
        enough_room(folder)
    fleet = drawn(scenario, asked.seed)
    for part in (TABLES, TRUTH, *(() if asked.table_only else (CORES,))):
        (folder / part).mkdir(parents=True)
    (folder / TRUTH / SCENARIO).write_text(text, encoding="utf-8")
    written = tables.tables(scenario, fleet.world, fleet.crashes, fleet.gaps)
    rows = {table.name: tables.write(table, folder / TABLES, asked.form) for table in written}
    tables.write(planted.every_crash(scenario, fleet.crashes, asked.slim), folder / TRUTH, "csv")
    made = [] if asked.table_only else _placed(fleet, folder, asked, tell)
    if made:
        builds = placing.builds(made, folder.resolve() / PROGRAMS)
        rows[builds.name] = tables.write(builds, folder / TABLES, asked.form)
    if made and asked.slim:
        keep_binaries(scanned(folder / CORES, ()), folder / BINARIES)
    page = _page(fleet, asked, name, rows, made)
    (folder / TRUTH / PAGE).write_bytes(msgspec.json.format(msgspec.json.encode(page), indent=1) + b"\n")
    captured = sum(crash.captured for crash in fleet.crashes)
    count = sum(one.truth is not None for one in made)
    return Result(len(fleet.crashes), captured, count, page.not_made, page.host_hours)


def _placed(fleet: Drawn, folder: Path, asked: Asked, tell: Callable[[str], None]) -> list[placing.Made]:
    places = placing.Places(Workshop(folder), folder / CORES, asked.slim)
    made = []
    for one in placing.place(fleet.scenario, fleet.crashes, places, str(asked.seed), asked.jobs, tell):
        made.append(one)
        if one.truth is not None:
            truth.append(folder / TRUTH, one.truth)
        else:
            tell(f"crash {one.crash.number} of {one.crash.cause.name} could not be made: {one.why}")
    return made


def _page(fleet: Drawn, asked: Asked, name: str, rows: dict[str, int], made: Sequence[placing.Made]) -> planted.Page:
    scenario = fleet.scenario
    done = {one.crash.number for one in made if one.truth is not None}
    return planted.Page(
        title=scenario.title,
        naive=scenario.naive,
        scenario=Path(name).stem,
        seed=asked.seed,
        start=planted.moment(scenario, 0),
        days=scenario.days,
        host_hours=round(sum(stay.end - stay.start for stay in fleet.world.stays) / HOUR, 4),
        rows=rows,
        chosen=fleet.chosen,
        unrecorded=[crash.number for crash in fleet.unrecorded],
        not_made={one.crash.number: one.why for one in made if one.truth is None},
        causes=planted.causes(scenario, fleet.crashes, fleet.chosen, done),
    )


def _unrecorded(scenario: Scenario, crashes: list[Incident], draw: Random) -> tuple[list[Incident], Gaps]:
    found: list[Incident] = []
    gaps: Gaps = {}
    for wanted in scenario.unrecorded:
        half = int(wanted.hours * HOUR / 2)
        candidates = [
            crash
            for crash in crashes
            if crash.cause.name == wanted.cause and crash.captured and _is_alone(crash, crashes, half)
        ]
        if len(candidates) < wanted.cases:
            raise UsageError(
                f"unrecorded: {wanted.cause} has {len(candidates)} crashes that stand alone, wanted {wanted.cases}",
                "Give the cause more crashes, or the gap fewer hours.",
            )
        for crash in draw.sample(candidates, wanted.cases):
            found.append(crash)
            gaps.setdefault(crash.stay.host, []).append((crash.second - half, crash.second + half))
    return found, gaps


def _is_alone(crash: Incident, crashes: list[Incident], half: int) -> bool:
    near = (one for one in crashes if one.stay.host == crash.stay.host and one is not crash)
    return all(abs(one.second - crash.second) > 2 * half for one in near)
