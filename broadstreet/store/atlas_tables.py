"""The tables of an atlas, as they are written: Parquet, in row groups that a page of cases is found in at once."""

import os
from collections.abc import Iterable, Sequence
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as parquet

from broadstreet.records.columns import CASES, FEATURES, Column
from broadstreet.store.literals import named
from broadstreet.store.questions import Questions

ROWS_AT_ONCE = 50_000  # of a row group
IDS_AT_ONCE = 5_000
COLUMNS_AT_ONCE = 10  # whose values are held in memory to be counted
_LISTS = ("holds", "could_not_be_judged")
_LEFT_OUT = ("frames", "time")  # the trace has the one, the atlas tells the other
OF_CASE: tuple[Column, ...] = tuple(column for column in (*CASES, *FEATURES) if column.name not in _LEFT_OUT)
LISTS = frozenset(_LISTS)


def write(
    folder: str,
    name: str,
    batches: Iterable[pa.Table | pa.RecordBatch],
    schema: pa.Schema,
    rows_at_once: int = ROWS_AT_ONCE,
) -> None:
    """One table of an atlas; there is none until all of it is written."""
    path = os.path.join(folder, f"{name}.parquet")
    partial = f"{path}.{os.getpid()}"
    with parquet.ParquetWriter(partial, schema, compression="zstd") as writer:
        for batch in batches:
            table = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
            writer.write_table(table, row_group_size=rows_at_once)
    os.replace(partial, path)


def write_crashes(questions: Questions, folder: str, told: pa.Table) -> None:
    """The cases with what the analysis told of each: `told` has case_id, number, time, and more columns."""
    questions.lend("told", told)
    own = [_shown(column) for column in OF_CASE if column.name not in told.column_names]
    names = ", ".join(f"t.{named(name)}" for name in told.column_names)
    reader = questions.stream(
        f"SELECT {names}, {', '.join(own)}, c.reading, c.trace_id, c.module_set, c.evidence IS NOT NULL AS evidence, "
        "s.added FROM told t JOIN cases c USING (case_id) LEFT JOIN current_specimens s ON s.reading = c.reading "
        "ORDER BY t.number",
        ROWS_AT_ONCE,
    )
    write(folder, "crashes", reader, reader.schema)


def distinct(folder: str, columns: Sequence[str]) -> dict[str, int]:
    """How many values each of these columns of `crashes` has."""
    path = os.path.join(folder, "crashes.parquet").replace("'", "''")
    found: dict[str, int] = {}
    with duckdb.connect() as duck:
        for first in range(0, len(columns), COLUMNS_AT_ONCE):
            some = columns[first : first + COLUMNS_AT_ONCE]
            asked = ", ".join(f"count(DISTINCT {named(name)})" for name in some)
            [row] = duck.execute(f"SELECT {asked} FROM read_parquet('{path}')").fetchall()
            found.update(zip(some, row, strict=True))
    return found


def write_ids(folder: str, told: pa.Table) -> None:
    """Where in the order each case stands, by its id: in small row groups, of which a look-up reads one."""
    ids = told.select(["case_id", "number"]).sort_by("case_id")
    write(folder, "ids", [ids], ids.schema, IDS_AT_ONCE)


def write_traces(questions: Questions, folder: str) -> None:
    """What each distinct trace is made of."""
    reader = questions.stream(
        "SELECT trace_id, parts, functions, function_offsets, module_paths, build_ids, offsets, trusts "
        "FROM raw_traces SEMI JOIN current_cases USING (trace_id) ORDER BY trace_id",
        ROWS_AT_ONCE,
    )
    write(folder, "traces", reader, reader.schema)


def write_decisions(questions: Questions, folder: str) -> None:
    """Why each trace is in its syndrome, as far as that is kept; and what people said of syndromes."""
    reader = questions.stream(
        "SELECT trace_id, trace, outcome, similarity, probability, nearest, rival, margin, algorithm, made "
        "FROM raw_assignments SEMI JOIN current_cases USING (trace_id) "
        "QUALIFY row_number() OVER (PARTITION BY trace_id ORDER BY made DESC) = 1 ORDER BY trace_id",
        ROWS_AT_ONCE,
    )
    write(folder, "decisions", reader, reader.schema)
    said = questions.answer("SELECT * FROM raw_syndrome_events ORDER BY number")
    write(folder, "said", [said], said.schema)


def coded(values: Sequence[str], codes: Any) -> pa.DictionaryArray:
    """Codes into values as a column; -1 is null."""
    texts = pa.array(list(values), pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32(), mask=codes < 0), texts)


def _shown(column: Column) -> str:
    name = named(column.name)
    if column.name in LISTS:
        return f"CASE WHEN c.{name} = '' THEN [] ELSE string_split(c.{name}, ',') END AS {name}"
    return f"c.{name}"
