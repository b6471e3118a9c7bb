"""Rows as a file holds them, before their types are known: batches of columns."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from broadstreet.errors import UsageError
from broadstreet.records.intervals import Numbers

MOST_COLUMNS = 256
MOST_ROWS = 10_000_000  # a row a day of 10,000 hosts for 2.7 years; a million takes 0.4 GB to check
ROWS_PER_BATCH = 65_536


class Batch(NamedTuple):
    """Some rows: Arrow arrays by the names that the file gives them, and the number of each row in the file."""

    rows: Numbers
    columns: dict[str, Any]


Batches = Iterator[Batch]


def check_header(path: str, names: list[str]) -> None:
    """Refuse a header in which a name stands twice, or that is no header."""
    if len(names) > MOST_COLUMNS:
        raise UsageError(f"{path}: {len(names):,} columns", f"At most {MOST_COLUMNS} are read; is this a table?")
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise UsageError(f"{path}: the column {twice[0]!r} is there twice", "Rename or remove one of them.")
