"""The tables that a fleet gives: what there was, where, since when, and the time at risk. The columns of docs/fleet.md.

Every row holds from `from` until before `to`, which is empty where the period ended first. Times are UTC.
"""

import csv
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

import pyarrow
from pyarrow import parquet

from broadstreet.lab.fleet import hazard
from broadstreet.lab.fleet.declaration import HOUR, Scenario
from broadstreet.lab.fleet.incidents import Incident
from broadstreet.lab.fleet.world import Stay, World

Format = Literal["csv", "parquet"]
Gaps = dict[str, list[tuple[int, int]]]

HOST_COLUMNS = ("rack", "zone", "region", "sku", "cpu_model", "microcode", "kernel_release")
TYPES = {
    "text": pyarrow.string(),
    "time": pyarrow.timestamp("s", "UTC"),
    "number": pyarrow.float64(),
    "count": pyarrow.int64(),
}


class Table(NamedTuple):
    """A table to write: the type of each column, and rows. Times are seconds since 1970."""

    name: str
    columns: dict[str, str]
    rows: Iterable[tuple[object, ...]]


VALID = {"from": "time", "to": "time"}


def tables(scenario: Scenario, there: World, crashes: Sequence[Incident], unrecorded: Gaps) -> list[Table]:
    """All but the builds, which are those of the crashes that were made."""
    return [
        Table(
            "hosts",
            {**_text("host", "region", "zone", "rack", "sku", "cpu_model", "microcode", "kernel_release")}
            | {"boot_time": "time", **VALID},
            _hosts(scenario, there),
        ),
        Table("placements", _text("host", "physical_host") | VALID, _placements(scenario, there, unrecorded)),
        Table(
            "services",
            _text("host", "service", "service_release", "workload") | VALID,
            _services(scenario, there),
        ),
        _at_risk(scenario, there),
        Table("fatal_signals", _text("host") | {"hour": "time", "count": "count"}, _fatal_signals(scenario, crashes)),
    ]


def _text(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "text")


def _hosts(scenario: Scenario, there: World) -> Iterator[tuple[object, ...]]:
    def recorded(stay: Stay) -> tuple[object, ...]:
        where = (stay.host, stay.region, stay.zone, stay.rack, stay.sku, stay.cpu_model)
        return (*where, stay.microcode, stay.kernel_release, stay.boot)

    for (*names, boot), start, end in _runs(there, recorded):
        yield *names, _epoch(scenario, int(str(boot))), _epoch(scenario, start), _open(scenario, end)


def _placements(scenario: Scenario, there: World, unrecorded: Gaps) -> Iterator[tuple[object, ...]]:
    # A host that reboots keeps its place: only a move, or its end, ends the row.
    for (host, machine), start, end in _runs(there, lambda stay: (stay.host, stay.physical_host), across_boots=True):
        for first, last in _without(start, end, unrecorded.get(str(host), [])):
            yield host, machine, _epoch(scenario, first), _open(scenario, last)


def _services(scenario: Scenario, there: World) -> Iterator[tuple[object, ...]]:
    def recorded(stay: Stay) -> tuple[object, ...]:
        return stay.host, stay.service, stay.service_release, stay.workload

    for names, start, end in _runs(there, recorded, across_boots=True):
        yield *names, _epoch(scenario, start), _open(scenario, end)


def _at_risk(scenario: Scenario, there: World) -> Table:
    columns = _text("host", "service", "service_release", "workload")
    if scenario.tenant:
        columns |= _text("tenant")
    columns |= VALID | {"host_hours": "number"}
    if scenario.exceptions:
        columns |= {"exceptions": "count"}
    return Table("at_risk", columns, _at_risk_rows(scenario, there))


def _at_risk_rows(scenario: Scenario, there: World) -> Iterator[tuple[object, ...]]:
    per_hour = hazard.exceptions_per_hour(scenario, there)
    course = hazard.load(scenario, scenario.exceptions.power) if scenario.exceptions else None

    def recorded(stay: Stay) -> tuple[object, ...]:
        names = (stay.host, stay.service, stay.service_release, stay.workload)
        return (per_hour(stay), *names, stay.tenant) if scenario.tenant else (per_hour(stay), *names)

    every = scenario.exceptions.read_every_hours if scenario.exceptions else None
    for (exceptions, *names), first, last in _runs(there, recorded):
        for start, end in _cut(first, last, every):
            hours = round((end - start) / HOUR, 4)
            more = () if course is None else (round(float(str(exceptions)) * course.between(start, end)),)
            yield *names, _epoch(scenario, start), _epoch(scenario, end), hours, *more


def _cut(start: int, end: int, every_hours: int | None) -> Iterator[tuple[int, int]]:
    step = every_hours * HOUR if every_hours else end
    while start < end:
        cut = min(end, (start // step + 1) * step)
        yield start, cut
        start = cut


def _fatal_signals(scenario: Scenario, crashes: Sequence[Incident]) -> Iterator[tuple[object, ...]]:
    counts = Counter((crash.second // HOUR * HOUR, crash.stay.host) for crash in crashes)
    for (second, host), count in sorted(counts.items()):
        yield host, _epoch(scenario, second), count


Recorded = Callable[[Stay], tuple[object, ...]]


def _runs(
    there: World, recorded: Recorded, across_boots: bool = False
) -> Iterator[tuple[tuple[object, ...], int, int]]:
    """Stretches of time in which what is recorded of a host stays the same."""
    for stays in there.slots:
        found: tuple[Hashable, ...] | None = None
        start = end = 0
        for stay in stays:
            now = recorded(stay)
            if now == found and (across_boots or stay.start == end):
                end = stay.end
                continue
            if found is not None:
                yield found, start, end
            found, start, end = now, stay.start, stay.end
        if found is not None:
            yield found, start, end


def _without(start: int, end: int, gaps: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for first, last in sorted(gaps):
        if start < last and first < end:
            if start < first:
                yield start, first
            start = last
    if start < end:
        yield start, end


def _epoch(scenario: Scenario, second: int) -> int:
    return int(scenario.start.timestamp()) + second


def _open(scenario: Scenario, end: int) -> int | None:
    return None if end >= scenario.seconds else _epoch(scenario, end)


def iso(epoch: int) -> str:
    """A time of a table as text, UTC."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def write(table: Table, folder: Path, form: Format) -> int:
    """Write one table into a folder; how many rows it has."""
    return (_write_csv if form == "csv" else _write_parquet)(table, folder / f"{table.name}.{form}")


def _write_csv(table: Table, place: Path) -> int:
    times = [at for at, kind in enumerate(table.columns.values()) if kind == "time"]
    count = 0
    with place.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.columns)
        for row in table.rows:
            values = list(row)
            for at in times:
                value = values[at]
                values[at] = iso(value) if isinstance(value, int) else ""
            writer.writerow(values)
            count += 1
    return count


def _write_parquet(table: Table, place: Path) -> int:
    columns: list[tuple[object, ...]] = list(zip(*table.rows, strict=True)) or [()] * len(table.columns)
    types = [TYPES[kind] for kind in table.columns.values()]
    arrays = [pyarrow.array(values, kind) for values, kind in zip(columns, types, strict=True)]
    written = pyarrow.table(arrays, names=list(table.columns))
    parquet.write_table(written, place, compression="zstd")
    return int(written.num_rows)
