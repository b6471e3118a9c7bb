"""One file as the rows of one table: its format by its content, columns by name or mapping, every value checked."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
import pyarrow as arrow
import pyarrow.compute as compute

from broadstreet.errors import UsageError
from broadstreet.records.columns import FLEET, FleetTable
from broadstreet.records.fleet_rows import HOUR_MICROSECONDS, Rows, microseconds, schema
from broadstreet.records.intervals import EARLIEST, LATEST, Numbers
from broadstreet.sources.fleet.batches import MOST_ROWS, Batch
from broadstreet.sources.fleet.columnar import MAGIC, columnar
from broadstreet.sources.fleet.delimited import BOM, delimited
from broadstreet.sources.fleet.json_rows import document, lines, listed
from broadstreet.sources.fleet.kubernetes import LABEL, is_nodes, nodes
from broadstreet.sources.fleet.mapping import Mapping, Source
from broadstreet.sources.fleet.problems import Problem, Problems
from broadstreet.sources.fleet.typed import Typing

PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip", b"BZh": "bzip2"}
STATES = ("hosts", "placements", "services")  # of which a snapshot can tell
HOURS_TOLERANCE = 1.01  # of the interval; exports round
EXPOSURES = arrow.map_(arrow.string(), arrow.string())


class FleetFile(NamedTuple):
    """The rows of a file, the number of each in the file, and what is to be said of it.

    `problems` are the first of `problem_count`; with any, `rows` is not to be used. `exposures` are the columns that
    are not declared; `snapshot` says that the file tells of one time, `at`.
    """

    path: str
    rows: Rows
    numbers: Numbers
    problems: tuple[Problem, ...]
    problem_count: int
    exposures: tuple[str, ...]
    naive_times: int
    snapshot: bool
    at: datetime


def tells_of(path: str) -> str | None:
    """The table that a file is of, by its name or by its content; None if neither says it."""
    name = os.path.basename(path).partition(".")[0]
    if name in FLEET:
        return name
    if _kind(path) == "json" and is_nodes(document(path)):
        return "hosts"
    return None


def fleet_file(table: FleetTable, path: str, mapping: Mapping, at: datetime | None) -> FleetFile:
    """Read a file as rows of a table, none of which is believed if one is wrong.

    `at` is the time of which a snapshot tells; without it, that of the file.
    """
    if at is not None and table.name not in STATES:
        raise UsageError(f"{table.name} tells of no state that lasts", "--at is for hosts, placements and services.")
    problems = Problems(path)
    taken = at or datetime.fromtimestamp(os.stat(path).st_mtime, UTC).replace(microsecond=0)
    snapshot = at is not None
    kind = _kind(path)
    if kind == "parquet":
        batches = columnar(path)
    elif kind == "csv":
        batches = delimited(path, problems)
    else:
        content = document(path)
        if content is None:
            batches = lines(path, problems)
        elif is_nodes(content):
            batches, snapshot = iter([_nodes(table, path, content, mapping, taken)]), True
        else:
            batches = listed(path, content, problems)
    typing, reading = Typing(problems), _Reading(table, mapping, problems, kind)
    parts, numbers = [schema(table).empty_table()], [np.zeros(0, np.int64)]
    count = 0
    for batch in batches:
        rows = reading.typed(batch, typing)
        if rows is None or problems.full:
            break
        parts.append(rows)
        numbers.append(batch.rows)
        count += rows.num_rows
        if count > MOST_ROWS:
            raise UsageError(
                f"{path}: more than {MOST_ROWS:,} rows", "Add a row a day, or a row a release, not a minute."
            )
    return FleetFile(
        path,
        arrow.concat_tables(parts).unify_dictionaries(),
        np.concatenate(numbers),
        tuple(sorted(problems.kept, key=lambda problem: problem.row or 0)),
        problems.count,
        tuple(reading.exposures),
        typing.naive_times,
        snapshot,
        taken,
    )


def _kind(path: str) -> str:
    with open(path, "rb") as file:
        head = file.read(4096)
    for magic, name in PACKED.items():
        if head.startswith(magic):
            raise UsageError(f"{path} is packed with {name}", "Unpack it first, or write Parquet.")
    if not head:
        raise UsageError(f"{path} is empty", "The first line of a CSV table names its columns.")
    if head.startswith(MAGIC):
        return "parquet"
    return "json" if head.removeprefix(BOM).lstrip()[:1] in (b"{", b"[") else "csv"


def _nodes(table: FleetTable, path: str, content: Any, mapping: Mapping, at: datetime) -> Batch:
    if table.name != "hosts":
        raise UsageError(f"{path} holds nodes of Kubernetes", f"broadstreet fleet add hosts {path}")
    wanted = [source.column for source in mapping.columns.values() if source.column is not None]
    labels = [name.removeprefix(LABEL) for name in wanted if name.startswith(LABEL)]
    return nodes(path, content, labels, at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


class _Reading:
    def __init__(self, table: FleetTable, mapping: Mapping, problems: Problems, kind: str) -> None:
        self.table, self.mapping, self.problems = table, mapping, problems
        self.declared = {c.name: c for c in table.columns if c.type != "labels"}
        self.exposures: dict[str, None] = {}
        self.has_header = kind != "json"

    def typed(self, batch: Batch, typing: Typing) -> Rows | None:
        sources = self._sources(list(batch.columns))
        if sources is None:
            return None
        nothing = arrow.nulls(len(batch.rows))
        found = {
            name: typing.array(
                self.declared.get(name, _exposure(name)),
                source,
                nothing if source.column is None else batch.columns.get(source.column, nothing),
                batch.rows,
            )
            for name, source in sources.items()
        }
        more = {name: found.pop(name) for name in sorted(found) if name not in self.declared}
        self.exposures.update(dict.fromkeys(more))
        wanted = schema(self.table)
        arrays = {
            f.name: found.get(f.name, arrow.nulls(len(batch.rows), f.type)) for f in wanted if f.name != "exposures"
        }
        arrays["exposures"] = _mapped(more, len(batch.rows))
        rows = arrow.table(arrays).cast(wanted)
        _check(self.table, rows, batch.rows, self.problems)
        return rows

    def _sources(self, names: list[str]) -> dict[str, Source] | None:
        mapped = self.mapping.columns
        missing = [s.column for s in mapped.values() if s.column is not None and s.column not in names]
        if missing and self.has_header:
            self.problems.add(None, missing[0], f"no such column among {', '.join(names)}", "a column that is mapped")
            return None
        used = {source.column for source in mapped.values()} | self.mapping.ignore
        sources = dict(mapped)
        for name in names:
            if not name or name in used:
                continue
            ours = name.lower().replace(" ", "_").replace("-", "_")
            ours = ours if ours in self.declared else name
            if ours in sources or ours == "exposures" or not ours.isprintable():
                self.problems.add(None, ours, f"the column {name!r} besides", f'one such column: ignore = ["{name}"]')
                return None
            sources[ours] = Source(name)
        needed = [*((name,) for name in self.table.needs), *self.table.one_of]
        absent = [some for some in needed if not set(some) & set(sources)]
        if absent and self.has_header:
            wanted = f"such a column, or a --map that names it (the file has {', '.join(names)})"
            self.problems.add(None, " or ".join(absent[0]), "", wanted)
            return None
        return sources


def _exposure(name: str) -> Any:
    from broadstreet.records.columns import Column

    return Column(name, "text", "", "", "")


def _mapped(columns: dict[str, Any], count: int) -> Any:
    texts = [array.cast(arrow.string()) for array in columns.values()]
    if not texts:
        return arrow.array([[]] * count, EXPOSURES)
    valid = np.stack([array.is_valid().to_numpy(zero_copy_only=False) for array in texts], 1)
    row, column = np.nonzero(valid)
    names = arrow.array(list(columns), arrow.string()).take(arrow.array(column))
    values = arrow.concat_arrays(texts).take(arrow.array(column * count + row))
    offsets = np.concatenate([[0], np.cumsum(valid.sum(1))]).astype(np.int32)
    return arrow.MapArray.from_arrays(arrow.array(offsets), names, values)


def _check(table: FleetTable, rows: Rows, numbers: Numbers, problems: Problems) -> None:
    told = problems.count  # a value that was wrong is null by now, and is not named again as missing
    for some in [*((name,) for name in table.needs), *table.one_of]:
        lacking = np.ones(len(numbers), bool)
        for name in some:
            lacking &= compute.is_null(rows.column(name)).to_numpy()
        if told == 0:
            _report(lacking, numbers, problems, " or ".join(some), lambda _: "", "a value")
    if "from" in rows.column_names:
        start, end = microseconds(rows.column("from"), EARLIEST), microseconds(rows.column("to"), LATEST)
        _report(start >= end, numbers, problems, "to", _shown(rows, "to"), "a time later than `from`")
        if "boot_time" in rows.column_names:
            late = (microseconds(rows.column("boot_time"), EARLIEST) > start) & (start > EARLIEST)
            wanted = "a time not after `from`, for a row is one boot"
            _report(late, numbers, problems, "boot_time", _shown(rows, "boot_time"), wanted)
        if table.name == "at_risk":
            span = (end - start) / HOUR_MICROSECONDS
            hours = compute.fill_null(rows.column("host_hours"), 0.0).to_numpy()
            single = compute.is_valid(rows.column("host")).to_numpy()
            wrong = (
                single & (start > EARLIEST) & (end < LATEST) & (start < end) & (hours > span * HOURS_TOLERANCE + 0.001)
            )
            wanted = "no more hours than the row has, for it is of one host"
            _report(wrong, numbers, problems, "host_hours", _shown(rows, "host_hours"), wanted)
    if "hour" in rows.column_names:
        hour = microseconds(rows.column("hour"), 0)
        _report(
            hour % HOUR_MICROSECONDS != 0, numbers, problems, "hour", _shown(rows, "hour"), "the beginning of an hour"
        )


def _shown(rows: Rows, name: str) -> Any:
    return lambda index: rows.column(name)[index].as_py()


def _report(wrong: Any, numbers: Numbers, problems: Problems, column: str, value: Any, wanted: str) -> None:
    for index in _some(wrong):
        if problems.full:
            return
        problems.add(int(numbers[index]), column, value(int(index)), wanted)


def _some(wrong: Any) -> Iterator[int]:
    return iter(np.flatnonzero(wrong).tolist())
