"""Forget: rows, old versions, logs and caches go, and then every byte that is left is searched for what went.

A Parquet file is searched decoded, column by column: compressed, nothing would be found in it. What the search finds is
said, and is no success: a name may stand in another case's path, or in a file that a writer left an hour ago or less.
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from typing import Any, NamedTuple

import pyarrow as pa
from pyarrow import compute, parquet

from broadstreet.records.columns import COMMITS, JUDGEMENTS, SCANS, STORED_FLEET
from broadstreet.store import atlases, mirror
from broadstreet.store.casebook import LOCK, Casebook
from broadstreet.store.files import all_files, content, drop_unnamed, forget_log
from broadstreet.store.questions import Questions
from broadstreet.store.rewriting import overwrite, rewrite
from broadstreet.store.schema import schema

FORGOTTEN = "(forgotten)"  # stands where something was that is
MOST_PLACES = 20  # that are named
MOST_BY_HAND = 64  # paths that are looked for inside of other texts too, not as whole values alone
SHORTEST_IN_BYTES = 5  # of names that are looked for in packed bytes, where shorter ones stand by chance
AT_ONCE = 4096  # rows of a file that are decoded together


class What(NamedTuple):
    """What is to be forgotten; null: not by this."""

    host: str | None = None
    before: datetime | None = None
    case_id: str | None = None


class Forgotten(NamedTuple):
    """What went, how much was searched for how many names, and where one of them still stands."""

    cases: int
    readings: int
    fleet_rows: int
    names: int
    files: int
    bytes_searched: int
    found: tuple[str, ...]


def forget(book: Casebook, url: str, what: What) -> Forgotten:
    """Forget, and prove it. Nobody else may write meanwhile."""
    with Questions(url) as questions:
        _mark(questions, what)
        cases = questions.answer("SELECT DISTINCT c.case_id, c.path FROM raw_cases c SEMI JOIN dropped USING (reading)")
        places = questions.answer("SELECT location FROM raw_specimens SEMI JOIN dropped USING (reading)")
        readings = questions.answer("SELECT count(*) AS n FROM dropped")["n"][0].as_py()
        names = {*cases["case_id"].to_pylist(), *cases["path"].to_pylist(), *places["location"].to_pylist(), what.host}
        gone = rewrite(book, questions, "forget", f"{readings:,} readings", orphans=True)
        overwrite(questions.table(SCANS), SCANS, _scans(questions, names - {None}))
        if JUDGEMENTS in questions.tables():
            overwrite(questions.table(JUDGEMENTS), JUDGEMENTS, _judgements(questions, names - {None}))
        rows = 0 if what.host is None else sum(_fleet(book, questions, what.host, gone))
    last = book.commit("forget", "versions before this one cannot be read any more", pinned=())
    commits = book.table(COMMITS)
    overwrite(commits, COMMITS, commits.to_pyarrow_table(filters=[("number", "=", last)]).to_reader())
    for table in book.tables():
        delta = book.table(table)
        forget_log(delta)
        drop_unnamed(book.place, table, [delta], _removable(book, table.name, gone))
    mirror.empty(book.place)
    atlases.empty(book.place)
    return _searched(book, len(set(cases["case_id"].to_pylist())), readings, rows, names - {None})


def _mark(questions: Questions, what: What) -> None:
    tests: list[str] = []
    values: list[object] = []
    for test, value in (("c.host = ?", what.host), ("c.case_id = ?", what.case_id)):
        if value is not None:
            tests.append(test)
            values.append(value)
    if what.before is not None:
        tests.append("coalesce(c.time, s.added) < ?")
        values.append(what.before)
    # Not by what is visible: what a killed writer left goes too, and all readings of a specimen with one of them.
    questions.tell(
        "CREATE TEMP TABLE dropped AS WITH meant AS (SELECT reading, s.specimen_id FROM raw_cases c "
        f"FULL JOIN raw_specimens s USING (reading) WHERE {' AND '.join(tests)}) "
        "SELECT reading FROM meant UNION SELECT reading FROM raw_specimens SEMI JOIN meant USING (specimen_id)",
        values,
    )
    questions.tell(
        "CREATE TEMP TABLE bared AS SELECT evidence AS reading FROM raw_cases SEMI JOIN dropped USING (reading)"
    )


def _scans(questions: Questions, names: set[str]) -> pa.RecordBatchReader:
    """The scans, without the sources that name what is forgotten."""
    rows = questions.answer("SELECT * FROM raw_scans").to_pylist()
    for row in rows:
        row["sources"] = [FORGOTTEN if any(name in one for name in names) else one for one in row["sources"]]
    return pa.Table.from_pylist(rows, schema=schema(SCANS)).to_reader()


def _judgements(questions: Questions, names: set[str]) -> pa.RecordBatchReader:
    """What people said, without the values and notes that name what is forgotten."""
    rows = questions.answer("SELECT * FROM raw_judgements").to_pylist()
    for row in rows:
        cohort = {key: FORGOTTEN if _in(value, names) else value for key, value in json.loads(row["cohort"]).items()}
        row["cohort"] = json.dumps(cohort, sort_keys=True)
        row |= {key: FORGOTTEN for key in ("truth", "text") if _in(row[key] or "", names)}
    return pa.Table.from_pylist(rows, schema=schema(JUDGEMENTS)).to_reader()


def _in(text: str, names: set[str]) -> bool:
    words = {word.decode() for word in _WORD.findall(text.encode())}
    return text in names or not words.isdisjoint(names) or any("/" in name and name in text for name in names)


def _removable(book: Casebook, table: str, gone: dict[str, list[str]]) -> list[str]:
    """Files that go whatever their age: in a folder all, for nobody else writes there; in a bucket nobody can know."""
    if book.place.folder is not None:
        return [file.path for file in all_files(book.place, table)]
    return gone.get(table, [])


def _fleet(book: Casebook, questions: Questions, host: str, gone: dict[str, list[str]]) -> Iterator[int]:
    """Take a host out of the fleet's tables; how many rows of each."""
    for table in STORED_FLEET:
        named_in = [c.name for c in table.columns if c.name in ("host", "physical_host")]
        if not named_in or table not in book.tables():
            continue
        test = " OR ".join(f"{name} IS NOT DISTINCT FROM ?" for name in named_in)
        values = [host] * len(named_in)
        count = questions.answer(f"SELECT count(*) AS n FROM raw_{table.name} WHERE {test}", values)["n"][0].as_py()
        if count:
            gone[table.name] = mirror.names(book.place, questions.table(table))
            kept = questions.answer(f"SELECT * FROM raw_{table.name} WHERE NOT ({test})", values)
            overwrite(questions.table(table), table, kept.to_reader())
        yield count


