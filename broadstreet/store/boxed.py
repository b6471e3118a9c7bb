"""A stranger's SELECT over an atlas and its casebook, with what it may use of this machine bounded.

The tables of the atlas have their plain names. So have the views of the casebook, but for the two or three whose name
an atlas takes; all of them are there as `casebook.NAME`. The casebook is opened only for a question that names it.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import duckdb
import pyarrow as pa

from broadstreet.errors import UsageError
from broadstreet.records.atlas import TABLES
from broadstreet.records.columns import STORED_FLEET
from broadstreet.store.atlas import laid
from broadstreet.store.literals import text
from broadstreet.store.questions import Beside, Questions, check_only_reads, one_select, told_apart
from broadstreet.store.views import VIEWS

ROWS_AT_ONCE = 2048
SCHEMA = "casebook"
LESS = "Ask of less: a WHERE, a LIMIT inside, or `broadstreet sql`, which takes its time."
HINT = "One SELECT over crashes, pieces, members, suspects, syndromes, traces, and the views of the casebook."


class Bounds(NamedTuple):
    """What a question may use: seconds, bytes of memory, bytes of files that what does not fit is put into."""

    seconds: float = 5.0
    memory: str = "512MB"
    spill: str = "512MB"
    rows: int = 1_000


def boxed(url: str, version: int, folder: str, spill: str, select: str, bounds: Bounds) -> Iterator[pa.RecordBatch]:
    """The answer, in batches, of at most so many rows and one more; the first is empty and tells the columns."""
    duck = duckdb.connect(config={"python_enable_replacements": "false"})
    for statement in (*_bounded(bounds, spill), *laid(folder)):
        duck.execute(statement)
    duck.execute(f"SET allowed_directories = [{text(folder + '/')}]; SET enable_external_access = false")
    duck.execute("SET lock_configuration = true")
    with _said():
        question = one_select(duck, select)
        try:
            check_only_reads(duck, question)
            of_the_atlas = True
        except (duckdb.CatalogException, duckdb.BinderException):
            of_the_atlas = False
    if of_the_atlas:
        with _timed(duck.interrupt, bounds.seconds), _said():
            yield from _batches(duck.sql(question), bounds.rows)
        return
    duck.close()
    casebook = Beside((*_bounded(bounds, None), *_beside(), *laid(folder)), (folder,))
    with Questions(url, version, casebook) as questions, _timed(questions.interrupt, bounds.seconds):
        try:
            yield from _first(questions.ask(select), bounds.rows)
        except UsageError as error:
            raise UsageError(error.what, HINT) from error


def _bounded(bounds: Bounds, spill: str | None) -> Iterator[str]:
    yield f"SET threads = 1; SET memory_limit = '{bounds.memory}'; SET max_temp_directory_size = '{bounds.spill}'"
    yield "SET autoinstall_known_extensions = false; SET autoload_known_extensions = false"
    yield "SET allow_persistent_secrets = false; SET allow_community_extensions = false"
    yield "SET preserve_insertion_order = true; SET max_expression_depth = 500"
    if spill is not None:
        yield f"SET temp_directory = {text(spill)}"


def _beside() -> Iterator[str]:
    """The views of the casebook under the name of a schema; an atlas takes the plain names of some."""
    yield f"CREATE SCHEMA {SCHEMA}"
    for view in VIEWS:
        if view.name in TABLES:
            yield f'DROP VIEW temp."{view.name}"'
            yield f'CREATE VIEW {SCHEMA}."{view.name}" AS {view.select}'
        else:
            yield f'CREATE VIEW {SCHEMA}."{view.name}" AS SELECT * FROM temp."{view.name}"'
    for table in STORED_FLEET:
        yield f'CREATE VIEW {SCHEMA}."{table.name}" AS SELECT * FROM temp."{table.name}"'


def _batches(relation: duckdb.DuckDBPyRelation, most: int) -> Iterator[pa.RecordBatch]:
    reader = relation.to_arrow_reader(ROWS_AT_ONCE)
    names = told_apart(reader.schema.names)
    yield pa.RecordBatch.from_pylist([], schema=reader.schema).rename_columns(names)
    yield from _first((batch.rename_columns(names) for batch in reader), most)


def _first(batches: Iterator[pa.RecordBatch], most: int) -> Iterator[pa.RecordBatch]:
    left = most + 1
    for batch in batches:
        yield batch.slice(0, left)
        left -= batch.num_rows
        if left <= 0:
            return


@contextmanager
def _timed(interrupt: Callable[[], None], seconds: float) -> Iterator[None]:
    over = threading.Event()

    def end() -> None:
        over.set()
        interrupt()

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (duckdb.InterruptException, UsageError) as error:
        if over.is_set():
            raise UsageError(f"the question takes longer than {seconds:g} seconds", LESS) from error
        raise
    finally:
        timer.cancel()


@contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except duckdb.InterruptException:
        raise
    except duckdb.OutOfMemoryException as error:
        raise UsageError("the question needs more memory than it may have", LESS) from error
    except duckdb.Error as error:
        raise UsageError(f"the question cannot be answered: {error}", HINT) from error
