"""Keep a casebook small and quick: old cases and old evidence go, small files become large ones, sorted by time.

Never removed is what a verdict cites (pinned versions), what a live writer may be about to name, and, but with `now`,
what a reader may have open: versions younger than an hour stay readable.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from deltalake import DeltaTable

from broadstreet.errors import UsageError
from broadstreet.records.columns import COMMITS, STORED_CASES
from broadstreet.store.casebook import Casebook, open_tables
from broadstreet.store.files import ABANDONED, all_files, drop_unnamed, forget_log, named
from broadstreet.store.questions import Questions
from broadstreet.store.rewriting import rewrite


class Tidied(NamedTuple):
    """What went, and what it saved. `files_left` go with the next tidying, an hour later."""

    readings: int
    evidence: int
    bytes_before: int
    bytes_after: int
    files_left: int


def tidy(book: Casebook, url: str, keep: timedelta | None, keep_evidence: timedelta | None, now: bool) -> Tidied:
    """Drop cases older than `keep` and evidence older than `keep_evidence`; compact and sort the rest.

    A case without a time is as old as its reading.
    """
    before = _size(book)
    with Questions(url) as questions:
        _mark(questions, book, keep, keep_evidence)
        readings, evidence = (_count(questions, name) for name in ("dropped", "bared"))
        rewrite(book, questions, "tidy", f"{readings:,} readings and {evidence:,} pieces of evidence dropped", False)
    left, pinned = 0, book.version().pinned
    cited = list(_versions(url, pinned))
    recent = list(_versions(url, _recent(book))) if not now else []
    for table in book.tables():
        delta = book.table(table)
        delta.update_incremental()
        stay = [delta, *(tables[table.name] for tables in cited if table.name in tables)]
        kept = [*stay, *(tables[table.name] for tables in recent if table.name in tables)]
        gone = [file.path for file in all_files(book.place, table.name)] if now else []
        young = drop_unnamed(book.place, table, kept, gone)
        for_good = set().union(*(named(book.place, one) for one in stay))
        left += len(young) + len(set().union(*(named(book.place, one) for one in kept)) - for_good)
        if not pinned:
            forget_log(delta)
    return Tidied(readings, evidence, before, _size(book), left)


def _mark(questions: Questions, book: Casebook, keep: timedelta | None, keep_evidence: timedelta | None) -> None:
    age = "SELECT s.reading FROM raw_specimens s LEFT JOIN raw_cases c USING (reading) WHERE coalesce(time, added) < ?"
    questions.tell("CREATE TEMP TABLE dropped AS SELECT reading FROM superseded")
    if keep is not None:
        questions.tell(f"INSERT INTO dropped {age} EXCEPT FROM dropped", [datetime.now(UTC) - keep])
    abandoned = _abandoned(questions, book)
    if abandoned:
        questions.tell(
            "INSERT INTO dropped SELECT reading FROM read_parquet(?) ANTI JOIN raw_specimens USING (reading)",
            [abandoned],
        )
    questions.tell(
        "CREATE TEMP TABLE bared AS SELECT evidence AS reading FROM raw_cases WHERE evidence IS NOT NULL AND false"
    )
    if keep_evidence is not None:
        questions.tell(
            f"INSERT INTO bared SELECT evidence FROM raw_cases WHERE evidence IS NOT NULL AND reading IN ({age})",
            [datetime.now(UTC) - keep_evidence],
        )


def _abandoned(questions: Questions, book: Casebook) -> list[str]:
    """Files of cases that are so old that a batch in them which is not visible never will be."""
    oldest = datetime.now(UTC) - ABANDONED
    old = {file.path for file in all_files(book.place, STORED_CASES.name) if file.written < oldest}
    return questions.files(STORED_CASES, old)


def _recent(book: Casebook) -> list[int]:
    made = book.table(COMMITS).to_pyarrow_table(columns=["number", "made"]).to_pylist()
    oldest = datetime.now(UTC) - ABANDONED
    return sorted(row["number"] for row in made if row["made"] > oldest)


def _versions(url: str, numbers: Iterable[int]) -> Iterator[dict[str, DeltaTable]]:
    for number in numbers:
        try:
            yield open_tables(url, number)[2]
        except UsageError:
            continue  # an earlier tidying has cleared it away


def _count(questions: Questions, table: str) -> int:
    return int(questions.answer(f"SELECT count(*) AS count FROM {table}")["count"][0].as_py())


def _size(book: Casebook) -> int:
    return sum(file.size for file in all_files(book.place))
