"""Ask an atlas: the tables of one analysed version of a casebook (records/atlas.py), by DuckDB over its Parquet files.

Every question is plain SQL with its values written in, so what is shown beside a number is what was run. Values are
quoted here and nowhere else; a column is named only if the atlas has it. Nothing but the atlas can be reached.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Any, NamedTuple

import duckdb
import msgspec
import pyarrow as pa

from broadstreet.errors import CasebookError, UsageError
from broadstreet.records.atlas import TABLES, About, AtlasColumn
from broadstreet.records.selection import Condition, Selection
from broadstreet.store.literals import named as named
from broadstreet.store.literals import text as text

ABOUT = "about.json"
MEMORY = "384MB"  # of all questions together; what does not fit is spilled
AT_ONCE = 3  # questions; each takes all cpus and its share of the memory, so more at once answer none sooner
REMEMBERED, REMEMBERED_BYTES = 200, 256 * 1024  # answers, and how large each is at most with its question
NUMBERS = frozenset(("int", "float", "address"))
BOOLEANS = {"true": "TRUE", "false": "FALSE"}
AMONG = "among"  # no column: the cases that an outbreak has, as `O-1a2b3c:inside`, or that an argument is about


class Answer(NamedTuple):
    """Rows, and the SELECT that gave them."""

    rows: pa.Table
    select: str

    def dicts(self) -> list[dict[str, Any]]:
        """One dictionary a row."""
        rows: list[dict[str, Any]] = self.rows.to_pylist()
        return rows


class Atlas:
    """The tables of an atlas, open. May be asked from several threads: each has a connection of its own."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        try:
            self.about = msgspec.json.decode(self.read(ABOUT), type=About)
        except (OSError, msgspec.DecodeError) as error:
            raise CasebookError(f"no atlas in {folder}: {error}") from error
        self.columns = {column.name: column for column in self.about.columns}
        self._duck = duckdb.connect()
        try:
            for statement in laid(folder):
                self._duck.execute(statement)
        except duckdb.Error as error:
            raise CasebookError(f"no whole atlas in {folder}: {error}") from error
        self._duck.execute(
            f"SET memory_limit = '{MEMORY}'; SET temp_directory = {text(os.path.join(folder, 'spill'))}; "
            f"SET allowed_directories = [{text(f'{folder}/')}]; SET enable_external_access = false; "
            "SET lock_configuration = true"
        )
        self._own = threading.local()
        self._known: OrderedDict[str, Answer] = OrderedDict()
        self._knowing = threading.Lock()
        self._asking = threading.BoundedSemaphore(AT_ONCE)

    def close(self) -> None:
        """Let go of the files."""
        self._duck.close()

    def read(self, name: str) -> bytes:
        """One of the other files of the atlas."""
        with open(os.path.join(self.folder, name), "rb") as file:
            return file.read()

    def ask(self, select: str) -> Answer:
        """The answer to one of our own questions. Short ones are remembered: what an atlas says does not change."""
        with self._knowing:
            known = self._known.get(select)
            if known is not None:
                self._known.move_to_end(select)
                return known
        if not hasattr(self._own, "duck"):
            self._own.duck = self._duck.cursor()
        with self._asking:
            answer = Answer(self._own.duck.sql(select).to_arrow_table(), select)
        if answer.rows.nbytes + len(select) <= REMEMBERED_BYTES:
            with self._knowing:
                self._known[select] = answer
                if len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
        return answer

    def stream(self, select: str, rows_at_once: int) -> Iterator[pa.RecordBatch]:
        """The same however large, in batches; the first is empty and tells the columns."""
        reader = self._duck.cursor().sql(select).to_arrow_reader(rows_at_once)
        yield pa.RecordBatch.from_pylist([], schema=reader.schema)
        yield from reader

    def column(self, name: str) -> AtlasColumn:
        """What is known of a column; a name that the atlas has not is refused."""
        found = self.columns.get(name)
        if found is None:
            raise UsageError(f"no column {name}", "The columns are listed on the page Cases.")
        return found

    def where(self, selection: Selection, table: str = "crashes") -> str:
        """The selection as a condition on `crashes`, or on `pieces` of time at risk; `TRUE` where all is selected.

        Time at risk is narrowed by exposures only; a piece counts where it overlaps the interval (`overlap`).
        """
        tests = [test for test in map(self.tested, self._of(selection, table)) if test]
        if table == "pieces":
            tests += [f'"end" > {moment(selection.start)}'] if selection.start else []
            tests += [f'"start" < {moment(selection.end)}'] if selection.end else []
        else:
            tests += [f'"time" >= {moment(selection.start)}'] if selection.start else []
            tests += [f'"time" < {moment(selection.end)}'] if selection.end else []
        return " AND ".join(tests) or "TRUE"

    def overlap(self, selection: Selection, measure: str) -> str:
        """How much of a measure of a piece lies in the selected interval.

        It is not known where the selection narrows crashes by an exposure by which nobody tells time at risk.
        """
        if any(self._untold(one.column) for one in selection.conditions):
            return "NULL::DOUBLE"
        name = named(measure)
        if selection.start is None and selection.end is None:
            return name
        first = f'greatest("start", {moment(selection.start)})' if selection.start else '"start"'
        last = f'least("end", {moment(selection.end)})' if selection.end else '"end"'
        share = f"epoch_us({last}) - epoch_us({first})"
        return f'{name} * ({share}) / nullif(epoch_us("end") - epoch_us("start"), 0)'

    def tested(self, condition: Condition) -> str:
        """One condition; a value that is no number where the column has numbers is refused."""
        if condition.column == AMONG:
            return among(condition)
        column = self.column(condition.column)
        name = named(column.name)
        values = [value for value in condition.values if value is not None]
        if condition.kind in ("min", "max"):
            if column.type not in NUMBERS:
                raise UsageError(
                    f"{column.name} has no numbers, so no least and no most", "Write is. or not. before it."
                )
            sign = ">=" if condition.kind == "min" else "<="
            return " AND ".join(f"{name} {sign} {literal(column, value)}" for value in values)
        if column.type == "texts":
            tests = [f"list_contains({name}, {text(value)})" for value in values]
            none = f"{name} IS NULL OR len({name}) = 0"
        else:
            tests = [f"{name} IN ({', '.join(literal(column, value) for value in values)})"] if values else []
            none = f"{name} IS NULL OR {name} = ''" if column.type == "text" else f"{name} IS NULL"
        any_of = " OR ".join(tests + [none] * (None in condition.values))
        return f"({any_of})" if condition.kind == "is" else f"NOT coalesce({any_of}, FALSE)"

    def _untold(self, name: str) -> bool:
        if name == AMONG:
            return False
        column = self.column(name)
        return column.kind == "exposure" and not column.at_risk

    def _of(self, selection: Selection, table: str) -> Sequence[Condition]:
        if table != "pieces":
            return selection.conditions
        return [one for one in selection.conditions if one.column != AMONG and self.column(one.column).at_risk]


