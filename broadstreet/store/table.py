"""One Delta Lake table: made, opened at a version, appended to, merged into.

Log statistics are kept for numbers and times alone: a name in them would outlive the row that it came from.
Deltalake must not be used after a fork, so nothing here runs in a worker.
"""

import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from broadstreet.errors import CasebookError
from broadstreet.records.columns import Table
from broadstreet.store.place import Place
from broadstreet.store.schema import schema

IN_STATISTICS = ("reading", "time", "number")
ATTEMPTS = 20  # of a commit that other writers were faster with
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.02, 2.0
COMPRESSION_LEVEL = 3
ROWS_PER_GROUP = 100_000
BYTES_PER_GROUP_ROW = 2_000  # of tables with large values: a group is read as a whole
WRITTEN = WriterProperties(
    compression="ZSTD",
    compression_level=COMPRESSION_LEVEL,
    max_row_group_size=ROWS_PER_GROUP,
    dictionary_page_size_limit=4 << 20,
)
WRITTEN_LARGE = WriterProperties(
    compression="ZSTD",
    compression_level=COMPRESSION_LEVEL,
    max_row_group_size=BYTES_PER_GROUP_ROW,
    data_page_size_limit=4 << 20,
    dictionary_page_size_limit=1,  # no two core dumps are equal
)
LONGEST_MESSAGE = 300
_INNARDS = re.compile(r"\n\s*0: |ParsedLogPath")  # a backtrace of the store's, or what it holds in memory
REFUSED = (DeltaError, OSError, pa.ArrowException)
_Result = TypeVar("_Result")


def written(table: Table) -> WriterProperties:
    """How its files are written."""
    return WRITTEN_LARGE if any(column.type == "bytes" for column in table.columns) else WRITTEN


def made(place: Place, table: Table, configuration: dict[str, str] | None = None) -> DeltaTable:
    """The table, made where it does not exist yet."""
    found = opened(place, table)
    if found is not None:
        return found
    statistics = [column.name for column in table.columns if column.name in IN_STATISTICS]
    settings = {
        "delta.dataSkippingStatsColumns": ",".join(statistics) or "none",
        "delta.dataSkippingNumIndexedCols": str(len(statistics)),
        "delta.logRetentionDuration": "interval 0 days",
        "delta.deletedFileRetentionDuration": "interval 0 days",
        **(configuration or {}),
    }
    try:
        return DeltaTable.create(
            place.table(table.name),
            schema(table),
            name=table.name,
            description=table.meaning,
            configuration=settings,
            raise_if_key_not_exists=False,
        )
    except REFUSED as error:
        other = opened(place, table)  # another writer made it at the same time
        if other is None:
            raise CasebookError(f"{place.table(table.name)} cannot be made: {_plain(error)}") from error
        return other


def opened(place: Place, table: Table, version: int | None = None) -> DeltaTable | None:
    """The table at a version, else as it is now; null where there is none."""
    try:
        return DeltaTable(place.table(table.name), version=version)
    except TableNotFoundError:
        return None
    except REFUSED as error:
        raise CasebookError(f"{place.table(table.name)}: {_plain(error)}") from error


def append(delta: DeltaTable, table: Table, rows: pa.Table, commit: CommitProperties | None = None) -> None:
    """Add rows. Appends never conflict with one another."""
    if rows.num_rows:
        _kept_trying(
            delta,
            lambda: write_deltalake(
                delta, rows, mode="append", writer_properties=written(table), commit_properties=commit
            ),
        )


def append_if_unchanged(delta: DeltaTable, table: Table, rows: pa.Table) -> bool:
    """Add rows to a table that is still as this version of it; false if somebody was faster, and nothing was added."""
    try:
        commit = CommitProperties(max_commit_retries=0)
        write_deltalake(delta, rows, mode="append", writer_properties=written(table), commit_properties=commit)
    except CommitFailedError:
        return False
    except REFUSED as error:
        raise CasebookError(f"{delta.table_uri}: {_plain(error)}") from error
    return True


def merge_new(delta: DeltaTable, table: Table, rows: pa.Table) -> int:
    """Add the rows whose key is not there yet; how many. Two writers that merge the same rows add them once."""
    if rows.num_rows == 0:
        return 0
    predicate = " and ".join(f"kept.{name} = new.{name}" for name in table.key)

    def merge() -> int:
        merger = delta.merge(rows, predicate, source_alias="new", target_alias="kept", writer_properties=written(table))
        counts: dict[str, Any] = merger.when_not_matched_insert_all().execute()
        return int(counts["num_target_rows_inserted"])

    return _kept_trying(delta, merge)


def add_numbered(delta: DeltaTable, table: Table, row: Mapping[str, Any]) -> int:
    """Add one row under its `number`, or the next one that nobody took; that number."""
    number = int(row["number"])
    while not merge_new(delta, table, pa.Table.from_pylist([{**row, "number": number}], schema=schema(table))):
        number += 1
        delta.update_incremental()
    return number


@contextmanager
def refusals(what: str) -> Iterator[None]:
    """What the store refuses to read or write is said as such; `what` begins the message."""
    try:
        yield
    except REFUSED as error:
        raise CasebookError(f"{what}: {_plain(error)}") from error


def _kept_trying(delta: DeltaTable, commit: Callable[[], _Result]) -> _Result:
    """A commit that lost against another writer is tried again on what that one left."""
    wait = FIRST_WAIT_SECONDS
    for attempt in range(ATTEMPTS):
        try:
            return commit()
        except CommitFailedError as error:
            if attempt + 1 == ATTEMPTS:
                raise CasebookError(f"{delta.table_uri}: other writers were always faster: {_plain(error)}") from error
            time.sleep(random.uniform(0, wait))
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)
            delta.update_incremental()
        except REFUSED as error:
            raise CasebookError(f"{delta.table_uri}: {_plain(error)}") from error
    raise AssertionError("unreachable")


def _plain(error: Exception) -> str:
    said = _INNARDS.split(str(error), maxsplit=1)[0]
    return " ".join(said.split())[:LONGEST_MESSAGE] or type(error).__name__
