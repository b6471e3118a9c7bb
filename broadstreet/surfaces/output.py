"""Writers of cases: a table for people; JSON, NDJSON, CSV and Parquet for programs. All but the table stream."""

import csv
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from broadstreet.cases.row import COLUMNS, case_row, readable_name
from broadstreet.errors import UsageError
from broadstreet.records.case import Case
from broadstreet.records.finding import Value
from broadstreet.surfaces.case_json import encoded
from broadstreet.surfaces.text import encodable, in_ascii, plain_ascii, safe, shortened, width

ROWS_PER_GROUP = 2000
LABEL_WIDTH = 24  # of the longest label
NARROWEST_NAME, NARROWEST_PLACE = 30, 20
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # https://owasp.org/www-community/attacks/CSV_Injection
Write = Callable[[Case], None]


@contextmanager
def writer(form: str, output: str | None) -> Iterator[Write]:
    """A function that writes one case. A file appears under its name only when it is complete."""
    if output is None:
        with _WRITERS[form](sys.stdout.buffer) as write:
            yield write
        sys.stdout.flush()
        return
    partial = f"{output}.{os.getpid()}.partial"
    try:
        file = open(partial, "wb")  # noqa: SIM115
    except OSError as error:
        raise UsageError(
            f"{output} cannot be written: {error.strerror}", "Name a file in a folder of yours."
        ) from error
    try:
        with file, _WRITERS[form](file) as write:
            yield write
        os.replace(partial, output)
    finally:
        if os.path.exists(partial):
            os.unlink(partial)


@contextmanager
def _table(file: BinaryIO) -> Iterator[Write]:
    rows: list[tuple[str, str, str]] = []

    def write(case: Case) -> None:
        where = next((readable_name(f) for f in case.frames if f.module is not None), "")
        rows.append((case.circumstances.path, case.mechanism, where))

    yield write
    if not rows:
        return
    common = os.path.commonpath([os.path.dirname(os.path.abspath(path)) for path, *_ in rows])
    shown = sorted((os.path.relpath(os.path.abspath(p), common), m, w) for p, m, w in rows)
    longest = max(len(name) for name, *_ in shown)
    name_width = min(max(longest, len("core dump")), max(NARROWEST_NAME, width() - LABEL_WIDTH - NARROWEST_PLACE))
    place_width = max(NARROWEST_PLACE, width() - name_width - LABEL_WIDTH - 6)
    lines = [f"  {'core dump':{name_width}}  {'mechanism':{LABEL_WIDTH}}  where"]
    for name, mechanism, where in shown:
        place = safe(where, place_width)
        lines.append(
            f"  {shortened(safe(name, len(name) * 10), name_width):{name_width}}  {mechanism:{LABEL_WIDTH}}  {place}"
        )
    text = "\n".join(line.rstrip() for line in lines) + "\n"
    if file is sys.stdout.buffer and plain_ascii(sys.stdout):
        text = in_ascii(text)
    file.write(text.encode())


@contextmanager
def _json(file: BinaryIO) -> Iterator[Write]:
    first = True

    def write(case: Case) -> None:
        nonlocal first
        file.write(b"[\n" if first else b",\n")
        file.write(encoded(case))
        first = False

    yield write
    file.write(b"[]\n" if first else b"\n]\n")


@contextmanager
def _ndjson(file: BinaryIO) -> Iterator[Write]:
    yield lambda case: _written(file, encoded(case) + b"\n")


def _written(file: BinaryIO, data: bytes) -> None:
    file.write(data)


@contextmanager
def _csv(file: BinaryIO) -> Iterator[Write]:
    text = io.TextIOWrapper(file, "utf-8", "backslashreplace", newline="")
    table = csv.writer(text)
    table.writerow([column.name for column in COLUMNS])

    def write(case: Case) -> None:
        row = case_row(case)
        table.writerow([_cell(column.type, row[column.name]) for column in COLUMNS])

    yield write
    text.flush()
    text.detach()


def _cell(kind: str, value: Value) -> str:
    return hex(value) if kind == "address" and isinstance(value, int) else as_cell(value)


def as_cell(value: Any) -> str:
    """A value in CSV; null is empty. A text that a spreadsheet would run is quoted."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    return "'" + value if value[:1] in FORMULA else value


@contextmanager
def _parquet(file: BinaryIO) -> Iterator[Write]:
    import pyarrow as arrow
    from pyarrow import parquet

    types = {"bool": arrow.bool_(), "int": arrow.int64(), "address": arrow.uint64(), "text": arrow.string()}
    fields = [
        arrow.field(c.name, types[c.type], metadata={"unit": c.unit, "meaning": c.meaning, "null": c.null})
        for c in COLUMNS
    ]
    table_schema = arrow.schema(fields)
    rows: list[dict[str, Any]] = []
    with parquet.ParquetWriter(file, table_schema, compression="zstd") as out:

        def flush() -> None:
            out.write_table(arrow.Table.from_pylist(rows, schema=table_schema))
            rows.clear()

        def write(case: Case) -> None:
            rows.append({k: encodable(v) if isinstance(v, str) else v for k, v in case_row(case).items()})
            if len(rows) >= ROWS_PER_GROUP:
                flush()

        yield write
        flush()


_WRITERS: dict[str, Callable[[BinaryIO], Any]] = {
    "table": _table,
    "json": _json,
    "ndjson": _ndjson,
    "csv": _csv,
    "parquet": _parquet,
}
