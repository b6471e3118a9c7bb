"""Cases as files: CSV, NDJSON and Parquet of exactly what is selected, written as they are read.

However many there are, a few thousand rows are in memory.
"""

import io
from collections.abc import Callable, Iterator
from csv import writer
from typing import Any

import pyarrow as pa
import pyarrow.compute as compute
from pyarrow import csv, parquet

from broadstreet.store.atlas import Atlas
from broadstreet.store.looking import Form, all_of
from broadstreet.surfaces.output import FORMULA, as_cell
from broadstreet.surfaces.web.page import Asked, Download

ROWS_AT_ONCE = 5_000
ROWS_PER_GROUP = 50_000
TEXTS = (pa.types.is_string, pa.types.is_large_string)


def as_csv(asked: Asked) -> Download:
    """Plain CSV: null is empty, a text that a spreadsheet would run is quoted."""
    return Download(_name(asked, "csv"), "text/csv; charset=utf-8", _csv(_batches(asked, "spelt")))


def as_ndjson(asked: Asked) -> Download:
    """One JSON object a line."""
    return Download(_name(asked, "ndjson"), "application/x-ndjson", _ndjson(_batches(asked, "lines")))


def as_parquet(asked: Asked) -> Download:
    """Parquet, with the types that the atlas has."""
    return Download(_name(asked, "parquet"), "application/vnd.apache.parquet", _parquet(_batches(asked, "typed")))


def columns_of(atlas: Atlas, named: tuple[str, ...]) -> list[str]:
    """The columns that are asked for; all of them where none is."""
    if not named:
        return ["case_id", *(name for name in atlas.columns if name != "case_id")]
    return [atlas.column(name).name for name in dict.fromkeys(named)]


def _name(asked: Asked, form: str) -> str:
    return f"cases-{asked.atlas.about.version}.{form}"


def _batches(asked: Asked, form: Form) -> Iterator[pa.RecordBatch]:
    columns = columns_of(asked.atlas, asked.all("column"))
    batches = asked.atlas.stream(all_of(asked.atlas, asked.selection, columns, form), ROWS_AT_ONCE)
    first = next(batches)  # what cannot be asked is refused before the first byte is sent
    return _again(first, batches)


def _again(first: pa.RecordBatch, rest: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first.cast(_in_utc(first.schema))
    for batch in rest:
        yield batch.cast(_in_utc(batch.schema))


def _in_utc(schema: pa.Schema) -> pa.Schema:
    """The same with times in UTC, by the name that other programs know it by."""
    utc = pa.timestamp("us", "UTC")
    return pa.schema([pa.field(one.name, utc if pa.types.is_timestamp(one.type) else one.type) for one in schema])


def _csv(batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    yield _line([*map(as_cell, next(batches).schema.names)])
    for batch in batches:
        written = io.BytesIO()
        shown = pa.RecordBatch.from_arrays([harmless(column) for column in batch.columns], batch.schema.names)
        csv.write_csv(shown, written, csv.WriteOptions(include_header=False, quoting_style="needed"))
        yield written.getvalue()


def _line(cells: list[str]) -> bytes:
    written = io.StringIO(newline="")
    writer(written, lineterminator="\n").writerow(cells)
    return written.getvalue().encode()


def harmless(column: pa.Array) -> pa.Array:
    """Texts such that no spreadsheet runs one (https://owasp.org/www-community/attacks/CSV_Injection)."""
    if not any(is_text(column.type) for is_text in TEXTS):
        return column
    runs = compute.is_in(compute.utf8_slice_codeunits(column, 0, 1), pa.array(FORMULA, column.type))
    return compute.if_else(runs, compute.binary_join_element_wise("'", column, ""), column)


def _ndjson(batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    for batch in batches:
        if batch.num_rows:
            yield ("\n".join(batch.column(0).to_pylist()) + "\n").encode()


def _parquet(batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    first = next(batches)
    sink = _Sink()
    waiting: list[pa.RecordBatch] = []
    with parquet.ParquetWriter(sink, first.schema, compression="zstd") as file:
        for batch in batches:
            waiting.append(batch)
            if sum(one.num_rows for one in waiting) >= ROWS_PER_GROUP:
                file.write_table(pa.Table.from_batches(waiting))
                waiting.clear()
                yield sink.taken()
        if waiting:
            file.write_table(pa.Table.from_batches(waiting))
    yield sink.taken()


class _Sink(io.RawIOBase):
    """A file whose bytes are taken away as they are written."""

    def __init__(self) -> None:
        self._written: list[bytes] = []
        self._taken = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._written.append(bytes(data))
        return len(data)

    def tell(self) -> int:
        return self._taken + sum(map(len, self._written))

    def taken(self) -> bytes:
        """What was written since the last time."""
        data = b"".join(self._written)
        self._written.clear()
        self._taken += len(data)
        return data


FORMS: dict[str, Callable[[Asked], Download]] = {"csv": as_csv, "ndjson": as_ndjson, "parquet": as_parquet}
