"""The rows of a fleet table as files that `fleet add` reads again: each exposure is a column of its own."""

import csv
import io
import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO

import pyarrow.compute as compute
from pyarrow import parquet

from broadstreet.errors import UsageError
from broadstreet.records.columns import FLEET
from broadstreet.records.fleet_rows import Rows, aligned, plain
from broadstreet.surfaces.text import echo, plural, safe, shortened

ROWS_AT_ONCE = 10_000
MOST_ROWS_FOR_PEOPLE = 100
WIDEST = 42  # a build id


def written(table: str, rows: Rows, form: str, output: str | None) -> None:
    """Write the rows; a table for people has the first of them."""
    spread = _spread(plain(FLEET[table], aligned(FLEET[table], rows)))
    if form == "table" and output is None:
        for line in _lines(spread):
            echo(line)
        return
    if output is None:
        if form == "parquet" and sys.stdout.isatty():
            raise UsageError("Parquet is not for a terminal.", f"Add --output {table}.parquet, or redirect.")
        _write(spread, form, sys.stdout.buffer)
        sys.stdout.flush()
        return
    partial = f"{output}.{os.getpid()}.partial"
    try:
        with open(partial, "wb") as file:
            _write(spread, form, file)
        os.replace(partial, output)
    finally:
        if os.path.exists(partial):
            os.unlink(partial)


def _spread(rows: Rows) -> Rows:
    if "exposures" not in rows.column_names:
        return rows
    maps = rows.column("exposures").combine_chunks()
    rows = rows.drop_columns(["exposures"])
    if not rows.num_rows:
        return rows
    for name in sorted(set(maps.keys.to_pylist())):
        values = compute.map_lookup(maps, name, "first")
        rows = rows.append_column(name, values)
    return rows


def _write(rows: Rows, form: str, file: BinaryIO) -> None:
    if form == "parquet":
        parquet.write_table(rows, file, compression="zstd")
    elif form == "csv":
        text = io.TextIOWrapper(file, "utf-8", newline="")
        out = csv.writer(text, lineterminator="\n")
        out.writerow(rows.column_names)
        out.writerows([_text(value) for value in row.values()] for row in _objects(rows))
        text.flush()
        text.detach()
    elif form == "table":
        file.write(("\n".join(_lines(rows)) + "\n").encode())
    else:
        before, between, after = (b"[\n", b",\n", b"\n]\n") if form == "json" else (b"", b"\n", b"\n")
        file.write(before)
        for index, row in enumerate(_objects(rows)):
            file.write((between if index else b"") + json.dumps(row, ensure_ascii=False).encode())
        file.write(after if rows.num_rows or form == "json" else b"")


def _objects(rows: Rows) -> Iterator[dict[str, Any]]:
    for batch in rows.to_batches(ROWS_AT_ONCE):
        for row in batch.to_pylist():
            yield {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        form = "%Y-%m-%dT%H:%M:%S.%fZ" if value.microsecond else "%Y-%m-%dT%H:%M:%SZ"
        return value.astimezone(UTC).strftime(form)
    return value


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _lines(rows: Rows) -> Iterator[str]:
    used = [name for name in rows.column_names if rows.column(name).null_count < rows.num_rows]
    shown = list(_objects(rows.select(used).slice(0, MOST_ROWS_FOR_PEOPLE)))
    cells = [[safe(name) for name in used], *([shortened(safe(_text(row[n])), WIDEST) for n in used] for row in shown)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        yield "  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
    if rows.num_rows > len(shown):
        yield f"and {plural(rows.num_rows - len(shown), 'row')} more; -o csv writes all"
