"""An atlas of a few crashes, written by hand."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
from pyarrow import parquet

from broadstreet.records.atlas import TABLES, About, AtlasColumn
from broadstreet.store.atlas import Atlas

START = datetime(2026, 3, 1, tzinfo=UTC)
TYPES = {
    "text": pa.string(),
    "texts": pa.list_(pa.string()),
    "int": pa.int64(),
    "address": pa.uint64(),
    "bool": pa.bool_(),
}
KINDS = {"host": "exposure", "region": "exposure", "zone": "exposure"}
Rows = Sequence[Mapping[str, Any]]


def atlas_of(folder: Path, types: Mapping[str, str], rows: Rows, pieces: Rows = ()) -> Atlas:
    """An atlas of these crashes, the newest first, an hour apart; `types` are those of their columns.

    `pieces` of time at risk have `region`, maybe `zone`, and `host_hours`, each for ten days from the first of March.
    """
    folder.mkdir(parents=True, exist_ok=True)
    given = {"host": "text", **types}
    count = len(rows)
    columns: dict[str, pa.Array] = {
        "case_id": pa.array([f"{place:032x}" for place in range(count)]),
        "number": pa.array(range(count), pa.int64()),
        "time": pa.array([START + timedelta(hours=count - place) for place in range(count)], pa.timestamp("us", "UTC")),
        "dated": pa.array([True] * count),
        "episode": pa.array([True] * count),
        "outbreak": pa.nulls(count, pa.int64()),
    }
    for name, kind in given.items():
        columns[name] = pa.array([row.get(name) for row in rows], TYPES[kind])
    parquet.write_table(pa.table(columns), folder / "crashes.parquet")
    _write_pieces(folder, pieces)
    empty = pa.schema([("outbreak", pa.string()), ("of", pa.string()), ("case_id", pa.string())])
    for name in set(TABLES) - {"crashes", "pieces"}:
        parquet.write_table(pa.Table.from_pylist([], schema=empty), folder / f"{name}.parquet")
    told = [_column(name, kind, columns[name], bool(pieces)) for name, kind in given.items()]
    told += [AtlasColumn("outbreak", "case", "int", "", False, 0, "rank", "", "In none."), *_always()]
    (folder / "about.json").write_bytes(msgspec.json.encode(_about(count, tuple(told), bool(pieces))))
    return Atlas(str(folder))


def _column(name: str, kind: Any, values: pa.Array, at_risk: bool) -> AtlasColumn:
    of_kind: Any = KINDS.get(name, "feature")
    return AtlasColumn(
        name,
        of_kind,
        kind,
        "",
        at_risk and name in ("region", "zone"),
        _distinct(values),
        "",
        f"What {name} is.",
        "Unknown.",
    )


def _always() -> tuple[AtlasColumn, ...]:
    return (
        AtlasColumn("time", "case", "time", "", False, 0, "UTC", "When.", "Nothing tells."),
        AtlasColumn("case_id", "case", "text", "", False, 0, "", "Which.", "Never."),
    )


def _distinct(values: pa.Array) -> int:
    return len({str(value) for value in values.to_pylist() if value is not None})


def _write_pieces(folder: Path, pieces: Rows) -> None:
    count = len(pieces)
    ends = pa.timestamp("us", "UTC")
    table = pa.table(
        {
            "start": pa.array([START] * count, ends),
            "end": pa.array([START + timedelta(days=10)] * count, ends),
            "host_hours": pa.array([one["host_hours"] for one in pieces], pa.float64()),
            "region": pa.array([one["region"] for one in pieces], pa.string()),
            "zone": pa.array([one.get("zone") for one in pieces], pa.string()),
        }
    )
    parquet.write_table(table, folder / "pieces.parquet")


def _about(count: int, columns: tuple[AtlasColumn, ...], at_risk: bool) -> About:
    return About(
        casebook="casebook",
        version=1,
        broadstreet_version="0.1.0",
        simulated=False,
        start=START.isoformat(),
        end=(START + timedelta(days=10)).isoformat(),
        newest=(START + timedelta(hours=count)).isoformat() if count else None,
        drawn="2026-04-01T00:00:00+00:00",
        seconds=1.0,
        cases=count,
        dated=count,
        episodes=count,
        syndromes=0,
        hosts=None,
        machines=None,
        measures=("host_hours",) if at_risk else (),
        at_risk=1.0 if at_risk else None,
        captured=None,
        fatal=None,
        columns=columns,
    )
