"""One question of a stranger, answered in a process of its own, which is killed when its time is up.

    python -m broadstreet.surfaces.web.apart < QUESTION > ANSWER

DuckDB is told to reach nothing but the casebook and its atlas, with one thread and so much memory; and should it be
talked out of that, the process has little time, no large files, no core dump, and none of the server's secrets.
"""

import contextlib
import ctypes
import os
import resource
import signal
import sys
import tempfile

import msgspec
import pyarrow as pa

from broadstreet.errors import BroadStreetError, UsageError
from broadstreet.store.boxed import Bounds, boxed
from broadstreet.surfaces.rows_output import plain, write_rows
from broadstreet.surfaces.text import encodable

REFUSED = 3  # the exit status of a question that cannot be answered; stderr has why, as JSON
GRACE_SECONDS = 4  # beside the question's own: starting, and writing the answer
DATA = 2 << 30  # bytes of private memory: DuckDB is told half a gigabyte, and does not count every string
LARGEST_FILE = 1 << 30
OPEN_FILES = 512
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38  # include/uapi/linux/prctl.h

MOST_COLUMNS = 200  # of a page
LONGEST_CELL = 2_000  # characters, of a page
LARGEST_PAGE = 4 << 20  # bytes
MOST_ROWS = {"page": 1_000, "csv": 1_000_000, "parquet": 1_000_000}


Cell = None | bool | int | float | str


class Question(msgspec.Struct):
    """What is asked, of what, and in which form: page, csv or parquet."""

    url: str
    version: int
    folder: str
    select: str
    form: str
    seconds: float = 5.0


class Column(msgspec.Struct, frozen=True):
    """A column of an answer: its name and its type in SQL's words."""

    name: str
    type: str
    number: bool


class Rows(msgspec.Struct, frozen=True):
    """An answer for a page; `more_rows` and `more_columns` were there and are left out."""

    columns: list[Column]
    rows: list[list[Cell]]
    more_rows: bool
    more_columns: int


class Refused(msgspec.Struct):
    """Why there is no answer."""

    what: str
    hint: str


def main() -> None:
    """Answer the question on standard input, and end at once: what a library lets go of at exit may yet fail."""
    question = msgspec.json.decode(sys.stdin.buffer.read(), type=Question)
    _give_up_rights(question.seconds)
    refused = None
    try:
        with tempfile.TemporaryDirectory(prefix="broadstreet-sql-", ignore_cleanup_errors=True) as spill:
            _answer(question, spill)
        sys.stdout.flush()
    except UsageError as error:
        refused = Refused(error.what, error.hint)
    except BroadStreetError as error:
        refused = Refused(str(error), "Nothing was lost.")
    except (MemoryError, pa.ArrowException, OSError) as error:
        refused = Refused(f"the answer is too large: {error}", "Ask for less.")
    if refused is not None:
        refused.what = encodable(refused.what)[:LONGEST_CELL]
        sys.stderr.buffer.write(msgspec.json.encode(refused))
        sys.stderr.flush()
    os._exit(0 if refused is None else REFUSED)


def _answer(question: Question, spill: str) -> None:
    most = MOST_ROWS[question.form]
    bounds = Bounds(seconds=question.seconds, rows=most)
    batches = boxed(question.url, question.version, question.folder, spill, question.select, bounds)
    if question.form != "page":
        write_rows(batches, question.form)
        return
    found = page_of(pa.Table.from_batches(list(batches)), most)
    encoded = msgspec.json.encode(found)
    if len(encoded) > LARGEST_PAGE:
        raise UsageError(f"the answer has more than {LARGEST_PAGE >> 20} MB", "Ask for fewer or shorter columns.")
    sys.stdout.buffer.write(encoded)


def page_of(table: pa.Table, most: int) -> Rows:
    """An answer as a page has it."""
    shown = table.slice(0, most).select(range(min(table.num_columns, MOST_COLUMNS)))
    columns = [Column(encodable(one.name), str(one.type), _is_number(one.type)) for one in shown.schema]
    cells = [[_cell(value) for value in column.to_pylist()] for column in shown.columns]
    rows = [list(row) for row in zip(*cells, strict=True)]
    return Rows(columns, rows, table.num_rows > most, table.num_columns - shown.num_columns)


def _cell(value: object) -> Cell:
    value = plain(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float):
        return value if abs(value) < float("inf") else str(value)  # JSON has no infinity, and NaN is not below it
    if isinstance(value, int):
        return value if abs(value) < 1 << 53 else str(value)  # what a double, and so a browser, holds
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return encodable(text if len(text) <= LONGEST_CELL else text[:LONGEST_CELL] + "…")


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _give_up_rights(seconds: float) -> None:
    processor = int(seconds) + GRACE_SECONDS
    for limit, most in (
        (resource.RLIMIT_CPU, processor),
        (resource.RLIMIT_DATA, DATA),
        (resource.RLIMIT_FSIZE, LARGEST_FILE),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(limit)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (most, most))
    with contextlib.suppress(OSError, AttributeError):  # Linux only
        prctl = ctypes.CDLL(None).prctl
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


if __name__ == "__main__":
    main()