def _searched(book: Casebook, cases: int, readings: int, rows: int, names: set[str]) -> Forgotten:
    files, size, found = 0, 0, []
    wanted = {name.encode() for name in names}
    for file in all_files(book.place):
        if file.path == LOCK:
            continue
        files += 1
        size += file.size
        for where, text, is_text in _texts(file.path, content(book.place, file.path)):
            telling = wanted if is_text else {name for name in wanted if len(name) >= SHORTEST_IN_BYTES}
            hit = telling.intersection(text.split(b"\n")) or telling.intersection(_WORD.findall(text))
            if not hit and len(telling) <= MOST_BY_HAND:
                hit = {name for name in telling if b"/" in name and name in text}
            if hit:
                found.append(f"{file.path}{where}: {min(hit).decode('utf-8', 'backslashreplace')}")
                break
    return Forgotten(cases, readings, rows, len(names), files, size, tuple(found[:MOST_PLACES]))


_WORD = re.compile(rb"[\w.-]*\w")


def _texts(path: str, data: bytes) -> Iterator[tuple[str, bytes, bool]]:
    """The file itself, and of a Parquet file each distinct text and each run of bytes in it; whether it is text."""
    packed = path.endswith(".parquet")
    yield "", data, not packed
    if not packed:
        return
    for batch in parquet.ParquetFile(BytesIO(data)).iter_batches(AT_ONCE):
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            for values in _leaves(column):
                text = b"\n".join(value for value in compute.unique(values).cast(pa.binary()).to_pylist() if value)
                yield f", column {name}", text, not pa.types.is_binary(values.type)


def _leaves(column: Any) -> Iterator[Any]:
    """The texts and bytes of a column, however deep they lie."""
    kind = column.type
    if pa.types.is_struct(kind):
        for index in range(kind.num_fields):
            yield from _leaves(column.field(index))
    elif pa.types.is_map(kind):
        yield from _leaves(column.keys)
        yield from _leaves(column.items)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        yield from _leaves(column.values)
    elif pa.types.is_string(kind) or pa.types.is_binary(kind) or pa.types.is_large_string(kind):
        yield column
