"""The fleet's tables in a casebook: read whole, replaced whole, in one version."""

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable

from broadstreet.errors import CasebookError, UsageError
from broadstreet.records.columns import STORED_FLEET, Table
from broadstreet.store.casebook import Casebook
from broadstreet.store.coverage import case_hosts
from broadstreet.store.questions import Questions
from broadstreet.store.rewriting import overwrite
from broadstreet.store.schema import schema

TABLES = {table.name: table for table in STORED_FLEET}


class FleetTables:
    """The fleet's tables of one casebook; read only where it was not opened for writing."""

    def __init__(self, url: str, book: Casebook | None) -> None:
        self._url = url
        self._book = book
        self._seen: dict[str, DeltaTable] = {}

    def fleet(self, table: str) -> pa.Table:
        """The current rows."""
        with Questions(self._url) as questions:
            if table not in {one.name for one in questions.tables()}:
                return schema(TABLES[table]).empty_table()
            self._seen[table] = questions.delta(table)
            rows: pa.Table = questions.delta(table).to_pyarrow_table()
            return rows

    def replace_fleet(self, table: str, rows: pa.Table, note: str) -> None:
        """Make these the current rows, in one new version of the casebook, if nobody was faster."""
        if self._book is None:
            raise UsageError("this casebook was opened for reading", "Name one that can be written.")
        declared = TABLES[table]
        now = self._book.optional_table(declared)
        seen = self._seen.get(table, now)
        if seen.version() != now.version():
            raise CasebookError(f"somebody else changed {table} at the same time; nothing was added; try again")
        overwrite(now, declared, _typed(rows, declared).to_reader(), CommitProperties(max_commit_retries=0))
        self._book.commit("fleet", note)

    def case_hosts(self) -> dict[str, int]:
        """How many cases each host has."""
        with Questions(self._url) as questions:
            return case_hosts(questions)


def _typed(rows: pa.Table, table: Table) -> pa.Table:
    return rows.select([column.name for column in table.columns]).cast(schema(table))
