"""Questions about one version of a casebook, answered by DuckDB over its Parquet files.

The files of a remote casebook are fetched into a local cache first (`mirror.py`): DuckDB's wheel reads no buckets. A
question is one SELECT and reaches nothing but the casebook: no other file, no network, no settings.
"""

import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
from deltalake import DeltaTable

from broadstreet.errors import CasebookError, UsageError
from broadstreet.records.case import Case
from broadstreet.records.columns import CASEBOOK, EVIDENCE, OPTIONAL, STORED_FLEET, Table
from broadstreet.records.exposure import SIMULATED
from broadstreet.records.finding import Finding
from broadstreet.store import mirror
from broadstreet.store.casebook import open_tables
from broadstreet.store.empty import EmptyTables
from broadstreet.store.rows import Row, case_of
from broadstreet.store.table import refusals
from broadstreet.store.views import CURRENT, definitions

AT_ONCE = 2000  # cases that are put together at a time
ROWS_AT_ONCE = 10_000
DAMAGE = (duckdb.IOException, duckdb.InvalidInputException, duckdb.InvalidTypeException)
RUNS_TEXT = "JSON_EXECUTE_SERIALIZED_SQL"  # in the plan of a question
EXAMPLE = "select mechanism, count(*) from cases group by 1"


class Beside(NamedTuple):
    """What else is laid beside the views of a casebook before it is closed in: statements, and folders they read."""

    statements: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


NOTHING_BESIDE = Beside()


