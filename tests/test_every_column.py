"""What every column must be, over all of them: declared once, filled by something, of its type, and explained."""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from broadstreet import features
from broadstreet.cases.case import case_of
from broadstreet.cases.row import COLUMNS, case_row
from broadstreet.records.columns import FEATURES, Column
from broadstreet.records.exposure import Circumstances
from broadstreet.records.finding import Value
from broadstreet.surfaces.documents import documents
from tests.features.machines import MACHINES
from tests.features.read_back import dump, reading

ROOT = Path(__file__).parent.parent
TYPES = {"bool": bool, "int": int, "address": int, "text": str}
CUTS = (700, 2500, 4096, 20480, 53248)  # bytes: in the notes, behind them, in the data, in the stack
KNOWN = Circumstances(
    path="core.walker",
    executable="walker",
    time="2026-06-30T00:00:00.000000Z",
    time_source="sidecar",
    host="vm-7",
    host_source="sidecar",
    service="search",
    service_release="41",
    workload="batch",
    region="north",
)
# An example is another's to choose; a name in it is one of the closed lists that the meaning gives.
CLOSED = {
    "origin": {"kernel", "self", "other_process", "none"},
    "context": {"notes", "signal_frame", "recovered"},
    "earlier_context": {"signal_frame", "recovered", "none"},
    "pc_in": {"executable", "nonexecutable", "unmapped", "noncanonical"},
    "call_before_word_at_sp": {"direct", "indirect", "none"},
    "arrival": {"return", "call", "jump", "none"},
    "bad_branch": {"return", "call", "jump", "none"},
    "instruction_kind": {
        *("call", "jump", "return", "trap", "divide", "privileged", "syscall", "other", "undecodable"),
    },
    "instruction_source": {"core", "binary"},
    "access_kind": {"read", "write", "fetch", "none"},
    "access_in": {
        *("null_page", "unmapped", "noncanonical", "readonly", "writable", "no_rights", "no_access"),
    },
    "sp_in": {
        *("writable", "readonly", "no_rights", "below_mapping", "above_mapping", "unmapped", "noncanonical"),
    },
    "chain": {"whole", "broken"},
    "one_bit_access": {"noncanonical", "twin", "near", "far", "behind", "mapped", "none"},
    "one_bit": {"sp", "pc", "noncanonical", "twin", "near", "far", "behind", "none"},
    "replay": {"agrees", "one_bit", "lost", "differs", "unclear", "none"},
    "abort_kind": {
        *("heap_corruption", "assertion", "stack_smashing", "fortify", "uncaught_exception"),
        *("message", "silent", "none"),
    },
    "unwinder": {"frame", "below_sp", "none"},
}

every_column = pytest.mark.parametrize("column", COLUMNS, ids=lambda column: str(column.name))


def readable() -> Iterator[bytes]:
    """Every machine, whole and cut, with binaries and without."""
    for name in MACHINES:
        yield dump(name)
        yield from (dump(name)[:end] for end in CUTS)


@lru_cache(maxsize=1)
def feature_rows() -> tuple[dict[str, Value], ...]:
    states = [reading(data, binaries).state for data in readable() for binaries in (True, False)]
    return tuple(features.row(state) for state in states)


@lru_cache(maxsize=1)
def case_rows() -> tuple[dict[str, Value], ...]:
    where = (KNOWN, Circumstances(path="core.2"))
    return tuple(case_row(case_of(reading(data), one, 4096, len(data))) for data in readable() for one in where)


def values(column: Column) -> list[Value]:
    rows = feature_rows() if column in FEATURES else case_rows()
    return [row[column.name] for row in rows]


def test_a_name_is_declared_once() -> None:
    names = [column.name for column in COLUMNS]
    assert len(set(names)) == len(names)


@every_column
def test_a_column_is_explained(column: Column) -> None:
    assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", column.name)
    assert column.type in TYPES
    for sentence in (column.meaning, column.null):
        assert re.fullmatch(r"\w.+\.", sentence)


@every_column
def test_a_number_has_a_unit_and_nothing_else_has(column: Column) -> None:
    assert bool(column.unit) == (column.type in ("int", "address")) or column.unit == "UTC"


def test_a_row_has_the_declared_columns_in_their_order() -> None:
    assert {tuple(row) for row in feature_rows()} == {tuple(column.name for column in FEATURES)}


def test_a_case_s_row_has_the_declared_columns_in_their_order() -> None:
    assert {tuple(row) for row in case_rows()} == {tuple(column.name for column in COLUMNS)}


def test_without_a_machine_state_every_feature_is_null() -> None:
    assert set(features.row(None).values()) == {None}


@every_column
def test_a_value_is_of_the_declared_type(column: Column) -> None:
    wrong = {type(value) for value in values(column)} - {TYPES[column.type], type(None)}
    assert not wrong


@every_column
def test_an_address_fits_64_bits_and_a_number_63(column: Column) -> None:
    low, high = (0, 1 << 64) if column.type == "address" else (-(1 << 63), 1 << 63)
    numbers = [value for value in values(column) if isinstance(value, int)]
    assert all(low <= number < high for number in numbers)


@every_column
def test_a_column_is_filled_by_some_crash(column: Column) -> None:
    assert any(value is not None for value in values(column)), "a dead column"


@every_column
def test_a_column_that_is_never_null_says_so_and_is_not(column: Column) -> None:
    if column.null.startswith("Never"):
        assert None not in [row[column.name] for row in case_rows() if row["pc"] is not None]
    elif column in FEATURES:
        assert None in values(column), "it says when it is null, and never is"


@pytest.mark.parametrize("name", [column.name for column in FEATURES if column.type == "bool"])
def test_a_yes_or_no_is_seen_both_ways(name: str) -> None:
    assert {True, False} <= {row[name] for row in feature_rows()}


@pytest.mark.parametrize("name", CLOSED)
def test_a_word_is_one_of_those_that_the_meaning_lists(name: str) -> None:
    column = next(column for column in FEATURES if column.name == name)
    seen = {value for value in values(column) if value is not None}
    assert seen <= CLOSED[name]
    meant = set(re.findall(r"[a-z_]+", column.meaning.lower()))
    unnamed = {word for word in seen if word not in meant}
    assert not unnamed or "..." in column.meaning


def test_the_page_of_columns_is_what_the_declarations_say() -> None:
    assert (ROOT / "docs" / "columns.md").read_text("utf-8") == documents()["columns.md"]


@every_column
def test_a_column_has_its_row_on_the_page(column: Column) -> None:
    page = (ROOT / "docs" / "columns.md").read_text("utf-8").split("## Views of a casebook")[0]
    rows = [line for line in page.splitlines() if line.startswith(f"| `{column.name}` |")]
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [6]
