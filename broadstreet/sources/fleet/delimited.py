"""CSV, and its kin with semicolons or tabs: the header says which. Every value is read as bytes."""

import csv
from codecs import getincrementaldecoder
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as arrow
from pyarrow import csv as reader

from broadstreet.errors import UsageError
from broadstreet.records.intervals import Numbers
from broadstreet.sources.fleet.batches import Batch, check_header
from broadstreet.sources.fleet.problems import Problems

BLOCK = 1 << 20  # bytes; a line that is longer is refused
BOM = b"\xef\xbb\xbf"
DELIMITERS = (",", ";", "\t", "|")


def delimited(path: str, problems: Problems) -> Iterator[Batch]:
    """The rows of a file with a header."""
    names, delimiter = _header(path)
    # Arrow's handler of broken rows is never told of one that is not UTF-8, and the row is lost without a word.
    odd = _not_utf8(path)
    if odd is not None:
        problems.add(*odd, "text in UTF-8 (save the table as CSV in UTF-8)")
        return
    wrong: list[int] = []

    def refuse(row: Any) -> str:
        wrong.append(row.number)
        found = f"{row.actual_columns} columns" if row.text else "nothing"
        problems.add(row.number, "the row", found, f"{row.expected_columns} columns, as the header has")
        return "error" if problems.full else "skip"

    parse = reader.ParseOptions(
        delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=refuse
    )
    keys = [str(index) for index in range(len(names))]
    options = reader.ReadOptions(block_size=BLOCK, use_threads=False, column_names=keys, skip_rows_after_names=1)
    convert = reader.ConvertOptions(column_types=dict.fromkeys(keys, arrow.binary()))
    following = 2
    try:
        with reader.open_csv(path, options, parse, convert) as stream:
            for found in stream:
                rows = _numbers(following, found.num_rows, wrong)
                following = int(rows[-1]) + 1 if len(rows) else following
                empty = _is_empty(found)
                if empty.any():
                    found, rows = found.filter(arrow.array(~empty)), rows[~empty]
                yield Batch(rows, dict(zip(names, found.columns, strict=True)))
    except arrow.ArrowInvalid as error:
        if not problems.full:
            said = str(error).splitlines()[0]
            raise UsageError(
                f"{path}: not a CSV table: {said}", "A line has at most 1 MiB; quotes must close."
            ) from error


def _header(path: str) -> tuple[list[str], str]:
    with open(path, "rb") as file:
        head = file.read(BLOCK).removeprefix(BOM)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in head[:4096]:
        raise UsageError(f"{path}: not a table in UTF-8", "Save it as CSV in UTF-8, or as Parquet.")
    first = head.splitlines()[0] if head.strip() else b""
    try:
        line = first.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: the header is not UTF-8", "Save it as CSV in UTF-8.") from error
    delimiter = max(DELIMITERS, key=line.count)
    names = [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]
    if not any(names):
        raise UsageError(f"{path}: no header", "The first line names the columns.")
    check_header(path, names)
    return names, delimiter


def _not_utf8(path: str) -> tuple[int, str, bytes] | None:
    decoder, line = getincrementaldecoder("utf-8")(), 1
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            try:
                decoder.decode(block, final=len(block) < BLOCK)
            except UnicodeDecodeError as error:
                near = error.object[: error.end][-20:].splitlines()[-1]
                return line + error.object.count(b"\n", 0, error.start), "the line", bytes(near)
            line += block.count(b"\n")
    return None


def _numbers(following: int, count: int, wrong: list[int]) -> Numbers:
    rows = np.arange(following, following + count + len(wrong), dtype=np.int64)
    return rows[~np.isin(rows, wrong)][:count] if wrong else rows


def _is_empty(found: Any) -> Any:
    empty = np.ones(found.num_rows, bool)
    for column in found.columns:
        offsets = np.frombuffer(column.buffers()[1], np.int32)[column.offset : column.offset + len(column) + 1]
        empty &= offsets[1:] == offsets[:-1]
    return empty