class Questions:
    """One version of a casebook, open for reading. A context manager; not shared between threads."""

    def __init__(self, url: str, number: int | None = None, beside: Beside = NOTHING_BESIDE) -> None:
        self.place, self.version, self._tables = open_tables(url, number)
        with refusals(f"nothing can be written below {tempfile.gettempdir()}"):
            self._empty = EmptyTables()
        self._spill = os.path.join(tempfile.gettempdir(), f"broadstreet-{secrets.token_hex(8)}")  # made if it is needed
        self._duck = duckdb.connect()
        self._beside = beside
        with ExitStack() as failed:
            failed.callback(self.close)
            with self._damage():
                self._lay_all()
            failed.pop_all()

    def _lay_all(self) -> None:
        self._duck.execute("SET TimeZone = 'UTC'; SET parquet_metadata_cache = true; SET enable_progress_bar = false")
        self._duck.execute("SET temp_directory = $1", [self._spill])  # else below the current folder
        for table in CASEBOOK:
            if table is not EVIDENCE:
                self._lay(table)
        (self._lay if self.place.folder is not None else self._lay_empty)(EVIDENCE)
        for table in OPTIONAL:
            (self._lay if table.name in self._tables else self._lay_empty)(table)
        self._has_evidence = self.place.folder is not None
        self._duck.execute(CURRENT)
        for statement in definitions(STORED_FLEET, self._any("hidden"), self._any("superseded")):
            self._duck.execute(statement)
        for statement in self._beside.statements:
            self._duck.execute(statement)
        self._close_in()

    def __enter__(self) -> "Questions":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files."""
        self._duck.close()
        self._empty.close()
        shutil.rmtree(self._spill, ignore_errors=True)

    def table(self, table: Table) -> DeltaTable:
        """One table at this version."""
        return self._tables[table.name]

    def delta(self, name: str) -> DeltaTable:
        """The same by name."""
        return self._tables[name]

    def tables(self) -> tuple[Table, ...]:
        """The tables that this casebook has."""
        return tuple(table for table in (*CASEBOOK, *OPTIONAL) if table.name in self._tables)

    def simulated(self) -> bool | None:
        """Whether the cases stand on a simulated fleet; null while there are none."""
        first = self.answer("SELECT labels FROM raw_cases LIMIT 1").to_pylist()
        return SIMULATED in first[0]["labels"] if first else None

    def tell(self, statement: str, parameters: Sequence[object] = ()) -> None:
        """Note something down for the questions that follow, as a temporary table."""
        with self._damage():
            self._duck.execute(statement, list(parameters) or None)

    def lend(self, name: str, rows: pa.Table) -> None:
        """A table that the questions that follow can be asked of besides."""
        self._duck.register(name, rows)

    def interrupt(self) -> None:
        """End the question that is being answered, from another thread."""
        self._duck.interrupt()

    def answer(self, select: str, parameters: Sequence[object] = ()) -> pa.Table:
        """The answer to one of our own questions."""
        with self._damage():
            return self._duck.sql(select, params=list(parameters) or None).to_arrow_table()

    def ask(self, select: str) -> Iterator[pa.RecordBatch]:
        """The answer to an operator's question, one SELECT over the documented views. The first batch is empty."""
        if "evidence" in select.lower():
            self.fetch_evidence()
        try:
            question = one_select(self._duck, select)
            check_only_reads(self._duck, question)
            reader = self._duck.sql(question).to_arrow_reader(ROWS_AT_ONCE)
            names = told_apart(reader.schema.names)
            yield pa.RecordBatch.from_pylist([], schema=reader.schema).rename_columns(names)
            for batch in reader:
                yield batch.rename_columns(names)
        except duckdb.Error as error:
            raise UsageError(
                f"the question cannot be answered: {error}", "The views and their columns: docs/columns.md"
            ) from error

    def cases(self, where: str = "", parameters: Sequence[object] = ()) -> Iterator[Case]:
        """Whole cases, as they were read, but for the evidence of their findings. `where` is over the table `cases`."""
        found = self.answer(f"SELECT reading FROM current_cases {where}", parameters)
        yield from self.cases_of(found["reading"].to_pylist())

    def files(self, table: Table, among: Collection[str]) -> list[str]:
        """Local paths of those files of a table that are among these paths from the casebook."""
        local = mirror.files(self.place, self.table(table))
        names = mirror.names(self.place, self.table(table))
        return [path for path, name in zip(local, names, strict=True) if name in among]

    def stream(self, select: str, rows_at_once: int = ROWS_AT_ONCE) -> pa.RecordBatchReader:
        """The answer to one of our own questions, however large."""
        return self._duck.sql(select).to_arrow_reader(rows_at_once)

    def known(self, specimen_ids: Sequence[str]) -> dict[str, Row]:
        """Those of these specimens that were read, by their id: their newest row, and what their case lacked."""
        self._duck.register("asked", pa.table({"specimen_id": pa.array(specimen_ids, pa.string())}))
        rows = self._list(
            "SELECT s.*, c.case_id, c.rules_version, c.lacking, c.evidence FROM current_specimens s "
            "SEMI JOIN asked USING (specimen_id) LEFT JOIN raw_cases c USING (reading)"
        )
        self._duck.unregister("asked")
        return {row["specimen_id"]: row for row in rows}

    def cases_of(self, readings: Sequence[int], without_findings_of: int | None = None) -> Iterator[Case]:
        """The cases of these readings, in this order, current or not.

        Cases that rules of this version judged come without findings: the rules give them again, sooner than they are
        found among those of all cases.
        """
        for at in range(0, len(readings), AT_ONCE):
            yield from self._cases(list(readings[at : at + AT_ONCE]), without_findings_of)

    def judged_by(self, rules_version: int) -> Iterator[list[tuple[Row, Case]]]:
        """Visible cases that other rules judged, each with the row of its specimen, some thousand at a time."""
        stale = self.answer(
            "SELECT s.*, c.evidence FROM current_specimens s JOIN raw_cases c USING (reading) "
            "WHERE c.rules_version <> ? ORDER BY c.time, s.reading",
            [rules_version],
        )
        for at in range(0, stale.num_rows, AT_ONCE):
            rows = stale.slice(at, AT_ONCE).to_pylist()
            yield list(zip(rows, self._cases([row["reading"] for row in rows]), strict=True))

    def evidence(self, case_id: str) -> bytes | None:
        """The slim core dump of a case; null where none is kept."""
        self.fetch_evidence()
        rows = self.answer("SELECT core FROM evidence WHERE case_id = ?", [case_id]).to_pylist()
        return rows[0]["core"] if rows else None

    def fetch_evidence(self) -> None:
        """Evidence is large: out of a bucket it is fetched only when it is asked for."""
        if not self._has_evidence:
            self._lay(EVIDENCE)
            self._has_evidence = True

    def _cases(self, readings: list[int], without_findings_of: int | None = None) -> Iterator[Case]:
        wanted = pa.table({"reading": pa.array(readings, pa.int64()), "place": list(range(len(readings)))})
        self._duck.register("wanted", wanted)
        rows = self._list("SELECT c.* FROM raw_cases c JOIN wanted USING (reading) ORDER BY place")
        findings: dict[int, list[Finding]] = {reading: [] for reading in readings}
        if any(row["rules_version"] != without_findings_of for row in rows):
            for row in self._list("SELECT f.* FROM raw_findings f JOIN wanted USING (reading) ORDER BY number"):
                needs = tuple(row["needs"].split(",")) if row["needs"] else ()
                findings[row["reading"]].append(Finding(row["label"], row["state"], (), needs))
        asked = "SELECT DISTINCT {0} FROM raw_cases JOIN wanted USING (reading)"
        traces = {
            row["trace_id"]: row
            for row in self._list(f"SELECT * FROM raw_traces WHERE trace_id IN ({asked.format('trace_id')})")
        }
        modules: dict[str, list[Row]] = {}
        for row in self._list(
            f"SELECT * FROM raw_modules WHERE module_set IN ({asked.format('module_set')}) ORDER BY module_set, number"
        ):
            modules.setdefault(row["module_set"], []).append(row)
        self._duck.unregister("wanted")
        for row in rows:
            yield case_of(
                row, findings[row["reading"]], traces.get(row["trace_id"]), modules.get(row["module_set"], [])
            )

    def _list(self, select: str) -> list[Row]:
        rows: list[Row] = self.answer(select).to_pylist()
        return rows

    @contextmanager
    def _damage(self) -> Iterator[None]:
        try:
            yield
        except DAMAGE as error:
            first = str(error).strip().splitlines()[0]
            raise CasebookError(f"{self.place.url} cannot be read: {first}") from error

    def _any(self, table: str) -> bool:
        return bool(self.answer(f"SELECT 1 FROM {table} LIMIT 1").num_rows)

    def _lay(self, table: Table) -> None:
        files = mirror.files(self.place, self._tables[table.name])
        self._define(table, [self._empty.path(table), *files])

    def _lay_empty(self, table: Table) -> None:
        self._define(table, [self._empty.path(table)])

    def _define(self, table: Table, files: list[str]) -> None:
        named = ", ".join("'" + name.replace("'", "''") + "'" for name in files)
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        self._duck.execute(
            f"CREATE OR REPLACE TEMP VIEW raw_{table.name} AS SELECT {columns} "
            f"FROM read_parquet([{named}], union_by_name = true)"
        )

    def _close_in(self) -> None:
        """From here on nothing but the casebook can be reached."""
        folders = [self._empty.folder, *mirror.folders(self.place), *self._beside.folders]
        named = ", ".join("'" + name.replace("'", "''") + "/'" for name in folders)
        self._duck.execute(
            f"SET allowed_directories = [{named}]; SET enable_external_access = false; SET lock_configuration = true"
        )


