"""Rows of a fleet table that are added to those known: what is new, what was known, what contradicts.

A fleet's tables are exports, taken again every week, so that adding must bear repetition:

- A row that is known already is ignored. So is an open row of which an end is known by now: that it was open meant
  that no end was known when it was written.
- A closed row takes the place of an open one that differs in nothing else: now the end is known.
- An open row ends where the next row of its key begins.
- Two rows of a key that hold at the same time otherwise contradict each other, and neither is believed. Of rows with
  measures (hours, counts) even two equal ones in one file do: the second would count the same time twice, unless it is
  of another population, and then a column that says which is missing.

Rows of `at_risk` contradict each other only if they give the same measure: hours and
exceptions may come from two files.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as arrow
import pyarrow.compute as compute

from broadstreet.records.columns import FleetTable, Type
from broadstreet.records.intervals import EARLIEST, LATEST, Numbers, ends, overlaps

Rows = Any  # pyarrow has no types of its own: a Table with the columns of `schema`
HOUR_MICROSECONDS = 3_600_000_000
MOST_CLASHES = 100  # pairs that are kept to be shown; all are counted
BETWEEN, AFTER = "\x1f", "\x1e"  # no text of a fleet table holds control characters
TYPES: dict[Type, Any] = {
    "text": arrow.dictionary(arrow.int32(), arrow.string()),
    "time": arrow.timestamp("us", "UTC"),
    "float": arrow.float64(),
    "int": arrow.int64(),
    "labels": arrow.map_(arrow.string(), arrow.string()),
}


class Clash(NamedTuple):
    """Two rows that cannot both be true. `other` counts in the new rows, or is None and `known` is the row."""

    row: int
    other: int | None
    known: dict[str, Any] | None


class Merge(NamedTuple):
    """The table as it would be, and how many new rows are of which kind; `clashes` are the first of `clash_count`."""

    rows: Rows
    added: int
    known: int
    repeated: int
    ended: int
    clashes: tuple[Clash, ...]
    clash_count: int


def schema(table: FleetTable) -> Any:
    """Its columns; text is a dictionary, for names come again and again."""
    return arrow.schema([arrow.field(column.name, TYPES[column.type]) for column in table.columns])


def aligned(table: FleetTable, rows: Rows) -> Rows:
    """The rows with the columns and types of `schema`, whoever wrote them."""
    arrays = []
    for column in table.columns:
        wanted = TYPES[column.type]
        found = rows.column(column.name) if column.name in rows.column_names else arrow.nulls(rows.num_rows, wanted)
        if column.type == "text" and not arrow.types.is_dictionary(found.type):
            found = found.cast(arrow.string()).dictionary_encode()
        arrays.append(found.cast(wanted))
    return arrow.table(arrays, schema=schema(table))


def plain(table: FleetTable, rows: Rows) -> Rows:
    """The rows with plain text, as a store keeps them."""
    texts = {column.name for column in table.columns if column.type == "text"}
    fields = [arrow.field(f.name, arrow.string() if f.name in texts else f.type) for f in schema(table)]
    return rows.cast(arrow.schema(fields))


def merged(table: FleetTable, known: Rows, new: Rows) -> Merge:
    """The known rows and the new ones as one table; both are `aligned`. With clashes, `rows` is not to be used."""
    before = known.num_rows
    both = arrow.concat_tables([known, new]).unify_dictionaries()
    group = ids(_keys(table, both))
    start, end = _interval(table, both)
    value = ids(codes(both.column(name)) for name in _values(table, both))
    begun = ids(map(_coded, (group, start, value)))
    exact = ids(map(_coded, (begun, end)))
    del value
    keep, already, repeated, ended, doubled = _sorted_out(before, exact, begun, end == LATEST, bool(table.measures))

    kept = np.flatnonzero(keep)
    if "to" in both.column_names:
        end[kept] = ends(group[kept], start[kept], end[kept])
        both = both.set_column(both.schema.get_field_index("to"), "to", _times(end))
    pairs = [doubled]
    for measured in _measured(table, both):
        held = kept[measured[kept]]
        late, early = overlaps(group[held], start[held], end[held])
        pairs.append(np.stack([held[late], held[early]], 1))
    return Merge(
        both if len(kept) == both.num_rows else both.take(arrow.array(kept)),
        int(keep[before:].sum()) - ended,
        int(already.sum()),
        repeated,
        ended,
        *_clashes(np.concatenate(pairs), both, before),
    )


def ids(columns: Iterable[tuple[Numbers, int]]) -> Numbers:
    """A number for each row, equal where all the columns are equal; from codes and how many there are of each."""
    result, size = np.zeros(1, np.int64), 1
    for code, count in columns:
        if size == 1:
            result, size = code, count
            continue
        if count == 1:
            continue
        if size * count >= 1 << 62:
            result, size = _coded(result)
        result, size = result * count + code, size * count
    return _coded(result)[0]


def codes(column: Any) -> tuple[Numbers, int]:
    """A number for each value of a column, 0 for null, and one more than the greatest."""
    if arrow.types.is_map(column.type):
        column = _texts(column)
    if not arrow.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    whole = column.combine_chunks() if isinstance(column, arrow.ChunkedArray) else column
    if isinstance(whole, arrow.ChunkedArray):  # of no rows, it may stay one of no chunks
        return np.zeros(0, np.int64), 1
    found = compute.fill_null(whole.indices.cast(arrow.int64()), -1)
    return found.to_numpy(zero_copy_only=False) + 1, len(whole.dictionary) + 1


def _coded(numbers: Numbers) -> tuple[Numbers, int]:
    return codes(arrow.chunked_array([arrow.array(numbers)]))


def _texts(column: Any) -> Any:
    whole = column.combine_chunks() if isinstance(column, arrow.ChunkedArray) else column
    if isinstance(whole, arrow.ChunkedArray):
        return arrow.chunked_array([], arrow.string())
    parts = compute.binary_join_element_wise(whole.keys, compute.fill_null(whole.items, ""), BETWEEN)
    joined = compute.binary_join(arrow.ListArray.from_arrays(whole.offsets, parts), AFTER)
    return arrow.chunked_array([compute.fill_null(joined, "")])


def _keys(table: FleetTable, rows: Rows) -> Iterator[tuple[Numbers, int]]:
    for name in table.key:
        code, count = codes(rows.column(name))
        if table.name == "services" and name == "region":  # a row that names a host is of it, whatever its region
            code = np.where(compute.is_valid(rows.column("host")).to_numpy(), 0, code)
        yield code, count


def _values(table: FleetTable, rows: Rows) -> list[str]:
    shown = [name for name in rows.column_names if name not in ("from", "to")]
    return [name for name in shown if name not in table.key or table.name == "services"]


def _interval(table: FleetTable, rows: Rows) -> tuple[Numbers, Numbers]:
    if "from" in rows.column_names:
        return microseconds(rows.column("from"), EARLIEST), microseconds(rows.column("to"), LATEST)
    if "hour" in rows.column_names:
        hour = microseconds(rows.column("hour"), EARLIEST)
        return hour, hour + HOUR_MICROSECONDS
    return np.zeros(rows.num_rows, np.int64), np.ones(rows.num_rows, np.int64)


def microseconds(times: Any, absent: int) -> Numbers:
    """Times as microseconds since 1970; `absent` stands for null."""
    found: Numbers = compute.fill_null(times.cast(arrow.int64()), absent).to_numpy()
    return found.copy()


def _times(numbers: Numbers) -> Any:
    return arrow.array(numbers, arrow.int64(), mask=numbers == LATEST).cast(TYPES["time"])


def _measured(table: FleetTable, rows: Rows) -> list[Any]:
    if table.name != "at_risk":
        return [np.ones(rows.num_rows, bool)]
    return [compute.is_valid(rows.column(name)).to_numpy() for name in table.measures]


def _sorted_out(
    before: int, exact: Numbers, begun: Numbers, is_open: Any, measures: bool
) -> tuple[Any, Any, int, int, Numbers]:
    count = int(max(exact.max(initial=0), begun.max(initial=0))) + 1
    in_known, begun_known, open_known = (np.zeros(count, bool) for _ in range(3))
    in_known[exact[:before]] = True
    begun_known[begun[:before]] = True
    open_known[begun[:before][is_open[:before]]] = True

    new = slice(before, None)
    already = in_known[exact[new]] | (is_open[new] & begun_known[begun[new]])
    fresh = np.flatnonzero(~already) + before
    _, first, which = np.unique(exact[fresh], return_index=True, return_inverse=True)
    again = first[which] != np.arange(len(fresh))
    doubled = np.stack([fresh[again], fresh[first[which]][again]], 1) if measures else np.zeros((0, 2), np.int64)
    repeated = int(again.sum())
    fresh = fresh[~again]

    closed = fresh[~is_open[fresh]]
    begun_closed = np.zeros(count, bool)
    begun_closed[begun[closed]] = True
    outlived = is_open[fresh] & begun_closed[begun[fresh]]
    repeated += int(outlived.sum())
    fresh = fresh[~outlived]

    keep = np.zeros(len(exact), bool)
    keep[fresh] = True
    keep[:before] = ~(is_open[:before] & begun_closed[begun[:before]])
    ended = int((~is_open[fresh] & open_known[begun[fresh]]).sum())
    return keep, already, repeated, ended, doubled


def _clashes(pairs: Any, both: Rows, before: int) -> tuple[tuple[Clash, ...], int]:
    new_first = np.where(pairs[:, :1] < before, pairs[:, ::-1], pairs)
    involved = new_first[new_first[:, 0] >= before]
    if len(involved):
        involved = np.unique(involved, axis=0)
    shown = involved[:MOST_CLASHES].tolist()
    found = tuple(
        Clash(row - before, other - before, None)
        if other >= before
        else Clash(row - before, None, both.slice(other, 1).to_pylist()[0])
        for row, other in shown
    )
    return found, len(involved)