def laid(folder: str) -> Iterator[str]:
    """What makes the tables of an atlas known to DuckDB."""
    for table in TABLES:
        path = text(os.path.join(folder, f"{table}.parquet"))
        yield f"CREATE VIEW {table} AS SELECT * FROM read_parquet({path})"
    yield "SET TimeZone = 'UTC'; SET parquet_metadata_cache = true; SET enable_progress_bar = false"


def among(condition: Condition) -> str:
    """Whether a case is among those of an outbreak or of an argument."""
    pairs = [value.partition(":")[::2] for value in condition.values if value is not None]
    tests = " OR ".join(f'outbreak = {text(outbreak)} AND "of" = {text(of or "inside")}' for outbreak, of in pairs)
    none = "NOT " if condition.kind == "not" else ""
    return f'"number" {none}IN (SELECT members.number FROM members WHERE {tests or "FALSE"})'


def moment(at: datetime | None) -> str:
    """A time as SQL has it."""
    assert at is not None
    return f"TIMESTAMPTZ '{at.astimezone(UTC).isoformat()}'"


def literal(column: AtlasColumn, value: str) -> str:
    """A value of a column as SQL has it."""
    try:
        if column.type == "float":
            return f"{float(value)!r}::DOUBLE" if isfinite(float(value)) else f"'{float(value)}'::DOUBLE"
        if column.type in NUMBERS:
            return str(_within(int(value, 0)))
        if column.type == "time":
            at = datetime.fromisoformat(value)
            return moment(at if at.tzinfo else at.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{value!r} is no value of {column.name}", f"It is a {column.type}.") from error
    if column.type == "bool" and value not in BOOLEANS:
        raise UsageError(f"{value!r} is no value of {column.name}", "It is true or false.")
    return BOOLEANS[value] if column.type == "bool" else text(value)


def _within(number: int) -> int:
    if not -(1 << 63) <= number < 1 << 64:
        raise ValueError("no number of 64 bits")
    return number
