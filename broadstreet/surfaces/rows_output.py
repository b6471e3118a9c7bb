"""Rows of an answer: a table for people; JSON, NDJSON, CSV and Parquet for programs. All but the table stream."""

import base64
import csv
import io
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa

from broadstreet.errors import UsageError
from broadstreet.surfaces.output import as_cell
from broadstreet.surfaces.text import echo, safe, width

FORMS = ("table", "json", "ndjson", "csv", "parquet")
WIDEST = 48
MOST_ROWS = 1000  # of a table for people
NULL = "·"


def write_rows(batches: Iterator[pa.RecordBatch], form: str) -> None:
    """Write an answer to stdout. Its first batch, which may be empty, has the schema."""
    first = next(batches)
    if form == "table":
        _table(first, batches)
    elif form == "parquet":
        _parquet(first, batches)
    elif form == "csv":
        _csv(first, batches)
    else:
        _json(batches, sys.stdout.buffer, form == "json")


def _table(first: pa.RecordBatch, batches: Iterator[pa.RecordBatch]) -> None:
    names = first.schema.names
    rows: list[list[str]] = []
    more = 0
    for batch in batches:
        for row in batch.slice(0, MOST_ROWS - len(rows)).to_pylist():
            rows.append([NULL if value is None else safe(_shown(value), WIDEST) for value in row.values()])
        more += max(0, batch.num_rows - (MOST_ROWS - len(rows)))
    right = [pa.types.is_integer(one.type) or pa.types.is_floating(one.type) for one in first.schema]
    widths = [max(len(name), *(len(row[at]) for row in rows)) if rows else len(name) for at, name in enumerate(names)]
    if sum(widths) + 2 * len(widths) > width() and len(names) > 1:
        _upright(names, rows)
    else:
        for line in (names, *rows):
            cells = (c.rjust(w) if r else c.ljust(w) for c, w, r in zip(line, widths, right, strict=True))
            echo(("  " + "  ".join(cells)).rstrip())
    if len(rows) == MOST_ROWS:
        echo(f"  ... the first {MOST_ROWS:,} rows; -o csv gives all", err=True)


def _upright(names: list[str], rows: list[list[str]]) -> None:
    """Rows that are wider than the terminal: each column on a line of its own, those that are null left out."""
    longest = max(map(len, names))
    for index, row in enumerate(rows):
        echo(f"  row {index + 1}")
        for name, value in zip(names, row, strict=True):
            if value != NULL:
                echo(f"    {name:{longest}}  {value}")


def _shown(value: Any) -> str:
    told = plain(value)
    if isinstance(told, bool):
        return "yes" if told else "no"
    return told if isinstance(told, str) else msgspec.json.encode(told).decode()


def _json(batches: Iterator[pa.RecordBatch], file: BinaryIO, as_list: bool) -> None:
    encode = msgspec.json.Encoder().encode
    before = b"[\n" if as_list else b""
    for batch in batches:
        for row in batch.to_pylist():
            file.write(before + encode({name: plain(value) for name, value in row.items()}))
            before = b",\n" if as_list else b"\n"
    file.write((b"[]\n" if before == b"[\n" else b"\n]\n") if as_list else (b"" if before == b"" else b"\n"))


def _csv(first: pa.RecordBatch, batches: Iterator[pa.RecordBatch]) -> None:
    text = io.TextIOWrapper(sys.stdout.buffer, "utf-8", "backslashreplace", newline="")
    table = csv.writer(text)
    table.writerow(first.schema.names)
    for batch in batches:
        for row in batch.to_pylist():
            table.writerow(["" if value is None else as_cell(_cell(value)) for value in row.values()])
    text.flush()
    text.detach()


def _cell(value: Any) -> Any:
    told = plain(value)
    return told if isinstance(told, bool | int | float | str) else msgspec.json.encode(told).decode()


def _parquet(first: pa.RecordBatch, batches: Iterator[pa.RecordBatch]) -> None:
    from pyarrow import parquet

    if sys.stdout.isatty():
        raise UsageError("Parquet is not for a terminal.", "Redirect it: ... -o parquet > rows.parquet")
    with parquet.ParquetWriter(sys.stdout.buffer, first.schema, compression="zstd") as out:
        for batch in batches:
            out.write_batch(batch)


def plain(value: Any) -> Any:
    """A value as JSON knows it. A map comes as pairs from Arrow."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        if value and all(isinstance(one, tuple) for one in value):
            return {name: plain(one) for name, one in value}
        return [plain(one) for one in value]
    return value if isinstance(value, bool | int | float | str | None) else str(value)
