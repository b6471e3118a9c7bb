"""A case as one flat row."""

import pytest

from broadstreet.cases.case import case_of
from broadstreet.cases.row import COLUMNS, case_row, readable_name
from broadstreet.records.columns import CASES, FEATURES
from broadstreet.records.exposure import Circumstances
from broadstreet.records.finding import Value
from broadstreet.records.frame import Frame, frame_name
from tests.features.read_back import dump, reading


def row(name: str, binaries: bool = True) -> dict[str, Value]:
    where = Circumstances(path="/var/core", host="vm-1", host_source="sidecar")
    return case_row(case_of(reading(dump(name), binaries), where, 4096, 8192))


def test_the_case_s_own_columns_come_first_then_every_feature() -> None:
    assert (*CASES, *FEATURES) == COLUMNS
    assert list(row("a trap")) == [column.name for column in COLUMNS]


def test_labels_that_hold_stand_in_the_order_of_precedence() -> None:
    assert row("sp one bit off")["holds"] == "one_bit_off,null_dereference"


def test_labels_that_could_not_be_judged_are_named() -> None:
    named = str(row("pointer of garbage", binaries=False)["could_not_be_judged"]).split(",")
    assert {"misaligned_stack", "noncanonical_access", "poison_access"} <= set(named)
    assert "memory_poisoned" not in named


def test_frames_are_functions_else_module_and_offset() -> None:
    assert row("a trap")["frames"] == "inner|outer|main|_start"
    assert str(row("a trap", binaries=False)["frames"]).split("|")[0] == "walker+0x1075"


def test_what_is_missing_is_named_and_nothing_is_empty() -> None:
    assert "binary /opt/walker/bin/walker" in str(row("a trap", binaries=False)["missing"]).split("|")
    assert row("a trap")["missing"] == ""


def test_the_columns_of_case_and_circumstances_stand_beside_each_other() -> None:
    found = row("a trap")
    assert {name: found[name] for name in ("path", "host", "host_source", "mechanism", "pid", "cpu", "bytes_read")} == {
        "path": "/var/core",
        "host": "vm-1",
        "host_source": "sidecar",
        "mechanism": "deliberate_trap",
        "pid": 4711,
        "cpu": 3,
        "bytes_read": 4096,
    }


def test_the_signal_is_that_of_the_crash_and_not_of_the_core_dump() -> None:
    found = row("a handler that raises SIGABRT")
    assert (found["signal"], found["raised_signal"]) == (11, 6)


def frame(function: str | None, module: str | None = "/opt/lib/libx.so", offset: int | None = 0x10) -> Frame:
    return Frame(0x1234, None, module, None, offset, function, 0, "register")


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (frame("main"), "main"),
        (frame(None), "libx.so+0x10"),
        (frame(None, None, None), "0x1234"),
        (frame(""), "libx.so+0x10"),
        (frame("_ZN3foo3barEi"), "_ZN3foo3barEi"),
    ],
)
def test_a_frame_has_a_name_for_programs(given: Frame, name: str) -> None:
    assert frame_name(given) == name


def test_a_frame_has_a_name_for_people() -> None:
    assert readable_name(frame("_ZN3foo3barEi")) == "foo::bar(int)"
