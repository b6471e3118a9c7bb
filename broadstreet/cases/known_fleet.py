"""What is known of a fleet: how much, for which time, what is missing for which analysis, and which hosts nobody knows.

The commonest fault is not a missing table but one in which a host has another name than in its core dumps: with its
domain, or without. So the names of cases are held against those of the tables.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import pyarrow.compute as compute

from broadstreet.records.columns import FLEET, FleetTable
from broadstreet.records.fleet_rows import Rows, codes, ids

TIMES = ("from", "hour")


class Known(NamedTuple):
    """One table in figures. `keys` and `hosts` count once each; rows begin and end within `first` to `last`."""

    table: str
    rows: int
    keys: int
    hosts: int | None
    first: datetime | None
    last: datetime | None
    open_rows: int | None


class Need(NamedTuple):
    """What an analysis needs: a table, one of its columns (if one alone is enough any), and the line that mends it."""

    analysis: str
    table: str
    columns: tuple[str, ...]


class Strangers(NamedTuple):
    """Hosts of cases that no table knows, most cases first; `alike`: one of them, and what it may be called here."""

    hosts: tuple[str, ...]
    cases: int
    alike: tuple[str, str] | None


NEEDS = (
    Need("rates", "at_risk", ("host_hours", "process_hours", "exceptions")),
    Need("rates of each host", "at_risk", ("host",)),
    Need("rates by load", "at_risk", ("exceptions", "process_hours")),
    Need("physical hosts", "placements", ("physical_host",)),
    Need("regions, racks, kinds of machine", "hosts", ("region", "zone", "rack", "sku")),
    Need("CPU models and microcode", "hosts", ("cpu_model", "microcode")),
    Need("kernels", "hosts", ("kernel_release",)),
    Need("uptime", "hosts", ("boot_time",)),
    Need("releases of services", "services", ("service_release",)),
    Need("builds of libraries", "builds", ("library_release",)),
    Need("the share of crashes captured", "fatal_signals", ("count",)),
)


def known(name: str, rows: Rows) -> Known:
    """The figures of a table's current rows."""
    begins = next((column for column in TIMES if column in rows.column_names), None)
    first = last = None
    if begins is not None and rows.num_rows:
        first = compute.min(rows.column(begins)).as_py()
        ends = [compute.max(rows.column(column)).as_py() for column in (begins, "to") if column in rows.column_names]
        last = max((end for end in ends if end is not None), default=None)
    return Known(
        name,
        rows.num_rows,
        _keys(FLEET[name], rows),
        _distinct(rows.column("host")) if "host" in rows.column_names else None,
        first,
        last,
        rows.column("to").null_count if "to" in rows.column_names else None,
    )


def missing(tables: Mapping[str, Rows]) -> tuple[Need, ...]:
    """The analyses for which no row has what they need."""
    return tuple(need for need in NEEDS if not _has(tables[need.table], need.columns))


def strangers(tables: Mapping[str, Rows], case_hosts: Mapping[str, int]) -> Strangers:
    """The hosts of cases that stand in no table; with no table that names hosts, there are none."""
    named = [rows.column("host") for rows in tables.values() if "host" in rows.column_names and rows.num_rows]
    names = {name for column in named for name in compute.unique(column.cast("string")).to_pylist() if name is not None}
    if not names:
        return Strangers((), 0, None)
    absent = sorted((host for host in case_hosts if host not in names), key=lambda host: (-case_hosts[host], host))
    short = {_short(name): name for name in sorted(names, reverse=True)}
    alike = next(((host, short[_short(host)]) for host in absent if _short(host) in short), None)
    return Strangers(tuple(absent), sum(case_hosts[host] for host in absent), alike)


def _distinct(names: Any) -> int:
    return int(compute.count_distinct(names.cast("string")).as_py())


def _short(name: str) -> str:
    return name.partition(".")[0].lower()


def _has(rows: Rows, columns: tuple[str, ...]) -> bool:
    return any(rows.column(name).null_count < rows.num_rows for name in columns if name in rows.column_names)


def _keys(table: FleetTable, rows: Rows) -> int:
    if not rows.num_rows:
        return 0
    return int(ids(codes(rows.column(name)) for name in table.key).max())
