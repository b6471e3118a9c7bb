"""Files into the tables of a fleet: all is read and checked before anything is written."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import numpy as np
import pyarrow as arrow

from broadstreet.records.columns import FLEET, FleetTable
from broadstreet.records.fleet_rows import Clash, Rows, aligned, merged, plain, schema
from broadstreet.records.fleet_snapshot import superseded
from broadstreet.sources.fleet.files import FleetFile, fleet_file
from broadstreet.sources.fleet.mapping import Mapping as Columns

VALUES_SHOWN = 3
Mappings = Mapping[str, Columns]


class FleetStore(Protocol):
    """What keeps the tables."""

    def fleet(self, table: str) -> Rows:
        """The current rows: the declared columns of `FLEET`."""

    def replace_fleet(self, table: str, rows: Rows, note: str) -> None:
        """Make these the current rows, at once; BroadStreetError if another writer was faster."""

    def case_hosts(self) -> dict[str, int]:
        """How many cases each host has."""


class Change(NamedTuple):
    """What files do to one table. With `refusals`, nothing; they are the first of `refusal_count`."""

    table: str
    files: tuple[str, ...]
    rows: Rows
    added: int = 0
    known: int = 0
    repeated: int = 0
    ended: int = 0
    gone: int = 0
    outdated: int = 0
    exposures: tuple[str, ...] = ()
    naive_times: int = 0
    taken: tuple[tuple[str, datetime], ...] = ()
    refusals: tuple[str, ...] = ()
    refusal_count: int = 0

    @property
    def changes_nothing(self) -> bool:
        return not (self.added or self.ended or self.gone)


class Manner(NamedTuple):
    """How files are added: columns mapped, as a snapshot of a time, complete, in place of what is known."""

    mappings: Mappings = MappingProxyType({})
    at: datetime | None = None
    complete: bool = False
    replace: bool = False


def change(store: FleetStore, name: str, paths: Sequence[str], manner: Manner) -> Change:
    """What these files would do to a table."""
    table = FLEET[name]
    files = [fleet_file(table, path, manner.mappings.get(name, Columns()), manner.at) for path in paths]
    rows = schema(table).empty_table() if manner.replace else aligned(table, store.fleet(name))
    result = Change(
        name,
        tuple(paths),
        rows,
        exposures=tuple(dict.fromkeys(column for file in files for column in file.exposures)),
        naive_times=sum(file.naive_times for file in files),
        taken=tuple((file.path, file.at) for file in files if file.snapshot),
        refusals=tuple(problem.text for file in files for problem in file.problems),
        refusal_count=sum(file.problem_count for file in files),
    )
    if result.refusals:
        return result
    for is_snapshot, some in groupby(files, lambda file: file.snapshot):
        for together in [[file] for file in some] if is_snapshot else [list(some)]:
            result = (
                _snapshot(table, result, together[0], manner.complete)
                if is_snapshot
                else _rows(table, result, together)
            )
    return result


def write(store: FleetStore, changed: Change, replace: bool) -> None:
    """Put the change into the store."""
    names = ", ".join(changed.files)
    note = f"fleet add {changed.table} {names}" + (" --replace" if replace else "")
    store.replace_fleet(changed.table, plain(FLEET[changed.table], changed.rows), note)


def _rows(table: FleetTable, before: Change, files: list[FleetFile]) -> Change:
    new = arrow.concat_tables([file.rows for file in files])
    starts = np.cumsum([0, *(len(file.numbers) for file in files)])

    def place(index: int) -> str:
        at = int(np.searchsorted(starts, index, "right")) - 1
        return f"{files[at].path} row {int(files[at].numbers[index - starts[at]]):,}"

    return _merged(table, before, before.rows, new, place)


def _snapshot(table: FleetTable, before: Change, file: FleetFile, complete: bool) -> Change:
    found = superseded(table, before.rows, file.rows, file.at, complete)

    def place(index: int) -> str:
        return f"{file.path} row {int(file.numbers[found.positions[index]]):,}"

    after = _merged(table, before, found.known, found.new, place)
    return after._replace(
        known=after.known + found.unchanged,
        ended=after.ended + found.changed,
        gone=after.gone + found.gone,
        outdated=after.outdated + found.outdated,
    )


def _merged(table: FleetTable, before: Change, known: Rows, new: Rows, place: Any) -> Change:
    merge = merged(table, known, new)
    return before._replace(
        rows=merge.rows,
        added=before.added + merge.added,
        known=before.known + merge.known,
        repeated=before.repeated + merge.repeated,
        ended=before.ended + merge.ended,
        refusals=(*before.refusals, *(_clash(table, clash, new, place) for clash in merge.clashes)),
        refusal_count=before.refusal_count + merge.clash_count,
    )


def _clash(table: FleetTable, clash: Clash, new: Rows, place: Any) -> str:
    row = new.slice(clash.row, 1).to_pylist()[0]
    if clash.other is None:
        other, where = clash.known or {}, "a known row"
    else:
        other, where = new.slice(clash.other, 1).to_pylist()[0], place(clash.other)
    if other == row:
        return f"{place(clash.row)}: the same as {where} ({_of(table, row)}); it would count twice"
    names = [c.name for c in table.columns if c.name not in ("from", "to") and row[c.name] != other[c.name]]
    differ = "; ".join(f"{name} {_value(row[name])} against {_value(other[name])}" for name in names[:VALUES_SHOWN])
    spans = f"{_span(row)} and {_span(other)}" if "from" in row else "both"
    return f"{place(clash.row)}: contradicts {where} ({_of(table, row)}): {spans}" + (f"; {differ}" if differ else "")


def _of(table: FleetTable, row: dict[str, Any]) -> str:
    return ", ".join(_value(row[name]) for name in table.key if row[name]) or "the whole fleet"


def _span(row: dict[str, Any]) -> str:
    first = _value(row["from"]) if row["from"] else "ever"
    return f"{first} to {_value(row['to']) if row['to'] else 'open'}"


def _value(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, list):
        return " ".join(f"{name}={text}" for name, text in value)
    return "nothing" if value is None else str(value)
