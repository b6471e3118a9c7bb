"""Casebooks of few crashes on a small fleet: of one crash of the sample, many, wherever and whenever a test wants."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as arrow

from broadstreet.records.case import Case
from broadstreet.records.columns import STORED_FLEET
from broadstreet.records.exposure import Circumstances
from broadstreet.records.specimen import Examined, Specimen
from broadstreet.store.casebook import open_for_writing
from broadstreet.store.fleet import FleetTables
from broadstreet.store.questions import Questions
from broadstreet.store.schema import schema
from tests.store.examined import case, corpus

TABLES = {table.name: table for table in STORED_FLEET}
Row = Mapping[str, Any]


def crash(number: int, **circumstances: Any) -> Case:
    """A crash of its own, here and then; `time` is ISO 8601."""
    told: dict[str, Any] = {"host_source": "sidecar", "time_source": "sidecar", **circumstances}
    if told.get("time") is None:
        told["time_source"] = "unknown"
    return replace(case(corpus()[0]), case_id=f"{number:032x}", circumstances=Circumstances(f"/{number}", **told))


def book(url: Path, cases: Sequence[Case], **tables: Sequence[Row]) -> Questions:
    """A casebook with these crashes and these tables of a fleet; times are ISO 8601."""
    written = open_for_writing(str(url))
    written.add([Examined(Specimen(f"/{n}", 1, "1"), one) for n, one in enumerate(cases)], "a scan", "none", 2)
    fleet = FleetTables(str(url), written)
    for name, rows in tables.items():
        fleet.replace_fleet(name, table(name, rows), "a test")
    written.close()
    return Questions(str(url))


def table(name: str, rows: Sequence[Row]) -> arrow.Table:
    """Rows of a fleet table as the casebook has them; times are ISO 8601."""
    wanted = schema(TABLES[name])
    whole = [{column: _value(wanted.field(column).type, row.get(column)) for column in wanted.names} for row in rows]
    return arrow.Table.from_pylist(whole, schema=wanted)


def _value(kind: Any, value: Any) -> Any:
    if arrow.types.is_map(kind):
        return list((value or {}).items())
    if arrow.types.is_timestamp(kind) and value is not None:
        return arrow.scalar(value).cast(kind)
    return value
