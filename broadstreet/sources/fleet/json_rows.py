"""JSON: a list of objects, or one object a line. A value is taken as its text, whatever its type."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec
import numpy as np
import pyarrow as arrow

from broadstreet.errors import UsageError
from broadstreet.sources.fleet.batches import ROWS_PER_BATCH, Batch, check_header
from broadstreet.sources.fleet.problems import Problems

LARGEST_DOCUMENT = 256 << 20
LONGEST_LINE = 1 << 20
NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
Numbered = tuple[int, dict[str, Any]]


def document(path: str) -> Any:
    """The file as one JSON document, or None if it is one object a line."""
    with open(path, "rb") as file:
        first = file.readline(LONGEST_LINE)
        rest = file.read(LARGEST_DOCUMENT + 1 - len(first))
    if len(first) + len(rest) > LARGEST_DOCUMENT:
        if _is_object(first):
            return None
        raise UsageError(f"{path}: more than {LARGEST_DOCUMENT >> 20} MiB in one document", "Write one object a line.")
    if rest.strip() and _is_object(first):
        return None
    try:
        return msgspec.json.decode(first + rest)
    except NOT_JSON as error:
        raise UsageError(f"{path}: not JSON: {error}", "A list of objects, or one object a line.") from error


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(line), dict)
    except NOT_JSON:
        return False


def listed(path: str, content: Any, problems: Problems) -> Iterator[Batch]:
    """The rows of a list of objects; the first is row 1. One object alone is one row."""
    rows = content if isinstance(content, list) else [content]
    return _batches(path, _objects(enumerate(rows, 1), problems), problems)


def lines(path: str, problems: Problems) -> Iterator[Batch]:
    """The rows of one object a line; a row's number is its line's."""
    return _batches(path, _objects(_decoded(path, problems), problems), problems)


def _decoded(path: str, problems: Problems) -> Iterator[tuple[int, Any]]:
    decoder = msgspec.json.Decoder()
    with open(path, "rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE), b""), 1):
            if not line.strip():
                continue
            try:
                yield number, decoder.decode(line)
            except NOT_JSON:
                problems.add(number, "the row", line.strip(), "one JSON object in UTF-8")


def _objects(rows: Iterable[tuple[int, Any]], problems: Problems) -> Iterator[Numbered]:
    for number, row in rows:
        if problems.full:
            return
        if isinstance(row, dict):
            yield number, row
        else:
            problems.add(number, "the row", row, "an object")


def _batches(path: str, rows: Iterator[Numbered], problems: Problems) -> Iterator[Batch]:
    while some := list(islice(rows, ROWS_PER_BATCH)):
        names = list(dict.fromkeys(name for _, row in some for name in row))
        check_header(path, names)
        columns = {
            name.strip(): arrow.array(
                [_text(row.get(name), number, name, problems) for number, row in some], arrow.string()
            )
            for name in names
        }
        yield Batch(np.array([number for number, _ in some], np.int64), columns)


def _text(value: Any, row: int, name: str, problems: Problems) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    problems.add(row, name, value, "text or a number")
    return None
