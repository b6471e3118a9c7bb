"""What a snapshot of a fleet adds: what was true at one time, with no word of before and after.

A row of which everything that the snapshot tells was known to hold then stays as it is. Where something differs, the
open row ends and a new one begins: when the snapshot says that its state began, if that lies between, else at the time
of the snapshot. What the snapshot does not tell of a key is not known to have changed: where a host stands and what
it is made of are taken over from the row that ends; kernel, microcode and boot are not, for they change together.
A key that is not in the snapshot stays as it was, unless the snapshot is said to be complete.
"""

from datetime import datetime
from typing import Any, NamedTuple

import pyarrow as arrow

from broadstreet.records.columns import FleetTable
from broadstreet.records.fleet_rows import Rows, aligned, schema

LASTING = frozenset({"region", "zone", "rack", "sku", "cpu_model", "physical_host"})
Row = dict[str, Any]
Key = tuple[Any, ...]


class Snapshot(NamedTuple):
    """The known rows with what ended, and the rows that are new, with where each stood in the snapshot."""

    known: Rows
    new: Rows
    positions: list[int]
    unchanged: int
    changed: int
    gone: int
    outdated: int


def superseded(table: FleetTable, known: Rows, seen: Rows, at: datetime, complete: bool) -> Snapshot:
    """What `seen`, true at a time, does to the known rows.

    `from` of a row that is open says since when its state holds, null if that is not told. A closed row tells of
    before; it is taken only for a key of which nothing is known.
    """
    rows = [_plain(row) for row in known.to_pylist()]
    at_hand: dict[Key, list[int]] = {}
    for index, row in enumerate(rows):
        at_hand.setdefault(_key(table, row), []).append(index)
    new: list[Row] = []
    positions: list[int] = []
    counts = dict.fromkeys(("unchanged", "changed", "gone", "outdated"), 0)
    present = set()
    for position, given in enumerate(map(_plain, seen.to_pylist())):
        key = _key(table, given)
        present.add(key)
        indexes = at_hand.get(key, [])
        if given["to"] is not None and indexes:
            continue
        if indexes:
            step, added = _step(table, [rows[index] for index in indexes], given, at)
            counts[step] += 1
        else:
            added = given if given["from"] or given["to"] else {**given, "from": at}
        if added is not None:
            new.append(added)
            positions.append(position)
    if complete:
        for key, indexes in at_hand.items():
            if key not in present:
                counts["gone"] += _end([rows[index] for index in indexes], at)
    return Snapshot(_table(table, rows), _table(table, new), positions, **counts)


def _step(table: FleetTable, rows: list[Row], given: Row, at: datetime) -> tuple[str, Row | None]:
    if any(row["from"] is not None and row["from"] > at for row in rows):
        return "outdated", None
    holding = next((row for row in rows if row["to"] is None or row["to"] > at), None)
    since = given["from"]
    if holding is None:
        last = max(row["to"] for row in rows)
        return "changed", {**given, "from": since if since is not None and last <= since <= at else at}
    if _tells_nothing_new(table, holding, given):
        return "unchanged", None
    began = holding["from"]
    begins = since if since is not None and since <= at and (began is None or began < since) else at
    if began is not None and began >= begins:
        return "outdated", None
    kept = {name: holding[name] for name in LASTING & set(holding) if given[name] is None}
    if holding["to"] is None:  # a closed one stays, and contradicts the new row
        holding["to"] = begins
    return "changed", {**given, **kept, "from": begins, "exposures": {**holding["exposures"], **given["exposures"]}}


def _tells_nothing_new(table: FleetTable, holding: Row, given: Row) -> bool:
    names = [c.name for c in table.columns if c.name not in ("from", "to", "exposures")]
    same = all(given[name] is None or given[name] == holding[name] for name in names)
    return same and given["exposures"].items() <= holding["exposures"].items()


def _end(rows: list[Row], at: datetime) -> int:
    ended = 0
    for row in rows:
        if row["to"] is None and (row["from"] is None or row["from"] < at):
            row["to"] = at
            ended += 1
    return ended


def _key(table: FleetTable, row: Row) -> Key:
    values = [row[name] for name in table.key]
    if table.name == "services" and values[0] is not None:
        values[1] = None
    return tuple(values)


def _plain(row: Row) -> Row:
    return {**row, "exposures": dict(row["exposures"] or ())}


def _table(table: FleetTable, rows: list[Row]) -> Rows:
    columns = {c.name: [_cell(row[c.name]) for row in rows] for c in table.columns}
    types = {f.name: arrow.string() if arrow.types.is_dictionary(f.type) else f.type for f in schema(table)}
    return aligned(table, arrow.table({name: arrow.array(values, types[name]) for name, values in columns.items()}))


def _cell(value: Any) -> Any:
    return sorted(value.items()) if isinstance(value, dict) else value
