"""A case as rows and back is the same case, whatever the core dump was."""

from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from broadstreet.records.case import Case
from broadstreet.records.columns import CASEBOOK, FINDINGS, MODULES, STORED_CASES, TRACES
from broadstreet.records.finding import Finding
from broadstreet.records.specimen import Examined
from broadstreet.store.rows import LOST, Rows, add_examined, case_of, signed, unsigned
from tests.store.examined import bare, case, corpus, sample

OWN = {"scan": "a scan", "added": datetime(2026, 11, 21, tzinfo=UTC), "reader_version": 2, "kept": "pointers"}
READING = 7


def there_and_back(one: Examined) -> Case:
    rows = Rows()
    add_examined(rows, one, READING, 0, OWN)
    tables = {table.name: rows.arrow(table) for table in CASEBOOK}
    (row,) = tables[STORED_CASES.name].to_pylist()
    (trace,) = tables[TRACES.name].to_pylist()
    findings = [
        Finding(found["label"], found["state"], (), tuple(found["needs"].split(",")) if found["needs"] else ())
        for found in tables[FINDINGS.name].to_pylist()
    ]
    return case_of(row, findings, trace, tables[MODULES.name].to_pylist())


@pytest.mark.parametrize("one", [*corpus(), *sample()], ids=lambda one: one.specimen.location.rsplit("/", 1)[-1])
def test_a_case_comes_back_as_it_was(one: Examined) -> None:
    assert there_and_back(one) == bare(case(one))


@pytest.mark.parametrize("word", [0, 1, 2**63 - 1, 2**63, 2**64 - 1])
def test_a_word_of_64_bits_comes_back_as_it_was(word: int) -> None:
    assert -(2**63) <= signed(word) < 2**63
    assert unsigned(signed(word)) == word


def test_a_word_that_was_not_observed_stays_null() -> None:
    assert signed(None) is None is unsigned(None)


def test_a_case_of_a_core_dump_cut_before_its_modules_is_kept() -> None:
    one = sample()[0]
    cut = replace(case(one), modules=(), frames=(), below_sp=(), handler_frames=())
    assert there_and_back(Examined(one.specimen, cut)) == bare(cut)


def test_the_same_trace_and_modules_stand_once_for_many_cases() -> None:
    rows = Rows()
    one = sample()[0]
    for index in range(5):
        outcome = replace(case(one), case_id=f"{index:032x}")
        add_examined(rows, Examined(one.specimen, outcome), index, 0, OWN)
    assert rows.arrow(STORED_CASES).num_rows == 5
    assert rows.arrow(TRACES).num_rows == 1
    assert rows.arrow(MODULES).num_rows == len(case(one).modules)


def test_another_base_address_is_the_same_trace() -> None:
    one = case(sample()[0])
    moved = replace(
        one,
        case_id="0" * 32,
        modules=tuple(replace(m, start=m.start + 4096, end=m.end + 4096) for m in one.modules),
        frames=tuple(f._replace(pc=f.pc + 4096 if f.module else f.pc) for f in one.frames),
        below_sp=tuple(f._replace(pc=f.pc + 4096) for f in one.below_sp),
    )
    rows = Rows()
    add_examined(rows, Examined(sample()[0].specimen, one), 1, 0, OWN)
    add_examined(rows, Examined(sample()[0].specimen, moved), 2, 0, OWN)
    assert len(set(rows.arrow(STORED_CASES)["trace_id"].to_pylist())) == 1
    assert there_and_back(Examined(sample()[0].specimen, moved)) == bare(moved)


def test_what_no_column_can_hold_is_null_and_stops_nothing() -> None:
    one = case(sample()[0])
    hostile = replace(
        one, circumstances=replace(one.circumstances, path="core.\udcff", uid=2**80, time="the day after tomorrow")
    )
    found = there_and_back(Examined(sample()[0].specimen, hostile)).circumstances
    assert (found.uid, found.time) == (None, None)
    assert found.path == "core.\\udcff"


def test_a_case_whose_trace_is_gone_comes_back_with_a_gap() -> None:
    rows = Rows()
    add_examined(rows, sample()[0], READING, 0, OWN)
    (row,) = rows.arrow(STORED_CASES).to_pylist()
    modules = rows.arrow(MODULES).to_pylist()
    (trace,) = rows.arrow(TRACES).to_pylist()
    for found in (case_of(row, (), None, modules), case_of(row, (), trace, ())):
        assert (found.frames, found.modules, found.missing[-1]) == ((), (), LOST)
        assert found.features == case(sample()[0]).features


def test_every_declared_column_is_stored_with_its_type() -> None:
    rows = Rows()
    for index, one in enumerate(corpus()):
        add_examined(rows, one, index, 0, OWN)
    for table in CASEBOOK:
        arrow = rows.arrow(table)
        assert arrow.column_names == [column.name for column in table.columns]
        for column in table.columns:
            if column.type in ("int", "address"):
                assert arrow.schema.field(column.name).type == pa.int64()