def one_select(duck: duckdb.DuckDBPyConnection, select: str) -> str:
    """The question without what stands behind its end. What is not one SELECT, as DuckDB parses it, is refused."""
    written = select.encode()
    end = len(written)
    for at, kind in reversed(duckdb.tokenize(select)):
        if kind != duckdb.token_type.comment and written[at : at + 1] != b";":
            break
        end = at
    question = written[:end].decode()
    statements = duck.extract_statements(question)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise UsageError("a question is one SELECT", f'broadstreet sql "{EXAMPLE}"')
    return question


def check_only_reads(duck: duckdb.DuckDBPyConnection, question: str) -> None:
    """Refuse a SELECT that writes.

    A WITH may hold a COPY, an INSERT and their like, but at the top alone: so DuckDB refuses one that stands inside of
    another. A text that it would run while it answers stands at the top again.
    """
    plan = duck.sql(f"EXPLAIN (FORMAT json) SELECT * FROM ({question}\n)").fetchall()[0][1]
    if RUNS_TEXT in _operators(json.loads(plan)):
        raise UsageError("a question is one SELECT that is written out", f'broadstreet sql "{EXAMPLE}"')


def _operators(plan: list[dict[str, Any]]) -> Iterator[str]:
    ahead = [*plan]
    while ahead:
        one = ahead.pop()
        yield one["name"]
        ahead += one["children"]


def told_apart(names: list[str]) -> list[str]:
    """Columns of one name, as a join gives them, by a number: without it all but the last would be lost."""
    given: list[str] = []
    for name in names:
        number, one = 0, name
        while one in given or (number and one in names):
            number, one = number + 1, f"{name}_{number + 1}"
        given.append(one)
    return given
