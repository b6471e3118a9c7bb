"""Write a table anew without some of its rows, sorted by time.

What other writers add meanwhile stays: the new version takes away the files that were read, and no others.
"""

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError

from broadstreet.errors import CasebookError
from broadstreet.records.columns import (
    ASSIGNMENTS,
    EVIDENCE,
    FINDINGS,
    MODULES,
    SPECIMENS,
    STORED_CASES,
    TRACES,
    Table,
)
from broadstreet.store.casebook import Casebook
from broadstreet.store.files import named
from broadstreet.store.questions import Questions
from broadstreet.store.schema import schema
from broadstreet.store.table import REFUSED, written

# What stays of each table, given the readings that are dropped (`dropped`) and those without evidence (`bared`).
_KEPT = {
    SPECIMENS: "SELECT * FROM raw_specimens ANTI JOIN dropped USING (reading) ORDER BY added, reading",
    STORED_CASES: "SELECT * REPLACE (CASE WHEN evidence IN (FROM bared) THEN NULL ELSE evidence END AS evidence) "
    "FROM raw_cases ANTI JOIN dropped USING (reading) ORDER BY time, reading",
    FINDINGS: "SELECT f.* FROM raw_findings f ANTI JOIN dropped USING (reading) "
    "LEFT JOIN (SELECT reading, time FROM raw_cases) c USING (reading) ORDER BY c.time, f.reading, f.number",
    EVIDENCE: "SELECT e.* FROM raw_evidence e ANTI JOIN bared USING (reading) WHERE reading NOT IN (FROM dropped) "
    "OR reading IN (SELECT evidence FROM raw_cases ANTI JOIN dropped USING (reading))",
    TRACES: "SELECT * FROM raw_traces WHERE trace_id NOT IN (FROM dropped_traces) ORDER BY trace_id",
    ASSIGNMENTS: "SELECT * FROM raw_assignments WHERE trace_id NOT IN (FROM dropped_traces) ORDER BY made, trace_id",
    MODULES: "SELECT * FROM raw_modules WHERE module_set NOT IN (FROM dropped_modules) ORDER BY module_set, number",
}


def rewrite(book: Casebook, questions: Questions, verb: str, note: str, orphans: bool) -> dict[str, list[str]]:
    """Write all tables without the readings in `dropped` and the evidence in `bared`, two tables of `questions`.

    With `orphans`, what belongs to no case that stays goes too, also what a rewriting left that was cut off. That must
    not be while a scan runs, which may count on it. The files that made up each table before, by its name.
    """
    questions.fetch_evidence()
    if orphans:
        for table in (FINDINGS, EVIDENCE):
            questions.tell(
                f"INSERT INTO dropped SELECT DISTINCT reading FROM raw_{table.name} "
                "ANTI JOIN raw_cases USING (reading) WHERE reading NOT IN (FROM dropped)"
            )
    for table, column in ((TRACES, "trace_id"), (MODULES, "module_set")):
        questions.tell(
            f"CREATE TEMP TABLE dropped_{table.name} AS SELECT {column} FROM raw_{table.name} "
            f"WHERE {orphans} EXCEPT SELECT {column} FROM raw_cases ANTI JOIN dropped USING (reading)"
        )
    gone = {}
    there = questions.tables()
    for table, select in _KEPT.items():  # specimens first: from then on nobody sees what is dropped
        if table not in there:
            continue
        gone[table.name] = sorted(named(book.place, questions.table(table)))
        overwrite(questions.table(table), table, questions.stream(select))
    book.commit(verb, note)
    return gone


def overwrite(
    delta: DeltaTable, table: Table, rows: pa.RecordBatchReader, commit: CommitProperties | None = None
) -> None:
    """These rows instead of those that this version of a table has."""
    try:
        typed = pa.RecordBatchReader.from_batches(schema(table), (batch.cast(schema(table)) for batch in rows))
        write_deltalake(delta, typed, mode="overwrite", writer_properties=written(table), commit_properties=commit)
    except CommitFailedError as error:
        raise CasebookError(
            f"{delta.table_uri} was changed by somebody else at the same time; nothing was changed"
        ) from error
    except REFUSED as error:
        raise CasebookError(f"{delta.table_uri}: {' '.join(str(error).split())}") from error
